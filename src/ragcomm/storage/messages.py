"""Storing judged messages: what is new, what is an edit, what came before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Insert, bindparam, insert, select, tuple_, update
from sqlalchemy.dialects import postgresql, sqlite

from ragcomm.errors import IdempotencyConflict
from ragcomm.records import Posting
from ragcomm.storage.postings import note
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
    # The entry that goes out with the response, if one does.
    posting: Posting | None = None


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


_CHUNK = 400


def write_all(connection: Connection, writes: Sequence[Write]) -> list[list[bytes] | Exception]:
    """Stores many requests in the caller's transaction.

    Returns for each the responses to send: the stored ones where a message with the same text was
    there before, or the error of a broken idempotency promise (then nothing of it is stored).
    """
    remembered = _remembered(connection, [w.idempotent for w in writes if w.idempotent])
    earlier = _promised(writes, remembered)
    rows = [row for i, write in enumerate(writes) if i not in earlier for row in write.rows]
    sent = iter(_place(connection, rows))
    results: list[list[bytes] | Exception] = []
    for i, write in enumerate(writes):
        kept = earlier.get(i)
        results.append([next(sent) for _ in write.rows] if kept is None else kept)
    _repeat(writes, results, earlier)
    _remember(connection, writes, results, earlier)
    return results


def _place(connection: Connection, rows: Sequence[StoredMessage]) -> list[bytes]:
    """Inserts or edits messages; returns for each the response to send."""
    if not rows:
        return []
    inserted = connection.execute(_INSERT_NEW[connection.dialect.name], [_values(row, 1) for row in rows]).rowcount
    # Nearly every message is new: one statement, and a look at what was there only if some was.
    if inserted == len(rows):
        _open_reviews(connection, rows)
        note(connection, [row.posting for row in rows if row.posting])
        return [row.response for row in rows]
    return _place_known(connection, rows)


def _place_known(connection: Connection, rows: Sequence[StoredMessage]) -> list[bytes]:
    """The careful way, after new ones went in: the same text gives the stored response, another is an edit."""
    known = _known(connection, rows)
    edits: dict[tuple[str, str], dict[str, Any]] = {}
    judged, responses = [], []
    for row in rows:
        key = (row.group_id, row.message_id)
        text_sha256, revision, response = known[key]
        if text_sha256 != row.text_sha256:
            edits[key] = _values(row, revision + 1)
            known[key] = (row.text_sha256, revision + 1, row.response)
            response = row.response
        if response == row.response:
            judged.append(row)
        responses.append(response)
    if edits:
        connection.execute(_EDIT, [{**v, "of_group": g, "of_message": m} for (g, m), v in edits.items()])
    _open_reviews(connection, list({row.review_id: row for row in judged}.values()))
    note(connection, [row.posting for row in judged if row.posting])
    return responses


_INSERT_NEW: dict[str, Insert] = {
    "sqlite": sqlite.insert(messages).on_conflict_do_nothing(),
    "postgresql": postgresql.insert(messages).on_conflict_do_nothing(),
}
_EDIT = (
    update(messages)
    .where(messages.c.group_id == bindparam("of_group"), messages.c.message_id == bindparam("of_message"))
    .values({c.name: bindparam(c.name) for c in messages.c if not c.primary_key})
)


def _values(row: StoredMessage, revision: int) -> dict[str, Any]:
    return {
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


def _known(connection: Connection, rows: Sequence[StoredMessage]) -> dict[tuple[str, str], tuple[bytes, int, bytes]]:
    keys = list({(row.group_id, row.message_id) for row in rows})
    columns = (messages.c.group_id, messages.c.message_id)
    wanted = (*columns, messages.c.text_sha256, messages.c.revision, messages.c.response)
    found = {}
    for i in range(0, len(keys), _CHUNK):
        statement = select(*wanted).where(tuple_(*columns).in_(keys[i : i + _CHUNK]))
        for row in connection.execute(statement):
            found[row[0], row[1]] = (bytes(row[2]), int(row[3]), bytes(row[4]))
    return found


def _open_reviews(connection: Connection, rows: Sequence[StoredMessage]) -> None:
    opened = [
        {
            "review_id": row.review_id,
            "group_id": row.group_id,
            "message_id": row.message_id,
            "opened_at": row.received_at,
            "reason": row.review_reason,
            "state": "open",
            "version": 1,
        }
        for row in rows
        if row.review_id
    ]
    if opened:
        connection.execute(insert(reviews), opened)


Remembered = dict[tuple[str, str], tuple[bytes, bytes]]


def _remembered(connection: Connection, promises: Sequence[Idempotent]) -> Remembered:
    keys = list({(p.key_id, p.idempotency_key) for p in promises})
    columns = (idempotency.c.key_id, idempotency.c.idempotency_key)
    found: Remembered = {}
    for i in range(0, len(keys), _CHUNK):
        statement = select(*columns, idempotency.c.request_sha256, idempotency.c.response).where(
            tuple_(*columns).in_(keys[i : i + _CHUNK])
        )
        for row in connection.execute(statement):
            found[row[0], row[1]] = (bytes(row[2]), bytes(row[3]))
    return found


Earlier = dict[int, list[bytes] | Exception]


def _promised(writes: Sequence[Write], remembered: Remembered) -> Earlier:
    """What repeated requests get, by place: the earlier responses, or a conflict with another body.

    A repetition inside the same transaction gets an empty list for now (see `_repeat`).
    """
    earlier: Earlier = {}
    first: dict[tuple[str, str], Idempotent] = {}
    for i, write in enumerate(writes):
        promise = write.idempotent
        if promise is None:
            continue
        key = (promise.key_id, promise.idempotency_key)
        before = remembered.get(key)
        twin = first.setdefault(key, promise)
        if promise.request_sha256 != (before[0] if before else twin.request_sha256):
            earlier[i] = IdempotencyConflict()
        elif before:
            # JSON never holds a raw line feed, so that lines keep the responses of a batch apart.
            earlier[i] = before[1].split(b"\n")
        elif twin is not promise:
            earlier[i] = []
    return earlier


def _repeat(writes: Sequence[Write], results: list[list[bytes] | Exception], earlier: Earlier) -> None:
    """Gives repetitions within this transaction what the first of them gets."""
    for i, kept in earlier.items():
        if isinstance(kept, list) and not kept:
            promise = writes[i].idempotent
            results[i] = next(results[j] for j in range(i) if j not in earlier and writes[j].idempotent == promise)


def _remember(
    connection: Connection,
    writes: Sequence[Write],
    results: Sequence[list[bytes] | Exception],
    earlier: Earlier,
) -> None:
    fresh = [
        {
            "key_id": write.idempotent.key_id,
            "idempotency_key": write.idempotent.idempotency_key,
            "request_sha256": write.idempotent.request_sha256,
            "stored_at": write.now,
            "response": b"\n".join(result),
        }
        for i, (write, result) in enumerate(zip(writes, results, strict=True))
        if write.idempotent and i not in earlier and not isinstance(result, Exception)
    ]
    if fresh:
        connection.execute(insert(idempotency), fresh)
