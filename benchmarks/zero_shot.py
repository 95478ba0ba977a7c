"""Pairs judged by the shipped encoder and by their words alone: nothing is trained on them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from math import log
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.pair_sets import Pair
from ragcomm.evaluation.metrics import auroc
from ragcomm.records import Text
from ragcomm.text.encode import StaticEncoder

_DENSE_SHARE = 0.4
_SAYS_SOMETHING = re.compile(r"\w")


def measure(pairs: Sequence[Pair], encoder: StaticEncoder) -> dict[str, Any]:
    """Area under the curve of the encoder's cosine, of the lexical score, and of both."""
    same = np.array([pair.label > 0 for pair in pairs])
    dense = (encoder.encode([pair.a for pair in pairs]) * encoder.encode([pair.b for pair in pairs])).sum(1)
    lexical = _shared(pairs, lambda text: text.normal, 2) + _shared(pairs, lambda text: text.tokens, 1)
    scores = {
        "dense": dense,
        "lexical": lexical,
        "dense and lexical": _DENSE_SHARE * dense + (1 - _DENSE_SHARE) * lexical,
    }
    return {"pairs": len(pairs)} | {f"auc, {name}": auroc(own[same], own[~same]) for name, own in scores.items()}


def _shared(pairs: Sequence[Pair], units: Callable[[Text], Iterable[str]], power: int) -> NDArray[np.float64]:
    """The part of a pair's units that both have (Jaccard), weighed by a power of how rare they are in the set."""
    texts = {text.raw: text for pair in pairs for text in (pair.a, pair.b)}
    said = {raw: {unit for unit in units(text) if _SAYS_SOMETHING.search(unit)} for raw, text in texts.items()}
    having = Counter(unit for own in said.values() for unit in own)
    weight = {unit: log((1 + len(said)) / (1 + often)) ** power for unit, often in having.items()}
    found = []
    for pair in pairs:
        one, two = said[pair.a.raw], said[pair.b.raw]
        whole = sum(weight[unit] for unit in one | two)
        found.append(sum(weight[unit] for unit in one & two) / max(1e-9, whole))
    return np.array(found)
