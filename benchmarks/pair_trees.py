"""A linear model over what one question says and the other does not, and boosted trees over how alike both are.

Needs scikit-learn; a throw-away, trained inside the benchmark.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.feature_extraction import FeatureHasher
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold, cross_val_predict

from benchmarks.pair_sets import Pair
from ragcomm.knowledge.overlap import KINDS, Reader, kind_of
from ragcomm.records import Text
from ragcomm.text.encode import StaticEncoder

_HASHED = 1 << 17
# More words than this on one side alone make too many crosses, none of which is met twice.
_CROSSED = 8
_INNER_FOLDS = 3
_TFIDF = (("char", (1, 1)), ("char", (2, 2)), ("char", (1, 3)))


@dataclass(frozen=True, slots=True)
class Readers:
    """What the product knows about texts."""

    reader: Reader
    encoder: StaticEncoder


class TreeModel:
    """Fits both models on the pairs of one set."""

    def __init__(self, readers: Readers, seed: int = 0) -> None:
        self._readers = readers
        self._hasher = FeatureHasher(_HASHED, input_type="string", alternate_sign=False)
        self._seed = seed

    def fit(self, pairs: Sequence[Pair]) -> TreeModel:
        """Trains the linear model, then the trees, which see only what it says of questions it was not trained on."""
        truth = np.array([pair.label for pair in pairs])
        unique = sorted({text.normal for pair in pairs for text in (pair.a, pair.b)})
        self._tfidf = [
            TfidfVectorizer(analyzer=unit, ngram_range=span, sublinear_tf=True, min_df=2).fit(unique)
            for unit, span in _TFIDF
        ]
        hashed = self._hasher.transform(self._differences(pairs))
        groups = np.array([pair.group for pair in pairs])
        self._linear = LogisticRegression(C=1.0, max_iter=60, tol=1e-3)
        said = cross_val_predict(
            self._linear, hashed, truth, groups=groups, cv=GroupKFold(_INNER_FOLDS), method="predict_proba"
        )
        self._linear.fit(hashed, truth)
        self._trees = HistGradientBoostingClassifier(
            learning_rate=0.08, max_iter=180, max_leaf_nodes=24, l2_regularization=2.0, random_state=self._seed,
            max_features=0.5,
        ).fit(np.column_stack([said[:, 1:], self._likeness(pairs)]), truth)  # fmt: skip
        return self

    def probabilities(self, pairs: Sequence[Pair]) -> NDArray[np.float64]:
        """Shape (pairs, classes)."""
        said = self._linear.predict_proba(self._hasher.transform(self._differences(pairs)))
        result: NDArray[np.float64] = self._trees.predict_proba(np.column_stack([said[:, 1:], self._likeness(pairs)]))
        return result

    def _differences(self, pairs: Sequence[Pair]) -> list[list[str]]:
        marks = self._marks(pairs)
        return [_difference(marks[pair.a.raw], marks[pair.b.raw]) for pair in pairs]

    def _marks(self, pairs: Sequence[Pair]) -> dict[str, list[str]]:
        unique = {text.raw: text for pair in pairs for text in (pair.a, pair.b)}
        return {raw: self._readers.reader.marks(text) for raw, text in unique.items()}

    def _likeness(self, pairs: Sequence[Pair]) -> NDArray[np.float64]:
        """One row a pair: cosines, shares of what is common, what each side says alone by its kind, lengths."""
        first, second = [pair.a for pair in pairs], [pair.b for pair in pairs]
        vectors = self._readers.encoder.encode(first), self._readers.encoder.encode(second)
        columns: list[Any] = [(vectors[0] * vectors[1]).sum(1)]
        for tfidf in self._tfidf:
            one, two = (tfidf.transform([text.normal for text in side]) for side in (first, second))
            columns.append(np.asarray(one.multiply(two).sum(1)).ravel())
        marks = self._marks(pairs)
        kinds = [_kinds(marks[pair.a.raw], marks[pair.b.raw]) for pair in pairs]
        near = [_nearest(self._readers.encoder, pair) for pair in pairs]
        shape = [_shape(pair.a, pair.b) for pair in pairs]
        return np.column_stack([*columns, np.array(kinds), np.array(near), np.array(shape)])


def _difference(one: Sequence[str], two: Sequence[str]) -> list[str]:
    """Marks that one side has alone, those of both, and crosses of a mark on one side with one on the other."""
    there, here = set(two), set(one)
    left = [mark for mark in one if mark not in there]
    right = [mark for mark in two if mark not in here]
    found = [f"alone {mark}" for mark in (*left, *right)] + [f"both {mark}" for mark in one if mark in there]
    found += [f"left {mark}" for mark in left] + [f"right {mark}" for mark in right]
    words = [mark for mark in left if ":" in mark][:_CROSSED]
    others = [mark for mark in right if ":" in mark][:_CROSSED]
    found += [" ".join(["cross", *sorted((mark, other))]) for mark in words for other in others]
    if not others:
        found += [f"only {mark}" for mark in words]
    if not words:
        found += [f"only {mark}" for mark in others]
    return found


def _kinds(one: Sequence[str], two: Sequence[str]) -> list[int]:
    """For each kind of mark how many stand on the left alone, on the right alone, in both."""
    counts = [0] * (3 * len(KINDS))
    here, there = set(one), set(two)
    for mark in here | there:
        side = 2 if mark in here and mark in there else int(mark in there)
        counts[3 * kind_of(mark) + side] += 1
    return counts


def _nearest(encoder: StaticEncoder, pair: Pair) -> list[float]:
    """Of the words that one side has alone: how near the nearest of the other is, at worst and on average."""
    found = []
    for text, other in ((pair.a, pair.b), (pair.b, pair.a)):
        alone = [word for word in dict.fromkeys(text.tokens) if word not in other.tokens]
        if not alone:
            found += [1.0, 1.0]
            continue
        vectors = encoder.encode([_word(word) for word in alone])
        best = (vectors @ encoder.encode([_word(word) for word in other.tokens]).T).max(1)
        found += [float(best.min()), float(best.mean())]
    return found


def _word(word: str) -> Text:
    return Text(word, word, None, (word,))


def _shape(a: Text, b: Text) -> list[float]:
    """Lengths, the longest common run, order, and whether beginning, end and figures agree."""
    one, two = a.normal, b.normal
    matcher = SequenceMatcher(None, one, two, autojunk=False)
    blocks = [block.size for block in matcher.get_matching_blocks()]
    longest = max(1, min(len(one), len(two)))
    words, others = set(a.tokens), set(b.tokens)
    characters = len(set(one) & set(two))
    return [
        len(one), len(two), abs(len(one) - len(two)), matcher.ratio(), max(blocks) / longest, sum(blocks) / longest,
        len(blocks), len(words & others) / max(1, len(words | others)), len(words - others), len(others - words),
        characters / max(1, len(set(one))), characters / max(1, len(set(two))), float(one[:2] == two[:2]),
        float(one.rstrip("?。! ")[-2:] == two.rstrip("?。! ")[-2:]),
        float([c for c in one if c.isdigit()] == [c for c in two if c.isdigit()]),
    ]  # fmt: skip
