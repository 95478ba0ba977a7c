"""Who becomes a candidate, in which order, and with which numbers."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.knowledge.worlds import ENCODER, ENTRIES, READER, SEGMENTER

from ragcomm.knowledge.retrieval import (
    DENSE_SHARE,
    MOST_CANDIDATES,
    NEARNESS,
    Candidates,
    Index,
    highest,
    rank,
)


def scores(*values: float) -> np.ndarray:
    return np.array(values, np.float32)


def places(*values: int) -> np.ndarray:
    return np.array(values, np.int64)


def column(found: Candidates, name: str) -> list[float]:
    return [round(float(v), 4) for v in found.nearness[:, NEARNESS.index(name)]]


# Entry 0 owns wordings 0 and 1, entry 1 wording 2, entry 2 wordings 3, 4 and 5.
OWNER = places(0, 0, 1, 2, 2, 2)


def test_entries_are_ranked_by_their_best_wording() -> None:
    dense, lexical = scores(0.2, 0.9, 0.5, 0.4), scores(0.6, 0.1, 0.5, 0.9)
    found = rank(OWNER, [places(0, 1, 2, 3)], [dense], [lexical], scores(0.75))
    fused = [DENSE_SHARE * d + (1 - DENSE_SHARE) * w for d, w in zip(dense, lexical, strict=True)]
    assert found.entries.tolist() == [0, 2, 1]
    assert found.wordings.tolist() == [1, 3, 2]
    assert found.owners.tolist() == [0, 0, 0]
    assert column(found, "fused") == pytest.approx([fused[1], fused[3], fused[2]], abs=1e-4)
    assert column(found, "lead") == pytest.approx(
        [fused[1] - fused[3], fused[3] - fused[1], fused[2] - fused[1]], abs=1e-4
    )
    assert column(found, "dense") == [0.9, 0.4, 0.5]
    assert column(found, "lexical") == [0.6, 0.9, 0.5]
    assert column(found, "dense_second") == [0.2, 0.2, 0.25]
    assert column(found, "lexical_second") == [0.6, 0.0, 0.0]
    assert column(found, "rank") == [0, 1, 2]
    assert column(found, "first") == [1, 0, 0]
    assert column(found, "known") == [0.75] * 3
    assert column(found, "spread") == pytest.approx([fused[1] - fused[2]] * 3, abs=1e-4)


def test_three_wordings_of_one_entry_speak_together() -> None:
    found = rank(OWNER, [places(5, 3, 4)], [scores(0.3, 0.9, 0.6)], [scores(0, 0, 0)], scores(1))
    assert found.entries.tolist() == [2]
    assert column(found, "dense_three") == [0.6]
    assert column(found, "support") == [0.2]
    assert column(found, "wordings") == [0.2]
    assert column(found, "lead") == [round(0.9 * DENSE_SHARE, 4)]


def test_questions_are_ranked_apart() -> None:
    both = rank(
        OWNER, [places(0, 2), places(2, 3)], [scores(0.1, 0.8), scores(0.3, 0.4)], [scores(0, 0)] * 2, scores(0.5, 0.25)
    )
    assert both.owners.tolist() == [0, 0, 1, 1]
    assert both.entries.tolist() == [1, 0, 2, 1]
    assert column(both, "known") == [0.5, 0.5, 0.25, 0.25]
    assert column(both, "top") == [0.56, 0.56, 0.28, 0.28]
    assert column(both, "second") == [0.07, 0.07, 0.21, 0.21]


def test_a_question_without_wordings_has_no_candidates() -> None:
    none = np.zeros(0, np.int64)
    empty = rank(OWNER, [none], [scores()], [scores()], scores(0))
    assert empty.nearness.shape == (0, len(NEARNESS))
    mixed = rank(OWNER, [none, places(2)], [scores(), scores(0.5)], [scores(), scores(0)], scores(0, 1))
    assert mixed.owners.tolist() == [1]


def test_no_more_candidates_than_can_be_looked_at() -> None:
    owner = np.arange(50)
    found = rank(
        owner, [np.arange(50)], [np.linspace(0, 1, 50, dtype=np.float32)], [np.zeros(50, np.float32)], scores(1)
    )
    assert found.entries.tolist() == list(range(49, 49 - MOST_CANDIDATES, -1))


@given(st.lists(st.lists(st.tuples(st.integers(0, 5), st.floats(0, 1), st.floats(0, 1)), max_size=6), max_size=4))
@settings(deadline=None, max_examples=100)
def test_questions_ranked_together_are_ranked_as_alone(asked: list[list[tuple[int, float, float]]]) -> None:
    lists = [list({form: (form, d, w) for form, d, w in question}.values()) for question in asked]
    forms = [np.array([f for f, _, _ in own], np.int64) for own in lists]
    dense = [np.array([d for _, d, _ in own], np.float32) for own in lists]
    lexical = [np.array([w for _, _, w in own], np.float32) for own in lists]
    known = np.linspace(0, 1, len(lists), dtype=np.float32)
    if not lists:
        return
    together = rank(OWNER, forms, dense, lexical, known)
    for i in range(len(lists)):
        alone = rank(OWNER, forms[i : i + 1], dense[i : i + 1], lexical[i : i + 1], known[i : i + 1])
        own = together.owners == i
        assert together.entries[own].tolist() == alone.entries.tolist()
        assert together.wordings[own].tolist() == alone.wordings.tolist()
        np.testing.assert_allclose(together.nearness[own], alone.nearness, atol=1e-6)


@pytest.fixture(scope="module")
def index() -> Index:
    return Index(ENTRIES, SEGMENTER, ENCODER, READER)


def look_up(index: Index, *raws: str, without: list[int] | None = None) -> Candidates:
    texts = [SEGMENTER.read(raw) for raw in raws]
    return index.look_up(index.overlap.read(texts), ENCODER.encode(texts), without=without)


def test_an_index_finds_by_words_and_vectors_and_knows_the_title(index: Index) -> None:
    found = look_up(index, "感冒多久痊愈")
    assert (found.entries[0], found.wordings[0]) == (1, 3)
    # 感冒 of the title's five characters, of six of the question.
    assert column(found, "title")[0] == pytest.approx(2 / 30**0.5, abs=0.01)
    assert column(found, "dense")[0] == pytest.approx(1, abs=0.01)
    assert column(found, "known")[0] == 1


def test_a_wording_is_not_found_by_itself(index: Index) -> None:
    found = look_up(index, "感冒多久痊愈", without=[3])
    assert 3 not in found.wordings
    assert (found.entries[0], found.wordings[0]) == (1, 2)


def test_highest_are_those_near_the_best() -> None:
    values = scores(0.1, 0.9, 0.44, 0.46, 0.8)
    assert highest(values, 9).tolist() == [1, 3, 4]
    assert highest(values, 2).tolist() == [1, 4]
    assert highest(scores(0, 0), 3).tolist() == []
    assert highest(scores(), 3).tolist() == []
