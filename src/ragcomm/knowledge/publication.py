"""From drafts to a new edition of the entries: who has to agree, what has to be right, and what it will hold."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from pathlib import Path

from ragcomm.corpora import load_entries
from ragcomm.errors import InvalidInput, Refused
from ragcomm.knowledge.categories import CLINICAL, CLINICIAN, KINDS
from ragcomm.knowledge.exchange import to_lines
from ragcomm.knowledge.lint import RULES, Flaw, Level, Rules, lint
from ragcomm.records import Entry


class State(StrEnum):
    """What a second person says of a draft."""

    OPEN = "open"
    APPROVED = "approved"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A writing of an entry that is not published yet; without an entry it takes the published one away."""

    kind: str
    entry_id: str
    entry: Entry | None
    revision: int
    author: str
    drafted_at: datetime
    state: State = State.OPEN
    reviewer: str | None = None
    reviewed_at: datetime | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Edition:
    """All entries of a version, by kind; version 0 are the shipped corpora."""

    version: int
    entries: Mapping[str, tuple[Entry, ...]]

    def find(self, kind: str, entry_id: str) -> Entry | None:
        """The entry of this id."""
        return next((e for e in self.entries[kind] if e.id == entry_id), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What publishing would do: the entries there will be, the drafts they come from, those that have to wait."""

    base: Edition
    entries: Mapping[str, tuple[Entry, ...]]
    taken: tuple[Draft, ...]
    waiting: tuple[Draft, ...]
    flaws: tuple[Flaw, ...]


def shipped_edition(corpora: Path) -> Edition:
    """Version 0: the entries of the corpora."""
    return Edition(0, {kind: tuple(load_entries(corpora / kind / "entries.jsonl")) for kind in KINDS})


def digest(lines: Iterable[bytes]) -> bytes:
    """SHA-256 over the JSON lines of each kind in turn."""
    whole = hashlib.sha256()
    for content in lines:
        whole.update(len(content).to_bytes(8, "big") + content)
    return whole.digest()


def lines_of(entries: Mapping[str, Sequence[Entry]]) -> dict[str, bytes]:
    """The entries of each kind as JSON lines."""
    return {kind: to_lines(entries[kind]) for kind in KINDS}


def needs_second_person(draft: Draft, published: Entry | None) -> bool:
    """Whether somebody else than its author has to agree: on what is or was clinical, or claims a clinician's review.

    Taking an entry away never needs it: silence harms less than a wrong answer.
    """
    if draft.entry is None:
        return False
    categories = {draft.entry.category, published.category if published else draft.entry.category}
    return bool(categories & CLINICAL) or draft.entry.review_status == CLINICIAN


def is_ready(draft: Draft, published: Entry | None) -> bool:
    """Whether a draft may be published as far as people are concerned."""
    if draft.state is State.REJECTED:
        return False
    return draft.state is State.APPROVED or not needs_second_person(draft, published)


def compose(published: Sequence[Entry], drafts: Sequence[Draft]) -> tuple[Entry, ...]:
    """The published entries in their order with the drafts in their place; new ones follow by id."""
    changed = {draft.entry_id: draft.entry for draft in drafts}
    known = {entry.id for entry in published}
    kept = (changed.get(entry.id, entry) for entry in published)
    new = (changed[entry_id] for entry_id in sorted(changed) if entry_id not in known)
    return tuple(entry for entry in (*kept, *new) if entry is not None)


def plan(
    base: Edition,
    drafts: Sequence[Draft],
    rules: Rules,
    *,
    today: date,
    only: Collection[str] | None = None,
    accept: Collection[str] = (),
) -> Plan:
    """What publishing the drafts (`only` names some of them) on `base` would make.

    Drafts that wait for a second person are left for later, unless they are named. `accept` names rules of `lint`
    whose errors whoever publishes has looked at and takes.

    Raises:
        InvalidInput: `accept` names no rule.
        Refused: there is nothing to publish, a named draft is missing or waits, or an entry has an error.
    """
    _known_rules(accept)
    wanted = [d for d in drafts if only is None or d.entry_id in only]
    ready = [d for d in wanted if is_ready(d, base.find(d.kind, d.entry_id))]
    waiting = [d for d in wanted if d not in ready]
    _complete(wanted, waiting, only)
    if not ready:
        raise Refused("there is no draft that could be published", _waits(waiting))
    entries = {kind: compose(base.entries[kind], [d for d in ready if d.kind == kind]) for kind in KINDS}
    changed = {d.entry_id for d in ready}
    flaws = [flaw for kind in KINDS for flaw in lint(kind, entries[kind], rules, today=today, only=changed)]
    errors = [flaw for flaw in flaws if flaw.level is Level.ERROR and flaw.rule not in accept]
    if errors:
        raise Refused(f"{len(errors)} errors in the entries to publish", list(map(_reason, errors)))
    return Plan(base=base, entries=entries, taken=tuple(ready), waiting=tuple(waiting), flaws=tuple(flaws))


def _known_rules(accept: Collection[str]) -> None:
    unknown = sorted(set(accept) - set(RULES))
    if unknown:
        raise InvalidInput(seen=unknown[0], expected=f"some of {', '.join(RULES)}", where="accept")


def _complete(wanted: Sequence[Draft], waiting: Sequence[Draft], only: Collection[str] | None) -> None:
    """Whoever names drafts wants all of them."""
    if only is None:
        return
    missing = sorted(set(only) - {d.entry_id for d in wanted})
    if missing or waiting:
        reasons = [{"where": entry_id, "message": "there is no draft of it"} for entry_id in missing]
        raise Refused("not every draft that was named can be published", [*reasons, *_waits(waiting)])


def _waits(waiting: Sequence[Draft]) -> list[dict[str, str]]:
    told = {State.REJECTED: "it was rejected"}
    return [{"where": d.entry_id, "message": told.get(d.state, "it waits for a second person")} for d in waiting]


def _reason(flaw: Flaw) -> dict[str, str]:
    return {"where": flaw.entry_id, "message": flaw.what, "kind": flaw.rule}
