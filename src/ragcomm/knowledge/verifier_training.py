"""Fits the verifier with scikit-learn: each training wording against its candidates, as if the index lacked it."""

from __future__ import annotations

import json
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ragcomm.errors import MissingExtra
from ragcomm.knowledge.pairs import FEATURES, ROLES, Pairs

# Chosen on dev questions: AUROC against near misses and hit@1 hardly move between .1 and 1.
STRENGTH = 0.3
# A mark has to be met in so many pairs to speak for itself.
LEAST_PAIRS = 5


def fit(pairs: Pairs, right: NDArray[np.bool_], marks: Sequence[str]) -> dict[str, bytes]:
    """Returns the files for `Verifier.open`.

    `right` says for each pair whether its entry answers its question; `marks` names the mark numbers of `pairs.roles`.
    """
    try:
        from safetensors.numpy import save
        from scipy.sparse import csr_matrix, hstack
        from sklearn.linear_model import LogisticRegression
    except ImportError as error:
        raise MissingExtra("train", "scikit-learn") from error
    mean, scale = pairs.features.mean(axis=0), pairs.features.std(axis=0) + 1e-6
    rows, roles, numbers = pairs.roles
    met = np.bincount(numbers, minlength=len(marks)) >= LEAST_PAIRS
    column = np.where(met, np.cumsum(met) - 1, -1)
    kept = met[numbers]
    spoken = csr_matrix(
        (np.ones(int(kept.sum()), np.float32), (rows[kept], column[numbers[kept]] * len(ROLES) + roles[kept])),
        (len(right), int(met.sum()) * len(ROLES)),
    )
    dense = csr_matrix((pairs.features - mean) / scale)
    model = LogisticRegression(C=STRENGTH, solver="liblinear", random_state=0)
    model.fit(hstack([dense, spoken]).tocsr(), right)
    learned = model.coef_[0]
    weights = learned[: len(FEATURES)] / scale
    arrays = {
        "weights": weights.astype(np.float32),
        "role_weights": np.ascontiguousarray(learned[len(FEATURES) :].reshape(-1, len(ROLES)).astype(np.float16)),
    }
    given = {
        "features": list(FEATURES),
        "roles": list(ROLES),
        "offset": float(model.intercept_[0] - weights @ mean),
        "marks": [mark for mark, often in zip(marks, met.tolist(), strict=True) if often],
    }
    return {
        "verifier.json": json.dumps(given, ensure_ascii=False).encode(),
        "verifier.safetensors": save(arrays),
    }
