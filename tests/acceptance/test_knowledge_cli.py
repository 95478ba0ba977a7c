"""Entries on the command line: a file in, a version out, and back again."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ragcomm.corpora import load_entries
from ragcomm.knowledge.categories import CLINICAL
from ragcomm.knowledge.exchange import Reading, to_lines
from ragcomm.knowledge.sheets import READERS
from ragcomm.settings import Settings

pytestmark = pytest.mark.slow


@pytest.fixture
def knowledge(tmp_path: Path) -> Any:
    """Runs `ragcomm knowledge` over a database of its own: exit code, lines, errors."""
    environment = {**os.environ, "RAGCOMM_DATABASE_URL": f"sqlite:///{tmp_path}/knowledge.sqlite3"}

    def run(*arguments: str, stdin: bytes = b"") -> tuple[int, list[Any], str]:
        command = [sys.executable, "-m", "ragcomm", "knowledge", *arguments]
        done = subprocess.run(command, input=stdin, capture_output=True, env=environment, check=False)
        return done.returncode, [json.loads(line) for line in done.stdout.splitlines()], done.stderr.decode()

    return run


def test_a_file_becomes_drafts_a_version_and_is_taken_back(knowledge: Any, tmp_path: Path) -> None:
    entries = load_entries(Settings().corpora / "faq/entries.jsonl")
    first, second, *_ = (e for e in entries if e.category not in CLINICAL)
    file = tmp_path / "change.jsonl"
    file.write_bytes(to_lines([replace(first, tier="核心" if first.tier != "核心" else "基础"), second]))
    tried = knowledge("import", "faq", str(file))
    assert (tried[0], [(r["entry_id"], r["change"], r["field"]) for r in tried[1]]) == (
        0,
        [(first.id, "changed", "tier")],
    )
    assert knowledge("publish")[0] == 1
    assert knowledge("import", "faq", str(file), "--apply")[0] == 0
    assert knowledge("lint")[0] == 0
    dry = knowledge("publish", "--dry-run")
    assert dry == (0, [{"version": None, "base": 0, "published": [first.id], "waiting": []}], "")
    assert knowledge("publish", "--note", "tier")[1][0]["version"] == 1
    code, shown, _ = knowledge("versions")
    assert (code, [(v["version"], v["current"], v["note"]) for v in shown]) == (
        0,
        [(1, True, "tier"), (0, False, "the shipped entries")],
    )
    assert shown[0]["publisher"].startswith("cli:")
    assert knowledge("rollback", "0")[1] == [{"version": 0}]
    assert [v["current"] for v in knowledge("versions")[1]] == [False, True]


@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_an_export_is_whole(knowledge: Any, tmp_path: Path, form: str) -> None:
    file = tmp_path / f"claims.{form}"
    assert knowledge("export", "claims", str(file))[0] == 0
    shipped = tuple(load_entries(Settings().corpora / "claims/entries.jsonl"))
    assert READERS[form]("claims", file.read_bytes()) == Reading(shipped, ())
    assert knowledge("import", "claims", str(file)) == (0, [], "")


def test_what_is_wrong_is_one_clear_line(knowledge: Any) -> None:
    assert knowledge("export", "recipes", "-")[::2] == (1, "ragcomm: KIND: saw recipes, expected faq or claims\n")
    assert knowledge("export", "faq", "x.pdf")[::2] == (1, "ragcomm: --format: saw pdf, expected jsonl, csv, xlsx\n")
    code, shown, errors = knowledge("import", "faq", "-", stdin=b'{"id": "faq.x"}\n')
    assert (code, shown[0]["where"], shown[0]["change"]) == (1, "line 1", "rejected")
    assert errors.startswith("ragcomm: 1 rows were rejected; first, line 1:")
    assert knowledge("rollback", "7")[::2] == (1, "ragcomm: there is no version 7\n")
    assert knowledge("rollback", "x")[0] == 2


def test_an_error_keeps_drafts_from_being_published(knowledge: Any) -> None:
    first, *_ = load_entries(Settings().corpora / "faq/entries.jsonl")
    assert knowledge("import", "faq", "-", "--apply", stdin=to_lines([replace(first, sources=())]))[0] == 0
    code, shown, errors = knowledge("lint", "faq")
    assert (code, [(f["entry_id"], f["rule"]) for f in shown]) == (1, [(first.id, "no_source")])
    assert errors == "ragcomm: 1 errors in the entries\n"
    assert knowledge("publish")[2].splitlines()[0] == f"{first.id}: names no source"
