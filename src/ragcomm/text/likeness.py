"""How alike two wordings are to a reader: trigrams of what is heard, and who shares enough of them."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence

from ragcomm.text.normalize import normalize

_SILENT = re.compile(r"[\W_]+")


def bare(text: str) -> str:
    """A text without anything a reader would not hear."""
    return _SILENT.sub("", normalize(text)[0])


def trigrams(text: str) -> frozenset[str]:
    """Every three neighbouring characters of the bare text; the text itself where it is shorter."""
    heard = bare(text)
    return frozenset(heard[i : i + 3] for i in range(max(1, len(heard) - 2)))


def jaccard(a: frozenset[str], b: frozenset[str]) -> float:
    """The share of common trigrams, in [0, 1]; 1 for two empty sets."""
    either = len(a | b)
    return len(a & b) / either if either else 1.0


class Neighbours:
    """Finds among many sets of trigrams those that a given one is alike to."""

    def __init__(self, known: Sequence[frozenset[str]]) -> None:
        """`known` are the sets to be found; `near` names them by their place."""
        self._sizes = list(map(len, known))
        self._having: dict[str, list[int]] = defaultdict(list)
        for place, grams in enumerate(known):
            for gram in grams:
                self._having[gram].append(place)

    def near(self, grams: frozenset[str], at_least: float) -> Iterator[tuple[int, float]]:
        """Place and Jaccard likeness of every known set that is at least so alike."""
        shared = Counter(place for gram in grams for place in self._having.get(gram, ()))
        for place, common in shared.items():
            alike = common / (len(grams) + self._sizes[place] - common)
            if alike >= at_least:
                yield place, alike
