"""How sure is the first match: a logistic model over what the two indexes say.

The numbers are those of the first entry against the next: fused score, its lead, both single scores, whether
a wording is met exactly. Fitted on held-out wordings and on questions that no entry answers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

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


def gather_evidence(
    fused: NDArray[np.float32],
    dense: NDArray[np.float32],
    lexical: NDArray[np.float32],
    places: Sequence[int],
    *,
    length: int,
    known_share: float,
) -> NDArray[np.float32]:
    """One row for each of `places` (entries, best first); the scores are one an entry.

    `length` is that of the question in characters, `known_share` the part of its terms that any
    wording has.
    """
    top = fused[list(places[:2])]
    rows = []
    for rank, place in enumerate(places):
        rival = top[1] if rank == 0 and len(top) > 1 else top[0] if rank else 0.0
        rows.append(
            (
                fused[place],
                fused[place] - rival,
                dense[place],
                lexical[place],
                dense[place] * lexical[place],
                min(np.log1p(length), 5.0),
                known_share,
            )
        )
    return np.array(rows, np.float32)
