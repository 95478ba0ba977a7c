"""Who read an older text of an entry and does not know the newest."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, Engine, func, select, tuple_, update

from ragcomm.records import Posting
from ragcomm.storage.idempotency import once
from ragcomm.storage.messages import Idempotent
from ragcomm.storage.postings import record
from ragcomm.storage.tables import postings

# Values that one statement may name.
_CHUNK = 400


class CorrectionStore:
    """The postings of a database, compared with what holds now."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def outdated(self, entry_id: str, newest: bytes, groups: Collection[str], limit: int) -> list[Posting]:
        """Who read another text of an entry than the newest, and has not been told of it; the latest first.

        `newest` is the digest of the text that holds now; only `groups` are looked at, all if none is named.
        """
        statement = select(postings).where(*_behind(entry_id, newest, groups))
        last = (postings.c.posted_at.desc(), postings.c.group_id, postings.c.message_id)
        with self._engine.connect() as connection:
            return [record(row) for row in connection.execute(statement.order_by(*last).limit(limit))]

    def count_outdated(self, entry_id: str, newest: bytes, groups: Collection[str]) -> int:
        """How many `outdated` would give without a limit."""
        statement = select(func.count()).where(*_behind(entry_id, newest, groups))
        with self._engine.connect() as connection:
            return int(connection.execute(statement).scalar_one())

    def was_posted(self, entry_id: str) -> bool:
        """Whether anybody ever read this entry."""
        statement = select(postings.c.group_id).where(postings.c.entry_id == entry_id).limit(1)
        with self._engine.connect() as connection:
            return connection.execute(statement).first() is not None

    def tell(
        self,
        entry_id: str,
        newest: bytes,
        receivers: Sequence[tuple[str, str]],
        *,
        now: datetime,
        promise: Idempotent | None = None,
    ) -> int:
        """Notes who was told of the newest text, by group and message; returns for how many that was news.

        Raises:
            IdempotencyConflict: the promise was made for another request.
        """
        with self._engine.begin() as connection:
            told = once(connection, promise, now, lambda: b"%d" % _tell(connection, entry_id, newest, receivers, now))
        return int(told)


def _behind(entry_id: str, newest: bytes, groups: Collection[str]) -> list[ColumnElement[bool]]:
    """Postings of an entry to whoever last heard of another text than the newest."""
    conditions = [postings.c.entry_id == entry_id, _knows() != newest]
    return [*conditions, postings.c.group_id.in_(sorted(groups))] if groups else conditions


def _knows() -> ColumnElement[bytes]:
    """The last text a group has heard of."""
    return func.coalesce(postings.c.told_sha256, postings.c.text_sha256)


def _tell(
    connection: Connection, entry_id: str, newest: bytes, receivers: Sequence[tuple[str, str]], now: datetime
) -> int:
    told = 0
    for i in range(0, len(receivers), _CHUNK):
        named = tuple_(postings.c.group_id, postings.c.message_id).in_(receivers[i : i + _CHUNK])
        statement = update(postings).where(*_behind(entry_id, newest, ()), named)
        told += connection.execute(statement.values(told_sha256=newest, told_at=now)).rowcount
    return told
