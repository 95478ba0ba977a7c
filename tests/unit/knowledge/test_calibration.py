"""What speaks for a match, and the probability that is made of it."""

from math import exp, log, log1p

import numpy as np
import pytest

from ragcomm.knowledge.calibration import EVIDENCE, Calibration, gather_evidence
from ragcomm.knowledge.fusion import Ranking


def ranking(*rows: tuple[float, float, float]) -> Ranking:
    fused, dense, lexical = np.array(rows, np.float32).reshape(-1, 3).T
    return Ranking(list(range(len(rows))), fused, dense, lexical)


def calibration(*weights: float, offset: float = 0.0) -> Calibration:
    return Calibration(0.7, weights, offset, 0.9, 0.5)


def test_a_row_tells_of_one_entry_what_the_names_say() -> None:
    rows = gather_evidence(ranking((0.8, 0.9, 0.4), (0.5, 0.6, 0.1)), 1, length=3, known_share=0.25)
    expected = {
        "fused": 0.8,
        "lead": 0.3,
        "dense": 0.9,
        "lexical": 0.4,
        "product": 0.36,
        "length": log1p(3),
        "known": 0.25,
    }
    assert tuple(expected) == EVIDENCE
    np.testing.assert_allclose(rows, [list(expected.values())], atol=1e-6)


def test_the_first_leads_the_second_and_all_others_trail_the_first() -> None:
    rows = gather_evidence(ranking((0.8, 0, 0), (0.5, 0, 0), (0.1, 0, 0)), 3, length=1, known_share=1)
    np.testing.assert_allclose(rows[:, EVIDENCE.index("lead")], [0.3, -0.3, -0.7], atol=1e-6)


def test_a_single_entry_leads_nothing_by_its_whole_score() -> None:
    rows = gather_evidence(ranking((0.8, 0, 0)), 5, length=1, known_share=1)
    np.testing.assert_allclose(rows[:, :2], [[0.8, 0.8]], atol=1e-6)


def test_length_counts_no_further_than_five() -> None:
    rows = gather_evidence(ranking((0.8, 0, 0)), 1, length=10_000, known_share=1)
    assert rows[0, EVIDENCE.index("length")] == 5


def test_no_entry_no_row() -> None:
    rows = gather_evidence(ranking(), 3, length=1, known_share=0)
    assert rows.shape == (0, len(EVIDENCE))
    assert calibration(*[1.0] * 7).confidence(rows).tolist() == []


def test_confidence_is_the_logistic_of_the_weighted_evidence() -> None:
    judge = calibration(2, 0, -1, offset=log(3))
    rows = np.array([[0, 9, 0], [0, 0, log(3)], [1, 0, 2], [-1, 5, 0]], np.float32)
    np.testing.assert_allclose(judge.confidence(rows), [3 / 4, 1 / 2, 3 / 4, 1 / (1 + exp(2) / 3)], atol=1e-6)


def test_overwhelming_evidence_stays_a_probability() -> None:
    found = calibration(1).confidence(np.array([[1e6], [-1e6]], np.float32))
    np.testing.assert_allclose(found, [1, 0], atol=1e-6)


def test_a_manifest_is_read_whole() -> None:
    read = Calibration.read(
        {"dense_share": 1, "weights": [1, 2.5], "offset": "-3", "answer_from": 0.8, "confirm_from": 0.4, "dev": {}}
    )
    assert read == Calibration(1.0, (1.0, 2.5), -3.0, 0.8, 0.4)
    with pytest.raises(KeyError):
        Calibration.read({"dense_share": 1})
