"""A question beside each of its candidates, as numbers: how close, what is shared, what is missing on either side.

Everything is computed for many pairs at once; `FEATURES` names the columns.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ragcomm.knowledge.overlap import KINDS, Ids, Numbers, Overlap, Read
from ragcomm.knowledge.retrieval import NEARNESS, Candidates

# Pairs of characters and words are weighed, the few marks of other kinds counted.
_PAIR_AND_WORD = 2
# Of the marks of each kind that a question has: how many there are, how many no wording of the entry has, how many not
# even its answer, and how common the known ones are among its wordings.
_PER_KIND = ("said", "missing", "unanswered", "common")
# Of the nearest wording, of the entry's core: the part that the question does not say.
_BACK = ("wording_unsaid", "core_unsaid")
_WHOLE = ("rarest_missing", "rarest_unanswered", "shared_pairs", "shared_words", "length", "wording_length")
FEATURES = (
    *NEARNESS,
    *(f"{kind}_{what}" for what in (*_PER_KIND, *_BACK) for kind in KINDS),
    *_WHOLE,
)
# What a single mark may say for or against a pair: the question alone has it, not even the answer has it, the nearest
# wording alone has it, both have it.
ROLES = ("missing", "unanswered", "unsaid", "shared")


@dataclass(frozen=True, slots=True)
class Pairs:
    """Questions beside their candidates: `owners` names the question of each row.

    `features` has the columns FEATURES. `roles` are the marks that speak on their own: which pair, role and mark.
    """

    owners: Ids
    entries: Ids
    features: Numbers
    roles: tuple[Ids, Ids, Ids]


def joined(parts: Sequence[Pairs]) -> Pairs:
    """Pairs of several comparisons as one; their questions are numbered on."""
    questions = np.cumsum([0, *(int(part.owners.max(initial=-1)) + 1 for part in parts)])
    rows = np.cumsum([0, *(len(part.owners) for part in parts)])
    return Pairs(
        np.concatenate([part.owners + first for part, first in zip(parts, questions, strict=False)]),
        np.concatenate([part.entries for part in parts]),
        np.concatenate([part.features for part in parts]),
        (
            np.concatenate([part.roles[0] + first for part, first in zip(parts, rows, strict=False)]),
            np.concatenate([part.roles[1] for part in parts]),
            np.concatenate([part.roles[2] for part in parts]),
        ),
    )


def compare(overlap: Overlap, questions: Read, found: Candidates, *, without: Sequence[int] | None = None) -> Pairs:
    """Compares each question with its candidates.

    `without` names for each question the wording that it is itself (training): the entry is judged as if it lacked it.
    """
    owners, entries, wordings = found.owners, found.entries, found.wordings
    forward = _spread(questions, owners)
    back = _spread(overlap.forms, wordings)
    count, answered = overlap.look_up(forward.marks, entries[forward.rows])
    if without is not None:
        count = count - _itself(overlap, forward, owners, entries, np.asarray(without))
    has = count > 0
    unsaid = ~_contains(questions, owners, back)
    core = _spread(overlap.cores, entries)
    core_unsaid = ~_contains(questions, owners, core)
    features = np.concatenate(
        [
            found.nearness,
            *_by_kind(overlap, forward, has, answered, count, entries, len(owners)),
            _shares(overlap, back, unsaid, len(owners)),
            _shares(overlap, core, core_unsaid, len(owners)),
            _whole(overlap, forward, back, has, has | answered, unsaid, len(owners)),
        ],
        axis=1,
    )
    return Pairs(owners, entries, features, _roles(overlap, forward, back, has, answered, unsaid))


@dataclass(frozen=True, slots=True)
class _Spread:
    """The marks of texts, one text a row: `rows[i]` has `marks[i]`."""

    rows: Ids
    marks: Ids


def _spread(read: Read, texts: Ids) -> _Spread:
    starts, ends = read.starts[texts], read.starts[texts + 1]
    counts = ends - starts
    rows = np.repeat(np.arange(len(texts)), counts)
    places = np.arange(len(rows)) + np.repeat(starts - np.cumsum(counts) + counts, counts)
    return _Spread(rows, read.ids[places])


def _contains(questions: Read, owners: Ids, asked: _Spread) -> NDArray[np.bool_]:
    """Whether the question of a row has a mark."""
    many = np.int64(1) << 32
    texts = np.repeat(np.arange(len(questions.starts) - 1), np.diff(questions.starts))
    have = np.sort(texts * many + questions.ids)
    wanted = owners[asked.rows] * many + asked.marks
    if not len(have):
        return np.zeros(len(wanted), bool)
    found: NDArray[np.bool_] = have[np.minimum(np.searchsorted(have, wanted), len(have) - 1)] == wanted
    return found


def _itself(overlap: Overlap, forward: _Spread, owners: Ids, entries: Ids, without: Ids) -> Ids:
    """One for every mark whose pair is that of a wording with its own entry."""
    form_owner = np.repeat(np.arange(len(overlap.sizes)), overlap.sizes)
    own = np.where(without >= 0, form_owner[without], -1)
    result: Ids = (own[owners] == entries)[forward.rows].astype(np.int64)
    return result


def _sums(rows: Ids, kinds: Ids, weights: NDArray[np.generic] | None, count: int) -> NDArray[np.float64]:
    summed = np.bincount(rows * len(KINDS) + kinds, weights, count * len(KINDS))
    return summed.astype(np.float64).reshape(count, len(KINDS))


def _by_kind(
    overlap: Overlap, forward: _Spread, has: NDArray[np.bool_], answered: NDArray[np.bool_], count: Ids, entries: Ids,
    rows: int,
) -> list[NDArray[np.float64]]:  # fmt: skip
    kinds = overlap.kinds[forward.marks]
    idf = overlap.idf[forward.marks]
    said = _sums(forward.rows, kinds, None, rows)
    # Words and pairs of characters by the weight of what is missing, the few others by number.
    whole = _sums(forward.rows, kinds, idf, rows)
    scale = np.where(np.arange(len(KINDS)) < _PAIR_AND_WORD, whole + 1e-6, 1.0)
    weight = np.where(kinds < _PAIR_AND_WORD, idf, 1.0)
    missing = _sums(forward.rows, kinds, weight * ~has, rows) / scale
    unanswered = _sums(forward.rows, kinds, weight * ~(has | answered), rows) / scale
    common = count / np.maximum(1, overlap.sizes[entries[forward.rows]])
    shared = _sums(forward.rows, kinds, common, rows) / (said + 1e-6)
    return [np.minimum(said, 8) / np.where(np.arange(len(KINDS)) < _PAIR_AND_WORD, 8, 1), missing, unanswered, shared]


def _shares(overlap: Overlap, back: _Spread, unsaid: NDArray[np.bool_], rows: int) -> NDArray[np.float64]:
    kinds, idf = overlap.kinds[back.marks], overlap.idf[back.marks]
    return _sums(back.rows, kinds, idf * unsaid, rows) / (_sums(back.rows, kinds, idf, rows) + 0.5)


def _whole(
    overlap: Overlap, forward: _Spread, back: _Spread, has: NDArray[np.bool_], anywhere: NDArray[np.bool_],
    unsaid: NDArray[np.bool_], rows: int,
) -> NDArray[np.float64]:  # fmt: skip
    """Rarity of the rarest mark that is missing; overlap with the nearest wording (Dice); both lengths."""
    kinds, idf = overlap.kinds[forward.marks], overlap.idf[forward.marks]
    words = kinds != 0
    rarest = np.zeros((rows, 2))
    for column, absent in enumerate((~has & words, ~anywhere & words)):
        np.maximum.at(rarest[:, column], forward.rows[absent], idf[absent])
    back_pairs = overlap.kinds[back.marks] == 0
    dice = []
    for chosen, back_chosen in ((~words, back_pairs), (words, ~back_pairs)):
        both = np.bincount(back.rows[back_chosen & ~unsaid], minlength=rows)
        either = np.bincount(forward.rows[chosen], minlength=rows) + np.bincount(back.rows[back_chosen], minlength=rows)
        dice.append(2 * both / np.maximum(1, either))
    lengths = [np.log1p(np.bincount(spread.rows, minlength=rows)) for spread in (forward, back)]
    return np.column_stack([rarest, *dice, *lengths])


def _roles(
    overlap: Overlap, forward: _Spread, back: _Spread, has: NDArray[np.bool_], answered: NDArray[np.bool_],
    unsaid: NDArray[np.bool_],
) -> tuple[Ids, Ids, Ids]:  # fmt: skip
    """Pairs of characters are too many and too blunt to speak for themselves."""
    words, back_words = overlap.kinds[forward.marks] != 0, overlap.kinds[back.marks] != 0
    chosen = (
        (forward, words & ~has),
        (forward, words & ~has & ~answered),
        (back, back_words & unsaid),
        (forward, words & has),
    )
    return (
        np.concatenate([spread.rows[where] for spread, where in chosen]),
        np.repeat(np.arange(len(ROLES)), [int(where.sum()) for _, where in chosen]),
        np.concatenate([spread.marks[where] for spread, where in chosen]),
    )
