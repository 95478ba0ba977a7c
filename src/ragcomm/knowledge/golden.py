"""Golden queries: every entry's own question must find it first, before a new index may answer anybody."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ragcomm.knowledge.answerer import Answerer
from ragcomm.records import Entry
from ragcomm.text.encode import StaticEncoder
from ragcomm.text.segment import Segmenter

# Questions at once: while an index is tried, others wait for the processor no longer than for a few messages.
_TOGETHER = 16


def failures(
    answerer: Answerer, segmenter: Segmenter, encoder: StaticEncoder, *, served: Answerer | None = None
) -> list[str]:
    """The ids of entries that their own question does not find first, in order.

    It has to find them as members search; and by likeness alone, without the table of known wordings, wherever the
    index that is `served` now does so: a question that its own entry wins only as a known wording is lost with the
    first word that differs.
    """
    beaten = set(_beaten(answerer, answerer.entries, segmenter, encoder))
    if beaten and served is not None:
        known = [entry for entry in served.entries if entry.id in beaten]
        beaten -= set(_beaten(served, known, segmenter, encoder))
    failed = {*_unfound(answerer, segmenter, encoder), *beaten}
    return [entry.id for entry in answerer.entries if entry.id in failed]


def _unfound(answerer: Answerer, segmenter: Segmenter, encoder: StaticEncoder) -> Iterator[str]:
    for entries in _groups(answerer.entries):
        texts = [segmenter.read(entry.question) for entry in entries]
        for entry, found in zip(entries, answerer.search(texts, encoder.encode(texts), limit=1), strict=True):
            if not found.matches or found.matches[0].entry.id != entry.id:
                yield entry.id


def _beaten(answerer: Answerer, asked: Sequence[Entry], segmenter: Segmenter, encoder: StaticEncoder) -> Iterator[str]:
    """The ids of those asked whose question is, by likeness alone, more that of another entry."""
    for entries in _groups(asked):
        texts = [segmenter.read(entry.question) for entry in entries]
        ranked = answerer.rank(texts, encoder.encode(texts))
        for i, entry in enumerate(entries):
            own = ranked.entries[ranked.owners == i]
            if not len(own) or answerer.entries[own[0]].id != entry.id:
                yield entry.id


def _groups(entries: Sequence[Entry]) -> Iterator[Sequence[Entry]]:
    return (entries[start : start + _TOGETHER] for start in range(0, len(entries), _TOGETHER))
