"""A message as numbers: character n-grams, word pairs, checks, shape and a dense vector.

The same code makes the features for training (scikit-learn) and for serving (NumPy), so the two can only
differ in the arithmetic, which a parity test compares.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from ragcomm.moderation.checks import Evidence
from ragcomm.records import Text
from ragcomm.text.grams import GramIndex, Places, gram_codes

LONGEST_GRAM = 4
# A long text is read from both ends: forwarded posts carry their advertisement in the last lines.
HEAD, TAIL = 420, 180
SHAPES = (
    "length<=4", "length<=8", "length<=16", "length<=40", "length<=100", "length<=250", "length>250",
    "digits>30%", "digits>10%", "latin>30%", "latin>10%", "other>30%", "lines>3", "quoted",
)  # fmt: skip
_LATIN = frozenset("abcdefghijklmnopqrstuvwxyz")
# Emoji, marks and ornaments: what is neither a letter nor plain punctuation.
_SYMBOLS = re.compile(r"[^\w\x00-\u2fff]")
_LENGTHS = (4, 8, 16, 40, 100, 250)


def framed(normal: str) -> str:
    """The text between its borders, shortened in the middle where it is very long."""
    if len(normal) > HEAD + TAIL:
        normal = normal[:HEAD] + "\n" + normal[-TAIL:]
    return f"\x02{normal}\x03"


def word_pairs(text: Text) -> list[str]:
    """Neighbouring words, joined by a bar."""
    tokens = [t for t in text.tokens[: HEAD + TAIL] if t != " "]
    return list(map("|".join, pairwise(tokens)))


def shapes(text: Text, *, quoted: bool) -> list[int]:
    """Indexes into SHAPES of what holds for the text as a whole."""
    size = len(text.normal)
    found = [next((i for i, limit in enumerate(_LENGTHS) if size <= limit), len(_LENGTHS))]
    if size:
        digits = sum(map(str.isdigit, text.normal)) / size
        latin = sum(map(_LATIN.__contains__, text.normal)) / size
        other = len(_SYMBOLS.findall(text.normal)) / size
        found += [7] if digits > 0.3 else [8] if digits > 0.1 else []
        found += [9] if latin > 0.3 else [10] if latin > 0.1 else []
        found += [11] if other > 0.3 else []
        found += [12] if text.raw.count("\n") > 2 else []
    if quoted:
        found.append(13)
    return found


@dataclass(frozen=True, slots=True)
class Rows:
    """A sparse matrix by rows (CSR): row i has `columns[starts[i]:starts[i + 1]]` with these `values`."""

    starts: NDArray[np.int64]
    columns: NDArray[np.int64]
    values: NDArray[np.float32]


class FeatureSpace:
    """Which column a gram, a pair of words, a check or a shape is, and how strongly the first two count."""

    def __init__(
        self, grams: Sequence[str], pairs: Sequence[str], idf: NDArray[np.float32], checks: Sequence[str]
    ) -> None:
        """`idf` has one inverse document frequency for each of `grams`, then for each of `pairs`."""
        if len(idf) != len(grams) + len(pairs):
            raise ValueError(f"{len(idf)} weights for {len(grams)} grams and {len(pairs)} pairs")
        self.idf = idf
        self.checks = tuple(checks)
        self._grams = GramIndex(grams)
        self._pairs = {pair: len(grams) + i for i, pair in enumerate(pairs)}
        self.first_check = len(idf)
        self._check = {name: self.first_check + 2 * i for i, name in enumerate(self.checks)}
        self.first_shape = self.first_check + 2 * len(self.checks)
        self.width = self.first_shape + len(SHAPES)

    def find_grams(self, framed_text: str) -> tuple[Places, Places, Places]:
        """Start, column and length of every known gram in a text between its borders."""
        return self._grams.find(gram_codes(framed_text))

    def check_columns(self, check: str) -> tuple[int, int]:
        """The two columns of a check: found at all, found more than once."""
        first = self._check[check]
        return first, first + 1

    def rows(self, texts: Sequence[Text], found: Sequence[Sequence[Evidence]], quoted: Sequence[bool]) -> Rows:
        """One row a text: its grams and pairs by idf, scaled to length one; then checks and shapes as 1."""
        known = self._known(texts)
        owners, columns = np.divmod(known, self.width)
        weights = self.idf[columns]
        norms = np.sqrt(np.bincount(owners, weights**2, len(texts)))
        flags = [self._flags(*each) for each in zip(texts, found, quoted, strict=True)]
        flagged = np.repeat(np.arange(len(texts)), [len(f) for f in flags])
        order = np.argsort(np.concatenate([owners, flagged]), kind="stable")
        values = np.concatenate([weights / norms[owners], np.ones(len(flagged))])
        return Rows(
            np.concatenate([[0], np.cumsum(np.bincount(owners, minlength=len(texts)) + list(map(len, flags)))]),
            np.concatenate([columns, np.array([c for f in flags for c in f], np.int64)])[order],
            values[order].astype(np.float32),
        )

    def _known(self, texts: Sequence[Text]) -> Places:
        """The number text * width + column for every gram and pair of a text that is known, each once."""
        wholes = [framed(text.normal) for text in texts]
        # Nothing in the vocabulary reaches over the border between two texts.
        starts, columns, _ = self.find_grams("".join(wholes))
        owners = np.repeat(np.arange(len(texts)), list(map(len, wholes)))[starts]
        pairs = [
            i * self.width + column
            for i, text in enumerate(texts)
            for column in map(self._pairs.get, word_pairs(text))
            if column is not None
        ]
        known: Places = np.unique(np.concatenate([owners * self.width + columns, np.array(pairs, np.int64)]))
        return known

    def _flags(self, text: Text, evidence: Sequence[Evidence], quoted: bool) -> list[int]:
        flags = [self.first_shape + shape for shape in shapes(text, quoted=quoted)]
        times = Counter([e.check for e in evidence])
        for name, count in times.items():
            first = self._check[name]
            flags += (first, first + 1) if count > 1 else (first,)
        return flags


def learn_vocabulary(texts: Sequence[Text], *, least: int = 2) -> tuple[list[str], list[str], NDArray[np.float32]]:
    """The grams and pairs found in at least `least` texts, each sorted, and the smoothed idf of both in turn."""
    grams: Counter[str] = Counter()
    pairs: Counter[str] = Counter()
    for text in texts:
        whole = framed(text.normal)
        grams.update({whole[i : i + n] for n in range(1, LONGEST_GRAM + 1) for i in range(len(whole) - n + 1)})
        pairs.update(set(word_pairs(text)))
    known = [sorted(term for term, n in counted.items() if n >= least) for counted in (grams, pairs)]
    counts = np.array([grams[g] for g in known[0]] + [pairs[p] for p in known[1]])
    idf = np.log((1 + len(texts)) / (1 + counts)) + 1
    return known[0], known[1], idf.astype(np.float32)
