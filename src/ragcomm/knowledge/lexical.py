"""Lexical similarity: tf-idf over words, characters and character pairs, as a sparse product.

Scores are cosines in [0, 1]: the query's and the form's weights are both scaled to length one.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ragcomm.records import Text
from ragcomm.text.encode import terms

# Words weigh more than single characters, which every second text shares.
_CHARACTER_SHARE = 0.3


def _weighted(text: Text) -> dict[str, float]:
    return {
        term: (1.0 + np.log(n)) * (_CHARACTER_SHARE if len(term) == 1 else 1.0)
        for term, n in Counter(terms(text)).items()
    }


class LexicalIndex:
    """An inverted index over the forms."""

    def __init__(self, texts: Sequence[Text]) -> None:
        self.size = len(texts)
        rows = [_weighted(text) for text in texts]
        frequency = Counter(term for row in rows for term in row)
        self._idf = {t: float(np.log((1 + self.size) / (1 + n)) + 1) for t, n in frequency.items()}
        self._rarest = float(np.log(1 + self.size) + 1)
        postings: dict[str, list[tuple[int, float]]] = defaultdict(list)
        for place, row in enumerate(rows):
            scaled = self._scaled(row)
            for term, weight in scaled.items():
                postings[term].append((place, weight))
        self._places = {
            term: (
                np.array([p for p, _ in pairs], np.int32),
                np.array([w for _, w in pairs], np.float32),
            )
            for term, pairs in postings.items()
        }

    def _scaled(self, row: dict[str, float]) -> dict[str, float]:
        weights = {t: w * self._idf.get(t, self._rarest) for t, w in row.items()}
        norm = sum(w * w for w in weights.values()) ** 0.5 or 1.0
        return {t: w / norm for t, w in weights.items()}

    def scores(self, text: Text) -> NDArray[np.float32]:
        """Cosine with every form, shape (size,), float32 in [0, 1]."""
        query = self._scaled(_weighted(text))
        hits = [(*self._places[t], w) for t, w in query.items() if t in self._places]
        if not hits:
            return np.zeros(self.size, np.float32)
        places = np.concatenate([p for p, _, _ in hits])
        weights = np.concatenate([w * q for _, w, q in hits])
        return np.bincount(places, weights, minlength=self.size).astype(np.float32)

    def known_share(self, text: Text) -> float:
        """The part of the text's weight that lies on terms found in any form, in [0, 1]."""
        row = _weighted(text)
        whole = sum(w * self._idf.get(t, self._rarest) for t, w in row.items())
        known = sum(w * self._idf[t] for t, w in row.items() if t in self._idf)
        return known / whole if whole else 0.0
