"""Which text of which entry was posted where: for manners that outlive a restart, and for corrections."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, Insert, select
from sqlalchemy.dialects import postgresql, sqlite

from ragcomm.records import Posting
from ragcomm.storage.database import utc
from ragcomm.storage.tables import postings


def _posted_again(statement: Any) -> Insert:
    """Under an edited question an entry may be posted again: the newer text is what counts."""
    new: Insert = statement.on_conflict_do_update(
        index_elements=list(postings.primary_key),
        set_={
            "text_sha256": statement.excluded.text_sha256,
            "posted_at": statement.excluded.posted_at,
            "told_sha256": None,
            "told_at": None,
        },
    )
    return new


_UPSERT: dict[str, Insert] = {
    "sqlite": _posted_again(sqlite.insert(postings)),
    "postgresql": _posted_again(postgresql.insert(postings)),
}


def note(connection: Connection, posted: Sequence[Posting]) -> None:
    """Stores postings in the caller's transaction."""
    if posted:
        rows = {(p.group_id, p.message_id, p.entry_id): _values(p) for p in posted}
        connection.execute(_UPSERT[connection.dialect.name], list(rows.values()))


class PostingStore:
    """The postings of a database."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def since(self, at: datetime) -> list[Posting]:
        """What was posted since then, oldest first."""
        statement = select(postings).where(postings.c.posted_at >= at).order_by(postings.c.posted_at)
        with self._engine.connect() as connection:
            return [record(row) for row in connection.execute(statement)]


def _values(posting: Posting) -> dict[str, Any]:
    return {
        "group_id": posting.group_id,
        "message_id": posting.message_id,
        "entry_id": posting.entry_id,
        "text_sha256": posting.text_sha256,
        "posted_at": posting.posted_at,
    }


def record(row: Any) -> Posting:
    """A row as a record."""
    return Posting(
        group_id=row.group_id,
        message_id=row.message_id,
        entry_id=row.entry_id,
        text_sha256=bytes(row.text_sha256),
        posted_at=utc(row.posted_at),
        told_sha256=None if row.told_sha256 is None else bytes(row.told_sha256),
        told_at=None if row.told_at is None else utc(row.told_at),
    )
