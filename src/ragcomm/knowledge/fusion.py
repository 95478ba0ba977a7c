"""From the scores of wordings to a ranking of entries."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def best_per_entry(scores: NDArray[np.float32], owner: NDArray[np.int64], entries: int) -> NDArray[np.float32]:
    """The best score among each entry's forms; `scores` has one a form, the result one an entry.

    `owner[i]` is the entry of form i; forms of one entry stand together, every entry has one.
    """
    starts = np.searchsorted(owner, np.arange(entries))
    best: NDArray[np.float32] = np.maximum.reduceat(scores, starts)
    return best


def ranked(scores: NDArray[np.float32], count: int) -> Sequence[int]:
    """Places of the `count` highest scores, best first; equal scores keep their order."""
    return np.argsort(-scores, kind="stable")[:count].tolist()  # type: ignore[no-any-return]
