"""Fits the moderation models with scikit-learn and exports them for NumPy.

Thresholds and calibration come from out-of-fold scores of the training lines; the test lines are only ever
scored. Needs the extra `train`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ragcomm.errors import MissingExtra
from ragcomm.moderation.checks import Evidence
from ragcomm.moderation.classifier import COLUMNS, NO_STANCE, SELF_HARM, STANCES
from ragcomm.moderation.features import FeatureSpace, learn_vocabulary, type_marks
from ragcomm.moderation.thresholds import best_cut, curve, cuts_within
from ragcomm.records import HARMFUL, LABELS, Label, Stance, Text

# Chosen together by mean average precision of out-of-fold scores: how loud each kind of feature speaks
# before the one penalty of the regression (a louder feature is punished less), and that penalty's inverse.
GRAM_SCALE, FLAG_SCALE, DENSE_SCALE = 10.0, 0.5, 1.2
STRENGTH = 2.0
FOLDS = 5
# So much of everyday chat may be flagged as harmful: members who are wrongly held go away. (Not all of these alarms are
# false: that chat holds real insults, which nobody labelled.)
MOST_ALARMS = 0.0035


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One training line with everything the models read.

    `weight` lets lines from other sources count less; `judged` says which labels the line is
    evidence for (a foreign line may only speak of one).
    """

    text: Text
    found: Sequence[Evidence]
    quoted: bool
    labels: frozenset[Label]
    stance: Stance | None
    self_harm: bool
    weight: float
    judged: frozenset[Label]
    own: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Trained:
    """The fitted models: files to save, thresholds, and the out-of-fold scores behind them."""

    files: dict[str, bytes]
    thresholds: dict[str, float]
    out_of_fold: NDArray[np.float64]


def fit(
    samples: Sequence[Sample], vectors: NDArray[np.float32], checks: Sequence[str], types: Mapping[str, str]
) -> Trained:
    """Fits every label, self-harm and stance; `vectors` has one row a sample, `types` the type of every term."""
    try:
        from scipy.sparse import csr_matrix, diags, hstack
    except ImportError as error:
        raise MissingExtra("train", "scikit-learn") from error
    # Grams of our own lines only: other sources teach what is innocent, not what there is to say.
    marks = type_marks(types)
    grams, phrases, idf = learn_vocabulary([s.text for s in samples if s.own], marks)
    space = FeatureSpace(grams, phrases, idf, checks, marks)
    rows = space.rows([s.text for s in samples], [s.found for s in samples], [s.quoted for s in samples])
    sparse = csr_matrix((rows.values, rows.columns, rows.starts), (len(samples), space.width))
    loudness = np.repeat([GRAM_SCALE, FLAG_SCALE], [space.first_check, space.width - space.first_check])
    matrix = hstack([sparse @ diags(loudness), csr_matrix(vectors * DENSE_SCALE)]).tocsr()
    weight = np.array([s.weight for s in samples])
    own = np.array([s.own for s in samples])

    coefficients = np.zeros((matrix.shape[1], len(COLUMNS)), np.float32)
    bias = np.zeros(len(COLUMNS), np.float32)
    slopes, offsets = [], []
    probabilities = np.zeros((len(samples), len(LABELS) + 1))
    for column, name in enumerate(COLUMNS[: len(LABELS) + 1]):
        truth, judged = _truth(samples, name)
        model, scores = _fit_binary(matrix, truth, weight, judged)
        coefficients[:, column], bias[column] = model.coef_[0], model.intercept_[0]
        slope, offset = _platt(scores[own], truth[own])
        slopes.append(slope)
        offsets.append(offset)
        probabilities[:, column] = 1 / (1 + np.exp(-(slope * scores + offset)))
    thresholds = _thresholds(samples, probabilities)
    first = len(LABELS) + 1
    said = np.array([s.own or s.stance is not None for s in samples])
    stance = _fit_stance(matrix[said], [s for s in samples if s.own or s.stance is not None])
    for i, kind in enumerate(stance.classes_):
        column = first + STANCES.index(kind)
        coefficients[:, column], bias[column] = stance.coef_[i], stance.intercept_[i]
    parameters = {
        "checks": list(checks),
        "columns": list(COLUMNS),
        "slopes": slopes,
        "offsets": offsets,
        "thresholds": thresholds,
    }
    # Serving knows nothing of the loudness: it goes into the weights.
    dense = coefficients[space.width :] * np.float32(DENSE_SCALE)
    sparse_weights = coefficients[: space.width] * loudness[:, None].astype(np.float32)
    return Trained(
        files=_export({"grams": grams, "phrases": phrases}, idf, sparse_weights, dense, bias, parameters),
        thresholds=thresholds,
        out_of_fold=probabilities,
    )


