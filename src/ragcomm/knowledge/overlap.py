"""What a question and an entry share, and what each says alone: the verifier's view of a pair.

A text is read as marks: pairs of characters, words (synonyms as one), domain terms by their type, and slots (whom it is
about, what is asked, season, polarity, part of the body). An entry knows how many of its wordings carry a mark and
whether its answer does.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from operator import add

import numpy as np
from ahocorasick_rs import AhoCorasick, MatchKind
from numpy.typing import NDArray

from ragcomm.records import Text
from ragcomm.text.grams import KeyTable

PAIR, WORD = "pair", "word"
TYPES = (
    "herb", "formula", "patent", "food", "acupoint", "disease", "symptom", "medicine", "therapy", "constitution",
    "exercise", "syndrome",
)  # fmt: skip
SLOTS = ("person", "action", "season", "polarity", "part")
KINDS = (PAIR, WORD, *TYPES, *SLOTS)
_KIND_PLACES = {kind: place for place, kind in enumerate(KINDS)}
_PAIR = _KIND_PLACES[PAIR]
# A mark in so large a part of an entry's wordings belongs to its core.
CORE = 0.3
_SAYS_SOMETHING = re.compile(r"\w")

Ids = NDArray[np.int64]
Numbers = NDArray[np.float32]


class Reader:
    """Reads texts as marks; a mark is its kind and its value in one string, a pair of characters just itself."""

    def __init__(
        self,
        types: Mapping[str, str],
        synonyms: Mapping[str, str],
        slots: Mapping[str, tuple[str, str]],
        stop_words: frozenset[str],
    ) -> None:
        """`types` gives the type of a term, `synonyms` what stands for a word, `slots` slot and value of a word."""
        self._kinds = {term: kind for term, kind in types.items() if kind in TYPES and len(term) > 1}
        self._synonyms = synonyms
        self._stop_words = stop_words
        self._slot_words = list(slots)
        self._slot_marks = [f"{slot}:{value}" for slot, value in slots.values()]
        self._slot_finder = AhoCorasick(self._slot_words, matchkind=MatchKind.Standard)

    def marks(self, text: Text) -> list[str]:
        """Every different mark of a text."""
        solid = text.normal.replace(" ", "")
        found = list(map(add, solid, solid[1:]))
        for token in text.tokens:
            if token not in self._stop_words and _SAYS_SOMETHING.search(token):
                word = self._synonyms.get(token, token)
                found.append(f"{self._kinds.get(token) or self._kinds.get(word, WORD)}:{word}")
        hits = self._slot_finder.find_matches_as_indexes(solid, overlapping=True)
        found += [self._slot_marks[hit[0]] for hit in hits]
        return list(dict.fromkeys(found))


def kind_of(mark: str) -> int:
    """The place in KINDS of a mark's kind."""
    return _KIND_PLACES.get(mark.partition(":")[0], _PAIR)


@dataclass(frozen=True, slots=True)
class Read:
    """The marks of texts by number, text after text: text i has those from `starts[i]` to `starts[i + 1]`.

    A mark that no entry knows has a number beyond the vocabulary, one for each kind.
    """

    starts: Ids
    ids: Ids

    def part(self, texts: slice) -> Read:
        """The texts from `texts.start` to `texts.stop`."""
        starts = self.starts[texts.start : texts.stop + 1]
        return Read(starts - starts[0], self.ids[starts[0] : starts[-1]])


class Overlap:
    """The marks of all entries, ready to be compared with those of questions."""

    def __init__(self, reader: Reader, forms: Sequence[Sequence[Text]], answers: Sequence[Text]) -> None:
        """`forms` are the wordings of each entry, `answers` what it says to them."""
        self._reader = reader
        read = [[reader.marks(text) for text in group] for group in forms]
        answered = [reader.marks(text) for text in answers]
        names = sorted({m for group in read for marks in group for m in marks} | set(chain.from_iterable(answered)))
        self._number = {mark: i for i, mark in enumerate(names)}
        self.marks = tuple(names)
        self.kinds = np.array([*map(kind_of, names), *range(len(KINDS))], np.int64)
        self._unknown = [len(names) + k for k in range(len(KINDS))]
        self.sizes = np.array([len(group) for group in read], np.int64)
        counted = [Counter(chain.from_iterable(group)) for group in read]
        self.idf = self._rarity(counted)
        self._postings(counted, answered)
        self.forms = self._numbered(list(chain.from_iterable(read)))
        self._cores(counted)

    def _rarity(self, counted: Sequence[Counter[str]]) -> Numbers:
        """Inverse document frequency over entries; what no entry says is the rarest."""
        having: Counter[str] = Counter()
        for counts in counted:
            having.update(counts.keys())
        frequency = np.array([having[m] for m in self.marks] + [0] * len(KINDS))
        return (np.log((len(counted) + 1) / (1 + frequency)) + 0.2).astype(np.float32)

    def _postings(self, counted: Sequence[Counter[str]], answered: Sequence[Sequence[str]]) -> None:
        keys: list[int] = []
        counts: list[int] = []
        said: list[bool] = []
        for entry, (own, answer) in enumerate(zip(counted, map(frozenset, answered), strict=True)):
            for mark in own.keys() | answer:
                keys.append(self._key(self._number[mark], entry))
                counts.append(min(own[mark], 255))
                said.append(mark in answer)
        self._table = KeyTable(np.array(keys, np.uint64))
        # One more place for what is not there: look-ups answer -1.
        self._counts = np.array([*counts, 0], np.uint8)
        self._answered = np.array([*said, False])

    @staticmethod
    def _key(mark: int, entry: int) -> int:
        return (mark + 1) << 24 | entry

    def _cores(self, counted: Sequence[Counter[str]]) -> None:
        cores = [
            [self._number[m] for m, n in own.items() if n >= CORE * max(2, size) and kind_of(m) != _PAIR]
            for own, size in zip(counted, self.sizes.tolist(), strict=True)
        ]
        self.cores = _joined(cores)

    def _numbered(self, texts: Iterable[Sequence[str]]) -> Read:
        number, unknown = self._number, self._unknown
        return _joined([[number[m] if m in number else unknown[kind_of(m)] for m in marks] for marks in texts])

    def read(self, texts: Sequence[Text]) -> Read:
        """The marks of questions."""
        return self._numbered([self._reader.marks(text) for text in texts])

    def look_up(self, marks: Ids, entries: Ids) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """How many wordings of an entry carry a mark, and whether its answer does; both arguments of one length."""
        keys = (marks.astype(np.uint64) + np.uint64(1)) << np.uint64(24) | entries.astype(np.uint64)
        places = self._table.find(keys)
        return self._counts[places].astype(np.int64), self._answered[places]


def _joined(lists: Sequence[Sequence[int]]) -> Read:
    starts = np.cumsum([0, *map(len, lists)])
    return Read(starts, np.array(list(chain.from_iterable(lists)), np.int64))
