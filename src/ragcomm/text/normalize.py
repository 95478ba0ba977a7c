"""Raw text to its normal form, with the way back to every raw character.

Character by character: NFKC, lower case, simplified characters, nothing invisible. Then what was put
between or repeated to hide a word: “加-微-信” and “加 微 信” become “加微信”, “！！！！！” becomes “!!”.
The mapping knows no context, so that it is idempotent and every offset is exact.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from functools import cache

from opencc import OpenCC

# Letters and digits in boxes and circles that NFKC leaves alone: (first code point, first letter, how many).
_ENCLOSED = (
    (0x2776, "1", 9),
    (0x2780, "1", 9),
    (0x278A, "1", 9),
    (0x24F5, "1", 9),
    (0x1F150, "a", 26),
    (0x1F170, "a", 26),
    (0x1F1E6, "a", 26),
)
_BOXED = {first + i: chr(ord(letter) + i) for first, letter, count in _ENCLOSED for i in range(count)}
# The joiner and the selectors also occur in honest emoji; the others hide something.
_HIDING = frozenset("\u200b\u200c\u2060\u2061\u2062\u2063\ufeff\u00ad\u180e") | frozenset(
    map(chr, (*range(0x202A, 0x202F), *range(0x2066, 0x206A)))
)
_INVISIBLE = frozenset({"Cf", "Mn", "Me", "Cs", "Cc", "Co", "Cn"})

# Three or more of the same sign say no more than two; numbers and Latin letters (www) are left alone.
_RUN = re.compile(r"([^\da-z\s])\1{2,}|\s{2,}")
# Single characters kept apart by signs: at least three of them, none part of a longer word.
# “、” is missing on purpose: it separates honest lists.
_SPACED = re.compile(r"(?<![^\W_])[^\W_](?:(?:[^\w、]|_){1,2}[^\W_]){2,}(?![^\W_])")
_SEPARATOR = re.compile(r"[\W_]+")


@cache
def _simplifier() -> OpenCC:
    return OpenCC("t2s")


class _Pieces(dict[str, str]):
    """One character to its normal piece (possibly empty or several characters), learned on demand."""

    def __missing__(self, character: str) -> str:
        piece = _BOXED.get(ord(character)) or "".join(
            # Digits of any script (٣, ३) are digits.
            " " if c.isspace() else str(unicodedata.decimal(c, c))
            for c in unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", character).lower())
            if c.isspace() or unicodedata.category(c) not in _INVISIBLE
        )
        if any(c >= "\u2e80" for c in piece):
            # Twice: a few characters (薴) only become simple in two steps.
            piece = _simplifier().convert(_simplifier().convert(piece))
        self[character] = piece
        return piece


_PIECES = _Pieces()


def normalize(raw: str) -> tuple[str, Sequence[int] | None, frozenset[str]]:
    """Returns the normal form, its offsets (see `records.Text`) and the names of the tricks undone.

    Linear in the length of `raw`; takes any string, lone surrogates too.
    """
    pieces = [_PIECES[c] for c in raw]
    normal = "".join(pieces)
    offsets: list[int] | None = None
    if len(normal) != len(raw) or "" in pieces:
        offsets = [i for i, piece in enumerate(pieces) for _ in piece]
        offsets.append(len(raw))
    tricks = set() if raw.isascii() else _tricks(raw)
    while True:
        dropped = _runs(normal)
        if not dropped:
            dropped = _separators(normal)
            if not dropped:
                break
            tricks.add("separators")
        normal, offsets = _without(normal, offsets, dropped)
    return normal, offsets, frozenset(tricks)


class _Tricks(dict[str, str]):
    """A character to the trick it is a sign of ("" for none), learned on demand."""

    def __missing__(self, c: str) -> str:
        trick = ""
        if c > "\u024f" and not "\u4e00" <= c <= "\u9fff":
            if c in _HIDING:
                trick = "zero_width"
            elif "\uff10" <= c <= "\uff5a" and c.isalnum():
                trick = "full_width"
            elif c == "\u20e3" or ord(c) in _BOXED or (c.isalnum() and unicodedata.decomposition(c)):
                trick = "enclosed"
            elif unicodedata.category(c) in ("Mn", "Me") and not "\ufe00" <= c <= "\ufe0f":
                trick = "combining"
        self[c] = trick
        return trick


_TRICKS = _Tricks()


def _tricks(raw: str) -> set[str]:
    return {_TRICKS[c] for c in raw} - {""}


def _runs(normal: str) -> list[tuple[int, int]]:
    """What to drop of repeated characters: all but two, of blanks all but one."""
    return [(m.start() + (1 if m[1] is None else 2), m.end()) for m in _RUN.finditer(normal)]


def _separators(normal: str) -> list[tuple[int, int]]:
    return [
        (m.start() + s.start(), m.start() + s.end())
        for m in _SPACED.finditer(normal)
        for s in _SEPARATOR.finditer(m[0])
    ]


def _without(normal: str, offsets: list[int] | None, dropped: list[tuple[int, int]]) -> tuple[str, list[int]]:
    kept: list[str] = []
    places: list[int] = []
    whole = offsets if offsets is not None else range(len(normal) + 1)
    position = 0
    for start, end in [*dropped, (len(normal), len(normal))]:
        kept.append(normal[position:start])
        places.extend(whole[position:start])
        position = end
    places.append(whole[len(normal)])
    return "".join(kept), places
