"""The linear models of all labels and of stance, served with NumPy alone.

Trained with scikit-learn (see `training`), calibrated by Platt's method (Platt 1999): the probability of a
label is sigmoid(slope * score + offset), fitted on out-of-fold scores.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ragcomm.errors import ArtefactError
from ragcomm.moderation.checks import Evidence
from ragcomm.moderation.features import BEGIN, END, FeatureSpace, Rows, type_marks
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
        self._slopes, self._offsets = np.array(slopes, np.float64), np.array(offsets, np.float64)
        self._check_weights: dict[tuple[str, Label], tuple[float, float]] = {
            (check, label): (float(weights[first, column]), float(weights[second, column]))
            for check in space.checks
            for first, second in [space.check_columns(check)]
            for column, label in enumerate(LABELS)
        }

    @classmethod
    def open(cls, folder: Path, checks: Sequence[str], types: Mapping[str, str]) -> Classifier:
        """Reads an exported model; `types` are the domain terms and what each is.

        Raises:
            ArtefactError: a file is missing, or the model was trained with other checks.
        """
        from safetensors import SafetensorError
        from safetensors.numpy import load_file

        try:
            parameters = json.loads((folder / "parameters.json").read_text(encoding="utf-8"))
            vocabulary = json.loads((folder / "vocabulary.json").read_text(encoding="utf-8"))
            arrays = load_file(folder / "weights.safetensors")
        except (OSError, ValueError, SafetensorError) as error:
            raise ArtefactError(f"moderation model in {folder}: {error}") from error
        if parameters["checks"] != list(checks) or parameters["columns"] != list(COLUMNS):
            raise ArtefactError(f"moderation model in {folder} was trained with other checks or labels: train it again")
        space = FeatureSpace(vocabulary["grams"], vocabulary["phrases"], arrays["idf"], checks, type_marks(types))
        return cls(
            space,
            arrays["weights"],
            arrays["dense"],
            arrays["bias"],
            parameters["slopes"],
            parameters["offsets"],
        )

    def scores(self, rows: Rows, vectors: NDArray[np.float32]) -> NDArray[np.float32]:
        """Raw log-odds, one row a text and one column for each of COLUMNS."""
        weighted = self._weights[rows.columns] * rows.values[:, None]
        # Every row has at least its length's shape, so no segment is empty.
        sparse = np.add.reduceat(weighted, rows.starts[:-1])
        # One product a text: a product of the whole batch would round each text by the company it is in.
        dense = np.array([vector @ self._dense for vector in vectors])
        total: NDArray[np.float32] = sparse + dense + self._bias
        return total

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
        scores = self.scores(self.space.rows(texts, found, quoted), vectors).astype(np.float64)
        calibrated = _sigmoid(scores[:, :_STANCE_FROM] * self._slopes + self._offsets)
        shares = np.exp(scores[:, _STANCE_FROM:] - scores[:, _STANCE_FROM:].max(axis=1, keepdims=True))
        shares /= shares.sum(axis=1, keepdims=True)
        return list(map(_judgement, calibrated.tolist(), shares.tolist()))

    def check_weight(self, check: str, label: Label, *, times: int) -> float:
        """The log-odds that `times` hits of a check add to a label."""
        once, again = self._check_weights[check, label]
        return once + again if times > 1 else once

    def telling_span(self, text: Text, label: Label) -> tuple[int, int, float] | None:
        """The stretch of the normal text whose n-grams speak most for `label`, with their log-odds.

        Every gram shares its weight evenly among its characters; the stretch is the maximal sum
        (Kadane 1984) of these shares. None where nothing speaks for the label.
        """
        share = self._shares(f"{BEGIN}{text.normal}{END}", LABELS.index(label))
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
        return start, end, best / sqrt(len(share))

    def _shares(self, framed_text: str, column: int) -> NDArray[np.float32]:
        """What each character adds to a model, by the grams of two characters and more it is in."""
        starts, places, lengths = self.space.find_grams(framed_text)
        # A single character says little about a phrase.
        long = lengths > 1
        starts, places, lengths = starts[long], places[long], lengths[long]
        weight = self._weights[places, column] * self.space.idf[places] / lengths
        # Steps up where a gram begins and down where it ends; their running sum is the share.
        size = len(framed_text) + 1
        steps = np.bincount(starts, weight, size) - np.bincount(starts + lengths, weight, size)
        share: NDArray[np.float32] = np.cumsum(steps[:-1]).astype(np.float32)
        return share


def _judgement(calibrated: list[float], shares: list[float]) -> Judgement:
    labels = dict(zip(LABELS, calibrated, strict=False))
    # Whoever may harm himself is in danger: the whole is never less likely than its part.
    labels[Label.RISK] = max(labels[Label.RISK], calibrated[-1])
    return Judgement(labels, calibrated[-1], dict(zip(STANCES, shares, strict=True)))


def _sigmoid(x: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(1.0 / (1.0 + np.exp(-np.clip(x, -60.0, 60.0))))
