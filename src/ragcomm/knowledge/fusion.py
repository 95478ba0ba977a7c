"""From the scores of wordings to a ranking of entries."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Scores = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Ranking:
    """The best entries in order, and for each its best fused, dense and lexical score over its wordings."""

    entries: Sequence[int]
    fused: Scores
    dense: Scores
    lexical: Scores


def highest(scores: Scores, count: int) -> NDArray[np.int64]:
    """Places of the `count` highest scores, in no order."""
    if count >= len(scores):
        return np.arange(len(scores))
    return np.argpartition(scores, len(scores) - count)[len(scores) - count :]


def rank_entries(owner: NDArray[np.int64], dense: Scores, lexical: Scores, *, dense_share: float) -> Ranking:
    """Ranks the entries that own some wordings by share * dense + (1 - share) * lexical, best over wordings.

    `owner`, `dense` and `lexical` have one item a wording; equal entries keep their order.
    """
    fused = dense_share * dense + (1 - dense_share) * lexical
    entries, inverse = np.unique(owner, return_inverse=True)
    best = np.full((3, len(entries)), -np.inf, np.float32)
    for row, scores in zip(best, (fused, dense, lexical), strict=True):
        np.maximum.at(row, inverse, scores)
    order = np.argsort(-best[0], kind="stable")
    return Ranking(entries[order].tolist(), best[0][order], best[1][order], best[2][order])
