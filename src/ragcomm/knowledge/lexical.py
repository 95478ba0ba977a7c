"""Lexical similarity: idf over the marks of texts (pairs of characters, words, slots), as a sparse product.

Scores are cosines in [0, 1]: the query's and the form's weights are both scaled to length one.
"""

from __future__ import annotations

from math import log

import numpy as np

from ragcomm.knowledge.overlap import Numbers, Read

# A mark that more than this part of the forms has (and more than so many) tells little apart and costs the
# most to look at: with a tenth instead, no question by other hands is found that is not found so.
_COMMON, _FEW = 0.03, 100


class LexicalIndex:
    """An inverted index over the forms: for each mark the forms that have it, and how much it weighs there."""

    def __init__(self, forms: Read, marks: int) -> None:
        """`forms` are the marks of every form, all below `marks`; numbers from there on are what no form has."""
        lengths = np.diff(forms.starts)
        self.size = len(lengths)
        frequency = np.bincount(forms.ids, minlength=marks)
        known = np.log((1 + self.size) / (1 + frequency)) + 1
        weights = known[forms.ids]
        places = np.repeat(np.arange(self.size, dtype=np.min_scalar_type(self.size)), lengths)
        weights /= np.sqrt(np.bincount(places, weights**2, minlength=self.size))[places]
        order = np.argsort(forms.ids, kind="stable")
        self._places, self._weights = places[order], weights[order].astype(np.float32)
        self._starts = np.cumsum(frequency) - frequency
        # A common mark keeps its place, but none of its forms is looked at.
        self._counts = np.where(frequency <= max(_FEW, int(_COMMON * self.size)), frequency, 0)
        self._idf, self._rarest = known, log(1 + self.size) + 1

    def look_up(self, questions: Read) -> tuple[Numbers, Numbers]:
        """Cosine with every form, and how much of each question any form knows.

        The cosines have shape (questions, size), float32 in [0, 1], marks that are everywhere left out; the known
        part is the share of the question's weight that lies on marks found in any form, in [0, 1].
        """
        count = len(questions.starts) - 1
        owners = np.repeat(np.arange(count), np.diff(questions.starts))
        has = questions.ids < len(self._idf)
        weights = np.full(len(owners), self._rarest)
        weights[has] = self._idf[questions.ids[has]]
        whole = np.bincount(owners, weights, count)
        shares = np.bincount(owners[has], weights[has], count) / np.maximum(whole, 1e-9)
        weights /= np.sqrt(np.bincount(owners, weights**2, count))[owners]
        cosines = self._sum(questions.ids[has], owners[has], weights[has], count)
        return cosines, shares.astype(np.float32)

    def _sum(self, marks: np.ndarray, owners: np.ndarray, weights: np.ndarray, count: int) -> Numbers:
        """Sums the postings of all marks of all questions in one stroke."""
        counts = self._counts[marks]
        # The postings of all marks in one piece: each begins where the last one ended.
        ends = np.cumsum(counts)
        postings = np.arange(ends[-1] if len(ends) else 0) + np.repeat(self._starts[marks] - ends + counts, counts)
        cells = self._places[postings] + np.repeat(owners * self.size, counts)
        weighted = self._weights[postings] * np.repeat(weights.astype(np.float32), counts)
        summed = np.bincount(cells, weighted, minlength=count * self.size)
        return summed.astype(np.float32).reshape(count, self.size)
