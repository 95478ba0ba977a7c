"""What a reader would overlook in entries: the same question twice, its opposite, and what no answer may say.

An error keeps an entry from being published unless whoever publishes accepts it by its rule; a warning only tells.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from pathlib import Path

from ragcomm.corpora import load_advertising, load_incompatible, load_terms
from ragcomm.records import Entry
from ragcomm.safety.herbs import HerbConflicts, Incompatible
from ragcomm.safety.statements import any_of, doses, promises, undenied
from ragcomm.text.likeness import Neighbours, bare, trigrams

# Characters of an answer: shorter says too little, longer is not read in a chat.
ANSWER_LENGTH = {"faq": (80, 250), "claims": (60, 200)}
# Trigram Jaccard from which two wordings are nearly the same.
NEARLY = 0.8
# Types of terms beside which an amount is a dose.
_MEDICINES = frozenset({"herb", "patent", "medicine", "formula"})
_EITHER = re.compile(r"(能|可|可以|会|要|该|应该|宜|是|用)(?:不\1|否)")
_NEGATED = re.compile(r"不(?=能|可|会|要|该|应|宜|是|用|得|许|准)|别|勿|莫(?=吃|喝|用)")


class Level(StrEnum):
    """How much a flaw counts."""

    ERROR = "error"
    WARNING = "warning"


# Every rule and what it counts.
RULES = {
    "same_wording": Level.ERROR,
    "opposite_question": Level.ERROR,
    "near_wording": Level.WARNING,
    "no_source": Level.ERROR,
    "no_review": Level.ERROR,
    "no_expiry": Level.ERROR,
    "expired": Level.ERROR,
    "promise": Level.ERROR,
    "advertising": Level.WARNING,
    "dose": Level.ERROR,
    "herb_conflict": Level.ERROR,
    "length": Level.ERROR,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Flaw:
    """What is wrong with an entry, by which rule, and the other entry where it takes two."""

    rule: str
    entry_id: str
    what: str
    other_id: str | None = None

    @property
    def level(self) -> Level:
        """Whether it keeps the entry from being published."""
        return RULES[self.rule]


@dataclass(frozen=True, slots=True)
class Rules:
    """What the texts of answers are held against."""

    medicines: re.Pattern[str]
    advertising: re.Pattern[str]
    herbs: HerbConflicts

    @classmethod
    def read(cls, corpora: Path) -> Rules:
        """From the lexicon and the safety tables.

        Raises:
            CorpusError: one of them cannot be used.
        """
        terms = load_terms(corpora)
        pairs = [Incompatible(row.id, row.names, row.others) for row in load_incompatible(corpora)]
        return cls(
            any_of(term for term, kind in terms.items() if kind in _MEDICINES),
            any_of(load_advertising(corpora)),
            HerbConflicts(pairs),
        )


def lint(
    kind: str, entries: Sequence[Entry], rules: Rules, *, today: date, only: Collection[str] | None = None
) -> list[Flaw]:
    """Every flaw of entries of one kind ("faq" or "claims"), in their order; `only` names those that are looked at.

    Those that are not looked at still count as the others that an entry may collide with.
    """
    chosen = [e for e in entries if only is None or e.id in only]
    flaws = [flaw for entry in chosen for flaw in (*answer_flaws(kind, entry, rules), *_expired(entry, today))]
    return [*flaws, *wording_flaws(entries, {e.id for e in chosen})]


def answer_flaws(kind: str, entry: Entry, rules: Rules) -> Iterator[Flaw]:
    """What is wrong with one entry whatever the others say, and whatever day it is."""
    for rule, what in (*_formal(kind, entry), *_said(f"{entry.answer}{entry.instead}", rules)):
        yield Flaw(rule=rule, entry_id=entry.id, what=what)


def _formal(kind: str, entry: Entry) -> Iterator[tuple[str, str]]:
    least, most = ANSWER_LENGTH[kind]
    if not least <= len(entry.answer) <= most:
        yield "length", f"the answer has {len(entry.answer)} characters, expected {least} to {most}"
    if not entry.reviewed_on:
        yield "no_review", "names no day of review"
    if not entry.expires_on:
        yield "no_expiry", "names no day on which it expires"
    elif entry.reviewed_on >= entry.expires_on:
        yield "no_expiry", f"expires on {entry.expires_on}, not after its review on {entry.reviewed_on}"
    # The community's own rules have no other source than the community.
    if not entry.sources and not entry.category.startswith("community"):
        yield "no_source", "names no source"


def _said(text: str, rules: Rules) -> Iterator[tuple[str, str]]:
    yield from (("promise", f"promises: {promise}") for promise in promises(text))
    yield from (("advertising", f"advertises: {words}") for words in undenied(text, rules.advertising))
    yield from (("dose", f"names a dose: {dose}") for dose in doses(text, rules.medicines))
    for pair, one, other in rules.herbs.of(text):
        yield "herb_conflict", f"recommends {one} and {other} together, against {pair}"


def _expired(entry: Entry, today: date) -> Iterator[Flaw]:
    if entry.expires_on and entry.expires_on <= today.isoformat():
        yield Flaw(rule="expired", entry_id=entry.id, what=f"expired on {entry.expires_on}")


@dataclass(frozen=True, slots=True)
class _Wording:
    entry: Entry
    text: str
    heard: str
    affirmed: str


def wording_flaws(entries: Sequence[Entry], chosen: Collection[str]) -> Iterator[Flaw]:
    """Wordings of the chosen entries that say what one of another entry says, nearly says, or denies.

    Each pair of entries is told once a rule, for the first wordings that collide.
    """
    wordings = [_wording(entry, form) for entry in entries for form in entry.forms]
    told: set[tuple[str, frozenset[str]]] = set()
    for flaw in (*_same(wordings, chosen), *_near(wordings, chosen)):
        pair = (flaw.rule, frozenset({flaw.entry_id, flaw.other_id or ""}))
        if pair not in told:
            told.add(pair)
            yield flaw


def _wording(entry: Entry, text: str) -> _Wording:
    heard = bare(text) or text
    neutral = _EITHER.sub(r"\1", heard)
    affirmed = _NEGATED.sub("", neutral)
    # What asks either way is no denial of anything.
    return _Wording(entry, text, heard, "" if heard != neutral else affirmed)


def _same(wordings: Sequence[_Wording], chosen: Collection[str]) -> Iterator[Flaw]:
    heard: dict[str, list[_Wording]] = {}
    affirmed: dict[str, list[_Wording]] = {}
    for wording in wordings:
        heard.setdefault(wording.heard, []).append(wording)
        if wording.affirmed:
            affirmed.setdefault(wording.affirmed, []).append(wording)
    for own in (w for w in wordings if w.entry.id in chosen):
        for other in heard[own.heard]:
            if other.entry.id != own.entry.id:
                yield _collision("same_wording", own, other, "says the same as")
        for other in affirmed.get(own.affirmed, ()):
            if _contradicts(own, other):
                yield _collision("opposite_question", own, other, "is the opposite of")


def _contradicts(own: _Wording, other: _Wording) -> bool:
    """Two claims that deny each other may both stand where only one of them is true."""
    return (
        own.entry.id != other.entry.id
        and own.heard != other.heard
        and (own.entry.verdict is None or own.entry.verdict == other.entry.verdict)
    )


def _near(wordings: Sequence[_Wording], chosen: Collection[str]) -> Iterator[Flaw]:
    grams = [trigrams(w.text) for w in wordings]
    neighbours = Neighbours(grams)
    for own, own_grams in zip(wordings, grams, strict=True):
        # Of three characters or fewer there is only one trigram: what is the same has been told.
        if own.entry.id not in chosen or len(own_grams) < 2:
            continue
        for place, alike in neighbours.near(own_grams, NEARLY):
            other = wordings[place]
            if other.entry.id != own.entry.id and other.heard != own.heard:
                yield _collision("near_wording", own, other, f"is nearly ({alike:.2f})")


def _collision(rule: str, own: _Wording, other: _Wording, how: str) -> Flaw:
    what = f"{own.text[:40]!r} {how} {other.text[:40]!r} of {other.entry.id}"
    return Flaw(rule=rule, entry_id=own.entry.id, what=what, other_id=other.entry.id)
