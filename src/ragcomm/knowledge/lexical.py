"""Lexical similarity: tf-idf over words, characters and character pairs, as a sparse product.

Scores are cosines in [0, 1]: the query's and the form's weights are both scaled to length one.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Sequence
from math import log, sqrt

import numpy as np
from numpy.typing import NDArray

from ragcomm.records import Text
from ragcomm.text.encode import terms

# Words weigh more than single characters, which every second text shares.
_CHARACTER_SHARE = 0.3
# A term that more than this part of the forms has (and more than so many) tells little apart and costs the
# most to look at: with a tenth instead, no question by other hands is found that is not found so.
_COMMON, _FEW = 0.03, 100


def _weighted(text: Text) -> dict[str, float]:
    return {
        term: (1.0 + log(n)) * (_CHARACTER_SHARE if len(term) == 1 else 1.0) for term, n in Counter(terms(text)).items()
    }


class LexicalIndex:
    """An inverted index over the forms: for each term the forms that have it, and how much it weighs there.

    `add` the forms in order, then `finish`; before that nothing can be searched.
    """

    def __init__(self) -> None:
        self.size = 0
        self._row: dict[str, int] = {}
        # What `add` gathers, flat, because ten thousand small dictionaries would fill the memory.
        self._terms, self._tf, self._lengths = array("l"), array("f"), array("l")

    def add(self, texts: Sequence[Text]) -> None:
        """Adds forms; their place is the order of adding."""
        for text in texts:
            row = _weighted(text)
            self._terms.extend(self._row.setdefault(term, len(self._row)) for term in row)
            self._tf.extend(row.values())
            self._lengths.append(len(row))
            self.size += 1

    def finish(self) -> None:
        """Weighs what was added."""
        which, lengths = np.array(self._terms, np.int64), np.array(self._lengths)
        frequency = np.bincount(which, minlength=len(self._row))
        idf = np.log((1 + self.size) / (1 + frequency)) + 1
        places = np.repeat(np.arange(self.size, dtype=np.min_scalar_type(self.size)), lengths)
        weights = np.array(self._tf, np.float32) * idf[which].astype(np.float32)
        weights /= np.sqrt(np.bincount(places, weights**2, minlength=self.size))[places].astype(np.float32)
        order = np.argsort(which, kind="stable")
        self._places, self._weights = places[order], weights[order]
        self._starts = np.cumsum(frequency) - frequency
        # A common term keeps its place, but none of its forms is looked at.
        self._counts = np.where(frequency <= max(_FEW, int(_COMMON * self.size)), frequency, 0)
        self._idf: list[float] = idf.tolist()
        self._rarest = log(1 + self.size) + 1
        self._terms, self._tf, self._lengths = array("l"), array("f"), array("l")

    def look_up(self, texts: Sequence[Text]) -> tuple[NDArray[np.float32], list[float]]:
        """Cosine with every form, and how much of each text any form knows.

        The cosines have shape (len(texts), size), float32 in [0, 1], terms that are everywhere left out; the known
        part is the share of the text's weight that lies on terms found in any form, in [0, 1].
        """
        rows: list[int] = []
        weights: list[float] = []
        ends: list[int] = []
        shares: list[float] = []
        for text in texts:
            begin = len(rows)
            known = whole = squares = 0.0
            for term, weight in _weighted(text).items():
                row = self._row.get(term)
                if row is None:
                    weight *= self._rarest
                else:
                    weight *= self._idf[row]
                    known += weight
                    rows.append(row)
                    weights.append(weight)
                whole += weight
                squares += weight * weight
            norm = sqrt(squares) or 1.0
            weights[begin:] = [weight / norm for weight in weights[begin:]]
            ends.append(len(rows))
            shares.append(known / (whole or 1.0))
        return self._cosines(rows, weights, ends), shares

    def _cosines(self, rows: list[int], weights: list[float], ends: list[int]) -> NDArray[np.float32]:
        """Sums the postings of all terms of all texts in one stroke; text i has the terms up to `ends[i]`."""
        if not rows:
            return np.zeros((len(ends), self.size), np.float32)
        counts = self._counts[rows]
        # The postings of all terms in one piece: each begins where the last one ended.
        last = np.cumsum(counts)
        postings = np.arange(last[-1]) + np.repeat(self._starts[rows] - last + counts, counts)
        owners = np.repeat(np.arange(len(ends)), np.diff(ends, prepend=0))
        cells = self._places[postings] + np.repeat(owners * self.size, counts)
        weighted = self._weights[postings] * np.repeat(np.array(weights, np.float32), counts)
        summed = np.bincount(cells, weighted, minlength=len(ends) * self.size)
        return summed.astype(np.float32).reshape(len(ends), self.size)
