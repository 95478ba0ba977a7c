"""The linear models of all labels and of stance, served with NumPy alone.

Trained with scikit-learn (see `training`), calibrated by Platt's method (Platt 1999): the probability of a
label is sigmoid(slope * score + offset), fitted on out-of-fold scores.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ragcomm.errors import ArtefactError
from ragcomm.moderation.checks import Evidence
from ragcomm.moderation.features import FeatureSpace, Rows, grams
from ragcomm.records import LABELS, Label, Stance, Text

# Column order of the models: the labels, then what a message may privately be, then the stances.
SELF_HARM = "self_harm"
NO_STANCE = "none"
STANCES: tuple[str, ...] = (NO_STANCE, *Stance)
COLUMNS: tuple[str, ...] = (*LABELS, SELF_HARM, *(f"stance:{s}" for s in STANCES))
_STANCE_FROM = len(LABELS) + 1


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the models say of one text: calibrated probabilities and, for stances, shares of one."""

    labels: Mapping[Label, float]
    self_harm: float
    stances: Mapping[str, float]


class Classifier:
    """Scores texts with the exported weights."""

    def __init__(
        self,
        space: FeatureSpace,
        weights: NDArray[np.float32],
        dense: NDArray[np.float32],
        bias: NDArray[np.float32],
        slopes: Sequence[float],
        offsets: Sequence[float],
    ) -> None:
        """Takes the arrays of a trained model.

        `weights` is (space.width, len(COLUMNS)), `dense` (dimension, len(COLUMNS)); `slopes` and `offsets`
        calibrate the columns before the stances.
        """
        if weights.shape != (space.width, len(COLUMNS)) or dense.shape[1] != len(COLUMNS):
            raise ArtefactError(
                f"moderation: weights {weights.shape}, dense {dense.shape}, expected "
                f"({space.width}, {len(COLUMNS)}) and (dimension, {len(COLUMNS)})"
            )
        self.space = space
        self._weights, self._dense, self._bias = weights, dense, bias
        self._slopes = np.array(slopes, np.float32)
        self._offsets = np.array(offsets, np.float32)

    @classmethod
    def open(cls, folder: Path, checks: Sequence[str]) -> Classifier:
        """Reads an exported model.

        Raises:
            ArtefactError: a file is missing, or the model was trained with other checks.
        """
        from safetensors.numpy import load_file

        try:
            parameters = json.loads((folder / "parameters.json").read_text(encoding="utf-8"))
            vocabulary = json.loads((folder / "vocabulary.json").read_text(encoding="utf-8"))
            arrays = load_file(folder / "weights.safetensors")
        except (OSError, ValueError) as error:
            raise ArtefactError(f"moderation model in {folder}: {error}") from error
        if parameters["checks"] != list(checks) or parameters["columns"] != list(COLUMNS):
            raise ArtefactError(f"moderation model in {folder} was trained with other checks or labels: train it again")
        space = FeatureSpace(vocabulary, arrays["idf"], checks)
        return cls(
            space,
            arrays["weights"],
            arrays["dense"],
            arrays["bias"],
            parameters["slopes"],
            parameters["offsets"],
        )

    def scores(self, rows: Rows, vectors: NDArray[np.float32]) -> NDArray[np.float32]:
        """Raw log-odds, shape (rows, len(COLUMNS)); every row has at least its length shape."""
        picked = self._weights[rows.columns] * rows.values[:, None]
        total: NDArray[np.float32] = np.add.reduceat(picked, rows.starts[:-1], axis=0)
        return total + vectors @ self._dense + self._bias

    def judge(
        self,
        texts: Sequence[Text],
        found: Sequence[Sequence[Evidence]],
        vectors: NDArray[np.float32],
        quoted: Sequence[bool],
    ) -> list[Judgement]:
        """Calibrated probabilities of every label, and the stances, for each text."""
        if not texts:
            return []
        scores = self.scores(self.space.rows(texts, found, quoted), vectors)
        labels = _sigmoid(scores[:, :_STANCE_FROM] * self._slopes + self._offsets).tolist()
        stances: NDArray[np.float32] = np.exp(scores[:, _STANCE_FROM:] - scores[:, _STANCE_FROM:].max(1, keepdims=True))
        stances = stances / stances.sum(1, keepdims=True)
        return [
            Judgement(
                dict(zip(LABELS, row, strict=False)),
                row[-1],
                dict(zip(STANCES, shares, strict=True)),
            )
            for row, shares in zip(labels, stances.tolist(), strict=True)
        ]

    def check_weight(self, check: str, label: Label, *, times: int) -> float:
        """The log-odds that `times` hits of a check add to a label."""
        first, second = self.space.check_columns(check)
        column = LABELS.index(label)
        weight = float(self._weights[first, column])
        return weight + float(self._weights[second, column]) if times > 1 else weight

    def telling_span(self, text: Text, label: Label) -> tuple[int, int, float] | None:
        """The stretch of the normal text whose n-grams speak most for `label`, with their log-odds.

        Every gram shares its weight evenly among its characters; the stretch is the maximal sum
        (Kadane 1984) of these shares. None where nothing speaks for the label.
        """
        size = len(text.normal)
        share = np.zeros(size + 2, np.float32)
        column = LABELS.index(label)
        # Single characters say little about a phrase: the stretch is made of pairs and longer.
        framed = f"\x02{text.normal}\x03"
        for n in range(2, 5):
            for i in range(len(framed) - n + 1):
                place = self.space.column(framed[i : i + n])
                if place is not None:
                    share[i : i + n] += self._weights[place, column] * self.space.idf[place] / n
        best, start, running, begin = 0.0, 0, 0.0, 0
        end = 0
        # A small toll a character keeps the stretch from wandering over neutral text.
        toll = float(np.abs(share).mean()) * 0.5
        for i, value in enumerate((share[1:-1] - toll).tolist()):
            if running <= 0:
                running, begin = 0.0, i
            running += value
            if running > best:
                best, start, end = running, begin, i + 1
        if end <= start:
            return None
        norm = max(1.0, len(grams(text)) ** 0.5)
        return start, end, best / norm


def _sigmoid(x: NDArray[np.float32]) -> NDArray[np.float32]:
    return (1.0 / (1.0 + np.exp(-np.clip(x, -60, 60)))).astype(np.float32)
