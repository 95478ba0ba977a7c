"""Fits fusion weight, confidence and cuts on held-out wordings and on questions that nothing answers.

Needs the extra `train`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ragcomm.errors import MissingExtra
from ragcomm.knowledge.calibration import EVIDENCE

SHARES = (0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
# The precision that the cut has to show on the dev questions, by the lower end of no interval but the
# figure itself: the guarantee with confidence bounds belongs to an operator's target.
ANSWER_PRECISION = 0.95
# From here on the first match is worth showing to somebody who can choose.
CONFIRM_FROM = 0.3
# Nobody may answer on less, however easy the dev questions were.
LEAST_ANSWER = 0.6


@dataclass(frozen=True, slots=True)
class Case:
    """A dev query: the evidence of its best entries, and the place of the right one (-1: none)."""

    places: Sequence[int]
    evidence: NDArray[np.float32]
    right: int


Collect = Callable[[float], list[Case]]


def fit(collect: Collect) -> dict[str, Any]:
    """Returns the parameters for `Calibration.read`; `collect` gathers the cases at a fusion weight."""
    try:
        from sklearn.linear_model import LogisticRegression
        from sklearn.model_selection import cross_val_predict
    except ImportError as error:
        raise MissingExtra("train", "scikit-learn") from error
    hits = {}
    gathered = {}
    for share in SHARES:
        cases = gathered[share] = collect(share)
        known = [c for c in cases if c.right >= 0]
        hits[share] = sum(list(c.places[:1]) == [c.right] for c in known) / max(1, len(known))
    share = max(SHARES, key=lambda s: (round(hits[s], 3), -abs(s - 0.7)))
    # Where nothing was found there is nothing to be sure of.
    cases = [c for c in gathered[share] if c.places]
    first = np.stack([c.evidence[0] for c in cases])
    right = np.array([c.right >= 0 and c.places[0] == c.right for c in cases])
    scale = first.std(axis=0) + 1e-6
    model = LogisticRegression(C=1.0, max_iter=500)
    # The cuts are set on probabilities by models that had not seen the question.
    probability = cross_val_predict(model, first / scale, right, cv=10, method="predict_proba")[:, 1]
    model.fit(first / scale, right)
    return {
        "dense_share": share,
        "weights": (model.coef_[0] / scale).tolist(),
        "offset": float(model.intercept_[0]),
        "answer_from": max(LEAST_ANSWER, _cut(probability, right, ANSWER_PRECISION)),
        "confirm_from": CONFIRM_FROM,
        "evidence": list(EVIDENCE),
        "dev": {
            "queries": len(cases),
            "answerable": sum(c.right >= 0 for c in cases),
            "hit@1_by_dense_share": {str(s): round(h, 4) for s, h in hits.items()},
        },
    }


def _cut(probability: NDArray[np.float64], right: NDArray[np.bool_], precision: float) -> float:
    """The lowest cut at which the answered are right often enough; 1 if there is none."""
    order = np.argsort(-probability)
    reached = np.cumsum(right[order]) / np.arange(1, len(order) + 1)
    met = np.flatnonzero(reached >= precision)
    return round(float(probability[order[met[-1]]]), 4) if len(met) else 1.0
