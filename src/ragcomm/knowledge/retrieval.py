"""From a question to its candidates: words and vectors together, best over the wordings of each entry."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ragcomm.knowledge.dense import DenseIndex
from ragcomm.knowledge.lexical import LexicalIndex
from ragcomm.knowledge.overlap import KINDS, Ids, Numbers, Overlap, Read, Reader
from ragcomm.records import Entry, Text
from ragcomm.text.encode import StaticEncoder, Vectors
from ragcomm.text.grams import first_of_runs, run_lengths
from ragcomm.text.segment import Segmenter

# How much of the fused score is the cosine of the vectors. It only chooses whom the verifier looks at.
DENSE_SHARE = 0.7
# Candidates that are looked at closely.
MOST_CANDIDATES = 10
# Wordings taken from each index before both are weighed exactly: enough for ten entries.
_WORDINGS = 40
# The nearest wordings that vote for their entries.
_VOTERS = 15

NEARNESS = (
    "fused", "lead", "dense", "lexical", "product", "dense_second", "dense_three", "lexical_second", "support",
    "wordings", "rank", "first", "title", "known", "top", "second", "spread",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Candidates:
    """The best entries for each of some questions: question after question, best first.

    `owners` names the question of each row, `wordings` has the place of the entry's nearest wording, `nearness` the
    columns `NEARNESS`.
    """

    owners: Ids
    entries: Ids
    wordings: Ids
    nearness: Numbers


class Index:
    """The wordings of entries, searchable by words and by vectors."""

    def __init__(
        self,
        entries: Sequence[Entry],
        segmenter: Segmenter,
        encoder: StaticEncoder,
        reader: Reader,
        *,
        forms: Sequence[Sequence[str]] | None = None,
    ) -> None:
        """`forms` replaces the entries' own wordings (evaluation leaves the test wordings out)."""
        self.exact: dict[str, int] = {}
        vectors: list[Numbers] = []

        def read() -> Iterator[tuple[list[Text], Text]]:
            """Entry by entry, so that thirty thousand texts are never there at once."""
            for place, entry in enumerate(entries):
                texts = [segmenter.read(form) for form in (forms[place] if forms else entry.forms)]
                self.exact.update((text.normal, place) for text in texts)
                vectors.append(encoder.encode(texts))
                yield texts, segmenter.read(entry.answer)

        self.overlap = Overlap(reader, read())
        sizes = self.overlap.sizes
        self.owner: Ids = np.repeat(np.arange(len(sizes)), sizes)
        # The first wording of an entry is its own question.
        self._titles: Ids = np.cumsum(sizes) - sizes
        self._lexical = LexicalIndex(self.overlap.forms, len(self.overlap.kinds) - len(KINDS))
        self._dense = DenseIndex(np.concatenate(vectors))

    def look_up(self, questions: Read, vectors: Vectors, *, without: Sequence[int] | None = None) -> Candidates:
        """The candidates for each question; `vectors` holds their unit vectors as rows.

        `without` names for each question the wording that it is itself, or -1; that one is not found (training).
        """
        lexical, known = self._lexical.look_up(questions)
        near = self._dense.nearest(vectors, _WORDINGS)
        forms = [_once(np.concatenate([n, highest(row, _WORDINGS)])) for n, row in zip(near, lexical, strict=True)]
        if without is not None:
            forms = [own[own != left] for own, left in zip(forms, without, strict=True)]
        dense = [self._dense.scores(vector, own) for vector, own in zip(vectors, forms, strict=True)]
        said = [row[own] for row, own in zip(lexical, forms, strict=True)]
        found = rank(self.owner, forms, dense, said, known)
        borders = np.searchsorted(found.owners, np.arange(len(vectors) + 1))
        titles = [
            self._dense.scores(vector, self._titles[found.entries[start:end]])
            for vector, start, end in zip(vectors, borders, borders[1:], strict=False)
        ]
        found.nearness[:, NEARNESS.index("title")] = np.concatenate(titles)
        return found


