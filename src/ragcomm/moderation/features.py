"""A message as numbers: character n-grams, phrases of words, checks, shape and a dense vector.

The same code makes the features for training (scikit-learn) and for serving (NumPy), so the two can only
differ in the arithmetic, which a parity test compares.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from ragcomm.moderation.checks import Evidence
from ragcomm.records import Text
from ragcomm.text.grams import Codes, GramIndex, KeyTable, Places, first_of_runs, gram_codes
from ragcomm.text.normalize import normalize

LONGEST_GRAM = 3
# The borders of a text, and what stands in a phrase between neighbours and for a word left out: control
# characters, which normal text never holds.
BEGIN, END = "\x02", "\x03"
_NEXT, _GAP = "\x1f", "\x1e"
# A phrase as a number: its kind in the upper bits, then its words.
_WORD_BITS = np.uint64(31)
_NEXT_KIND, _GAP_KIND = np.uint64(1 << 62), np.uint64(2 << 62)
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
    return f"{BEGIN}{normal}{END}"


def phrases(text: Text, types: Mapping[str, str]) -> list[str]:
    """Words, neighbouring words and words with one between them; terms of the domain by their type.

    What is said of one herb holds for all (“<herb> 治”), and a type is seen often where its names are rare.
    """
    words = [BEGIN, *(types.get(t, t) for t in text.tokens[: HEAD + TAIL] if t != " "), END]
    return [
        *words[1:-1],
        *map(_NEXT.join, pairwise(words)),
        *map(_GAP.join, zip(words, words[2:], strict=False)),
    ]


def type_marks(types: Mapping[str, str]) -> dict[str, str]:
    """What stands for each term in a phrase; a single character is too often something else."""
    return {normalize(term)[0]: f"<{kind}>" for term, kind in types.items() if len(term) > 1}


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


def _numbered(phrases: Sequence[str], types: Mapping[str, str]) -> dict[str, int]:
    """A number above zero for every word of the phrases; a term has that of its type."""
    words = sorted({word for phrase in phrases for word in phrase.replace(_GAP, _NEXT).split(_NEXT)})
    numbers = {word: i for i, word in enumerate(words, 1)}
    return {**numbers, **{term: numbers.get(mark, 0) for term, mark in types.items()}}


def _phrase_keys(phrases: Sequence[str], words: Mapping[str, int]) -> Codes:
    """The key of every phrase."""
    keys = []
    for phrase in phrases:
        separator = _NEXT if _NEXT in phrase else _GAP if _GAP in phrase else ""
        if not separator:
            keys.append(words[phrase])
        else:
            first, last = phrase.split(separator)
            keys.append((1 if separator == _NEXT else 2) << 62 | words[first] << 31 | words[last])
    return np.array(keys, np.uint64)


class FeatureSpace:
    """Which column a gram, a phrase, a check or a shape is, and how strongly the first two count."""

    def __init__(
        self,
        grams: Sequence[str],
        phrases: Sequence[str],
        idf: NDArray[np.float32],
        checks: Sequence[str],
        types: Mapping[str, str],
    ) -> None:
        """`idf` has one inverse document frequency for each of `grams`, then for each of `phrases`.

        `types` gives the mark that stands for a domain term in a phrase (see `type_marks`).
        """
        if len(idf) != len(grams) + len(phrases):
            raise ValueError(f"{len(idf)} weights for {len(grams)} grams and {len(phrases)} phrases")
        self.idf = idf
        self.checks = tuple(checks)
        self._grams = GramIndex(grams)
        self._first_phrase = len(grams)
        self._words = _numbered(phrases, types)
        self._phrases = KeyTable(_phrase_keys(phrases, self._words))
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
        """One row a text: its grams and phrases by idf, scaled to length one; then checks and shapes as 1."""
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
        """The number text * width + column for every gram and phrase of a text that is known, each once."""
        wholes = [framed(text.normal) for text in texts]
        # Nothing in the vocabulary reaches over the border between two texts.
        starts, columns, _ = self.find_grams("".join(wholes))
        owners = np.repeat(np.arange(len(texts)), list(map(len, wholes)))[starts]
        said, places = self._said(texts)
        known: Places = np.concatenate([owners * self.width + columns, said * self.width + self._first_phrase + places])
        known.sort()
        once: Places = known[first_of_runs(known)]
        return once

    def _said(self, texts: Sequence[Text]) -> tuple[Places, Places]:
        """Every known phrase (see `phrases`): the text it stands in and its place in the list."""
        number = self._words.get
        words = [
            [number(BEGIN, 0), *(number(t, 0) for t in text.tokens[: HEAD + TAIL] if t != " "), number(END, 0)]
            for text in texts
        ]
        ids = np.array([word for own in words for word in own], np.uint64)
        owners = np.repeat(np.arange(len(texts)), list(map(len, words)))
        # No phrase begins with the end of a text or ends with the beginning of the next.
        keys = [
            ids,
            _NEXT_KIND | (ids[:-1] << _WORD_BITS) | ids[1:],
            _GAP_KIND | (ids[:-2] << _WORD_BITS) | ids[2:],
        ]
        places = self._phrases.find(np.concatenate(keys))
        hits = np.flatnonzero(places >= 0)
        return np.concatenate([owners, owners[:-1], owners[:-2]])[hits], places[hits]

    def _flags(self, text: Text, evidence: Sequence[Evidence], quoted: bool) -> list[int]:
        flags = [self.first_shape + shape for shape in shapes(text, quoted=quoted)]
        times = Counter([e.check for e in evidence])
        for name, count in times.items():
            first = self._check[name]
            flags += (first, first + 1) if count > 1 else (first,)
        return flags


def learn_vocabulary(
    texts: Sequence[Text], types: Mapping[str, str], *, least: int = 3
) -> tuple[list[str], list[str], NDArray[np.float32]]:
    """The grams and phrases found in at least `least` texts, each sorted, and the smoothed idf of both in turn."""
    grams: Counter[str] = Counter()
    said: Counter[str] = Counter()
    for text in texts:
        whole = framed(text.normal)
        grams.update({whole[i : i + n] for n in range(1, LONGEST_GRAM + 1) for i in range(len(whole) - n + 1)})
        said.update(set(phrases(text, types)))
    known = [sorted(term for term, n in counted.items() if n >= least) for counted in (grams, said)]
    counts = np.array([grams[g] for g in known[0]] + [said[p] for p in known[1]])
    idf = np.log((1 + len(texts)) / (1 + counts)) + 1
    return known[0], known[1], idf.astype(np.float32)
