"""The pair model: a network on all sets together and trees on each, in as many processes as there are cores."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache
from multiprocessing import get_context

import numpy as np
from numpy.typing import NDArray

from benchmarks.pair_sets import FOLDS, Pair, PairSet, implied, read_pairs, split
from ragcomm.assembly import TextParts, build_encoder, build_text
from ragcomm.settings import Settings

EPIDEMIC = "match_epidemic_qq"
# Sets that are cut into folds, and one that only helps to train the network.
MEASURED = (EPIDEMIC, "match_chip_sts", "match_kuake_qqr")
HELPER = "match_lcqmc"
# Where training pairs imply others (a question with several of either kind).
_IMPLYING = {EPIDEMIC}
_NETWORK = "network"

Probabilities = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Task:
    """One model of one fold, and what it is asked: the test pairs of its sets and further pairs of EPIDEMIC."""

    model: str
    number: int
    further: Sequence[Pair]


@dataclass(frozen=True, slots=True)
class Crossed:
    """What models that had not seen a question say about its pairs: for each set, and for the further pairs."""

    tested: dict[str, tuple[list[Pair], Probabilities]]
    further: list[Probabilities]


@cache
def text_parts() -> TextParts:
    """The product's text parts, built once a process."""
    settings = Settings()
    return build_text(settings.corpora, settings.segmenter)


@cache
def pair_set(name: str) -> PairSet | None:
    """A public set, read once a process."""
    return read_pairs(Settings().public_data, name, text_parts().segmenter)


def cross(further: Sequence[Sequence[Pair]]) -> Crossed:
    """Trains and asks the models of all folds; `further` are pairs of EPIDEMIC that each fold is asked besides."""
    names = [name for name in MEASURED if pair_set(name)]
    # The long ones first, so that no core waits at the end.
    tasks = [Task(model, number, further[number]) for model in (_NETWORK, *names) for number in range(FOLDS)]
    with ProcessPoolExecutor(os.cpu_count(), get_context("spawn")) as pool:
        answers = list(pool.map(_answer, tasks))
    said: dict[tuple[str, int], list[Probabilities]] = defaultdict(list)
    asked: dict[int, list[Probabilities]] = defaultdict(list)
    for task, (tested, more) in zip(tasks, answers, strict=True):
        for name, probabilities in tested.items():
            said[name, task.number].append(probabilities)
        if more is not None:
            asked[task.number].append(more)
    found = {}
    for name in names:
        tests = [split(_pairs(name), number)[1] for number in range(FOLDS)]
        together = [_together(said[name, number]) for number in range(FOLDS)]
        found[name] = ([pair for test in tests for pair in test], np.concatenate(together))
    return Crossed(found, [_together(asked[number]) for number in range(FOLDS)])


def _together(parts: Sequence[Probabilities]) -> Probabilities:
    """The geometric mean of what the models say, scaled to sum up to one."""
    mean = np.exp(np.mean([np.log(np.maximum(part, 1e-6)) for part in parts], axis=0))
    result: Probabilities = mean / mean.sum(1, keepdims=True)
    return result


def _pairs(name: str) -> list[Pair]:
    found = pair_set(name)
    return found.pairs if found else []


def _answer(task: Task) -> tuple[dict[str, Probabilities], Probabilities | None]:
    """Trains one model of one fold and asks it (in a process of its own)."""
    return _network(task) if task.model == _NETWORK else _trees(task)


def _network(task: Task) -> tuple[dict[str, Probabilities], Probabilities | None]:
    import torch

    from benchmarks.pair_network import AlignmentModel, Recipe

    torch.set_num_threads(1)
    parts = {name: split(_pairs(name), task.number) for name in MEASURED if pair_set(name)}
    training = {name: [*train, *(implied(train) if name in _IMPLYING else [])] for name, (train, _) in parts.items()}
    if _pairs(HELPER):
        training[HELPER] = _pairs(HELPER)
    model = AlignmentModel(Recipe(seed=task.number)).fit(training)
    tested = {name: model.probabilities(name, test) for name, (_, test) in parts.items()}
    return tested, model.probabilities(EPIDEMIC, task.further) if task.further else None


def _trees(task: Task) -> tuple[dict[str, Probabilities], Probabilities | None]:
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    from benchmarks.pair_trees import Readers, TreeModel

    settings, text = Settings(), text_parts()
    readers = Readers(text.reader, build_encoder(settings.models, text.pipeline)[0])
    train, test = split(_pairs(task.model), task.number)
    with threadpool_limits(1):
        model = TreeModel(readers).fit(train)
        tested = {task.model: model.probabilities(test)}
        asked = task.further and task.model == EPIDEMIC
        return tested, model.probabilities(task.further) if asked else None
