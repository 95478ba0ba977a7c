"""Pairs as padded batches of numbers for the network."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import repeat
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.pair_sets import LONGEST, Pair
from ragcomm.records import Text

PADDING, _UNKNOWN = 0, 1
# What every character is told besides its number and its word's.
MARKS = 4


class Numbering:
    """Characters and words by number; rare words are unknown."""

    def __init__(self, texts: Sequence[Text]) -> None:
        """`texts` are those that are trained on."""
        characters = Counter(c for text in texts for c in text.normal)
        words = Counter(w for text in texts for w in text.tokens)
        self.characters = {c: i + 2 for i, c in enumerate(c for c, n in characters.items() if n > 1)}
        self.words = {w: i + 2 for i, w in enumerate(w for w, n in words.items() if n > 1)}

    def read(self, text: Text) -> tuple[list[int], list[int]]:
        """The number of every character, and that of the word it stands in."""
        characters = [self.characters.get(c, _UNKNOWN) for c in text.normal[:LONGEST]]
        words = [n for w in text.tokens for n in repeat(self.words.get(w, _UNKNOWN), len(w))]
        return characters or [_UNKNOWN], words[:LONGEST] or [_UNKNOWN]

    def read_pair(self, pair: Pair) -> tuple[Any, Any]:
        """Both questions: characters, words, and marks of what the other one has too."""
        return (*self.read(pair.a), _marks(pair.a, pair.b)), (*self.read(pair.b), _marks(pair.b, pair.a))


def _marks(text: Text, other: Text) -> list[list[float]]:
    """For each character: whether it, its pair, its word stand in the other question, and whether a word begins."""
    normal, there = text.normal[:LONGEST], set(other.normal)
    words = set(other.tokens)
    found = []
    known = [(float(w in words), float(not i)) for w in text.tokens for i in range(len(w))]
    for i, character in enumerate(normal):
        pair = normal[i : i + 2] in other.normal or (i > 0 and normal[i - 1 : i + 1] in other.normal)
        found.append([float(character in there), float(pair), *known[i]])
    return found or [[0.0] * MARKS]


def batches(lengths: NDArray[np.int64], size: int, chance: np.random.Generator | None) -> Iterator[NDArray[np.int64]]:
    """Places of pairs about equally long, in random order while training."""
    noise = chance.uniform(0, 3, len(lengths)) if chance is not None else 0
    order = np.argsort(lengths + noise, kind="stable")
    parts = [order[start : start + size] for start in range(0, len(order), size)]
    if chance is not None:
        chance.shuffle(parts)
    yield from parts


def tensors(rows: Sequence[tuple[Any, Any]]) -> tuple[Any, Any]:
    """Characters, words and marks of the first questions and of the second, padded to the longest."""
    return _padded([a for a, _ in rows]), _padded([b for _, b in rows])


def _padded(texts: Sequence[Any]) -> tuple[Any, Any, Any]:
    longest = max(len(characters) for characters, _, _ in texts)
    numbers = np.zeros((2, len(texts), longest), np.int64)
    marks = np.zeros((len(texts), longest, MARKS), np.float32)
    for row, (characters, words, own) in enumerate(texts):
        numbers[0, row, : len(characters)], numbers[1, row, : len(words)] = characters, words
        marks[row, : len(own)] = own
    return torch.from_numpy(numbers[0]), torch.from_numpy(numbers[1]), torch.from_numpy(marks)
