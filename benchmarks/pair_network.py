"""A small network that aligns two questions softly, trained from nothing (torch, a throw-away).

Characters carry their word; convolution, alignment and fusion alternate (after RE2, Yang et al. 2019, with the
marks of what stands in both questions as an input). One body for all sets, one head a set.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional

from benchmarks.pair_batches import MARKS, PADDING, Numbering, batches, tensors
from benchmarks.pair_sets import Pair


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """Everything that decides the result besides the pairs."""

    width: int = 96
    embedding: int = 64
    blocks: int = 2
    epochs: int = 3
    batch: int = 96
    rate: float = 2e-3
    dropout: float = 0.2
    seed: int = 0


class _Block(nn.Module):
    """Reads the neighbours, aligns with the other question, and fuses both."""

    def __init__(self, inputs: int, width: int, dropout: float) -> None:
        super().__init__()
        self.neighbours = nn.Conv1d(inputs, width, 3, padding=1)
        self.fusion = nn.Linear(4 * width + inputs, width)
        self.key = nn.Linear(width, width)
        self.dropout = nn.Dropout(dropout)

    def forward(self, a: Any, b: Any, there_a: Any, there_b: Any) -> tuple[Any, Any]:
        read_a, read_b = self._read(a, there_a), self._read(b, there_b)
        near = self.key(read_a) @ self.key(read_b).transpose(1, 2) / read_a.shape[2] ** 0.5
        near = near.masked_fill(~(there_a[:, :, None] & there_b[:, None, :]), -1e4)
        to_b, to_a = near.softmax(2) @ read_b, near.softmax(1).transpose(1, 2) @ read_a
        return self._fuse(a, read_a, to_b), self._fuse(b, read_b, to_a)

    def _read(self, x: Any, there: Any) -> Any:
        x = self.dropout(x) * there[:, :, None]
        return functional.gelu(self.neighbours(x.transpose(1, 2)).transpose(1, 2))

    def _fuse(self, x: Any, read: Any, other: Any) -> Any:
        together = torch.cat([x, read, other, read - other, read * other], 2)
        return functional.gelu(self.fusion(self.dropout(together)))


class _Network(nn.Module):
    def __init__(self, numbering: Numbering, heads: Mapping[str, int], recipe: Recipe) -> None:
        super().__init__()
        width, size = recipe.width, recipe.embedding
        self.characters = nn.Embedding(len(numbering.characters) + 2, size, padding_idx=PADDING)
        self.words = nn.Embedding(len(numbering.words) + 2, size, padding_idx=PADDING)
        nn.init.normal_(self.characters.weight, std=0.3)
        nn.init.normal_(self.words.weight, std=0.3)
        first = 2 * size + MARKS
        self.blocks = nn.ModuleList(
            _Block(first if not i else width + first, width, recipe.dropout) for i in range(recipe.blocks)
        )
        self.hidden = nn.Linear(4 * 2 * width, width)
        self.dropout = nn.Dropout(recipe.dropout)
        self.heads = nn.ModuleDict({name: nn.Linear(width, classes) for name, classes in heads.items()})

    def forward(self, a: Any, b: Any) -> Any:
        (x, there_a), (y, there_b) = self._embed(*a), self._embed(*b)
        inputs = x, y
        for number, block in enumerate(self.blocks):
            if number:
                x, y = torch.cat([x, inputs[0]], 2), torch.cat([y, inputs[1]], 2)
            x, y = block(x, y, there_a, there_b)
        x, y = _pool(x, there_a), _pool(y, there_b)
        both = torch.cat([x + y, (x - y).abs(), x * y, x - y], 1)
        return functional.gelu(self.hidden(self.dropout(both)))

    def _embed(self, characters: Any, words: Any, marks: Any) -> tuple[Any, Any]:
        embedded = torch.cat([self.characters(characters), self.words(words), marks], 2)
        return embedded, characters != PADDING


def _pool(x: Any, there: Any) -> Any:
    there = there[:, :, None]
    mean = (x * there).sum(1) / there.sum(1)
    return torch.cat([x.masked_fill(~there, -1e4).max(1).values, mean], 1)


class AlignmentModel:
    """Fits the network on the pairs of several sets and gives probabilities for one of them."""

    def __init__(self, recipe: Recipe) -> None:
        self.recipe = recipe

    def fit(self, sets: Mapping[str, Sequence[Pair]]) -> AlignmentModel:
        """`sets` has the training pairs by the name of their set."""
        torch.manual_seed(self.recipe.seed)
        chance = np.random.default_rng(self.recipe.seed)
        everything = [(name, pair) for name, pairs in sets.items() for pair in pairs]
        unique = {text.raw: text for _, pair in everything for text in (pair.a, pair.b)}
        self._numbering = Numbering(list(unique.values()))
        self._classes = {name: 1 + max(pair.label for pair in pairs) for name, pairs in sets.items()}
        self._network = _Network(self._numbering, self._classes, self.recipe)
        rows = [self._numbering.read_pair(pair) for _, pair in everything]
        labels = np.array([pair.label for _, pair in everything])
        places = {name: i for i, name in enumerate(sets)}
        owners = np.array([places[name] for name, _ in everything])
        lengths = np.array([max(len(a[0]), len(b[0])) for a, b in rows])
        optimizer = torch.optim.AdamW(self._network.parameters(), self.recipe.rate, weight_decay=1e-3)
        steps = self.recipe.epochs * -(-len(rows) // self.recipe.batch)
        plan = torch.optim.lr_scheduler.OneCycleLR(optimizer, self.recipe.rate, steps, pct_start=0.1)
        self._network.train()
        for _ in range(self.recipe.epochs):
            for batch in batches(lengths, self.recipe.batch, chance):
                shared = self._network(*tensors([rows[i] for i in batch]))
                loss = torch.zeros(())
                for name, place in places.items():
                    own = np.flatnonzero(owners[batch] == place)
                    if len(own):
                        said = self._network.heads[name](shared[torch.from_numpy(own)])
                        truth = torch.from_numpy(labels[batch[own]])
                        loss = loss + functional.cross_entropy(said, truth, reduction="sum") / len(batch)
                optimizer.zero_grad()
                loss.backward()  # type: ignore[no-untyped-call]
                nn.utils.clip_grad_norm_(self._network.parameters(), 2.0)
                optimizer.step()
                plan.step()
        return self

    def probabilities(self, name: str, pairs: Sequence[Pair]) -> NDArray[np.float64]:
        """Shape (pairs, classes of the set)."""
        self._network.eval()
        rows = [self._numbering.read_pair(pair) for pair in pairs]
        lengths = np.array([max(len(a[0]), len(b[0])) for a, b in rows])
        found = np.zeros((len(rows), self._classes[name]))
        with torch.inference_mode():
            for batch in batches(lengths, 256, None):
                shared = self._network(*tensors([rows[i] for i in batch]))
                found[batch] = self._network.heads[name](shared).softmax(1).numpy()
        return found
