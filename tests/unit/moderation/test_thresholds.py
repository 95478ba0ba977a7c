from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ragcomm.moderation.thresholds import best_cut, curve, cuts_within

NONE = np.array([])


def test_the_best_cut_lies_between_the_lines_it_parts() -> None:
    made = curve(np.array([0.9, 0.2, 0.6, 0.4]), np.array([True, False, True, False]), NONE)
    assert best_cut(made) == pytest.approx(0.5)


def test_what_is_missed_costs_more_with_beta_two() -> None:
    p, truth = np.array([0.9, 0.8, 0.7, 0.6, 0.5]), np.array([True, False, False, False, True])
    assert best_cut(curve(p, truth, NONE)) == pytest.approx(0.85)
    assert best_cut(curve(p, truth, NONE, beta=2)) == pytest.approx(0.25)


def test_equal_probabilities_are_not_cut_apart() -> None:
    made = curve(np.array([0.7, 0.7, 0.1]), np.array([True, False, True]), NONE)
    assert made.cuts.tolist() == pytest.approx([0.4, 0.05])


def test_alarms_are_the_share_of_innocent_lines_that_reach_a_cut() -> None:
    made = curve(np.array([0.8, 0.4]), np.array([True, False]), np.array([0.1, 0.3, 0.65, 0.9]))
    assert made.cuts.tolist() == pytest.approx([0.6, 0.2])
    assert made.alarms.tolist() == pytest.approx([0.5, 0.75])


def test_a_budget_is_spent_where_it_buys_most() -> None:
    # One alarm is allowed. For the first label it buys a hit in two, for the second one in ten.
    first = np.array([0.9, 0.5, 0.1])
    second = np.concatenate([np.full(9, 0.9), [0.5, 0.1]])
    innocent = [np.array([0.6, 0.0, 0.0, 0.0]), np.array([0.0, 0.6, 0.0, 0.0])]
    curves = [
        curve(first, np.array([True, True, False]), innocent[0]),
        curve(second, np.array([True] * 10 + [False]), innocent[1]),
    ]
    assert cuts_within(curves, innocent, 0.5) == pytest.approx([0.3, 0.3])
    assert cuts_within(curves, innocent, 0.25) == pytest.approx([0.3, 0.7])
    assert cuts_within(curves, innocent, 0.0) == pytest.approx([0.7, 0.7])


@given(
    st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=2, max_size=30),
    st.lists(st.floats(0, 1), min_size=1, max_size=30),
    st.floats(0, 1),
)
def test_the_budget_holds_whenever_any_cut_can_hold_it(
    lines: list[tuple[float, bool]], innocent: list[float], most: float
) -> None:
    chat = np.array(innocent)
    made = curve(np.array([p for p, _ in lines]), np.array([t for _, t in lines]), chat)
    (cut,) = cuts_within([made], [chat], most)
    assert (chat >= cut).mean() <= max(most, made.alarms.min())
