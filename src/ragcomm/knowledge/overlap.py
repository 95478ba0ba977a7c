"""What a question and an entry share, and what each says alone: the verifier's view of a pair.

A text is read as marks: pairs of characters, words (synonyms as one), domain terms by their type, and slots (whom it is
about, what is asked, season, polarity, part of the body). An entry knows how many of its wordings carry a mark and
whether its answer does.
"""

from __future__ import annotations

import re
from array import array
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

    def __init__(self, reader: Reader, entries: Iterable[tuple[Sequence[Text], Text]]) -> None:
        """`entries` gives the wordings of each entry and what it says to them; it is read once, entry by entry."""
        self._reader = reader
        # Gathered as numbers, text by text: thirty thousand lists of strings would tear holes into the memory.
        self._number: dict[str, int] = {}
        ids, lengths = array("q"), array("q")
        keys, counts, said = array("Q"), array("B"), array("B")
        cores: list[list[int]] = []
        sizes: list[int] = []
        for entry, (group, answer) in enumerate(entries):
            sizes.append(len(group))
            own: Counter[int] = Counter()
            for text in group:
                marks = self._learn(reader.marks(text))
                ids.extend(marks)
                lengths.append(len(marks))
                own.update(marks)
            answered = frozenset(self._learn(reader.marks(answer)))
            for mark in own.keys() | answered:
                keys.append(self._key(mark, entry))
                counts.append(min(own[mark], 255))
                said.append(mark in answered)
            cores.append([mark for mark, n in own.items() if n >= CORE * max(2, len(group))])
        self.sizes = np.array(sizes, np.int64)
        self.forms = Read(np.cumsum([0, *lengths]), np.array(ids, np.int64))
        self.kinds = np.array([*map(kind_of, self._number), *range(len(KINDS))], np.int64)
        self.cores = _joined([[mark for mark in core if self.kinds[mark] != _PAIR] for core in cores])
        self._unknown = [len(self._number) + kind for kind in range(len(KINDS))]
        self._table = KeyTable(np.array(keys, np.uint64))
        # One more place for what is not there: look-ups answer -1.
        self._counts = np.array([*counts, 0], np.uint8)
        self._answered = np.array([*said, 0], bool)
        self.idf = self._rarity(np.array(keys, np.uint64), np.array(counts))

    @property
    def marks(self) -> tuple[str, ...]:
        """The name of every mark of the vocabulary, by number."""
        return tuple(self._number)

    def _learn(self, marks: Sequence[str]) -> list[int]:
        return [self._number.setdefault(mark, len(self._number)) for mark in marks]

    def _rarity(self, keys: NDArray[np.uint64], counts: NDArray[np.uint8]) -> Numbers:
        """Inverse document frequency over entries; what no wording says is the rarest."""
        marks = (keys[counts > 0] >> np.uint64(24)).astype(np.int64) - 1
        frequency = np.bincount(marks, minlength=len(self.kinds))
        return (np.log((len(self.sizes) + 1) / (1 + frequency)) + 0.2).astype(np.float32)

    @staticmethod
    def _key(mark: int, entry: int) -> int:
        return (mark + 1) << 24 | entry

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
