"""From wordings to entries: the best wording speaks for its entry."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ragcomm.knowledge.fusion import highest, rank_entries


def scores(*values: float) -> np.ndarray:
    return np.array(values, np.float32)


@pytest.mark.parametrize(("count", "places"), [(1, [2]), (2, [0, 2]), (3, [0, 2, 4]), (9, [0, 2, 4])])
def test_highest_names_the_best_that_are_at_least_half_as_high_as_the_first(count: int, places: list[int]) -> None:
    assert sorted(highest(scores(0.6, -1, 0.9, 0.44, 0.46), count).tolist()) == places


def test_where_all_is_zero_nothing_is_high() -> None:
    assert highest(scores(0, 0, 0), 2).tolist() == []


@given(st.lists(st.integers(-50, 50), max_size=30), st.integers(1, 40))
def test_nothing_left_out_is_higher_than_what_is_taken(values: list[int], count: int) -> None:
    taken = highest(scores(*values), count).tolist()
    worth = [v for v in values if v > 0 and v >= max(values) / 2]
    assert len(set(taken)) == len(taken)
    assert sorted((values[i] for i in taken), reverse=True) == sorted(worth, reverse=True)[:count]


def test_entries_are_ranked_by_their_best_wording() -> None:
    owner = np.array([4, 7, 7, 2])
    ranking = rank_entries(owner, scores(0.2, 0.9, 0.1, 0.4), scores(0.6, 0.1, 0.3, 0.4), dense_share=0.75, count=9)
    # fused: 4 → .3; 7 → .7 and .15; 2 → .4
    assert list(ranking.entries) == [7, 2, 4]
    np.testing.assert_allclose(ranking.fused, [0.7, 0.4, 0.3], atol=1e-6)


def test_dense_and_lexical_may_come_from_different_wordings() -> None:
    ranking = rank_entries(np.array([0, 0, 1]), scores(0.8, 0.2, 0.3), scores(0.0, 1.0, 0.5), dense_share=0.5, count=9)
    assert list(ranking.entries) == [0, 1]
    np.testing.assert_allclose(ranking.fused, [0.6, 0.4], atol=1e-6)
    np.testing.assert_allclose(ranking.dense, [0.8, 0.3], atol=1e-6)
    np.testing.assert_allclose(ranking.lexical, [1.0, 0.5], atol=1e-6)


@pytest.mark.parametrize(("share", "order"), [(1.0, [0, 1]), (0.0, [1, 0])])
def test_the_share_decides_whom_to_trust(share: float, order: list[int]) -> None:
    ranking = rank_entries(np.array([0, 1]), scores(0.9, 0.2), scores(0.1, 0.6), dense_share=share, count=9)
    assert list(ranking.entries) == order


def test_equal_entries_keep_their_order() -> None:
    ranking = rank_entries(
        np.array([9, 3, 5, 1]), scores(0.5, 0.5, 0.5, 0.1), scores(0, 0, 0, 0), dense_share=1.0, count=9
    )
    assert list(ranking.entries) == [3, 5, 9, 1]
    # Short lists are sorted stably by any means.
    many = np.where(np.arange(200) % 3 == 0, 0.5, 0.25).astype(np.float32)
    ranking = rank_entries(np.arange(200), many, many, dense_share=0.5, count=200)
    assert list(ranking.entries) == [*range(0, 200, 3), *(i for i in range(200) if i % 3)]


def test_negative_scores_are_scores_too() -> None:
    ranking = rank_entries(np.array([0, 1]), scores(-0.5, -0.2), scores(0, 0), dense_share=1.0, count=9)
    assert list(ranking.entries) == [1, 0]
    np.testing.assert_allclose(ranking.fused, [-0.2, -0.5], atol=1e-6)


def test_without_wordings_there_is_no_entry() -> None:
    ranking = rank_entries(np.array([], np.int64), scores(), scores(), dense_share=0.5, count=9)
    assert list(ranking.entries) == []