def rank(
    owner: Ids, forms: Sequence[Ids], dense: Sequence[Numbers], lexical: Sequence[Numbers], known: Numbers
) -> Candidates:
    """Ranks for each question the entries that own some wordings by the best fused score.

    `owner` has the entry of every wording of the index; `forms` are the wordings looked at for each question, `dense`
    and `lexical` their scores, `known` the part of the question's marks that any wording has. The column `title` is
    left zero.
    """
    sizes = list(map(len, forms))
    asked = np.repeat(np.arange(len(forms)), sizes)
    near, said, places = np.concatenate(dense), np.concatenate(lexical), np.concatenate(forms)
    fused = DENSE_SHARE * near + (1 - DENSE_SHARE) * said
    # Wordings of a question best first; then those of one entry together, still best first.
    order = np.lexsort((-fused, asked))
    turn = np.arange(len(order)) - np.repeat(np.cumsum([0, *sizes[:-1]]), sizes)
    groups = asked[order] * len(owner) + owner[places[order]]
    again = np.argsort(groups, kind="stable")
    order, turn, groups = order[again], turn[again], groups[again]
    near, said, fused, places = near[order], said[order], fused[order], places[order]
    heads = np.flatnonzero(first_of_runs(groups))
    counts = run_lengths(heads, len(groups))
    if not len(heads):
        none = np.zeros(0, np.int64)
        return Candidates(none, none, none, np.zeros((0, len(NEARNESS)), np.float32))
    second, third = heads + np.minimum(counts - 1, 1), heads + np.minimum(counts - 1, 2)
    alone = counts < 2
    columns = {
        "fused": fused[heads],
        "dense": np.maximum.reduceat(near, heads),
        "lexical": np.maximum.reduceat(said, heads),
        "dense_second": np.where(alone, near[heads] / 2, near[second]),
        "dense_three": (near[heads] + np.where(alone, 0, near[second]) + np.where(counts < 3, 0, near[third])) / 3,
        "lexical_second": np.where(alone, 0, said[second]),
        "support": np.add.reduceat((turn < _VOTERS) / _VOTERS, heads),
        "wordings": np.minimum(counts, _VOTERS) / _VOTERS,
    }
    return _best(asked[order][heads], owner[places[heads]], places[heads], columns, known)


def _best(owners: Ids, entries: Ids, wordings: Ids, columns: dict[str, Numbers], known: Numbers) -> Candidates:
    """The first candidates of each question, with what compares them."""
    order = np.lexsort((-columns["fused"], owners))
    owners = owners[order]
    firsts = np.flatnonzero(first_of_runs(owners))
    sizes = run_lengths(firsts, len(owners))
    place = np.arange(len(owners)) - np.repeat(firsts, sizes)
    fused = columns["fused"][order]
    top = fused[firsts]
    second = np.where(sizes > 1, fused[np.minimum(firsts + 1, len(fused) - 1)], 0)
    fifth = fused[firsts + np.minimum(sizes - 1, 4)]
    whole = {"top": top, "second": second, "spread": top - fifth, "known": known[owners[firsts]]}
    kept = place < MOST_CANDIDATES
    columns = {name: values[order] for name, values in columns.items()}
    columns |= {name: np.repeat(values, sizes) for name, values in whole.items()}
    derived: dict[str, NDArray[np.generic]] = {
        "lead": fused - np.where(place == 0, columns["second"], columns["top"]),
        "product": columns["dense"] * columns["lexical"],
        "rank": place,
        "first": place == 0,
        "title": np.zeros(len(place)),
    }
    nearness = np.column_stack([{**columns, **derived}[name] for name in NEARNESS]).astype(np.float32)
    return Candidates(owners[kept], entries[order][kept], wordings[order][kept], nearness[kept])


def _once(places: Ids) -> Ids:
    """Each place once, in order."""
    places = np.sort(places)
    once: Ids = places[first_of_runs(places)]
    return once


def highest(scores: Numbers, count: int) -> Ids:
    """Places of up to `count` of the highest scores, of those at least half as high as the best.

    What is lower could not win; leaving it out first spares a selection among thousands of near-zeros.
    """
    near = np.flatnonzero(scores >= max(float(scores.max(initial=0.0)) / 2, 1e-6))
    if len(near) <= count:
        return near
    return near[np.argsort(-scores[near], kind="stable")[:count]]
