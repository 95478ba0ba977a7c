"""Idf cosines, each computed a second time from its definition."""

from collections import Counter
from math import log, sqrt

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ragcomm.knowledge.lexical import LexicalIndex
from ragcomm.knowledge.overlap import Read

# Marks 0 to 9 belong to forms; 10 and 11 no form has.
MARKS = 10


def read(*texts: list[int]) -> Read:
    return Read(np.cumsum([0, *map(len, texts)]), np.array([m for t in texts for m in t], np.int64))


def alone(index: LexicalIndex, text: list[int]) -> tuple[np.ndarray, float]:
    cosines, known = index.look_up(read(text))
    return cosines[0], float(known[0])


@pytest.fixture
def index() -> LexicalIndex:
    """Sleep and tea | sleep | tea: three forms, of which no two are alike; 2 is their pair."""
    return LexicalIndex(read([0, 1, 2], [0], [1]), MARKS)


def test_a_wording_met_exactly_scores_one(index: LexicalIndex) -> None:
    cosines, known = alone(index, [0, 1, 2])
    assert cosines[0] == pytest.approx(1, abs=1e-6)
    assert known == pytest.approx(1)
    assert cosines.dtype == np.float32


def test_cosines_are_those_of_weighted_marks(index: LexicalIndex) -> None:
    common, rare = log(4 / 3) + 1, log(4 / 2) + 1
    first = sqrt(2 * common**2 + rare**2)
    np.testing.assert_allclose(alone(index, [0])[0], [common / first, 1, 0], atol=1e-6)
    np.testing.assert_allclose(alone(index, [1])[0], [common / first, 0, 1], atol=1e-6)
    np.testing.assert_allclose(alone(index, [2])[0], [rare / first, 0, 0], atol=1e-6)


def test_known_is_the_share_of_weight_that_any_form_has(index: LexicalIndex) -> None:
    common, unseen = log(4 / 3) + 1, log(4) + 1
    cosines, known = alone(index, [1, 10])
    assert known == pytest.approx(common / (common + unseen))
    assert cosines[2] == pytest.approx(common / sqrt(common**2 + unseen**2), abs=1e-6)


def test_nothing_known_scores_nothing(index: LexicalIndex) -> None:
    for text in ([10, 11], []):
        cosines, known = alone(index, text)
        assert cosines.tolist() == [0, 0, 0]
        assert known == 0


def test_a_form_without_marks_keeps_its_place() -> None:
    np.testing.assert_allclose(alone(LexicalIndex(read([], [3]), MARKS), [3])[0], [0, 1], atol=1e-6)


def test_a_mark_of_more_than_a_hundred_forms_tells_nothing_apart() -> None:
    for forms, seen in ((100, True), (101, False)):
        cosines, known = alone(LexicalIndex(read(*[[0, 1 + i] for i in range(forms)]), forms + 1), [0])
        assert (cosines > 0).all() == seen
        assert known == pytest.approx(1)


texts = st.lists(st.integers(0, MARKS - 1), unique=True, max_size=5)
queries = st.lists(st.integers(0, MARKS + 1), unique=True, max_size=5)


@given(st.lists(texts, min_size=1, max_size=8), queries)
@settings(deadline=None, max_examples=150)
def test_scores_are_cosines_computed_from_the_definition(forms: list[list[int]], query: list[int]) -> None:
    frequency = Counter(mark for form in forms for mark in form)

    def weigh(text: list[int]) -> dict[int, float]:
        return {mark: log((1 + len(forms)) / (1 + frequency[mark])) + 1 for mark in text}

    def cosine(a: dict[int, float], b: dict[int, float]) -> float:
        norms = sqrt(sum(w * w for w in a.values()) * sum(w * w for w in b.values()))
        return sum(w * b.get(mark, 0.0) for mark, w in a.items()) / norms if norms else 0.0

    cosines, known = alone(LexicalIndex(read(*forms), MARKS), query)
    np.testing.assert_allclose(cosines, [cosine(weigh(query), weigh(form)) for form in forms], atol=1e-5)
    assert 0 <= known <= 1 + 1e-6


@given(st.lists(texts, min_size=1, max_size=8), st.lists(queries, max_size=5))
@settings(deadline=None, max_examples=80)
def test_texts_looked_up_together_score_as_alone(forms: list[list[int]], asked: list[list[int]]) -> None:
    index = LexicalIndex(read(*forms), MARKS)
    cosines, known = index.look_up(read(*asked))
    assert cosines.shape == (len(asked), len(forms))
    for i, query in enumerate(asked):
        one, share = alone(index, query)
        np.testing.assert_allclose(cosines[i], one, atol=1e-7)
        assert float(known[i]) == share
