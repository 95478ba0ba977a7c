"""Where to cut probabilities: the best F, and for several labels together under one budget of false alarms."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Probabilities = NDArray[np.float64]
Truth = NDArray[np.bool_]

# Halvings of the price: after so many it is known to nine digits.
_STEPS = 40
_DEAREST = 1e4


@dataclass(frozen=True, slots=True)
class Curve:
    """What each possible cut of one label is worth: `f` on labelled lines, `alarms` the flagged share of innocent ones.

    `cuts` fall, so that alarms rise.
    """

    cuts: Probabilities
    f: Probabilities
    alarms: Probabilities


def curve(probability: Probabilities, truth: Truth, innocent: Probabilities, *, beta: float = 1.0) -> Curve:
    """The curve of one label; `innocent` are the probabilities of lines that carry none, which may be empty."""
    order = np.argsort(-probability, kind="stable")
    ranked = probability[order]
    hits = np.cumsum(truth[order])
    f = (1 + beta**2) * hits / (beta**2 * truth.sum() + np.arange(1, len(ranked) + 1))
    # A cut lies halfway to the next lower line; equal ones cannot be cut apart.
    last = np.append(ranked[:-1] != ranked[1:], True)
    below = np.append(ranked[1:], 0.0)
    cuts = ((ranked + below) / 2)[last]
    reaching = len(innocent) - np.searchsorted(np.sort(innocent), cuts, side="left")
    return Curve(cuts, f[last], reaching / max(1, len(innocent)))


def best_cut(curve: Curve, *, price: float = 0.0) -> float:
    """The cut with the best F, where every share of alarms costs `price` times as much."""
    return float(curve.cuts[np.argmax(curve.f - price * curve.alarms)])


def cuts_within(curves: Sequence[Curve], innocent: Sequence[Probabilities], most: float) -> list[float]:
    """One cut a label: the best sum of F for which at most the share `most` of the innocent lines reaches any cut.

    `innocent` holds for each label the probabilities of the same innocent lines. All labels pay one price for an alarm
    (a Lagrange multiplier), which is raised until the budget holds; so it is spent where it buys most.
    """

    def flagged(cuts: Sequence[float]) -> float:
        alarms = np.any([p >= cut for p, cut in zip(innocent, cuts, strict=True)], axis=0)
        return float(alarms.mean()) if alarms.size else 0.0

    cuts = [best_cut(c) for c in curves]
    if flagged(cuts) <= most:
        return cuts
    cheap, dear = 0.0, _DEAREST
    for _ in range(_STEPS):
        price = (cheap + dear) / 2
        if flagged([best_cut(c, price=price) for c in curves]) > most:
            cheap = price
        else:
            dear = price
    return [best_cut(c, price=dear) for c in curves]
