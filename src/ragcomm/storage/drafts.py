"""The rows of drafts: each knows which writing of an entry it is, and is changed only as that writing."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, RowMapping, and_, insert, select, update
from sqlalchemy.exc import IntegrityError

from ragcomm.errors import Stale, UnknownEntry
from ragcomm.knowledge.exchange import from_lines, to_lines
from ragcomm.knowledge.publication import Draft, State
from ragcomm.records import Entry
from ragcomm.storage.tables import entry_drafts as drafts


def put_draft(
    connection: Connection,
    kind: str,
    entry_id: str,
    entry: Entry | None,
    author: str,
    now: datetime,
    revision: int | None,
) -> Draft:
    """Writes a draft, or writes it again; without an entry, one that takes the published entry away.

    Raises:
        Stale: `revision` is given and not that of the draft there is (0: there must be none).
    """
    found = find_draft(connection, kind, entry_id)
    if revision is not None and revision != (found.revision if found else 0):
        raise Stale
    draft = Draft(
        kind=kind,
        entry_id=entry_id,
        entry=entry,
        revision=found.revision + 1 if found else 1,
        author=author,
        drafted_at=now,
    )
    values = _values(draft)
    if found:
        guard(connection.execute(update(drafts).where(same_writing(found)).values(values)).rowcount)
        return draft
    try:
        connection.execute(insert(drafts).values(values))
    except IntegrityError as error:
        raise Stale from error
    return draft


def _values(draft: Draft) -> dict[str, Any]:
    return {
        "kind": draft.kind,
        "entry_id": draft.entry_id,
        "revision": draft.revision,
        "content": to_lines([draft.entry]) if draft.entry else None,
        "author": draft.author,
        "drafted_at": draft.drafted_at,
        "state": draft.state.value,
        "reviewer": None,
        "reviewed_at": None,
        "note": "",
    }


def find_draft(connection: Connection, kind: str, entry_id: str) -> Draft | None:
    """One draft, if there is one."""
    statement = select(drafts).where(drafts.c.kind == kind, drafts.c.entry_id == entry_id)
    row = connection.execute(statement).mappings().first()
    return None if row is None else draft_of(row)


def known_draft(connection: Connection, kind: str, entry_id: str, revision: int | None) -> Draft:
    """One draft in this writing, if one is named.

    Raises:
        UnknownEntry: there is none.
        Stale: it has been written again.
    """
    found = find_draft(connection, kind, entry_id)
    if found is None:
        raise UnknownEntry(f"there is no draft of {entry_id!r}")
    if revision is not None and found.revision != revision:
        raise Stale
    return found


def same_writing(draft: Draft) -> ColumnElement[bool]:
    """Exactly this writing of a draft, and what was said of it."""
    same = (drafts.c.kind == draft.kind, drafts.c.entry_id == draft.entry_id, drafts.c.revision == draft.revision)
    return and_(*same, drafts.c.state == draft.state.value)


def guard(rows: int) -> None:
    """Raises `Stale` unless exactly one row was changed."""
    if rows != 1:
        raise Stale


def draft_of(row: RowMapping) -> Draft:
    """The draft of a row."""
    content = row["content"]
    return Draft(
        kind=row["kind"],
        entry_id=row["entry_id"],
        entry=from_lines(row["kind"], bytes(content)).entries[0] if content is not None else None,
        revision=row["revision"],
        author=row["author"],
        drafted_at=in_utc(row["drafted_at"]),
        state=State(row["state"]),
        reviewer=row["reviewer"],
        reviewed_at=in_utc(row["reviewed_at"]) if row["reviewed_at"] else None,
        note=row["note"],
    )


def in_utc(moment: datetime) -> datetime:
    """SQLite forgets the zone; everything here is written in UTC."""
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
