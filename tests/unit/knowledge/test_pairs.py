"""A question beside its candidates, number by number."""

from __future__ import annotations

from math import log, log1p

import numpy as np
import pytest

from ragcomm.knowledge.overlap import Overlap, Reader
from ragcomm.knowledge.pairs import FEATURES, ROLES, Pairs, compare, joined
from ragcomm.knowledge.retrieval import NEARNESS, Candidates
from ragcomm.knowledge.verifier import role_marks
from ragcomm.records import Text

READER = Reader(
    {"黄芪": "herb", "党参": "herb", "失眠": "symptom"},
    {},
    {"孕妇": ("person", "pregnant"), "孩子": ("person", "child")},
    frozenset({"吗"}),
)


def cut(*tokens: str) -> Text:
    return Text("", "".join(tokens), None, tokens)


# Entry 0: two wordings about 黄芪, its answer speaks of 孕妇; entry 1: one about 失眠.
FORMS = [[cut("黄芪", "泡水"), cut("孩子", "黄芪")], [cut("失眠", "泡水")]]
OVERLAP = Overlap(READER, zip(FORMS, [cut("孕妇"), cut("睡眠")], strict=True))


def pairs(question: Text, entries: list[int], wordings: list[int], without: list[int] | None = None) -> Pairs:
    found = Candidates(
        np.zeros(len(entries), np.int64),
        np.array(entries, np.int64),
        np.array(wordings, np.int64),
        np.zeros((len(entries), len(NEARNESS)), np.float32),
    )
    return compare(OVERLAP, OVERLAP.read([question]), found, without=without)


def value(found: Pairs, name: str) -> list[float]:
    return [round(float(v), 4) for v in found.features[:, FEATURES.index(name)]]


def spoken(found: Pairs, pair: int) -> set[tuple[str, str]]:
    rows, roles, marks = found.roles
    names = role_marks(OVERLAP)
    return {
        (ROLES[role], names[mark])
        for row, role, mark in zip(rows.tolist(), roles.tolist(), marks.tolist(), strict=True)
        if row == pair
    }


def test_another_herb_is_missing_and_not_even_answered() -> None:
    found = pairs(cut("党参", "泡水", "吗"), [0, 1], [0, 2])
    assert value(found, "herb_said") == [1, 1]
    assert value(found, "herb_missing") == [1, 1]
    assert value(found, "herb_unanswered") == [1, 1]
    # Both entries know 泡水: half the wordings of the first, all of the second.
    assert value(found, "word_missing") == [0, 0]
    assert value(found, "word_common") == [0.5, 1]
    assert value(found, "herb_wording_unsaid") == [pytest.approx(idf(1) / (idf(1) + 0.5), abs=1e-4), 0]
    # Whoever asks for 党参 does not say 黄芪, which both wordings of the first entry do.
    assert value(found, "herb_core_unsaid")[0] > 0.5
    assert {
        ("missing", "herb:?"),
        ("unanswered", "herb:?"),
        ("unsaid", "herb:黄芪"),
        ("shared", "word:泡水"),
    } <= spoken(found, 0)


def idf(entries: int) -> float:
    return log((2 + 1) / (1 + entries)) + 0.2


def test_a_person_whom_only_the_answer_names_is_missing_but_answered() -> None:
    found = pairs(cut("孕妇", "黄芪"), [0], [0])
    assert value(found, "person_said") == [1]
    assert value(found, "person_missing") == [1]
    assert value(found, "person_unanswered") == [0]
    assert value(found, "herb_missing") == [0]
    assert ("missing", "person:pregnant") in spoken(found, 0)
    assert ("unanswered", "person:pregnant") not in spoken(found, 0)
    assert value(found, "rarest_missing") == [pytest.approx(idf(0), abs=1e-4)]
    assert value(found, "rarest_unanswered") == [0]


def test_overlap_with_the_nearest_wording_is_dice() -> None:
    found = pairs(cut("黄芪", "泡水"), [0, 0], [0, 1])
    assert value(found, "shared_pairs") == [1, pytest.approx(2 * 1 / 6, abs=1e-4)]
    # Words and slots together: 黄芪 of 黄芪, 泡水 and of 孩子, person:child, 黄芪.
    assert value(found, "shared_words") == [1, pytest.approx(2 * 1 / 5, abs=1e-4)]
    assert value(found, "length") == [round(log1p(5), 4)] * 2
    assert value(found, "wording_length") == [round(log1p(5), 4), round(log1p(6), 4)]


def test_a_training_wording_does_not_know_itself() -> None:
    question = cut("孩子", "黄芪")
    assert value(pairs(question, [0, 1], [0, 2]), "person_missing") == [0, 1]
    found = pairs(question, [0, 1], [0, 2], without=[1])
    assert value(found, "person_missing") == [1, 1]
    assert value(found, "herb_missing") == [0, 1], "another wording says it too"


def test_a_question_without_marks_can_be_compared() -> None:
    found = pairs(cut(), [0], [0])
    assert np.isfinite(found.features).all()
    assert value(found, "shared_words") == [0]


def test_parts_are_joined_with_their_roles() -> None:
    first, second = pairs(cut("党参"), [0, 1], [0, 2]), pairs(cut("孕妇"), [0], [0])
    whole = joined([first, second])
    assert whole.owners.tolist() == [0, 0, 1]
    assert whole.entries.tolist() == [0, 1, 0]
    np.testing.assert_array_equal(whole.features[2:], second.features)
    assert spoken(whole, 2) == spoken(second, 0)
    assert spoken(whole, 1) == spoken(first, 1)
