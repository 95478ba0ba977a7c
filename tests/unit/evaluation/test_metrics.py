"""Figures of merit against hand-made cases and against slow, plain definitions."""

from math import isnan, nan, sqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ragcomm.evaluation.metrics import (
    auroc,
    average_precision,
    calibration_error,
    coverage_at_precision,
    precision_recall_f1,
    reciprocal_rank,
    risk_coverage_area,
    wilson_interval,
)

# Coarse, so that ties occur.
some_scores = st.lists(st.integers(0, 8).map(lambda eighths: eighths / 8), min_size=1, max_size=12)
judged = st.lists(st.tuples(st.booleans(), st.integers(0, 16).map(lambda n: n / 16)), min_size=1, max_size=20)


def test_auroc_counts_pairs_in_the_right_order() -> None:
    # .9 beats all three, .4 beats .1, loses to .6 and ties with .4: (3 + 1 + .5) of 6.
    assert auroc([0.9, 0.4], [0.6, 0.4, 0.1]) == pytest.approx(4.5 / 6)
    assert auroc([1, 2], [0]) == 1
    assert auroc([0], [1, 2]) == 0
    assert isnan(auroc([], [0.5]))
    assert isnan(auroc([0.5], []))


@given(some_scores, some_scores)
def test_auroc_is_the_share_of_pairs_won(positive: list[float], negative: list[float]) -> None:
    won = sum((p > n) + (p == n) / 2 for p in positive for n in negative)
    assert auroc(positive, negative) == pytest.approx(won / (len(positive) * len(negative)))


def test_average_precision_is_the_mean_precision_at_each_positive() -> None:
    # In order: right, wrong, right, wrong → 1/1 and 2/3.
    assert average_precision([0, 1, 1, 0], [0.8, 0.9, 0.5, 0.1]) == pytest.approx((1 + 2 / 3) / 2)
    assert average_precision([0, 0], [0.8, 0.9]) == 0
    assert average_precision([], []) == 0


def test_average_precision_takes_ties_in_the_order_given() -> None:
    assert average_precision([1, 0], [0.5, 0.5]) == 1
    assert average_precision([0, 1], [0.5, 0.5]) == 0.5


def test_calibration_error_weighs_each_bin_by_its_size() -> None:
    # [.2, .3): said .25 + .25, right 1; [.9, 1]: said .9 + 1, right 2 → (.5 + .1) of 4.
    assert calibration_error([1, 0, 1, 1], [0.25, 0.25, 0.9, 1.0]) == pytest.approx(0.15)
    assert calibration_error([], []) == 0


def test_opposite_errors_cancel_only_within_a_bin() -> None:
    assert calibration_error([1, 0], [0.5, 0.5]) == 0
    assert calibration_error([1, 0], [0.35, 0.65]) == pytest.approx(0.65)
    assert calibration_error([1, 0], [0.35, 0.65], bins=1) == pytest.approx(0)


@given(judged)
def test_calibration_error_is_the_sum_over_bins(rows: list[tuple[bool, float]]) -> None:
    error = 0.0
    for b in range(8):
        inside = [(t, p) for t, p in rows if b / 8 <= p < (b + 1) / 8 or (b == 7 and p == 1)]
        if inside:
            right = sum(t for t, _ in inside) / len(inside)
            said = sum(p for _, p in inside) / len(inside)
            error += len(inside) / len(rows) * abs(right - said)
    assert calibration_error([t for t, _ in rows], [p for _, p in rows], bins=8) == pytest.approx(error, abs=1e-9)


def test_precision_and_recall_are_not_exchanged() -> None:
    precision, recall, f1 = precision_recall_f1([1, 1, 1, 0, 0], [1, 0, 0, 1, 0])
    assert (precision, recall) == (1 / 2, 1 / 3)
    assert f1 == pytest.approx(2 / 5)
    assert precision_recall_f1([0, 0], [0, 0]) == (0, 0, 0)
    assert precision_recall_f1([1, 0], [0, 0]) == (0, 0, 0)


def test_wilsons_interval_is_that_of_the_paper() -> None:
    # z = 2, 1 of 4: centre (.25 + .5)/2, half 2·√(.1875/4 + 4/64)/2
    low, high = wilson_interval(1, 4, z=2)
    assert low == pytest.approx(0.375 - sqrt(0.1875 / 4 + 1 / 16))
    assert high == pytest.approx(0.375 + sqrt(0.1875 / 4 + 1 / 16))
    assert wilson_interval(0, 0) == (0, 1)
    # Newcombe (1998), table I: 81 of 263.
    assert wilson_interval(81, 263) == (pytest.approx(0.2553, abs=1e-4), pytest.approx(0.3662, abs=1e-4))
    assert wilson_interval(0, 10)[0] == pytest.approx(0, abs=1e-12)
    assert wilson_interval(10, 10)[1] == pytest.approx(1, abs=1e-12)


@pytest.mark.parametrize(("rank", "worth"), [(0, 0), (1, 1), (4, 0.25), (10, 0.1), (11, 0), (-1, 0)])
def test_a_rank_is_worth_its_reciprocal_as_far_as_ten(rank: int, worth: float) -> None:
    assert reciprocal_rank(rank) == worth


def test_coverage_is_cut_where_the_precision_last_holds() -> None:
    confidence, right = [0.2, 0.9, 0.8, 0.7, 0.6], [False, True, False, True, True]
    # In order: 1/1, 1/2, 2/3, 3/4, 3/5.
    assert coverage_at_precision(confidence, right, 6, 1.0) == 1 / 6
    assert coverage_at_precision(confidence, right, 6, 0.7) == 3 / 6
    assert coverage_at_precision(confidence, right, 6, 0.76) == 1 / 6
    assert coverage_at_precision(confidence, right, 6, 0.6) == 3 / 6
    assert coverage_at_precision([0.9, 0.8], [False, True], 2, 0.6) == 0
    assert coverage_at_precision([], [], 0, 0.9) == 0


def test_the_area_is_the_mean_risk_over_all_cuts() -> None:
    # Risks 0, 1/2, 1/3, 1/4.
    assert risk_coverage_area([0.6, 0.9, 0.8, 0.7], [True, True, False, True]) == pytest.approx(
        (1 / 2 + 1 / 3 + 1 / 4) / 4
    )
    assert risk_coverage_area([0.5], [True]) == 0
    assert risk_coverage_area([0.5], [False]) == 1


@given(judged, st.sampled_from([0.5, 0.75, 0.9, 1.0]))
def test_coverage_and_area_follow_the_walk_down_the_confidences(rows: list[tuple[bool, float]], target: float) -> None:
    right, risk, covered = 0, 0.0, 0.0
    for n, (hit, _) in enumerate(sorted(rows, key=lambda row: -row[1]), 1):
        right += hit
        risk += 1 - right / n
        if right / n >= target:
            covered = right / 30
    hits, confidence = [hit for hit, _ in rows], [p for _, p in rows]
    assert coverage_at_precision(confidence, hits, 30, target) == pytest.approx(covered)
    assert risk_coverage_area(confidence, hits) == pytest.approx(risk / len(rows))


def test_an_area_over_nothing_is_not_a_number() -> None:
    assert risk_coverage_area([], []) == pytest.approx(nan, nan_ok=True)
