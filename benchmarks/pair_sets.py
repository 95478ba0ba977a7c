"""Pairs of questions from public sets, cut and numbered; folds that keep a question whole."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path

from ragcomm.jobs.public_data import rows
from ragcomm.records import Text
from ragcomm.text.segment import Segmenter

FOLDS = 5
# A question that is longer says in its first characters what it asks.
LONGEST = 48
# As in the sets themselves: three pairs that differ to two that mean the same.
_DIFFERENT = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """Two questions and whether (or how far) they mean the same; `group` is the question they belong to."""

    a: Text
    b: Text
    label: int
    group: str


@dataclass(frozen=True, slots=True)
class PairSet:
    """A public set of pairs; `classes` is how many labels it has."""

    name: str
    pairs: list[Pair]
    classes: int = field(default=2)


def read_pairs(folder: Path, name: str, segmenter: Segmenter) -> PairSet | None:
    """The set in `folder`, every text cut once; None if it is absent."""
    lines = list(rows(folder, f"{name}.jsonl"))
    if not lines:
        return None
    texts = {raw: segmenter.read(raw) for line in lines for raw in (line["a"], line["b"])}
    pairs = [
        Pair(a=texts[line["a"]], b=texts[line["b"]], label=int(line["label"]), group=texts[line["a"]].normal)
        for line in lines
    ]
    return PairSet(name, pairs, 1 + max(pair.label for pair in pairs))


def fold(group: str) -> int:
    """The fold of a question: all its pairs lie in one."""
    return int(hashlib.sha256(f"pairs:{group}".encode()).hexdigest()[:8], 16) % FOLDS


def split(pairs: Sequence[Pair], number: int) -> tuple[list[Pair], list[Pair]]:
    """Training and test pairs of a fold; a test pair that stands in another fold too is not trained on."""
    test = [pair for pair in pairs if fold(pair.group) == number]
    seen = {_key(pair) for pair in test}
    return [pair for pair in pairs if fold(pair.group) != number and _key(pair) not in seen], test


def _key(pair: Pair) -> tuple[str, str]:
    first, second = sorted((pair.a.normal, pair.b.normal))
    return first, second


def implied(pairs: Iterable[Pair]) -> list[Pair]:
    """What training pairs of one question imply: what means the same as it means the same, and differs from the rest.

    Two that both differ from the question may mean anything, and imply nothing. No more that differ are taken than
    `_DIFFERENT` for each that mean the same.
    """
    groups: dict[str, list[Pair]] = defaultdict(list)
    for pair in pairs:
        groups[pair.group].append(pair)
    found = []
    for group, own in groups.items():
        both = [
            Pair(a=one.b, b=two.b, label=1, group=group) for one, two in combinations(own, 2) if one.label and two.label
        ]
        differ = [
            Pair(a=one.b, b=two.b, label=0, group=group) for one in own for two in own if one.label and not two.label
        ]
        found += both + differ[: _DIFFERENT * len(both)]
    return found
