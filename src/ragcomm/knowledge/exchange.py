"""Entries to rows and back: one JSON object a line, as in the corpora; sheets are in `sheets`.

Reading refuses a row with its place and reason and goes on; what was read is compared with what is there before
anything of it is taken over.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from ragcomm.errors import InvalidInput
from ragcomm.knowledge.categories import CLAIM_VERDICTS, PREFIXES
from ragcomm.records import Entry, Source
from ragcomm.text.likeness import bare

TEXTS = ("id", "category", "question", "answer", "verdict", "instead", "tier")
LISTS = ("alternates", "audience", "exclusions", "constitutions", "seasons")
STATE = ("review_status", "reviewed_on", "expires_on")
# In the order in which a row is written.
FIELDS = (
    *("id", "category", "question", "alternates", "answer", "verdict", "instead", "audience", "exclusions"),
    *("constitutions", "tier", "seasons", "sources", *STATE),
)
_NEEDED = ("category", "question", "answer")
_ID = re.compile(r"[a-z]+(?:\.[a-z0-9_]+)+")
MOST_CHARACTERS = 20_000
_MOST_ID = 128
# What neither a line nor a sheet can carry: control characters but tab and line ends, halves of pairs, no characters.
_UNFIT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Rejected:
    """A row that cannot be an entry: where it stands and why not."""

    where: str
    reason: str


@dataclass(frozen=True, slots=True)
class Reading:
    """What a file holds: its entries, and the rows that are none."""

    entries: tuple[Entry, ...]
    rejected: tuple[Rejected, ...]


@dataclass(frozen=True, slots=True)
class Change:
    """A field of an entry, before and after; None where there was or is nothing."""

    entry_id: str
    field: str
    before: Any
    after: Any


@dataclass(frozen=True, slots=True)
class Diff:
    """What taking over a file would do."""

    added: tuple[str, ...]
    changed: tuple[Change, ...]
    unchanged: tuple[str, ...]
    rejected: tuple[Rejected, ...]


def to_row(entry: Entry) -> Row:
    """The entry as an object; fields without content are left out."""
    row: Row = {
        "id": entry.id,
        "category": entry.category,
        "question": entry.question,
        "alternates": list(entry.forms[1:]),
        "answer": entry.answer,
        "verdict": entry.verdict,
        "instead": entry.instead,
        "audience": list(entry.audience),
        "exclusions": list(entry.exclusions),
        "constitutions": list(entry.constitutions),
        "tier": entry.tier,
        "seasons": list(entry.seasons),
        "sources": [{"title": s.title, "issuer": s.issuer, "year": s.year} for s in entry.sources],
        "review_status": entry.review_status,
        "reviewed_on": entry.reviewed_on,
        "expires_on": entry.expires_on,
    }
    return {name: value for name, value in row.items() if value}


def from_row(kind: str, row: Mapping[str, Any], where: str) -> Entry:
    """The entry of a row; without an id it gets one that hangs on its question alone.

    A source, a day of review or of expiry may be missing: that is for `lint` to say.

    Raises:
        InvalidInput: a field is unknown, missing or not what it has to be.
    """
    unknown = sorted(map(str, set(row) - set(FIELDS)))
    if unknown:
        raise _wrong(where, f"the field {unknown[0]!r}", f"some of {', '.join(FIELDS)}")
    texts = {name: _text(where, row, name) for name in (*TEXTS, *STATE)}
    lists = {name: _texts(where, row, name) for name in LISTS}
    for name in _NEEDED:
        if not texts[name].strip():
            raise _wrong(where, f"{name!r} empty", "a text")
    _check_dates(where, texts)
    return Entry(
        id=_id(kind, where, texts["id"], texts["question"]),
        question=texts["question"],
        answer=texts["answer"],
        forms=tuple(dict.fromkeys([texts["question"], *lists.pop("alternates")])),
        category=texts["category"],
        review_status=texts["review_status"] or "editorial",
        reviewed_on=texts["reviewed_on"],
        expires_on=texts["expires_on"],
        sources=_sources(where, row.get("sources") or []),
        verdict=_verdict(kind, where, texts["verdict"]),
        tier=texts["tier"],
        instead=texts["instead"],
        **lists,
    )


def to_lines(entries: Iterable[Entry]) -> bytes:
    """One object a line."""
    return b"".join(json.dumps(to_row(entry), ensure_ascii=False).encode() + b"\n" for entry in entries)


def from_lines(kind: str, content: bytes) -> Reading:
    """Reads what `to_lines` wrote, or somebody else; blank lines say nothing."""
    rows: list[tuple[str, Row]] = []
    rejected: list[Rejected] = []
    for number, line in enumerate(content.removeprefix(b"\xef\xbb\xbf").split(b"\n"), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            rejected.append(Rejected(f"line {number}", f"saw {error}, expected a JSON object in UTF-8"))
            continue
        if isinstance(row, dict):
            rows.append((f"line {number}", row))
        else:
            rejected.append(Rejected(f"line {number}", f"saw {type(row).__name__}, expected an object"))
    return read_rows(kind, rows, rejected)


def read_rows(kind: str, rows: Iterable[tuple[str, Mapping[str, Any]]], rejected: Sequence[Rejected] = ()) -> Reading:
    """The entries of rows, each with its place; `rejected` are those that were none to begin with."""
    entries: dict[str, Entry] = {}
    refused = list(rejected)
    for where, row in rows:
        try:
            entry = from_row(kind, row, where)
        except InvalidInput as error:
            refused.append(Rejected(where, f"saw {error.seen}, expected {error.expected}"))
            continue
        if entry.id in entries:
            refused.append(Rejected(where, f"saw {entry.id} twice, expected each id once"))
        entries.setdefault(entry.id, entry)
    return Reading(tuple(entries.values()), tuple(refused))


def compare(known: Iterable[Entry], read: Reading) -> Diff:
    """What taking over what was read would change; entries that the file lacks stay as they are."""
    before = {entry.id: to_row(entry) for entry in known}
    changes = {e.id: _changes(before[e.id], to_row(e)) for e in read.entries if e.id in before}
    return Diff(
        added=tuple(e.id for e in read.entries if e.id not in before),
        changed=tuple(change for own in changes.values() for change in own),
        unchanged=tuple(entry_id for entry_id, own in changes.items() if not own),
        rejected=read.rejected,
    )


def stable_id(kind: str, question: str) -> str:
    """The id of an entry that was given none: the same for the same question however it is written."""
    digest = hashlib.sha256((bare(question) or question).encode()).hexdigest()
    return f"{PREFIXES[kind]}new.{digest[:12]}"


def _changes(before: Row, after: Row) -> list[Change]:
    return [
        Change(after["id"], name, before.get(name), after.get(name))
        for name in FIELDS
        if before.get(name) != after.get(name)
    ]


def _id(kind: str, where: str, given: str, question: str) -> str:
    if not given:
        return stable_id(kind, question)
    if not given.startswith(PREFIXES[kind]) or not _ID.fullmatch(given) or len(given) > _MOST_ID:
        raise _wrong(where, f"the id {given[:60]!r}", f"{PREFIXES[kind]}, then lower-case letters, digits, _ and dots")
    return given


def _text(where: str, row: Mapping[str, Any], name: str) -> str:
    value = row.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise _wrong(where, f"{name!r} as {type(value).__name__}", "a text")
    return _fit(where, name, value)


def _texts(where: str, row: Mapping[str, Any], name: str) -> tuple[str, ...]:
    values = row.get(name)
    if values is None:
        return ()
    if not isinstance(values, list) or not all(isinstance(v, str) and v.strip() for v in values):
        raise _wrong(where, f"{name!r} as {str(values)[:60]!r}", "a list of texts")
    return tuple(_fit(where, name, value) for value in values)


def _fit(where: str, name: str, text: str) -> str:
    if len(text) > MOST_CHARACTERS:
        raise _wrong(where, f"{name!r} with {len(text)} characters", f"at most {MOST_CHARACTERS}")
    unfit = _UNFIT.search(text)
    if unfit:
        raise _wrong(where, f"U+{ord(unfit[0]):04X} in {name!r}", "a text without control characters")
    return text


def _check_dates(where: str, texts: Mapping[str, str]) -> None:
    for name in ("reviewed_on", "expires_on"):
        try:
            known = not texts[name] or date.fromisoformat(texts[name]).isoformat() == texts[name]
        except ValueError:
            known = False
        if not known:
            raise _wrong(where, f"{name!r} as {texts[name][:20]!r}", "a day as 2026-01-31")


def _verdict(kind: str, where: str, given: str) -> str | None:
    if kind == "claims" and given not in CLAIM_VERDICTS:
        raise _wrong(where, f"the verdict {given[:20]!r}", f"one of {', '.join(CLAIM_VERDICTS)}")
    if kind != "claims" and given:
        raise _wrong(where, f"the verdict {given[:20]!r}", "none: only a claim has one")
    return given or None


def _sources(where: str, given: Any) -> tuple[Source, ...]:
    try:
        return tuple(_source(where, **source) for source in given)
    except TypeError as error:
        raise _wrong(where, f"sources as {str(given)[:60]!r}", "sources with title, issuer and year") from error


def _source(where: str, *, title: object, issuer: object, year: object) -> Source:
    if not (isinstance(title, str) and title.strip() and isinstance(issuer, str) and type(year) is int):
        raise TypeError("a source is not as expected")
    return Source(_fit(where, "sources", title), _fit(where, "sources", issuer), year)


def _wrong(where: str, seen: str, expected: str) -> InvalidInput:
    return InvalidInput(seen=seen, expected=expected, where=where)
