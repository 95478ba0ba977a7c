"""Pairs that mean the same, seen as a FAQ: a question with its wordings, and held-out wordings that ask for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks import ranking
from benchmarks.pair_sets import FOLDS, Pair, fold
from ragcomm.assembly import TextParts
from ragcomm.knowledge.retrieval import NEARNESS, Candidates, Index
from ragcomm.records import Entry, Text
from ragcomm.text.encode import StaticEncoder

# Questions asked at once.
_PART = 128
# How much the fused score of retrieval counts beside the pair model's log-odds: hits hardly move between 8 and 18.
_FUSED_WEIGHT = 12.0


@dataclass(frozen=True, slots=True, kw_only=True)
class FaqView:
    """`forms` are the wordings of each question, `right` the question that each query asks for."""

    forms: list[list[Text]]
    queries: list[Text]
    right: list[int]
    folds: list[int]


def faq_view(pairs: Sequence[Pair]) -> FaqView:
    """Every question with what means the same; where there are two, the last is held out as a query."""
    wordings: dict[str, dict[str, Text]] = {}
    for pair in pairs:
        if pair.label:
            own = wordings.setdefault(pair.group, {pair.a.normal: pair.a})
            own.setdefault(pair.b.normal, pair.b)
    view = FaqView(forms=[], queries=[], right=[], folds=[])
    for place, (group, own) in enumerate(wordings.items()):
        *kept, last = own.values()
        if len(kept) > 1:
            view.queries.append(last)
            view.right.append(place)
            view.folds.append(fold(group))
        else:
            kept.append(last)
        view.forms.append(kept)
    return view


def entries(forms: Sequence[Sequence[Text]]) -> list[Entry]:
    """Entries that only have wordings."""
    return [
        Entry(
            id=str(place), question=group[0].raw, answer="", forms=tuple(text.raw for text in group), category="",
            review_status="", reviewed_on="", expires_on="",
        )
        for place, group in enumerate(forms)
    ]  # fmt: skip


def retrieve(
    forms: Sequence[Sequence[Text]], queries: Sequence[Text], text: TextParts, encoder: StaticEncoder
) -> Candidates:
    """The product's candidates for each query."""
    index = Index(entries(forms), text.segmenter, encoder, text.reader)
    read = index.overlap.read(queries)
    found = []
    for start in range(0, len(queries), _PART):
        part = slice(start, min(start + _PART, len(queries)))
        own = index.look_up(read.part(part), encoder.encode(queries[part]))
        found.append(Candidates(own.owners + start, own.entries, own.wordings, own.nearness))
    return Candidates(
        np.concatenate([own.owners for own in found]),
        np.concatenate([own.entries for own in found]),
        np.concatenate([own.wordings for own in found]),
        np.concatenate([own.nearness for own in found]),
    )


def ranks(found: Candidates, scores: NDArray[np.floating[Any]], right: Sequence[int]) -> list[int]:
    """The rank of each query's entry among its candidates by `scores`, 0 where it is none of them."""
    order = np.lexsort((-scores, found.owners))
    owners, chosen = found.owners[order], found.entries[order]
    places = np.arange(len(order)) - np.searchsorted(owners, owners)
    hits = chosen == np.asarray(right)[owners]
    result = np.zeros(len(right), np.int64)
    result[owners[hits]] = places[hits] + 1
    ranked: list[int] = result.tolist()
    return ranked


def to_compare(view: FaqView, found: Candidates) -> tuple[list[list[Pair]], list[list[int]]]:
    """For each fold the pairs of its queries with every wording of their candidates, and the candidate of each."""
    pairs: list[list[Pair]] = [[] for _ in range(FOLDS)]
    rows: list[list[int]] = [[] for _ in range(FOLDS)]
    for row, (owner, entry) in enumerate(zip(found.owners.tolist(), found.entries.tolist(), strict=True)):
        number = view.folds[owner]
        for form in view.forms[entry]:
            pairs[number].append(Pair(a=form, b=view.queries[owner], label=0, group=""))
            rows[number].append(row)
    return pairs, rows


def measure(
    view: FaqView, found: Candidates, said: Sequence[NDArray[np.float64]], rows: Sequence[Sequence[int]]
) -> dict[str, Any]:
    """Hits of BM25, TF-IDF, the product's retrieval, and the same ordered anew by the pair model."""
    terms = [[term for form in group for term in ranking.words_and_characters(form)] for group in view.forms]
    asked = [ranking.words_and_characters(query) for query in view.queries]
    cosines = ranking.tfidf(
        [" ".join(form.normal for form in group) for group in view.forms], [query.normal for query in view.queries]
    )
    fused = found.nearness[:, NEARNESS.index("fused")].astype(np.float64)
    same = np.clip(np.concatenate([part[:, 1] for part in said]), 1e-6, 1 - 1e-6)
    places = np.concatenate([np.asarray(own, np.int64) for own in rows])
    # As in retrieval, the wording that is nearest speaks for its question.
    surely = np.full(len(fused), -np.inf)
    np.maximum.at(surely, places, np.log(same / (1 - same)))
    return {
        "questions": len(view.forms),
        "queries": len(view.queries),
        "bm25": ranking.report(ranking.ranks(ranking.bm25(terms, asked), view.right)),
        "tfidf": ranking.report(ranking.ranks(cosines, view.right)),
        "product": ranking.report(ranks(found, fused, view.right)),
        "product, pair model": ranking.report(ranks(found, surely + _FUSED_WEIGHT * fused, view.right)),
    }
