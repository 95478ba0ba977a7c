"""Idempotency keys of requests that do not go through the writer."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Engine, insert, select
from sqlalchemy.exc import IntegrityError

from ragcomm.errors import IdempotencyConflict
from ragcomm.storage.messages import Idempotent
from ragcomm.storage.tables import idempotency


def kept_response(engine: Engine, promise: Idempotent) -> bytes | None:
    """What the request was answered the first time; None where this is the first time.

    Raises:
        IdempotencyConflict: the key was used with another request.
    """
    statement = select(idempotency.c.request_sha256, idempotency.c.response).where(
        idempotency.c.key_id == promise.key_id, idempotency.c.idempotency_key == promise.idempotency_key
    )
    with engine.connect() as connection:
        row = connection.execute(statement).first()
    if row is None:
        return None
    if bytes(row[0]) != promise.request_sha256:
        raise IdempotencyConflict
    return bytes(row[1])


def keep_response(engine: Engine, promise: Idempotent, response: bytes, *, now: datetime) -> None:
    """Remembers the answer to a request; where a twin was faster, its answer stays."""
    row = {
        "key_id": promise.key_id,
        "idempotency_key": promise.idempotency_key,
        "request_sha256": promise.request_sha256,
        "stored_at": now,
        "response": response,
    }
    try:
        with engine.begin() as connection:
            connection.execute(insert(idempotency).values(row))
    except IntegrityError:
        return
