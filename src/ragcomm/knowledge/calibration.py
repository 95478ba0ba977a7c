"""How sure is a match: a logistic model over the verifier's score and what stands behind it.

Fitted on questions by other hands and on what no entry answers; the cuts are chosen so that the lower end of a
confidence interval meets the precision an operator asked for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ragcomm.knowledge.overlap import Ids, Numbers
from ragcomm.knowledge.pairs import FEATURES, Pairs
from ragcomm.text.grams import first_of_runs, run_lengths

# What the verifier's score is worth depends on how much of the question anything known explains.
_BEHIND = (
    "fused", "dense", "lexical", "title", "dense_three", "support", "known", "length", "spread", "word_missing",
    "word_unanswered", "pair_missing", "rarest_missing", "rarest_unanswered", "shared_words",
)  # fmt: skip
EVIDENCE = ("score", "margin", *_BEHIND)
_COLUMNS = [FEATURES.index(name) for name in _BEHIND]
# Log-odds beyond this are all alike, and so is a lead.
_SURE = 15.0


@dataclass(frozen=True, slots=True)
class Ranked:
    """Pairs in the order in which they answer: question after question, best first, and the evidence for each."""

    owners: Ids
    entries: Ids
    evidence: Numbers


def rank(pairs: Pairs, scores: Numbers) -> Ranked:
    """Orders the candidates of every question by the verifier's score; of equal ones the first found stays first."""
    order = np.lexsort((np.arange(len(scores)), -scores, pairs.owners))
    owners, scores = pairs.owners[order], np.clip(scores[order], -_SURE, _SURE)
    heads = np.flatnonzero(first_of_runs(owners))
    sizes = run_lengths(heads, len(owners))
    # The first is compared with the second, all others with the first.
    seconds = np.where(sizes > 1, scores[np.minimum(heads + 1, len(scores) - 1)], -_SURE)
    rivals = np.repeat(scores[heads], sizes)
    rivals[heads] = seconds
    behind = pairs.features[order][:, _COLUMNS]
    return Ranked(owners, pairs.entries[order], np.column_stack([scores, scores - rivals, behind]).astype(np.float32))


@dataclass(frozen=True, slots=True)
class Calibration:
    """The logistic model and the cuts it was fitted with.

    `cuts` has for a precision in percent the confidence from which answers meet it, None where none does.
    """

    weights: tuple[float, ...]
    offset: float
    cuts: Mapping[str, float | None]
    confirm_from: float

    @classmethod
    def read(cls, parameters: Mapping[str, Any]) -> Calibration:
        """From the manifest of a trained answerer."""
        return cls(
            tuple(map(float, parameters["weights"])),
            float(parameters["offset"]),
            dict(parameters["cuts"]),
            float(parameters["confirm_from"]),
        )

    def confidence(self, evidence: Numbers) -> NDArray[np.float64]:
        """Probability that each candidate is right; `evidence` is (candidates, len(EVIDENCE))."""
        score = evidence.astype(np.float64) @ np.array(self.weights) + self.offset
        result: NDArray[np.float64] = 1.0 / (1.0 + np.exp(-np.clip(score, -60, 60)))
        return result
