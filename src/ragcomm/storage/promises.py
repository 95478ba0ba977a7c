"""Idempotency keys of requests that do not go through the writer."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Engine, insert
from sqlalchemy.exc import IntegrityError

from ragcomm.storage.idempotency import kept
from ragcomm.storage.messages import Idempotent
from ragcomm.storage.tables import idempotency


def kept_response(engine: Engine, promise: Idempotent) -> bytes | None:
    """What the request was answered the first time; None where this is the first time.

    Raises:
        IdempotencyConflict: the key was used with another request.
    """
    with engine.connect() as connection:
        return kept(connection, promise)


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
