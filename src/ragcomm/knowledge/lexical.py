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
# A term that more than this part of the forms has tells nothing apart and costs the most to look at.
_COMMON = 0.1


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
        places = np.repeat(np.arange(self.size, dtype=np.int32), lengths)
        weights = np.array(self._tf, np.float32) * idf[which].astype(np.float32)
        weights /= np.sqrt(np.bincount(places, weights**2, minlength=self.size))[places].astype(np.float32)
        order = np.argsort(which, kind="stable")
        self._places, self._weights = places[order], weights[order]
        self._starts = np.concatenate([[0], np.cumsum(frequency)]).tolist()
        self._idf: list[float] = idf.tolist()
        self._rarest = log(1 + self.size) + 1
        self._most = max(20, int(_COMMON * self.size))
        self._terms, self._tf, self._lengths = array("l"), array("f"), array("l")

    def look_up(self, text: Text) -> tuple[NDArray[np.float32], float]:
        """Cosine with every form, and how much of the text any form knows.

        The cosines have shape (size,), float32 in [0, 1], terms that are everywhere left out; the known part is
        the share of the text's weight that lies on terms found in any form, in [0, 1].
        """
        weights = {term: weight * self._idf_of(term) for term, weight in _weighted(text).items()}
        norm = sqrt(sum(w * w for w in weights.values())) or 1.0
        places, shares, known = [], [], 0.0
        for term, weight in weights.items():
            if (row := self._row.get(term)) is not None:
                known += weight
                start, end = self._starts[row], self._starts[row + 1]
                if end - start <= self._most:
                    places.append(self._places[start:end])
                    shares.append(self._weights[start:end] * np.float32(weight / norm))
        known_share = known / (sum(weights.values()) or 1.0)
        if not places:
            return np.zeros(self.size, np.float32), known_share
        summed = np.bincount(np.concatenate(places), np.concatenate(shares), minlength=self.size)
        return summed.astype(np.float32), known_share

    def _idf_of(self, term: str) -> float:
        place = self._row.get(term)
        return self._rarest if place is None else self._idf[place]
