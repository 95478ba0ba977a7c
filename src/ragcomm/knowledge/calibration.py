"""How sure is the first match: a logistic model over what the two indexes say.

The numbers are those of the first entry against the next: fused score, its lead, both single scores, whether
a wording is met exactly. Fitted on held-out wordings and on questions that no entry answers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import log1p
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ragcomm.knowledge.fusion import Ranking

EVIDENCE = ("fused", "lead", "dense", "lexical", "product", "length", "known")


@dataclass(frozen=True, slots=True)
class Calibration:
    """Fusion weight, the logistic model, and the cuts it was fitted with."""

    dense_share: float
    weights: tuple[float, ...]
    offset: float
    answer_from: float
    confirm_from: float

    @classmethod
    def read(cls, parameters: Mapping[str, Any]) -> Calibration:
        """From the manifest of a trained answerer."""
        return cls(
            float(parameters["dense_share"]),
            tuple(map(float, parameters["weights"])),
            float(parameters["offset"]),
            float(parameters["answer_from"]),
            float(parameters["confirm_from"]),
        )

    def confidence(self, evidence: NDArray[np.float32]) -> NDArray[np.float32]:
        """Probability that each candidate is right; `evidence` is (candidates, len(EVIDENCE))."""
        score = evidence @ np.array(self.weights, np.float32) + self.offset
        result: NDArray[np.float32] = 1.0 / (1.0 + np.exp(-np.clip(score, -60, 60)))
        return result


def gather_evidence(ranking: Ranking, count: int, *, length: int, known_share: float) -> NDArray[np.float32]:
    """One row for each of the first `count` entries of a ranking.

    `length` is that of the question in characters, `known_share` the part of its terms that any
    wording has.
    """
    rows = []
    for rank in range(min(count, len(ranking.entries))):
        rival = 0 if rank else 1
        lead = ranking.fused[rank] - (ranking.fused[rival] if rival < len(ranking.entries) else 0.0)
        dense, lexical = ranking.dense[rank], ranking.lexical[rank]
        size = min(log1p(length), 5.0)
        rows.append((ranking.fused[rank], lead, dense, lexical, dense * lexical, size, known_share))
    return np.array(rows, np.float32).reshape(len(rows), len(EVIDENCE))
