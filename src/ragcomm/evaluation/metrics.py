"""Figures of merit, in plain definitions. Probabilities are in [0, 1]; every share is of one, not of a hundred."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray


def auroc(positive: ArrayLike, negative: ArrayLike) -> float:
    """Chance that a positive scores above a negative, ties counting half (Mann and Whitney 1947)."""
    p, n = np.asarray(positive, float), np.asarray(negative, float)
    if not len(p) or not len(n):
        return float("nan")
    _values, inverse, counts = np.unique(np.concatenate([p, n]), return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    rank = (ends - (counts - 1) / 2)[inverse]
    return float((rank[: len(p)].sum() - len(p) * (len(p) + 1) / 2) / (len(p) * len(n)))


def average_precision(truth: ArrayLike, scores: ArrayLike) -> float:
    """Mean precision at the rank of each positive, higher scores first; 0 without positives."""
    t, s = np.asarray(truth, bool), np.asarray(scores, float)
    ordered = t[np.argsort(-s, kind="stable")]
    ranks = np.flatnonzero(ordered) + 1
    return float((np.arange(1, len(ranks) + 1) / ranks).mean()) if len(ranks) else 0.0


def calibration_error(truth: ArrayLike, probabilities: ArrayLike, bins: int = 10) -> float:
    """Expected calibration error: |share right - mean probability| over equal-width bins, weighted by size."""
    t, p = np.asarray(truth, float), np.asarray(probabilities, float)
    if not len(p):
        return 0.0
    place = np.minimum((p * bins).astype(int), bins - 1)
    size = np.bincount(place, minlength=bins)
    gap = np.bincount(place, t, bins) - np.bincount(place, p, bins)
    return float(np.abs(gap[size > 0]).sum() / len(p))


def precision_recall_f1(truth: ArrayLike, said: ArrayLike) -> tuple[float, float, float]:
    """The three shares of a yes-or-no decision; 0 where they are undefined."""
    t, s = np.asarray(truth, bool), np.asarray(said, bool)
    hits = float((t & s).sum())
    precision = hits / max(1, int(s.sum()))
    recall = hits / max(1, int(t.sum()))
    return precision, recall, 2 * precision * recall / max(1e-12, precision + recall)


def wilson_interval(hits: int, trials: int, z: float = 1.96) -> tuple[float, float]:
    """95 % interval of a share (Wilson 1927); (0, 1) without trials."""
    if not trials:
        return 0.0, 1.0
    share = hits / trials
    centre = (share + z * z / (2 * trials)) / (1 + z * z / trials)
    half = z * np.sqrt(share * (1 - share) / trials + z * z / (4 * trials**2)) / (1 + z * z / trials)
    return max(0.0, float(centre - half)), min(1.0, float(centre + half))


def reciprocal_rank(rank: int, most: int = 10) -> float:
    """1/rank of the right match, 0 when it is missing (rank 0) or too far down."""
    return 1 / rank if 0 < rank <= most else 0.0


def coverage_at_precision(confidence: Sequence[float], right: Sequence[bool], answerable: int, target: float) -> float:
    """Largest share of the answerable that can be answered right while precision stays at `target`."""
    order = np.argsort(-np.asarray(confidence), kind="stable")
    hits = np.cumsum(np.asarray(right, bool)[order])
    precision = hits / np.arange(1, len(order) + 1)
    met: NDArray[np.int64] = np.flatnonzero(precision >= target)
    return float(hits[met[-1]] / max(1, answerable)) if len(met) else 0.0


def risk_coverage_area(confidence: Sequence[float], right: Sequence[bool]) -> float:
    """Mean share of wrong ones among the surest, over all cuts (AURC, Geifman et al. 2019)."""
    if not len(confidence):
        return float("nan")
    order = np.argsort(-np.asarray(confidence), kind="stable")
    hits = np.cumsum(np.asarray(right, bool)[order])
    return float((1 - hits / np.arange(1, len(order) + 1)).mean())
