"""Gaps in a world of five characters, where every cosine can be counted."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ragcomm.knowledge.gaps import DENSE_SHARE, TOGETHER, Described, clusters, describe, find, similarity
from ragcomm.knowledge.overlap import Reader
from ragcomm.records import Decision, Gap, Silence, Unanswered
from ragcomm.text.encode import StaticEncoder
from ragcomm.text.segment import Segmenter

START = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)
TEXTS = ("艾灸要多久", "艾灸得多久？", "泡脚水温", "挂号在哪", "挂号去哪", "挂号到哪")
SEGMENTER = Segmenter(["艾灸", "泡脚", "挂号"])
READER = Reader({"艾灸": "therapy", "泡脚": "therapy"}, {}, {}, frozenset({"多久", "要", "得", "在", "去", "到", "哪"}))
CHARACTERS = sorted({c for text in TEXTS for c in text if c.isalpha()})
ENCODER = StaticEncoder({c: i for i, c in enumerate(CHARACTERS)}, np.eye(len(CHARACTERS), dtype=np.float16))


def question(
    place: int, text: str, member: str = "", *, minute: int = 0, nearest: str | None = None, confidence: float = 0.0
) -> Unanswered:
    return Unanswered(
        id=f"id{place:03}",
        group_id="g1",
        message_id=f"m{place}",
        member_id=member,
        text=text,
        asked_at=START + timedelta(minutes=minute),
        silence=Silence(Decision.ABSTAIN, nearest, confidence),
    )


def gaps(*questions: Unanswered) -> list[Gap]:
    return find(questions, describe([q.text for q in questions], SEGMENTER, READER, ENCODER))


def titles(found: list[Gap]) -> list[str]:
    return [gap.wordings[0] for gap in found]


def test_the_similarity_is_the_sum_of_two_cosines() -> None:
    vectors = np.array([[1, 0], [0.6, 0.8]], np.float32)
    near = similarity([["a", "b"], ["b", "c", "d", "e", "f", "g", "h", "i"]], vectors)
    assert near[0, 1] == pytest.approx(DENSE_SHARE * 0.6 + (1 - DENSE_SHARE) * 1 / np.sqrt(2 * 8))
    assert near[0, 0] == pytest.approx(DENSE_SHARE + (1 - DENSE_SHARE) * 1 / 2)


def test_questions_that_ask_for_the_same_are_one_gap_and_others_are_not() -> None:
    found = gaps(
        question(1, "艾灸要多久", "a"), question(2, "泡脚水温", "b"), question(3, "艾灸得多久？", "c", minute=5)
    )
    assert [gap.wordings for gap in found] == [("艾灸要多久", "艾灸得多久？"), ("泡脚水温",)]
    assert (found[0].askers, found[0].id) == (2, "id001")
    assert (found[0].first_seen, found[0].last_seen) == (START, START + timedelta(minutes=5))


def test_a_gap_ranks_by_people_not_by_how_often_one_of_them_asks() -> None:
    insistent = [question(i, "泡脚水温", "a", minute=i) for i in range(9)]
    found = gaps(*insistent, question(20, "艾灸要多久", "b"), question(21, "艾灸得多久？", "c"))
    assert [(gap.wordings[0], gap.askers, len(gap.questions)) for gap in found] == [
        ("艾灸要多久", 2, 2),
        ("泡脚水温", 1, 9),
    ]


def test_whoever_gives_no_name_counts_as_one_person() -> None:
    assert gaps(question(1, "泡脚水温"), question(2, "泡脚水温"), question(3, "泡脚水温", "a"))[0].askers == 2


def test_the_title_is_the_question_in_the_middle_and_what_was_asked_more_often_pulls_it() -> None:
    # “挂号去哪” is asked three times: it is nearer to the whole than the other two.
    asked = [question(1, "挂号在哪"), question(2, "挂号到哪")]
    often = [question(i, "挂号去哪", minute=i) for i in (3, 4, 5)]
    assert titles(gaps(*asked, *often)) == ["挂号去哪"]


def test_the_same_words_with_other_punctuation_are_one_wording() -> None:
    [gap] = gaps(question(1, "泡脚水温"), question(2, "泡脚，水温？？"))
    assert gap.wordings == ("泡脚水温",)
    assert len(gap.questions) == 2


def test_the_nearest_entry_is_the_one_most_of_the_confidence_lies_on() -> None:
    [gap] = gaps(
        question(1, "泡脚水温", nearest="faq.a", confidence=0.3),
        question(2, "泡脚水温！", nearest="faq.b", confidence=0.2),
        question(3, "泡脚水温？", nearest="faq.b", confidence=0.25),
    )
    assert (gap.entry_id, gap.confidence) == ("faq.b", 0.25)
    assert gaps(question(1, "泡脚水温"))[0].entry_id is None


def test_a_gap_keeps_its_name_when_later_questions_join() -> None:
    first = question(7, "艾灸要多久")
    assert gaps(first)[0].id == gaps(first, question(1, "艾灸得多久？", minute=1))[0].id == "id007"


def test_nothing_is_chained() -> None:
    # One to two and two to three are near, one to three are not: two are together around the middle, or all three.
    near = np.array([[1, 0.6, 0.1], [0.6, 1, 0.6], [0.1, 0.6, 1]], np.float32)
    assert [list(c) for c in clusters(near, np.ones(3, np.float32))] == [[1, 0, 2]]
    far = np.array([[1, 0.6, 0.1, 0], [0.6, 1, 0.6, 0], [0.1, 0.6, 1, 0.6], [0, 0, 0.6, 1]], np.float32)
    assert [sorted(c) for c in clusters(far, np.ones(4, np.float32))] == [[0, 1, 2], [3]]


def test_whoever_was_taken_no_longer_counts_as_a_neighbour() -> None:
    # The fifth is near to two of the first cluster; once they are gone it is alone, and the last two go before it.
    near = np.eye(7, dtype=np.float32)
    for a, b in ((0, 1), (0, 2), (0, 3), (4, 1), (4, 2), (5, 6)):
        near[a, b] = near[b, a] = 0.9
    assert [sorted(c) for c in clusters(near, np.ones(7, np.float32))] == [[0, 1, 2, 3], [5, 6], [4]]


def test_no_questions_are_no_gaps_and_a_text_without_known_words_is_alone() -> None:
    assert find([], Described([], [], np.zeros((0, 4), np.float32))) == []
    assert titles(gaps(question(1, "？？"), question(2, "！！"))) == ["？？", "！！"]


@given(st.lists(st.tuples(st.sampled_from(TEXTS), st.sampled_from("abc")), min_size=1, max_size=14), st.randoms())
def test_gaps_do_not_depend_on_the_order_and_hold_every_question_once(
    asked: list[tuple[str, str]], shuffle: random.Random
) -> None:
    questions = [question(i, text, member, minute=i % 3) for i, (text, member) in enumerate(asked)]
    found = gaps(*questions)
    shuffled = questions[:]
    shuffle.shuffle(shuffled)
    assert gaps(*shuffled) == found
    assert sorted(q.id for gap in found for q in gap.questions) == sorted(q.id for q in questions)
    assert [gap.askers for gap in found] == sorted((gap.askers for gap in found), reverse=True)
    assert all(gap.id in {q.id for q in gap.questions} for gap in found)


@given(st.lists(st.lists(st.floats(-1, 1, width=32), min_size=3, max_size=3), min_size=1, max_size=12))
def test_everyone_is_near_to_the_middle_of_their_cluster(rows: list[list[float]]) -> None:
    vectors = np.array(rows, np.float32)
    vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-6)
    near = vectors @ vectors.T
    close = near >= TOGETHER
    np.fill_diagonal(close, True)
    found = list(clusters(near, np.ones(len(rows), np.float32)))
    assert sorted(place for members in found for place in members) == list(range(len(rows)))
    assert all(any(close[centre, members].all() for centre in members) for members in found)
