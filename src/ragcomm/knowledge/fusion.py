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
    """Places of up to `count` of the highest scores, of those at least half as high as the best.

    What is lower could not win; leaving it out first spares a selection among thousands of near-zeros.
    """
    near = np.flatnonzero(scores >= max(float(scores.max(initial=0.0)) / 2, 1e-6))
    if len(near) <= count:
        return near
    return near[np.argsort(-scores[near], kind="stable")[:count]]


def rank_entries(
    owner: NDArray[np.int64], dense: Scores, lexical: Scores, *, dense_share: float, count: int
) -> Ranking:
    """Ranks the entries that own some wordings by share * dense + (1 - share) * lexical, best over wordings.

    `owner`, `dense` and `lexical` have one item a wording, a wording may come twice; the first `count` entries
    are returned, of equal ones the lower first.
    """
    fused = dense_share * dense + (1 - dense_share) * lexical
    order = np.lexsort((owner, -fused))
    best: dict[int, int] = {}
    for entry, wording in zip(owner[order].tolist(), order.tolist(), strict=True):
        if entry not in best:
            best[entry] = wording
            if len(best) == count:
                break
    theirs = [owner == entry for entry in best]
    return Ranking(
        list(best),
        fused[list(best.values())],
        np.array([dense[own].max() for own in theirs], np.float32),
        np.array([lexical[own].max() for own in theirs], np.float32),
    )