def _truth(samples: Sequence[Sample], name: str) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    if name == SELF_HARM:
        # Judged wherever danger is: everyday chat of other sources teaches what is none.
        return np.array([s.self_harm for s in samples]), np.array([Label.RISK in s.judged for s in samples])
    label = Label(name)
    return (
        np.array([label in s.labels for s in samples]),
        np.array([label in s.judged for s in samples]),
    )


def _fit_binary(
    matrix: Any, truth: NDArray[np.bool_], weight: NDArray[np.float64], judged: NDArray[np.bool_]
) -> tuple[Any, NDArray[np.float64]]:
    """A model on all judged lines, and for every line a score by a model that had not seen it."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import StratifiedKFold

    def model() -> Any:
        return LogisticRegression(C=STRENGTH, solver="liblinear", random_state=0)

    scores = np.zeros(len(truth))
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=0)
    for train, held in folds.split(np.zeros(len(truth)), truth):
        use = train[judged[train]]
        scores[held] = model().fit(matrix[use], truth[use], weight[use]).decision_function(matrix[held])
    use = np.flatnonzero(judged)
    return model().fit(matrix[use], truth[use], weight[use]), scores


def _fit_stance(matrix: Any, samples: Sequence[Sample]) -> Any:
    from sklearn.linear_model import LogisticRegression

    kinds = [s.stance or NO_STANCE for s in samples]
    model = LogisticRegression(C=STRENGTH, max_iter=300, random_state=0)
    return model.fit(matrix, np.array([str(k) for k in kinds]), [s.weight for s in samples])


def _platt(scores: NDArray[np.float64], truth: NDArray[np.bool_]) -> tuple[float, float]:
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=1e6).fit(scores[:, None], truth)
    return float(model.coef_[0, 0]), float(model.intercept_[0])


def _thresholds(samples: Sequence[Sample], probabilities: NDArray[np.float64]) -> dict[str, float]:
    """The cut of every label on out-of-fold probabilities (one column a label, then self-harm).

    Best F1 of our own lines, for danger F2: an emergency missed costs more than help that was not needed. The harmful
    labels share `MOST_ALARMS` of everyday chat.
    """
    own = np.array([s.own for s in samples])
    chat = np.array([not (s.own or s.labels or s.stance) for s in samples])
    names = COLUMNS[: len(LABELS) + 1]
    curves = {}
    for column, name in enumerate(names):
        truth, _ = _truth(samples, name)
        p = probabilities[:, column]
        beta = 2.0 if name in (Label.RISK, SELF_HARM) else 1.0
        curves[name] = curve(p[own], truth[own], p[chat], beta=beta)
    harmful = [name for name in names if name in HARMFUL]
    innocent = [probabilities[chat, names.index(name)] for name in harmful]
    cuts = {name: best_cut(curves[name]) for name in names}
    cuts |= dict(zip(harmful, cuts_within([curves[name] for name in harmful], innocent, MOST_ALARMS), strict=True))
    return {name: round(cut, 4) for name, cut in cuts.items()}


def _export(
    vocabulary: dict[str, list[str]],
    idf: NDArray[np.float32],
    weights: NDArray[np.float32],
    dense: NDArray[np.float32],
    bias: NDArray[np.float32],
    parameters: dict[str, Any],
) -> dict[str, bytes]:
    from safetensors.numpy import save

    arrays = {"idf": idf, "weights": weights, "dense": dense, "bias": bias}
    return {
        "weights.safetensors": save({k: np.ascontiguousarray(v) for k, v in arrays.items()}),
        "vocabulary.json": json.dumps(vocabulary, ensure_ascii=False).encode(),
        "parameters.json": json.dumps(parameters, indent=1).encode(),
    }
