"""A caller's promise about a single write: the same key with the same body gets what it got the first time."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from sqlalchemy import Connection, insert, select

from ragcomm.errors import IdempotencyConflict
from ragcomm.storage.messages import Idempotent
from ragcomm.storage.tables import idempotency


def kept(connection: Connection, promise: Idempotent | None) -> bytes | None:
    """What this request was answered before, if it was.

    Raises:
        IdempotencyConflict: the key was used with another body.
    """
    if promise is None:
        return None
    statement = select(idempotency.c.request_sha256, idempotency.c.response).where(
        idempotency.c.key_id == promise.key_id, idempotency.c.idempotency_key == promise.idempotency_key
    )
    row = connection.execute(statement).one_or_none()
    if row is None:
        return None
    if bytes(row.request_sha256) != promise.request_sha256:
        raise IdempotencyConflict
    return bytes(row.response)


def once(connection: Connection, promise: Idempotent | None, now: datetime, make: Callable[[], bytes]) -> bytes:
    """Writes with `make` in the caller's transaction, unless this very request was answered before.

    Raises:
        IdempotencyConflict: the key was used with another body.
    """
    before = kept(connection, promise)
    if before is not None:
        return before
    response = make()
    if promise is not None:
        connection.execute(
            insert(idempotency).values(
                key_id=promise.key_id,
                idempotency_key=promise.idempotency_key,
                request_sha256=promise.request_sha256,
                stored_at=now,
                response=response,
            )
        )
    return response
