"""The corpora as they are have no flaw, and every kind of flaw put into them is found where it is."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from ragcomm.corpora import is_test_message
from ragcomm.jobs.check_corpora import Report, run
from ragcomm.settings import shipped_folder

CORPORA = shipped_folder("corpora")


def read(folder: Path, name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / name).read_text(encoding="utf-8").splitlines()]


def write(folder: Path, name: str, rows: list[dict[str, Any]]) -> None:
    text = "".join(f"{json.dumps(row, ensure_ascii=False)}\n" for row in rows)
    (folder / name).write_text(text, encoding="utf-8")


def flaws(report: Report, pattern: str) -> list[str]:
    return [f.where for f in report.flaws if re.search(pattern, f.what)]


def test_the_corpora_have_no_flaw() -> None:
    report = run(CORPORA)
    assert [f"{f.where}: {f.what}" for f in report.flaws] == []
    assert report.figures["lines"]["faq/entries.jsonl"] == 400
    assert report.figures["terms"] >= 4000


@pytest.fixture(scope="module")
def spoiled(tmp_path_factory: pytest.TempPathFactory) -> Report:
    """The report on a copy with one flaw of each kind."""
    folder = tmp_path_factory.mktemp("spoiled") / "corpora"
    shutil.copytree(CORPORA, folder)
    entries = read(folder, "faq/entries.jsonl")
    entries[0]["alternates"] = entries[0]["alternates"][:5]
    entries[1]["alternates"] += ["夜里睡不踏实总做梦咋调理", "夜里睡不踏实老做梦咋调理"]
    entries[2]["answer"] = "这个方子包治百病，用过的都好了。" * 6
    entries[3]["answer"] = "黄芪每天30克煮水喝，连喝半个月，气色就好。" * 5
    entries[4]["answer"] = "短。"
    entries[5]["expires_on"] = entries[5]["reviewed_on"]
    entries[6]["alternates"] = [entries[6]["question"] + "啊" * i for i in range(1, 30)]
    entries[7]["sources"] = []
    write(folder, "faq/entries.jsonl", [*entries[:-1], entries[8]])
    messages = read(folder, "moderation/messages.jsonl")
    train = next(m for m in messages if not is_test_message(m["id"]) and len(m["text"]) > 25)
    test_id = next(f"leak-{i}" for i in range(1000) if is_test_message(f"leak-{i}"))
    messages.append({"id": test_id, "text": train["text"] + "哦", "labels": [], "kind": "smalltalk"})
    messages.append({"id": "twin", "text": messages[0]["text"] + "！", "labels": [], "kind": "smalltalk"})
    messages.append({"id": "unknown-label", "text": "麒麟角卖不卖", "labels": ["advert"], "kind": "smalltalk"})
    write(folder, "moderation/messages.jsonl", messages)
    stances = read(folder, "claims/stances.jsonl")
    stances[0]["claim_id"] = "claim.none"
    write(folder, "claims/stances.jsonl", stances)
    write(folder, "moderation/traps.jsonl", read(folder, "moderation/traps.jsonl")[:100])
    (folder / "lexicon/synonyms.jsonl").write_text("[1]\n", encoding="utf-8")
    return run(folder)


@pytest.mark.parametrize(
    ("pattern", "where"),
    [
        ("5 alternates, expected at least 20", "faq/entries.jsonl:1"),
        ("nearly the same", "faq/entries.jsonl:2"),
        ("promises: 这个方子包治", "faq/entries.jsonl:3"),
        ("names a dose: 黄芪每天30克", "faq/entries.jsonl:4"),
        ("the answer has 2 characters", "faq/entries.jsonl:5"),
        ("not after its review", "faq/entries.jsonl:6"),
        ("share no content word", "faq/entries.jsonl:7"),
        ("wordings are alike by", "faq/entries.jsonl:7"),
        ("names no source", "faq/entries.jsonl:8"),
        ("was already at", "faq/entries.jsonl:400"),
        ("points to .* does not exist", "faq/near_misses.jsonl|faq/questions.jsonl"),
        ("points to claim.none", "claims/stances.jsonl:1"),
        ("is nearly that of", "moderation/messages.jsonl"),
        ("says the same as moderation/messages.jsonl:1$", "moderation/messages.jsonl"),
        ("labels and stance of the label guide", "moderation/messages.jsonl"),
        ("100 lines, expected at least 500", "moderation/traps.jsonl"),
        ("expected an object", "lexicon/synonyms.jsonl:1"),
    ],
)
def test_a_flaw_is_found_where_it_is(spoiled: Report, pattern: str, where: str) -> None:
    assert any(re.match(where, place) for place in flaws(spoiled, pattern)), spoiled.flaws[:20]
