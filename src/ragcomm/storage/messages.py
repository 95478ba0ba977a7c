"""Storing judged messages: what is new, what is an edit, what came before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, insert, select, tuple_, update

from ragcomm.errors import IdempotencyConflict
from ragcomm.storage.tables import idempotency, messages, reviews


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredMessage:
    """One row of `messages` to be, and the review it opens, if any."""

    group_id: str
    message_id: str
    member_id: str
    text: str
    text_sha256: bytes
    quoted: str | None
    sent_at: datetime | None
    received_at: datetime
    action: str
    flagged: str
    policy_version: str
    model_version: str
    response: bytes
    review_id: str | None
    review_reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Idempotent:
    """A caller's promise that a repeated request is the same request."""

    key_id: str
    idempotency_key: str
    request_sha256: bytes


@dataclass(frozen=True, slots=True)
class Write:
    """The messages of one request, stored together or not at all."""

    rows: Sequence[StoredMessage]
    now: datetime
    idempotent: Idempotent | None = None


@dataclass(slots=True)
class _Plan:
    """What one transaction will insert and update, gathered over many requests."""

    known: dict[tuple[str, str], tuple[bytes, int, bytes]]
    inserts: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    updates: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    reviews: list[dict[str, Any]] = field(default_factory=list)


_CHUNK = 400


def write_all(connection: Connection, writes: Sequence[Write]) -> list[list[bytes] | Exception]:
    """Stores many requests in the caller's transaction.

    Returns for each the responses to send: the stored ones where a message with the same text was
    there before, or the error of a broken idempotency promise (then nothing of it is stored).
    """
    plan = _Plan(_known(connection, [row for w in writes for row in w.rows]))
    remembered = _remembered(connection, [w.idempotent for w in writes if w.idempotent])
    results: list[list[bytes] | Exception] = []
    for write in writes:
        earlier = _earlier(write, remembered)
        if earlier is not None:
            results.append(earlier)
            continue
        responses = [_place(plan, row) for row in write.rows]
        if write.idempotent:
            remembered[write.idempotent.key_id, write.idempotent.idempotency_key] = (
                write.idempotent.request_sha256,
                b"\n".join(responses),
                write.now,
            )
        results.append(responses)
    _execute(connection, plan)
    _remember(connection, writes, results, remembered)
    return results


def _key(row: StoredMessage) -> tuple[str, str]:
    return row.group_id, row.message_id


def _known(connection: Connection, rows: Sequence[StoredMessage]) -> dict[tuple[str, str], tuple[bytes, int, bytes]]:
    keys = list({_key(row) for row in rows})
    columns = (messages.c.group_id, messages.c.message_id)
    wanted = (*columns, messages.c.text_sha256, messages.c.revision, messages.c.response)
    found = {}
    for i in range(0, len(keys), _CHUNK):
        statement = select(*wanted).where(tuple_(*columns).in_(keys[i : i + _CHUNK]))
        for row in connection.execute(statement):
            found[row[0], row[1]] = (bytes(row[2]), int(row[3]), bytes(row[4]))
    return found


def _place(plan: _Plan, row: StoredMessage) -> bytes:
    """Puts a message in the plan; returns the response to send for it."""
    key = _key(row)
    before = plan.known.get(key)
    if before is not None and before[0] == row.text_sha256:
        return before[2]
    revision = 1 if before is None else before[1] + 1
    values = {
        "group_id": row.group_id,
        "message_id": row.message_id,
        "member_id": row.member_id,
        "text": row.text,
        "text_sha256": row.text_sha256,
        "quoted": row.quoted,
        "sent_at": row.sent_at,
        "received_at": row.received_at,
        "revision": revision,
        "action": row.action,
        "flagged": row.flagged,
        "policy_version": row.policy_version,
        "model_version": row.model_version,
        "review_id": row.review_id,
        "response": row.response,
    }
    if before is None or key in plan.inserts:
        plan.inserts[key] = values
    else:
        plan.updates[key] = values
    plan.known[key] = (row.text_sha256, revision, row.response)
    if row.review_id:
        plan.reviews.append(
            {
                "review_id": row.review_id,
                "group_id": row.group_id,
                "message_id": row.message_id,
                "opened_at": row.received_at,
                "reason": row.review_reason,
                "state": "open",
                "version": 1,
            }
        )
    return row.response


def _execute(connection: Connection, plan: _Plan) -> None:
    if plan.inserts:
        connection.execute(insert(messages), list(plan.inserts.values()))
    if plan.updates:
        statement = update(messages).where(
            messages.c.group_id == bindparam("of_group"),
            messages.c.message_id == bindparam("of_message"),
        )
        rows = [
            {k: v for k, v in row.items() if k not in ("group_id", "message_id")}
            | {"of_group": key[0], "of_message": key[1]}
            for key, row in plan.updates.items()
        ]
        names = [k for k in rows[0] if not k.startswith("of_")]
        connection.execute(statement.values({name: bindparam(name) for name in names}), rows)
    if plan.reviews:
        connection.execute(insert(reviews), plan.reviews)


Remembered = dict[tuple[str, str], tuple[bytes, bytes, datetime]]


def _remembered(connection: Connection, promises: Sequence[Idempotent]) -> Remembered:
    keys = list({(p.key_id, p.idempotency_key) for p in promises})
    columns = (idempotency.c.key_id, idempotency.c.idempotency_key)
    found: Remembered = {}
    for i in range(0, len(keys), _CHUNK):
        statement = select(
            *columns,
            idempotency.c.request_sha256,
            idempotency.c.response,
            idempotency.c.stored_at,
        ).where(tuple_(*columns).in_(keys[i : i + _CHUNK]))
        for row in connection.execute(statement):
            found[row[0], row[1]] = (bytes(row[2]), bytes(row[3]), row[4])
    return found


def _earlier(write: Write, remembered: Remembered) -> list[bytes] | Exception | None:
    promise = write.idempotent
    if promise is None:
        return None
    before = remembered.get((promise.key_id, promise.idempotency_key))
    if before is None:
        return None
    if before[0] != promise.request_sha256:
        return IdempotencyConflict()
    # JSON never holds a raw line feed, so that lines keep the responses of a batch apart.
    return before[1].split(b"\n")


def _remember(
    connection: Connection,
    writes: Sequence[Write],
    results: Sequence[list[bytes] | Exception],
    remembered: Remembered,
) -> None:
    fresh = {}
    for write, result in zip(writes, results, strict=True):
        promise = write.idempotent
        if promise is None or isinstance(result, Exception):
            continue
        key = (promise.key_id, promise.idempotency_key)
        sha, response, stored_at = remembered[key]
        if stored_at is write.now:
            fresh[key] = {
                "key_id": key[0],
                "idempotency_key": key[1],
                "request_sha256": sha,
                "stored_at": stored_at,
                "response": response,
            }
    if fresh:
        connection.execute(insert(idempotency), list(fresh.values()))
