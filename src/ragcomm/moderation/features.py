"""A message as numbers: character n-grams, word pairs, checks, shape and a dense vector.

The same code builds the rows for training (scikit-learn) and for serving (NumPy), so the two can only
differ in the arithmetic, which a parity test compares.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
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
_LENGTHS = (4, 8, 16, 40, 100, 250)


def grams(text: Text) -> list[str]:
    """Character 1- to 4-grams of the normal text between its borders, and pairs of words."""
    normal = text.normal
    if len(normal) > HEAD + TAIL:
        normal = normal[:HEAD] + "\n" + normal[-TAIL:]
    framed = f"\x02{normal}\x03"
    found = [framed[i : i + n] for n in range(1, LONGEST_GRAM + 1) for i in range(len(framed) - n + 1)]
    tokens = [t for t in text.tokens[: HEAD + TAIL] if t != " "]
    found += [f"{a}|{b}" for a, b in pairwise(tokens)]
    return found


def shapes(text: Text, *, quoted: bool) -> list[int]:
    """Indexes into SHAPES of what holds for the text as a whole."""
    size = len(text.normal)
    found = [next((i for i, limit in enumerate(_LENGTHS) if size <= limit), len(_LENGTHS))]
    if size:
        digits = sum(map(str.isdigit, text.normal)) / size
        latin = sum("a" <= c <= "z" for c in text.normal) / size
        other = sum(not c.isalnum() and c > "\u2fff" for c in text.normal) / size
        found += [7] if digits > 0.3 else [8] if digits > 0.1 else []
        found += [9] if latin > 0.3 else [10] if latin > 0.1 else []
        found += [11] if other > 0.3 else []
        found += [12] if text.raw.count("\n") > 2 else []
    if quoted:
        found.append(13)
    return found


@dataclass(frozen=True, slots=True)
class Rows:
    """Sparse rows in CSR order: row i owns columns[starts[i]:starts[i + 1]] and the values there."""

    columns: NDArray[np.int32]
    values: NDArray[np.float32]
    starts: NDArray[np.int64]


class FeatureSpace:
    """Which column a gram, a check or a shape is, and how strongly a gram counts."""

    def __init__(self, vocabulary: Sequence[str], idf: NDArray[np.float32], checks: Sequence[str]):
        """`idf` has one inverse document frequency a gram of `vocabulary`."""
        self.vocabulary = list(vocabulary)
        self.idf = idf
        self.checks = tuple(checks)
        self._column = {gram: i for i, gram in enumerate(self.vocabulary)}
        self._weights = idf.tolist()
        self.first_check = len(self.vocabulary)
        self._check = {name: self.first_check + 2 * i for i, name in enumerate(self.checks)}
        self.first_shape = self.first_check + 2 * len(self.checks)
        self.width = self.first_shape + len(SHAPES)

    def column(self, gram: str) -> int | None:
        """The column of a gram, None if it is unknown."""
        return self._column.get(gram)

    def check_columns(self, check: str) -> tuple[int, int]:
        """The two columns of a check: found at all, found more than once."""
        first = self._check[check]
        return first, first + 1

    def rows(self, texts: Sequence[Text], found: Sequence[Sequence[Evidence]], quoted: Sequence[bool]) -> Rows:
        """One row a text: grams with tf-idf scaled to length one, then checks and shapes as 0 or 1."""
        columns: list[int] = []
        values: list[float] = []
        starts = [0]
        get, weight = self._column.get, self._weights
        for text, evidence, has_quote in zip(texts, found, quoted, strict=True):
            counts = Counter(c for gram in grams(text) if (c := get(gram)) is not None)
            tf = [_DAMPED[min(n, _MOST)] * weight[c] for c, n in counts.items()]
            scale = sum(v * v for v in tf) ** -0.5 if tf else 0.0
            columns += counts
            values += [v * scale for v in tf]
            flat = list(self._flags(text, evidence, has_quote))
            columns += flat
            values += [1.0] * len(flat)
            starts.append(len(columns))
        return Rows(np.array(columns, np.int32), np.array(values, np.float32), np.array(starts, np.int64))

    def _flags(self, text: Text, evidence: Sequence[Evidence], quoted: bool) -> Iterable[int]:
        for name, count in Counter(e.check for e in evidence).items():
            first, second = self.check_columns(name)
            yield first
            if count > 1:
                yield second
        for shape in shapes(text, quoted=quoted):
            yield self.first_shape + shape


_MOST = 20
# 1 + ln(count): a gram said ten times does not speak ten times as loud.
_DAMPED = [0.0, *(1.0 + float(np.log(n)) for n in range(1, _MOST + 1))]


def learn_vocabulary(texts: Sequence[Text], *, least: int = 2) -> tuple[list[str], NDArray[np.float32]]:
    """The grams found in at least `least` texts, sorted, with their smoothed idf."""
    frequency: Counter[str] = Counter()
    for text in texts:
        frequency.update(set(grams(text)))
    vocabulary = sorted(gram for gram, n in frequency.items() if n >= least)
    counts = np.array([frequency[gram] for gram in vocabulary])
    idf = np.log((1 + len(texts)) / (1 + counts)) + 1
    return vocabulary, idf.astype(np.float32)
