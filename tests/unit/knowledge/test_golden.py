"""A new index answers nobody before every entry's own question finds it first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from tests.unit.knowledge.worlds import ENCODER, ENTRIES, READER, SEGMENTER, calibration, verifier

from ragcomm.knowledge.answerer import Answerer
from ragcomm.knowledge.golden import failures
from ragcomm.knowledge.retrieval import Index
from ragcomm.knowledge.verifier import Verifier
from ragcomm.records import Entry

BY_COSINE = verifier(dense=10.0, offset=-5.0)
# Prefers whatever is least alike.
UPSIDE_DOWN = verifier(dense=-10.0, offset=5.0)


def build(entries: Sequence[Entry], check: Verifier = BY_COSINE) -> Answerer:
    return Answerer(entries, Index(entries, SEGMENTER, ENCODER, READER), check, calibration(), "world")


def missed(answerer: Answerer, served: Answerer | None = None) -> list[str]:
    return failures(answerer, SEGMENTER, ENCODER, served=served)


def test_entries_that_their_questions_find_miss_nothing() -> None:
    assert missed(build(ENTRIES)) == []
    assert missed(build(ENTRIES), build(ENTRIES)) == []


def test_two_entries_with_one_question_cannot_both_be_found() -> None:
    twin = replace(ENTRIES[0], id="twin")
    both = missed(build([*ENTRIES, twin]))
    assert both
    assert set(both) <= {"sleep", "twin"}
    assert missed(build([*ENTRIES, twin]), build(ENTRIES)) == both


def test_a_question_that_only_its_known_wording_wins_is_missed() -> None:
    lost = missed(build(ENTRIES, UPSIDE_DOWN))
    assert lost == missed(build(ENTRIES, UPSIDE_DOWN), build(ENTRIES))
    assert "sleep" in lost


def test_what_the_served_index_loses_too_holds_nothing_up() -> None:
    assert missed(build(ENTRIES, UPSIDE_DOWN), build(ENTRIES, UPSIDE_DOWN)) == []
