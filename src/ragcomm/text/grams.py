"""Character n-grams as numbers: up to four characters in one 64-bit key, found in a hash table of NumPy arrays.

A whole batch of texts is looked up in a few vector operations; an automaton over the same grams takes twice the
time, several times the memory, and a Python object for every hit.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

LONGEST = 4
_BITS = np.uint64(16)
# Symbols beyond the basic plane (emoji) take the places of the private use area, which normal text never
# holds; the rare ideographs beyond it share one place.
_SYMBOLS, _SYMBOLS_END, _PRIVATE, _RARE = 0x1F000, 0x20000, 0xE000, 0xF8FF
# Fibonacci hashing (Knuth, The Art of Computer Programming 3, 6.4): the upper bits of a product.
_GOLDEN = np.uint64(0x9E37_79B9_7F4A_7C15)
# Slots for every key, at least: at this load most look-ups end at the first or second slot.
_ROOM = 2
_NONE = -1

Codes = NDArray[np.uint64]
Places = NDArray[np.int64]


def gram_codes(text: str) -> Codes:
    """One number from 1 to 2**16 - 1 for each character."""
    codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32).astype(np.uint64)
    if codes.max(initial=0) > 0xFFFF:
        symbol = (codes >= _SYMBOLS) & (codes < _SYMBOLS_END)
        codes = np.where(symbol, codes - _SYMBOLS + _PRIVATE, codes)
        codes[codes > 0xFFFF] = _RARE
    # Zero would vanish at the head of a key; no character of Unicode is 0xFFFF.
    codes[codes == 0] = 0xFFFF
    return codes


def first_of_runs(sorted_keys: NDArray[np.generic]) -> NDArray[np.bool_]:
    """Which items differ from the one before them; the first always does.

    (np.unique builds a table of hashes and np.diff a longer copy: ten and three times the time on short arrays.)
    """
    first = np.empty(len(sorted_keys), bool)
    first[:1] = True
    np.not_equal(sorted_keys[1:], sorted_keys[:-1], out=first[1:])
    return first


def run_lengths(heads: Places, count: int) -> Places:
    """How long the runs are that begin at `heads` in an array of `count` items."""
    lengths = np.empty(len(heads), np.int64)
    np.subtract(heads[1:], heads[:-1], out=lengths[:-1])
    lengths[-1:] = count - heads[-1:]
    return lengths


class KeyTable:
    """Finds 64-bit keys in a list, many at once."""

    def __init__(self, keys: Codes) -> None:
        """A key's place is its position in `keys`; all are different and none is zero."""
        bits = max(8, int(_ROOM * len(keys)).bit_length())
        self._shift = np.uint64(64 - bits)
        # Probing may run past the last slot, but never further than there are keys.
        size = (1 << bits) + min(len(keys), 1024) + 1
        self._keys, self._places = np.zeros(size, np.uint64), np.full(size, _NONE, np.int32)
        slots, left = self._slots(keys), np.arange(len(keys))
        # Every key goes into the first free slot from its own on (linear probing).
        while len(left):
            free = left[self._places[slots[left]] == _NONE]
            _, first = np.unique(slots[free], return_index=True)
            settled = free[first]
            self._keys[slots[settled]], self._places[slots[settled]] = keys[settled], settled
            left = np.setdiff1d(left, settled, assume_unique=True)
            slots[left] += 1

    def _slots(self, keys: Codes) -> Places:
        slots: Places = ((keys * _GOLDEN) >> self._shift).astype(np.int64)
        return slots

    def find(self, keys: Codes) -> Places:
        """The place of every key, -1 for those that are not in the list."""
        slots = self._slots(keys)
        there = self._keys[slots]
        places = np.where(there == keys, self._places[slots], _NONE)
        left = np.flatnonzero((there != 0) & (there != keys))
        while len(left):
            slots[left] += 1
            there, wanted = self._keys[slots[left]], keys[left]
            met = there == wanted
            places[left[met]] = self._places[slots[left[met]]]
            left = left[(there != 0) & ~met]
        return places


class GramIndex:
    """Finds which grams of a list stand where in a text."""

    def __init__(self, grams: Sequence[str]) -> None:
        """A gram's place is its position in `grams`; all are different and have one to four characters."""
        lengths = np.array([len(gram) for gram in grams], np.int64)
        self._longest = int(lengths.max(initial=1))
        if lengths.min(initial=1) < 1 or self._longest > LONGEST:
            raise ValueError(f"grams have 1 to {LONGEST} characters")
        codes = gram_codes("".join(grams))
        firsts = np.cumsum(lengths) - lengths
        keys = np.zeros(len(grams), np.uint64)
        for i in range(self._longest):
            has = lengths > i
            keys[has] = (keys[has] << _BITS) | codes[firsts[has] + i]
        self._table = KeyTable(keys)

    def find(self, codes: Codes) -> tuple[Places, Places, Places]:
        """Where known grams begin, their places in the list and their lengths; shorter grams first."""
        keys = [codes]
        for n in range(1, self._longest):
            keys.append((keys[-1][:-1] << _BITS) | codes[n:])
        places = self._table.find(np.concatenate(keys))
        hits = np.flatnonzero(places >= 0)
        ends = np.cumsum([len(k) for k in keys])
        shorter = np.searchsorted(ends, hits, side="right")
        begins = ends - [len(k) for k in keys]
        return hits - begins[shorter], places[hits], shorter + 1
