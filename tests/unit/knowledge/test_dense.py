"""Cosines of three vectors whose answers fit in the head."""

import numpy as np
import pytest

from ragcomm.knowledge.dense import DenseIndex

EAST, NORTH = np.array([1, 0], np.float32), np.array([0, 1], np.float32)


@pytest.fixture
def index() -> DenseIndex:
    return DenseIndex(np.array([[0, -1], [1, 0], [0.6, 0.8]], np.float32))


def test_nearest_gives_places_best_first_for_each_vector(index: DenseIndex) -> None:
    east, north = index.nearest(np.array([EAST, NORTH]), 3)
    assert east.tolist() == [1, 2, 0]
    assert north.tolist() == [2, 1, 0]
    assert [places.tolist() for places in index.nearest(np.array([EAST]), 1)] == [[1]]


def test_a_place_is_never_minus_one(index: DenseIndex) -> None:
    assert sorted(index.nearest(np.array([EAST]), 50)[0].tolist()) == [0, 1, 2]
    # FAISS answers a vector of NaN with padding alone.
    assert index.nearest(np.full((1, 2), np.nan, np.float32), 3)[0].tolist() == []


def test_scores_keep_the_order_of_the_places_asked(index: DenseIndex) -> None:
    np.testing.assert_allclose(index.scores(NORTH, np.array([2, 0, 1, 2])), [0.8, -1.0, 0.0, 0.8], atol=1e-6)
    assert index.scores(NORTH, np.array([], np.int64)).tolist() == []


def test_the_index_owns_its_vectors() -> None:
    vectors = np.array([[0.6, 0.8], [1, 0]], np.float32)
    index = DenseIndex(vectors)
    vectors[:] = 0
    np.testing.assert_allclose(index.scores(EAST, np.array([0, 1])), [0.6, 1.0], atol=3e-3)
    assert index.size == 2


def unit_vectors(count: int, dimension: int) -> np.ndarray:
    vectors = np.random.default_rng(3).normal(size=(count, dimension)).astype(np.float32)
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True))


def test_all_places_come_in_the_order_of_their_cosines() -> None:
    vectors = unit_vectors(40, 8)
    index = DenseIndex(vectors)
    (places,) = index.nearest(vectors[7:8], 40)
    assert places[0] == 7
    assert sorted(places.tolist()) == list(range(40))
    cosines = index.scores(vectors[7], places)
    # Kept as bytes.
    np.testing.assert_allclose(cosines, vectors[places] @ vectors[7], atol=5e-3)
    assert (np.diff(cosines) <= 1e-2).all()


def test_a_large_index_finds_by_its_codes_what_a_flat_one_finds() -> None:
    vectors = unit_vectors(5000, 32)
    index = DenseIndex(vectors)
    queries = vectors[::50] + 0.5 * unit_vectors(100, 32)
    found = index.nearest(queries, 64)
    met = []
    for query, places in zip(queries, found, strict=True):
        exact = np.argsort(-(vectors @ query), kind="stable")
        assert exact[0] in places.tolist()
        met.append(len(set(exact[:10].tolist()) & set(places.tolist())))
        np.testing.assert_allclose(index.scores(query, places), vectors[places] @ query, atol=8e-3)
    # Vectors without any structure are the hardest; those of texts lose four in a thousand.
    assert np.mean(met) >= 8
