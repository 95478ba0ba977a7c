"""Herbs that tradition forbids together (十八反, 十九畏), found where one answer recommends both."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ragcomm.safety.statements import any_of, sentences

# A sentence that says one of these warns of what it names.
_WARNS = re.compile(
    r"不|忌|禁|勿|别|避免|避开|相反|相畏|反藜芦|十八反|十九畏|小心|慎|毒|停用|停服|冲突|问医|问药师|咨询"
)


@dataclass(frozen=True, slots=True)
class Incompatible:
    """Two herbs that do not go together, each with all its names."""

    id: str
    one: tuple[str, ...]
    other: tuple[str, ...]


class HerbConflicts:
    """Looks for incompatible herbs that are recommended in one text."""

    def __init__(self, pairs: Sequence[Incompatible]) -> None:
        self._pairs = tuple(pairs)
        self._names = any_of({name for pair in pairs for name in (*pair.one, *pair.other)})

    def of(self, text: str) -> Iterator[tuple[str, str, str]]:
        """Id of the pair and the two names, once a pair; sentences that warn recommend nothing."""
        named = {name for s in sentences(text) if not _WARNS.search(s) for name in self._names.findall(s)}
        for pair in self._pairs:
            one, other = (sorted(named.intersection(side)) for side in (pair.one, pair.other))
            if one and other:
                yield pair.id, one[0], other[0]
