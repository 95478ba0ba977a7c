"""The command line as its users call it: lines in, lines out, exit codes, one clear line of error."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from ragcomm.corpora import load_entries, load_messages
from ragcomm.settings import Settings

pytestmark = pytest.mark.slow


def ragcomm(*arguments: str, stdin: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "ragcomm", *arguments],
        input=stdin,
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
        check=False,
    )


def rows(done: subprocess.CompletedProcess[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in done.stdout.splitlines()]


def written(path: Path, lines: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines), encoding="utf-8")
    return path


def test_moderate_gives_the_same_verdicts_in_any_order(tmp_path: Path) -> None:
    lines = [{"id": m.id, "text": m.text, "quoted": m.quoted} for m in load_messages(Settings().corpora)[::9]]
    shuffled = random.Random(5).sample(lines, len(lines))
    first = rows(ragcomm("moderate", str(written(tmp_path / "a.jsonl", lines))))
    second = rows(ragcomm("moderate", str(written(tmp_path / "b.jsonl", shuffled))))
    assert [r["id"] for r in first] == [line["id"] for line in lines]
    assert {r["id"]: r for r in first} == {r["id"]: r for r in second}


def test_moderate_writes_what_the_contract_says() -> None:
    done = ragcomm("moderate", "-", stdin='{"id":"m1","text":"加我薇信abc12345，祖传膏药三贴断根"}\n')
    assert done.returncode == 0
    (row,) = rows(done)
    assert set(row) == {"id", "labels", "flagged", "stance", "action"}
    assert set(row["labels"]) == {"spam", "rumor", "question", "abuse", "risk"}
    assert "spam" in row["flagged"]
    assert row["action"] == "hold"


def test_ask_gives_three_matches_whatever_it_decides() -> None:
    lines = '{"id":"1","text":"玫瑰花茶怎么喝，哪些人不宜喝？"}\n{"id":"2","text":"火车几点开"}\n'
    first, second = rows(ragcomm("ask", "-", stdin=lines))
    assert (first["decision"], first["matches"][0]["entry_id"]) == ("answer", "faq.tea.rose")
    assert second["decision"] == "abstain"
    assert len(first["matches"]) >= 3
    assert len(second["matches"]) >= 3


def test_ask_can_demand_a_clinician_for_what_is_clinical() -> None:
    entries = load_entries(Settings().corpora / "faq/entries.jsonl")
    herb = next(entry for entry in entries if entry.category == "herb")
    line = (
        json.dumps({"id": "1", "text": herb.question}) + "\n" + '{"id":"2","text":"玫瑰花茶怎么喝，哪些人不宜喝？"}\n'
    )
    strict = rows(ragcomm("ask", "--review", "clinician", "-", stdin=line))
    assert [row["decision"] for row in strict] == ["confirm", "answer"]
    assert [row["matches"][0]["entry_id"] for row in strict] == [herb.id, "faq.tea.rose"]
    assert [row["decision"] for row in rows(ragcomm("ask", "-", stdin=line))] == ["answer", "answer"]


def test_bad_lines_are_named_and_the_good_ones_kept() -> None:
    done = ragcomm(
        "moderate", "-", stdin='{"id":"1","text":"早"}\nnot json\n{"id":"3","text":5}\n{"id":"4","text":"晚安"}\n'
    )
    assert done.returncode == 1
    assert [r.get("id") for r in rows(done)] == ["1", None, None, "4"]
    assert done.stderr.strip().splitlines()[-1].startswith("ragcomm: 2 of the lines could not be read; first, line 2:")
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["moderate", "/no/such/file"], 1),
        (["publish", "moderation", "no-such-version"], 1),
        (["publish", "nothing", "1"], 1),
        (["train", "nothing"], 1),
        (["ask", "--review", "nobody", "-"], 1),
        (["moderate"], 2),
        (["no-such-command"], 2),
    ],
)
def test_errors_are_one_clear_line(arguments: list[str], code: int) -> None:
    done = ragcomm(*arguments)
    assert done.returncode == code
    assert "Traceback" not in done.stderr
    if code == 1:
        assert len(done.stderr.strip().splitlines()) == 1


def test_keys_are_made_listed_and_revoked(tmp_path: Path) -> None:
    database = {"RAGCOMM_DATABASE_URL": f"sqlite:///{tmp_path}/keys.sqlite3"}
    made = json.loads(ragcomm("keys", "create", "my bot", "--scope", "bot", "--group", "g1", **database).stdout)
    assert made["key"].startswith("rc_")
    listed = ragcomm("keys", "list", **database)
    assert json.loads(listed.stdout) == {"id": made["id"], "name": "my bot", "scopes": ["bot"], "groups": ["g1"]}
    assert made["key"] not in listed.stdout
    assert ragcomm("keys", "revoke", made["id"], **database).returncode == 0
    assert ragcomm("keys", "list", **database).stdout == ""
    assert ragcomm("keys", "revoke", made["id"], **database).returncode == 1


def test_doctor_finds_a_damaged_model(tmp_path: Path) -> None:
    import shutil

    database = {"RAGCOMM_DATABASE_URL": f"sqlite:///{tmp_path}/doctor.sqlite3"}
    assert ragcomm("doctor", **database).returncode == 0
    models = tmp_path / "models"
    shutil.copytree(Settings().models, models)
    weights = next(models.glob("moderation/*/weights.safetensors"))
    weights.write_bytes(weights.read_bytes()[:-1] + b"\x00")
    done = ragcomm("doctor", RAGCOMM_MODELS=str(models), **database)
    assert done.returncode == 1
    assert "sha256" in done.stdout


def test_demo_shows_every_kind_of_outcome() -> None:
    shown = ragcomm("demo").stdout
    for word in ("allow", "hold", "escalate", "120"):
        assert word in shown
