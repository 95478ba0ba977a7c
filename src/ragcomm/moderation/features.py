"""A message as numbers: character n-grams, word pairs, checks, shape and a dense vector.

The same code makes the features for training (scikit-learn) and for serving (NumPy), so the two can only
differ in the arithmetic, which a parity test compares.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from math import sqrt
from operator import mul

import numpy as np
from ahocorasick_rs import AhoCorasick, Implementation
from numpy.typing import NDArray

from ragcomm.moderation.checks import Evidence
from ragcomm.records import Text

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
        # One pass over the text finds all known grams; looking each one up costs several times as much.
        self._grams = AhoCorasick(list(grams), implementation=Implementation.ContiguousNFA)
        self._pairs = {pair: len(grams) + i for i, pair in enumerate(pairs)}
        self._idf: list[float] = idf.tolist()
        self.first_check = len(idf)
        self._check = {name: self.first_check + 2 * i for i, name in enumerate(self.checks)}
        self.first_shape = self.first_check + 2 * len(self.checks)
        self.width = self.first_shape + len(SHAPES)

    def find_grams(self, framed_text: str) -> list[tuple[int, int, int]]:
        """Column, start and end of every known gram in a text between its borders."""
        found: list[tuple[int, int, int]] = self._grams.find_matches_as_indexes(framed_text, overlapping=True)
        return found

    def check_columns(self, check: str) -> tuple[int, int]:
        """The two columns of a check: found at all, found more than once."""
        first = self._check[check]
        return first, first + 1

    def row(self, text: Text, found: Sequence[Evidence], *, quoted: bool) -> tuple[list[int], list[float]]:
        """Columns and values of one text: its grams by idf, scaled to length one; checks and shapes as 1.

        Plain lists: at this size they are several times faster than arrays.
        """
        known = {match[0] for match in self.find_grams(framed(text.normal))}
        known.update(column for column in map(self._pairs.get, word_pairs(text)) if column is not None)
        columns = list(known)
        weights = list(map(self._idf.__getitem__, columns))
        scale = sqrt(sum(map(mul, weights, weights))) or 1.0
        values = [w / scale for w in weights]
        flags = self._flags(text, found, quoted)
        return columns + flags, values + [1.0] * len(flags)

    def _flags(self, text: Text, evidence: Sequence[Evidence], quoted: bool) -> list[int]:
        flags = [self.first_shape + shape for shape in shapes(text, quoted=quoted)]
        for name, count in Counter(e.check for e in evidence).items():
            first, second = self.check_columns(name)
            flags += (first, second) if count > 1 else (first,)
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
