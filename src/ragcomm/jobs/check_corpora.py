"""Checks the corpora as a whole: what a schema cannot see and a reader would overlook.

Schema of every line, duplicates, near-duplicates across splits, diversity of wordings, references, dates, and in
answers promises of a cure and personal doses. Finds everything it can instead of stopping at the first flaw.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path
from typing import Any

from ragcomm.corpora import (
    PARSERS,
    LabelledMessage,
    form_split,
    is_test_message,
    load_cues,
    load_slots,
    load_stop_words,
    load_terms,
    load_variants,
    read_jsonl,
)
from ragcomm.errors import CorpusError
from ragcomm.knowledge.categories import KINDS
from ragcomm.knowledge.lint import Level, Rules, answer_flaws
from ragcomm.records import Entry, Label
from ragcomm.text.likeness import Neighbours, bare, jaccard, trigrams
from ragcomm.text.segment import Segmenter

# What has to be there at least.
LEAST = {
    "faq/entries.jsonl": 400,
    "faq/near_misses.jsonl": 2700,
    "claims/entries.jsonl": 200,
    "claims/stances.jsonl": 600,
    "moderation/messages.jsonl": 8000,
    "moderation/traps.jsonl": 500,
    "lexicon/synonyms.jsonl": 3000,
    "safety/incompatible.jsonl": 26,
    "safety/interactions.jsonl": 40,
    "safety/pregnancy.jsonl": 100,
    "safety/pregnancy_points.jsonl": 5,
    "safety/toxic_herbs.jsonl": 80,
    "safety/food_and_medicine.jsonl": 106,
}
LEAST_OF = {Label.SPAM: 2000, Label.RUMOR: 1200, Label.QUESTION: 1600, Label.ABUSE: 500, Label.RISK: 500}
LEAST_INNOCENT, LEAST_HARD, LEAST_DISGUISED, LEAST_SPANS = 2200, 1500, 600, 1500
LEAST_ALTERNATES = {"faq/entries.jsonl": 20, "claims/entries.jsonl": 12}
# Of an answer's wordings so many share no content word with its question.
LEAST_FAR = 8
# Trigram Jaccard: between two wordings of an entry, on average within it, and between a test line and any other.
TOO_ALIKE, ALIKE_ON_AVERAGE, LEAK = 0.5, 0.03, 0.8


@dataclass(frozen=True, slots=True)
class Flaw:
    """What is wrong, and where."""

    where: str
    what: str


@dataclass(slots=True)
class Report:
    """Every flaw, and the sizes behind them."""

    flaws: list[Flaw] = field(default_factory=list)
    figures: dict[str, Any] = field(default_factory=dict)


Lines = dict[str, list[tuple[str, Any]]]


def run(corpora: Path) -> Report:
    """Reads everything under `corpora` and checks it."""
    report = Report()
    lines = {name: list(_parsed(corpora, name, report.flaws)) for name in PARSERS}
    try:
        terms, stop_words, rules = load_terms(corpora), load_stop_words(corpora), Rules.read(corpora)
        load_cues(corpora)
        load_variants(corpora)
        load_slots(corpora)
    except CorpusError as error:
        report.flaws.append(_flaw(error))
        return report
    report.figures["terms"] = len(terms)
    for check in (_sizes, _identities, _references, _repetitions, _leaks):
        report.flaws += check(lines)
    report.flaws += _wordings(lines, Segmenter(()), stop_words)
    report.flaws += _answers(lines, rules)
    report.figures |= _figures(lines)
    return report


def _parsed(corpora: Path, name: str, flaws: list[Flaw]) -> Iterator[tuple[str, Any]]:
    try:
        for where, row in read_jsonl(corpora / name):
            try:
                yield where, PARSERS[name](where, row)
            except CorpusError as error:
                flaws.append(_flaw(error))
    except CorpusError as error:
        flaws.append(_flaw(error))


def _flaw(error: CorpusError) -> Flaw:
    return Flaw(error.where, f"saw {error.seen}, expected {error.expected}")


def _figures(lines: Lines) -> dict[str, Any]:
    messages = [m for _, m in lines["moderation/messages.jsonl"]]
    alternates = {n: sum(len(e.forms) - 1 for _, e in lines[n]) for n in ("faq/entries.jsonl", "claims/entries.jsonl")}
    return {
        "lines": {name: len(rows) for name, rows in lines.items()},
        "alternates": alternates,
        "messages": _kinds(messages),
    }


def _kinds(messages: Sequence[LabelledMessage]) -> dict[str, int]:
    labels = Counter(label.value for m in messages for label in m.labels)
    return {
        **labels,
        "innocent": sum(not m.labels for m in messages),
        "hard": sum(m.hard for m in messages),
        "disguised": sum(m.disguised for m in messages),
        "spans": sum(bool(m.spans) for m in messages),
        "stance": sum(m.stance is not None for m in messages),
    }


def _sizes(lines: Lines) -> Iterator[Flaw]:
    for name, least in LEAST.items():
        if len(lines[name]) < least:
            yield Flaw(name, f"{len(lines[name])} lines, expected at least {least}")
    kinds = _kinds([m for _, m in lines["moderation/messages.jsonl"]])
    wanted = {label.value: n for label, n in LEAST_OF.items()}
    wanted |= {"innocent": LEAST_INNOCENT, "hard": LEAST_HARD, "disguised": LEAST_DISGUISED, "spans": LEAST_SPANS}
    for kind, least in wanted.items():
        if kinds.get(kind, 0) < least:
            yield Flaw("moderation/messages.jsonl", f"{kinds.get(kind, 0)} of {kind}, expected at least {least}")
    for name, least in LEAST_ALTERNATES.items():
        for where, entry in lines[name]:
            if len(entry.forms) - 1 < least:
                yield Flaw(where, f"{len(entry.forms) - 1} alternates, expected at least {least}")


def _identities(lines: Lines) -> Iterator[Flaw]:
    for rows in lines.values():
        seen: dict[str, str] = {}
        for where, row in rows:
            if row.id in seen:
                yield Flaw(where, f"id {row.id} was already at {seen[row.id]}")
            seen.setdefault(row.id, where)


def _references(lines: Lines) -> Iterator[Flaw]:
    entries = {e.id for _, e in lines["faq/entries.jsonl"]}
    claims = {e.id for _, e in lines["claims/entries.jsonl"]}
    pointing: list[tuple[str, str | None, set[str]]] = [
        *((where, n.resembles, entries) for where, n in lines["faq/near_misses.jsonl"]),
        *((where, q.entry_id, entries) for where, q in lines["faq/questions.jsonl"]),
        *((where, s.claim_id, claims) for where, s in lines["claims/stances.jsonl"]),
    ]
    for where, wanted, known in pointing:
        if wanted is not None and wanted not in known:
            yield Flaw(where, f"points to {wanted}, which does not exist")


def _worded(lines: Lines, *names: str) -> Iterator[tuple[str, str]]:
    """Place and text of every line; an entry counts with each of its wordings."""
    for name in names:
        for where, row in lines[name]:
            if isinstance(row, Entry):
                yield from ((where, form) for form in row.forms)
            else:
                yield where, row.text


def _repetitions(lines: Lines) -> Iterator[Flaw]:
    for names in (
        ("moderation/messages.jsonl", "moderation/traps.jsonl"),
        ("faq/entries.jsonl", "faq/questions.jsonl", "faq/near_misses.jsonl"),
        ("claims/entries.jsonl",),
    ):
        seen: dict[str, str] = {}
        for where, text in _worded(lines, *names):
            # What consists of signs alone differs by its signs.
            key = bare(text) or text
            if key in seen:
                yield Flaw(where, f"{text[:30]!r} says the same as {seen[key]}")
            seen.setdefault(key, where)


def _leaks(lines: Lines) -> Iterator[Flaw]:
    """Test lines that are nearly in training."""
    messages = [(where, m.text, is_test_message(m.id)) for where, m in lines["moderation/messages.jsonl"]]
    messages += [(where, m.text, True) for where, m in lines["moderation/traps.jsonl"]]
    yield from _close(messages)
    for name in ("faq/entries.jsonl", "claims/entries.jsonl"):
        yield from _close([(where, form, form_split(form) == "test") for where, form in _worded(lines, name)])


def _close(texts: Sequence[tuple[str, str, bool]]) -> Iterator[Flaw]:
    grams = [trigrams(text) for _, text, _ in texts]
    known = [i for i, (_, _, is_test) in enumerate(texts) if not is_test]
    neighbours = Neighbours([grams[i] for i in known])
    for (where, text, is_test), own in zip(texts, grams, strict=True):
        # Of three characters or fewer there is only one trigram, which repetitions have compared.
        if not is_test or len(own) < 2:
            continue
        for place, alike in neighbours.near(own, LEAK):
            yield Flaw(where, f"test line {text[:30]!r} is nearly that of {texts[known[place]][0]} ({alike:.2f})")


def _wordings(lines: Lines, segmenter: Segmenter, stop_words: frozenset[str]) -> Iterator[Flaw]:
    for name in ("faq/entries.jsonl", "claims/entries.jsonl"):
        for where, entry in lines[name]:
            yield from _too_alike(where, entry.forms[1:])
    for where, entry in lines["faq/entries.jsonl"]:
        own = _content(segmenter, entry.question, stop_words)
        far = sum(not own & _content(segmenter, form, stop_words) for form in entry.forms[1:])
        if far < LEAST_FAR:
            yield Flaw(where, f"{far} alternates share no content word with the question, expected {LEAST_FAR}")


def _too_alike(where: str, forms: Sequence[str]) -> Iterator[Flaw]:
    grams = [trigrams(form) for form in forms]
    alike = []
    for (i, a), (j, b) in combinations(enumerate(grams), 2):
        alike.append(jaccard(a, b))
        if alike[-1] >= TOO_ALIKE:
            yield Flaw(where, f"{forms[i]!r} and {forms[j]!r} are nearly the same ({alike[-1]:.2f})")
    if alike and sum(alike) / len(alike) > ALIKE_ON_AVERAGE:
        yield Flaw(where, f"its wordings are alike by {sum(alike) / len(alike):.3f}, at most {ALIKE_ON_AVERAGE}")


def _content(segmenter: Segmenter, text: str, stop_words: frozenset[str]) -> set[str]:
    return {w for w in segmenter.read(text).tokens if w not in stop_words and re.search(r"\w", w)}


def _answers(lines: Lines, rules: Rules) -> Iterator[Flaw]:
    for kind in KINDS:
        for where, entry in lines[f"{kind}/entries.jsonl"]:
            for flaw in answer_flaws(kind, entry, rules):
                if flaw.level is Level.ERROR:
                    yield Flaw(where, flaw.what)
