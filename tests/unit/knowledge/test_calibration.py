"""The order of answers, what stands behind each, the probability made of it, and where it is cut."""

from __future__ import annotations

from math import exp, log

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ragcomm.knowledge import calibration_training
from ragcomm.knowledge.calibration import EVIDENCE, Calibration, rank
from ragcomm.knowledge.calibration_training import certain_cut, wilson_bound
from ragcomm.knowledge.pairs import FEATURES, Pairs


def pairs(owners: list[int], entries: list[int], **columns: list[float]) -> Pairs:
    features = np.zeros((len(owners), len(FEATURES)), np.float32)
    for name, values in columns.items():
        features[:, FEATURES.index(name)] = values
    none = np.zeros(0, np.int64)
    return Pairs(np.array(owners), np.array(entries), features, (none, none, none))


def column(evidence: np.ndarray, name: str) -> list[float]:
    return [round(float(v), 4) for v in evidence[:, EVIDENCE.index(name)]]


def test_the_verifiers_order_counts_and_each_keeps_what_stands_behind_it() -> None:
    given = pairs([0, 0, 0, 1], [7, 8, 9, 7], dense=[0.1, 0.2, 0.3, 0.4])
    ranked = rank(given, np.array([-1.0, 2.0, 0.5, -3.0], np.float32))
    assert ranked.owners.tolist() == [0, 0, 0, 1]
    assert ranked.entries.tolist() == [8, 9, 7, 7]
    assert column(ranked.evidence, "dense") == [0.2, 0.3, 0.1, 0.4]
    assert column(ranked.evidence, "score") == [2, 0.5, -1, -3]
    # The first leads the second, the others trail the first; who is alone leads by all there is.
    assert column(ranked.evidence, "margin") == [1.5, -1.5, -3, 12]


def test_equal_scores_keep_the_order_in_which_they_were_found() -> None:
    assert rank(pairs([0, 0], [5, 4]), np.zeros(2, np.float32)).entries.tolist() == [5, 4]


def test_no_pair_no_row() -> None:
    assert rank(pairs([], []), np.zeros(0, np.float32)).evidence.shape == (0, len(EVIDENCE))


def test_confidence_is_the_logistic_of_the_weighted_evidence() -> None:
    judge = Calibration((2.0, 0.0, -1.0), log(3), {}, 0.5)
    rows = np.array([[0, 9, 0], [0, 0, log(3)], [1, 0, 2], [-1, 5, 0]], np.float32)
    np.testing.assert_allclose(judge.confidence(rows), [3 / 4, 1 / 2, 3 / 4, 1 / (1 + exp(2) / 3)], atol=1e-6)
    np.testing.assert_allclose(Calibration((1.0,), 0, {}, 0.5).confidence(np.array([[1e6], [-1e6]])), [1, 0], atol=1e-6)


def test_a_manifest_is_read_whole() -> None:
    given = {"weights": [1, 2.5], "offset": "-3", "cuts": {"90": 0.8, "98": None}, "confirm_from": 0.4, "dev": {}}
    assert Calibration.read(given) == Calibration((1.0, 2.5), -3.0, {"90": 0.8, "98": None}, 0.4)
    with pytest.raises(KeyError):
        Calibration.read({"offset": 1})


def test_the_bound_is_that_of_wilson() -> None:
    # Of ten all right: n / (n + z²).
    np.testing.assert_allclose(
        wilson_bound(np.array([10, 0]), np.array([10, 10])), [10 / (10 + 1.645**2), 0], atol=1e-6
    )


def test_a_cut_needs_enough_lines_to_be_sure() -> None:
    # 52 right ones in a row prove 95 %, 51 do not: n / (n + 2.706) >= .95 from 51.4 on.
    for count, cut in ((51, None), (52, 0.9)):
        assert certain_cut(np.full(count, 0.9), np.ones(count, bool), 0.95) == cut


def test_the_cut_is_the_lowest_that_still_holds() -> None:
    probability = np.concatenate([np.linspace(0.99, 0.6, 100), np.linspace(0.5, 0.4, 50)])
    right = np.concatenate([np.ones(100, bool), np.zeros(50, bool)])
    cut = certain_cut(probability, right, 0.9)
    assert cut is not None
    answered = probability >= cut
    assert wilson_bound(np.array([(right & answered).sum()]), np.array([answered.sum()]))[0] >= 0.9
    assert 0.4 < cut < 0.6


@given(st.lists(st.tuples(st.sampled_from([0.1, 0.3, 0.5, 0.7, 0.9]), st.booleans()), min_size=1, max_size=200))
@settings(deadline=None)
def test_whatever_is_cut_meets_its_bound(lines: list[tuple[float, bool]]) -> None:
    probability, right = np.array([p for p, _ in lines]), np.array([r for _, r in lines])
    cut = certain_cut(probability, right, 0.8)
    if cut is not None:
        said = probability >= cut
        assert wilson_bound(np.array([(right & said).sum()]), np.array([said.sum()]))[0] >= 0.8


def test_what_is_fitted_is_sure_of_the_right_and_says_what_it_would_do() -> None:
    chance = np.random.default_rng(2)
    right = chance.random(400) < 0.5
    evidence = chance.normal(size=(400, len(EVIDENCE))).astype(np.float32)
    evidence[:, 0] += np.where(right, 3, -3)
    fitted = calibration_training.fit(evidence, right)
    confidence = Calibration.read(fitted).confidence(evidence)
    assert confidence[right].mean() > 0.95
    assert confidence[~right].mean() < 0.05
    done = fitted["dev"]["answered"]["95"]
    assert done["precision"] >= 0.95
    assert done["coverage"] > 0.9
