"""Fits the confidence with scikit-learn and cuts it where precision is certain enough."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ragcomm.errors import MissingExtra
from ragcomm.knowledge.calibration import EVIDENCE
from ragcomm.knowledge.overlap import Numbers

PRECISIONS = (90, 95, 98)
# With two chances in five that the first is right, three to choose from are worth showing.
CONFIRM_FROM = 0.4
# One-sided 95 %: in one of twenty worlds like this the true precision lies below the bound.
_Z = 1.645
STRENGTH = 0.3


def fit(evidence: Numbers, right: NDArray[np.bool_]) -> dict[str, Any]:
    """The parameters for `Calibration.read`.

    `evidence` has a row for the first match of each dev query; `right` says whether that match answers it.
    """
    try:
        from sklearn.linear_model import LogisticRegression
        from sklearn.model_selection import cross_val_predict
    except ImportError as error:
        raise MissingExtra("train", "scikit-learn") from error
    mean, scale = evidence.mean(axis=0), evidence.std(axis=0) + 1e-6
    rows = (evidence - mean) / scale
    model = LogisticRegression(C=STRENGTH, max_iter=1000)
    # The cuts are set on probabilities by models that had not seen the question.
    probability = cross_val_predict(model, rows, right, cv=10, method="predict_proba")[:, 1]
    model.fit(rows, right)
    weights = model.coef_[0] / scale
    cuts = {str(percent): certain_cut(probability, right, percent / 100) for percent in PRECISIONS}
    return {
        "evidence": list(EVIDENCE),
        "weights": weights.tolist(),
        "offset": float(model.intercept_[0] - weights @ mean),
        "cuts": cuts,
        "confirm_from": CONFIRM_FROM,
        "dev": {"queries": len(right), "right": int(right.sum()), "answered": _answered(probability, right, cuts)},
    }


def certain_cut(probability: NDArray[np.float64], right: NDArray[np.bool_], precision: float) -> float | None:
    """The lowest cut above which the lower confidence bound of precision (Wilson 1927) still meets `precision`."""
    order = np.argsort(-probability, kind="stable")
    ranked = probability[order]
    counts = np.arange(1, len(ranked) + 1)
    bound = wilson_bound(np.cumsum(right[order]), counts)
    # Equal probabilities cannot be cut apart.
    last = np.append(ranked[:-1] != ranked[1:], True)
    met = np.flatnonzero(last & (bound >= precision))
    return round(float(ranked[met[-1]]), 4) if len(met) else None


def wilson_bound(hits: NDArray[np.int64], counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """The lower end of Wilson's interval of a share, one-sided 95 %."""
    share = hits / counts
    centre = share + _Z**2 / (2 * counts)
    spread = _Z * np.sqrt(share * (1 - share) / counts + _Z**2 / (4 * counts**2))
    result: NDArray[np.float64] = (centre - spread) / (1 + _Z**2 / counts)
    return result


def _answered(
    probability: NDArray[np.float64], right: NDArray[np.bool_], cuts: dict[str, float | None]
) -> dict[str, dict[str, float]]:
    """What each cut would do on the dev queries: the share of answerable questions answered, and how often rightly."""
    done = {}
    for percent, cut in cuts.items():
        said = probability >= cut if cut is not None else np.zeros(len(right), bool)
        hits = int((right & said).sum())
        done[percent] = {
            "coverage": round(hits / max(1, int(right.sum())), 4),
            "precision": round(hits / max(1, int(said.sum())), 4),
        }
    return done
