"""Drafts of entries, published versions and which of them is in use.

A version is written once and never changed; going back to an earlier one only adds a line that says so.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Engine, RowMapping, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from ragcomm.errors import RagcommError, SamePerson, Stale, UnknownEntry
from ragcomm.knowledge.exchange import from_lines
from ragcomm.knowledge.publication import Draft, Edition, Plan, State, digest, lines_of
from ragcomm.records import Entry
from ragcomm.storage.drafts import draft_of, find_draft, guard, in_utc, known_draft, put_draft, same_writing
from ragcomm.storage.tables import entry_drafts as drafts
from ragcomm.storage.tables import knowledge_moves as moves
from ragcomm.storage.tables import knowledge_versions as versions

_KINDS = ("faq", "claims")


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """A published version without its entries."""

    version: int
    base: int
    published_at: datetime
    publisher: str
    note: str
    digest: str
    sizes: dict[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """When which version came into use, by a publish or by a rollback, and who did it."""

    version: int
    action: str
    moved_by: str
    moved_at: datetime
    note: str


class EntryStore:
    """The life of entries in a database."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def drafts(self, kind: str | None = None) -> list[Draft]:
        """Every draft, of one kind or of all, by kind and id."""
        statement = select(drafts).order_by(drafts.c.kind.desc(), drafts.c.entry_id)
        if kind is not None:
            statement = statement.where(drafts.c.kind == kind)
        with self._engine.connect() as connection:
            return [draft_of(row) for row in connection.execute(statement).mappings()]

    def draft(self, kind: str, entry_id: str) -> Draft:
        """One draft.

        Raises:
            UnknownEntry: there is none.
        """
        with self._engine.connect() as connection:
            found = find_draft(connection, kind, entry_id)
        if found is None:
            raise UnknownEntry(f"there is no draft of {entry_id!r}")
        return found

    def put(
        self, kind: str, entry_id: str, entry: Entry | None, *, author: str, now: datetime, revision: int | None = None
    ) -> Draft:
        """Writes a draft; without an entry, one that takes the published entry away. Any review of it is void.

        Raises:
            Stale: `revision` is given and not that of the draft there is (0: there must be none).
        """
        with self._engine.begin() as connection:
            return put_draft(connection, kind, entry_id, entry, author, now, revision)

    def put_all(self, kind: str, entries: Sequence[Entry], *, author: str, now: datetime) -> list[Draft]:
        """Writes a draft of each entry, all or none."""
        with self._engine.begin() as connection:
            return [put_draft(connection, kind, entry.id, entry, author, now, None) for entry in entries]

    def discard(self, kind: str, entry_id: str, *, revision: int | None = None) -> None:
        """Throws a draft away.

        Raises:
            UnknownEntry: there is none.
            Stale: it has been written again.
        """
        with self._engine.begin() as connection:
            found = known_draft(connection, kind, entry_id, revision)
            guard(connection.execute(delete(drafts).where(same_writing(found))).rowcount)

    def review(
        self, kind: str, entry_id: str, *, revision: int, reviewer: str, approve: bool, note: str, now: datetime
    ) -> Draft:
        """A second person's word on exactly this writing of a draft.

        Raises:
            UnknownEntry: there is none.
            Stale: it has been written again.
            SamePerson: the reviewer wrote it.
        """
        state = State.APPROVED if approve else State.REJECTED
        with self._engine.begin() as connection:
            found = known_draft(connection, kind, entry_id, revision)
            if found.author == reviewer:
                raise SamePerson
            said = {"state": state.value, "reviewer": reviewer, "reviewed_at": now, "note": note}
            guard(connection.execute(update(drafts).where(same_writing(found)).values(said)).rowcount)
        return self.draft(kind, entry_id)

    def publish(self, plan: Plan, *, publisher: str, note: str, now: datetime) -> Version:
        """Writes what was planned as a new version, puts it to use and ends the drafts it came from, all or none.

        Raises:
            Stale: another version came into use, or a draft was written again, since the plan was made.
        """
        lines = lines_of(plan.entries)
        try:
            with self._engine.begin() as connection:
                if _current(connection) != plan.base.version:
                    raise Stale
                number = (connection.execute(select(func.max(versions.c.version))).scalar() or 0) + 1
                whole = {"version": number, "base": plan.base.version, "published_at": now, "publisher": publisher}
                whole |= {"note": note, "sha256": digest(lines.values())}
                whole |= {kind: zlib.compress(content) for kind, content in lines.items()}
                whole |= {f"{kind}_entries": len(plan.entries[kind]) for kind in lines}
                connection.execute(insert(versions).values(whole))
                _move(connection, number, "publish", publisher, note, now)
                for taken in plan.taken:
                    guard(connection.execute(delete(drafts).where(same_writing(taken))).rowcount)
        except IntegrityError as error:
            # Somebody else has published under this number.
            raise Stale from error
        return self.version(number)

    def roll_back(self, version: int, *, by: str, note: str, now: datetime) -> None:
        """Puts a version to use again; 0 are the shipped corpora.

        Raises:
            UnknownEntry: there is no such version.
        """
        if version != 0:
            self.version(version)
        with self._engine.begin() as connection:
            _move(connection, version, "rollback", by, note, now)

    def versions(self) -> list[Version]:
        """Every published version, newest first."""
        with self._engine.connect() as connection:
            rows = connection.execute(_HEADS.order_by(versions.c.version.desc())).mappings()
            return [_version(row) for row in rows]

    def version(self, number: int) -> Version:
        """One published version.

        Raises:
            UnknownEntry: there is no such version.
        """
        with self._engine.connect() as connection:
            row = connection.execute(_HEADS.where(versions.c.version == number)).mappings().first()
        if row is None:
            raise UnknownEntry(f"there is no version {number}")
        return _version(row)

    def moves(self, limit: int) -> list[Move]:
        """What came into use when, newest first."""
        with self._engine.connect() as connection:
            rows = connection.execute(select(moves).order_by(moves.c.sequence.desc()).limit(limit)).mappings().all()
        return [
            Move(
                version=row["version"],
                action=row["action"],
                moved_by=row["moved_by"],
                moved_at=in_utc(row["moved_at"]),
                note=row["note"],
            )
            for row in rows
        ]

    def current(self) -> int:
        """The version in use; 0 while nothing was ever published."""
        with self._engine.connect() as connection:
            return _current(connection)

    def edition(self, number: int) -> Edition:
        """The entries of a published version.

        Raises:
            UnknownEntry: there is no such version.
            RagcommError: what is stored is not what was published.
        """
        with self._engine.connect() as connection:
            row = connection.execute(select(versions).where(versions.c.version == number)).mappings().first()
        if row is None:
            raise UnknownEntry(f"there is no version {number}")
        try:
            lines = {kind: zlib.decompress(row[kind]) for kind in _KINDS}
        except zlib.error as error:
            raise RagcommError(f"version {number} is damaged: {error}") from error
        if digest(lines.values()) != bytes(row["sha256"]):
            raise RagcommError(f"version {number} is damaged: its digest is another than when it was published")
        return Edition(number, {kind: from_lines(kind, content).entries for kind, content in lines.items()})


_HEADS = select(*(c for c in versions.c if c.name not in _KINDS))


def _move(connection: Connection, version: int, action: str, by: str, note: str, now: datetime) -> None:
    row = {"version": version, "action": action, "moved_by": by, "moved_at": now, "note": note}
    connection.execute(insert(moves).values(row))


def _current(connection: Connection) -> int:
    return connection.execute(select(moves.c.version).order_by(moves.c.sequence.desc()).limit(1)).scalar() or 0


def _version(row: RowMapping) -> Version:
    return Version(
        version=row["version"],
        base=row["base"],
        published_at=in_utc(row["published_at"]),
        publisher=row["publisher"],
        note=row["note"],
        digest=bytes(row["sha256"]).hex(),
        sizes={kind: row[f"{kind}_entries"] for kind in _KINDS},
    )
