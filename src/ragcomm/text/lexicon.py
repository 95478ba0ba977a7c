"""Lists of terms, found in linear time and only where a reader would see the word.

A substring list flags 三黄片 for 黄片 and 路口交通 for 口交. Here a hit never lies inside one longer word;
one of two characters also has to begin and end with a word; and the domain's own terms always stay whole.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ahocorasick_rs import AhoCorasick, MatchKind

from ragcomm.records import Text
from ragcomm.text.normalize import normalize

# A phrase of three characters says enough to be believed when segmentation cut through it.
_PHRASE = 3


@dataclass(frozen=True, slots=True)
class Hit:
    """A term found at [start, end) of the normal text, and the group it belongs to."""

    term: str
    group: str
    start: int
    end: int


class Lexicon:
    """Many terms searched at once, the longest at each place winning."""

    def __init__(self, groups: Mapping[str, str], *, domain: frozenset[str] = frozenset()) -> None:
        """`groups` maps term to group name; `domain` are words no hit may cut or lie in."""
        normal = {normalize(term)[0]: group for term, group in groups.items()}
        self._terms = sorted(term for term in normal if term)
        self._groups = [normal[term] for term in self._terms]
        self._domain = domain
        self._automaton = AhoCorasick(self._terms, matchkind=MatchKind.Standard)

    def find(self, text: Text) -> list[Hit]:
        """Every accepted hit in `text`, from left to right, without overlaps."""
        found = self._automaton.find_matches_as_indexes(text.normal, overlapping=True)
        if not found:
            return []
        starts, ends = _containing_tokens(text)
        hits: list[Hit] = []
        # A refused hit must not use up the characters of another: refuse first, then choose.
        for which, start, end in sorted(found, key=lambda match: (match[1], -match[2])):
            free = not hits or start >= hits[-1].end
            if free and self._stands(text.normal, start, end, starts, ends):
                hits.append(Hit(self._terms[which], self._groups[which], start, end))
        return hits

    def _stands(self, normal: str, start: int, end: int, starts: list[int], ends: list[int]) -> bool:
        left, right = starts[start], ends[end - 1]
        if (left, right) == (start, end):
            return True
        if ends[start] >= end or end - start < _PHRASE:
            return False
        cut_left = left < start and normal[left : ends[start]] in self._domain
        cut_right = right > end and normal[starts[end - 1] : right] in self._domain
        return not (cut_left or cut_right)


def _containing_tokens(text: Text) -> tuple[list[int], list[int]]:
    """For every character the start and the end of the token it is in."""
    starts: list[int] = []
    ends: list[int] = []
    position = 0
    for token in text.tokens:
        starts += [position] * len(token)
        position += len(token)
        ends += [position] * len(token)
    return starts, ends
