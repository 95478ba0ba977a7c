"""The safety tables hold what the sources hold, and nothing in them claims to be verified."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from ragcomm.corpora import PARSERS, SafetyRow, read_jsonl
from ragcomm.errors import CorpusError
from ragcomm.settings import shipped_folder

CORPORA = shipped_folder("corpora")
TABLES = ("incompatible", "interactions", "pregnancy", "pregnancy_points", "toxic_herbs", "food_and_medicine")


def rows(name: str) -> list[dict[str, Any]]:
    return [row for _, row in read_jsonl(CORPORA / f"safety/{name}.jsonl")]


def parsed(name: str) -> list[SafetyRow]:
    path = f"safety/{name}.jsonl"
    return [PARSERS[path](where, row) for where, row in read_jsonl(CORPORA / path)]


@pytest.mark.parametrize("name", TABLES)
def test_every_row_names_its_source_and_waits_for_a_signature(name: str) -> None:
    found = parsed(name)
    assert found
    assert all(row.source for row in found)
    assert {row.verified_by for row in found} == {None}


def test_the_eighteen_incompatibilities_are_sixteen_pairs_around_three_herbs() -> None:
    pairs = [(r["a"]["name"], r["b"]["name"]) for r in rows("incompatible") if r["rule"] == "eighteen"]
    assert Counter(a for a, _ in pairs) == {"乌头": 5, "甘草": 4, "藜芦": 7}
    assert len({name for pair in pairs for name in pair}) == 19
    # The one that is most often dropped.
    assert ("藜芦", "苦参") in pairs


def test_the_nineteen_antagonisms_are_ten_rows() -> None:
    pairs = [r for r in rows("incompatible") if r["rule"] == "nineteen"]
    assert len(pairs) == 10
    assert {r["level"] for r in pairs} == {"unsuitable"}


@pytest.mark.parametrize(
    ("stranger", "kin"),
    [("白附子", "附子"), ("太子参", "人参"), ("昆布", "海藻"), ("土贝母", "川贝母"), ("白芷", "白及")],
)
def test_names_that_only_sound_alike_stay_apart(stranger: str, kin: str) -> None:
    names = {name for row in parsed("incompatible") for name in (*row.names, *row.others)}
    assert kin in names
    assert stranger not in names


def test_a_hundred_names_are_warned_of_in_pregnancy() -> None:
    table = rows("pregnancy")
    assert Counter(r["level"] for r in table) == {"forbidden": 38, "avoid": 2, "caution": 60}
    assert {r["name"] for r in table if r["food"]} == {"西红花", "肉桂", "郁李仁", "桃仁", "薏苡仁"}


def test_the_list_of_food_and_medicine_has_its_106_names() -> None:
    names = [r["name"] for r in rows("food_and_medicine")]
    assert len(names) == len(set(names)) == 106


def test_points_not_to_press_in_pregnancy_are_there() -> None:
    names = {name for row in parsed("pregnancy_points") for name in row.names}
    assert {"合谷", "三阴交", "肩井", "昆仑", "至阴"} <= names


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ({"name": "附子", "aliases": [], "source": "药典"}, "verified_by"),
        ({"name": "附子", "aliases": [], "source": "", "verified_by": None}, "'source'"),
        ({"name": "附子", "source": "药典", "verified_by": None}, "'aliases'"),
        (
            {"id": "x", "a": {"name": "甘草", "names": []}, "b": {"name": "甘遂"}, "source": "s", "verified_by": None},
            "'names'",
        ),
    ],
)
def test_a_row_without_source_or_signature_is_refused(row: dict[str, Any], expected: str) -> None:
    with pytest.raises(CorpusError, match=expected):
        PARSERS["safety/toxic_herbs.jsonl"]("safety/toxic_herbs.jsonl:1", row)


def test_a_row_is_read_whole() -> None:
    pair = {"id": "p", "a": {"name": "甘草", "names": ["国老"]}, "b": {"name": "甘遂", "names": []}}
    read = PARSERS["safety/incompatible.jsonl"]("x:1", {**pair, "source": "儒门事亲", "verified_by": "王药师"})
    assert read == SafetyRow(id="p", names=("甘草", "国老"), others=("甘遂",), source="儒门事亲", verified_by="王药师")


def test_the_tables_lie_where_the_product_looks() -> None:
    assert {Path(name).stem for name in PARSERS if name.startswith("safety/")} == set(TABLES)
