"""What became of gaps: a new entry's draft, an alternate of an entry, or nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, Insert, select
from sqlalchemy.dialects import postgresql, sqlite

from ragcomm.errors import Conflict
from ragcomm.records import Unanswered
from ragcomm.storage.idempotency import kept, once
from ragcomm.storage.messages import Idempotent
from ragcomm.storage.tables import gaps, settled
from ragcomm.storage.unanswered import close, wording_sha256


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolution:
    """What a moderator decided about a gap; `entry_id` where it becomes an alternate of an entry."""

    gap_id: str
    resolved_as: str
    entry_id: str | None
    key_id: str


class GapStore:
    """The resolved gaps of a database."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def earlier(self, resolution: Resolution, promise: Idempotent | None) -> bytes | None:
        """What this decision was answered before, if it was.

        Raises:
            IdempotencyConflict: the promise was made for another request.
            Conflict: the gap was resolved as something else.
        """
        with self._engine.connect() as connection:
            before = kept(connection, promise)
            return _same(connection, resolution) if before is None else before

    def resolve(
        self,
        resolution: Resolution,
        questions: Sequence[Unanswered],
        wordings: Sequence[str],
        response: bytes,
        *,
        now: datetime,
        promise: Idempotent | None = None,
    ) -> bytes:
        """Closes the questions of a gap and their wordings (in the same order); returns the response to send.

        Raises:
            IdempotencyConflict: the promise was made for another request.
            Conflict: the gap was resolved as something else meanwhile.
        """
        with self._engine.begin() as connection:
            return once(
                connection, promise, now, lambda: _close(connection, resolution, questions, wordings, response, now)
            )


def _close(
    connection: Connection,
    resolution: Resolution,
    questions: Sequence[Unanswered],
    wordings: Sequence[str],
    response: bytes,
    now: datetime,
) -> bytes:
    row = {
        "gap_id": resolution.gap_id,
        "resolved_as": resolution.resolved_as,
        "entry_id": resolution.entry_id,
        "key_id": resolution.key_id,
        "resolved_at": now,
        "response": response,
    }
    # PostgreSQL only counts inserted rows where it is asked to.
    if connection.execute(_new(connection, gaps).execution_options(preserve_rowcount=True), row).rowcount == 0:
        return _same(connection, resolution) or response
    close(connection, [q.id for q in questions], resolution.gap_id)
    said = sorted({(q.group_id, wording_sha256(w)) for q, w in zip(questions, wordings, strict=True)})
    if said:
        connection.execute(
            _new(connection, settled),
            [{"group_id": g, "wording_sha256": w, "gap_id": resolution.gap_id} for g, w in said],
        )
    return response


def _same(connection: Connection, resolution: Resolution) -> bytes | None:
    """The response of the same decision taken before."""
    row = connection.execute(select(gaps).where(gaps.c.gap_id == resolution.gap_id)).one_or_none()
    if row is None:
        return None
    if (row.resolved_as, row.entry_id) != (resolution.resolved_as, resolution.entry_id):
        raise Conflict(f"gap {resolution.gap_id!r} was resolved as {row.resolved_as!r}")
    return bytes(row.response)


def _new(connection: Connection, table: Any) -> Insert:
    """Inserts what is not there yet."""
    kind = sqlite if connection.dialect.name == "sqlite" else postgresql
    statement: Insert = kind.insert(table).on_conflict_do_nothing()
    return statement
