"""Cosines of three vectors whose answers fit in the head."""

import numpy as np
import pytest

from ragcomm.knowledge.dense import DenseIndex

EAST, NORTH = np.array([1, 0], np.float32), np.array([0, 1], np.float32)


@pytest.fixture
def index() -> DenseIndex:
    return DenseIndex(np.array([[0, -1], [1, 0], [0.6, 0.8]], np.float32))


def test_nearest_gives_places_and_cosines_best_first(index: DenseIndex) -> None:
    places, cosines = index.nearest(EAST, 3)
    assert places.tolist() == [1, 2, 0]
    np.testing.assert_allclose(cosines, [1.0, 0.6, 0.0], atol=1e-6)
    places, cosines = index.nearest(NORTH, 3)
    assert places.tolist() == [2, 1, 0]
    np.testing.assert_allclose(cosines, [0.8, 0.0, -1.0], atol=1e-6)


def test_only_as_many_as_asked(index: DenseIndex) -> None:
    places, cosines = index.nearest(EAST, 1)
    assert places.tolist() == [1]
    assert cosines.tolist() == [1.0]


def test_a_place_is_never_minus_one(index: DenseIndex) -> None:
    assert sorted(index.nearest(EAST, 50)[0].tolist()) == [0, 1, 2]
    # FAISS answers a vector of NaN with padding alone.
    places, cosines = index.nearest(np.full(2, np.nan, np.float32), 3)
    assert places.tolist() == []
    assert cosines.tolist() == []


def test_scores_keep_the_order_of_the_places_asked(index: DenseIndex) -> None:
    np.testing.assert_allclose(index.scores(NORTH, np.array([2, 0, 1, 2])), [0.8, -1.0, 0.0, 0.8], atol=1e-6)
    assert index.scores(NORTH, np.array([], np.int64)).tolist() == []


def test_the_index_owns_its_vectors() -> None:
    vectors = np.array([[0.6, 0.8], [1, 0]], np.float32)
    index = DenseIndex(vectors)
    vectors[:] = 0
    np.testing.assert_allclose(index.scores(EAST, np.array([0, 1])), [0.6, 1.0], atol=1e-6)
    assert index.size == 2


def test_both_ways_to_a_cosine_agree() -> None:
    chance = np.random.default_rng(3)
    vectors = chance.normal(size=(40, 8)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    index = DenseIndex(vectors)
    places, cosines = index.nearest(vectors[7], 40)
    assert places[0] == 7
    assert sorted(places.tolist()) == list(range(40))
    np.testing.assert_allclose(cosines, index.scores(vectors[7], places), atol=1e-6)
    np.testing.assert_allclose(cosines, vectors[places] @ vectors[7], atol=1e-6)
