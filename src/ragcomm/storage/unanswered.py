"""Questions that got no answer, read from the stored messages; each message is read once."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Engine, Insert, delete, insert, select, tuple_, update
from sqlalchemy.dialects import postgresql, sqlite

from ragcomm.records import Decision, Silence, Unanswered
from ragcomm.storage.database import utc
from ragcomm.storage.tables import messages, progress, settled, unanswered

# Says of a stored response why its question got no answer; None if it got one, or was no question.
ReadSilence = Callable[[bytes], Silence | None]
_READER = "unanswered"
# Messages of one short transaction, and values one statement may name.
_CHUNK = 400
# A message is committed a little after the moment it was received at; so much is read again.
_OVERLAP = timedelta(minutes=1)
_INSERT_NEW: dict[str, Insert] = {
    "sqlite": sqlite.insert(unanswered).on_conflict_do_nothing(),
    "postgresql": postgresql.insert(unanswered).on_conflict_do_nothing(),
}


def question_id(group_id: str, message_id: str, text_sha256: bytes) -> str:
    """Names a text of a message; an edit is another question."""
    return hashlib.sha256(f"{group_id}\0{message_id}\0".encode() + text_sha256).hexdigest()[:24]


class UnansweredQuestions:
    """The questions of a database that still wait for an answer."""

    def __init__(self, engine: Engine, read: ReadSilence) -> None:
        """`read` knows what a stored response looks like."""
        self._engine = engine
        self._read = read

    def collect(self) -> int:
        """Reads the messages stored since the last time; returns how many unanswered questions were among them."""
        found = 0
        for rows in self._unread():
            with self._engine.begin() as connection:
                found += self._keep(connection, rows)
        return found

    def open(self, groups: Collection[str], limit: int) -> list[Unanswered]:
        """The newest open questions of some groups, of all if none is named; oldest first."""
        columns = (unanswered, messages.c.member_id, messages.c.text)
        same = (messages.c.group_id == unanswered.c.group_id) & (messages.c.message_id == unanswered.c.message_id)
        statement = select(*columns).join(messages, same).where(unanswered.c.gap_id.is_(None))
        if groups:
            statement = statement.where(unanswered.c.group_id.in_(sorted(groups)))
        statement = statement.order_by(unanswered.c.asked_at.desc(), unanswered.c.question_id).limit(limit)
        with self._engine.connect() as connection:
            return [_record(row) for row in connection.execute(statement)][::-1]

    def settle(self, questions: Sequence[Unanswered], wordings: Sequence[str]) -> list[bool]:
        """Closes those that ask in the words of a resolved gap of their group; says for each whether it did.

        `wordings` are what is compared of each, in the order of `questions`.
        """
        keys = [(q.group_id, wording_sha256(w)) for q, w in zip(questions, wordings, strict=True)]
        with self._engine.connect() as connection:
            known = _settled(connection, keys)
        closed: dict[str, list[str]] = {}
        for question, key in zip(questions, keys, strict=True):
            if key in known:
                closed.setdefault(known[key], []).append(question.id)
        if closed:
            with self._engine.begin() as connection:
                for gap_id, ids in closed.items():
                    close(connection, ids, gap_id)
        return [key in known for key in keys]

    def _unread(self) -> Iterator[Sequence[Any]]:
        """Stored messages in the order they came, some at a time."""
        place = (messages.c.received_at, messages.c.group_id, messages.c.message_id)
        wanted = (messages.c.group_id, messages.c.message_id, messages.c.text_sha256, messages.c.received_at)
        statement = select(*wanted, messages.c.response).order_by(*place).limit(_CHUNK)
        with self._engine.connect() as connection:
            reached = connection.execute(select(progress.c.reached_at).where(progress.c.reader == _READER)).scalar()
        rest = statement if reached is None else statement.where(messages.c.received_at >= utc(reached) - _OVERLAP)
        while True:
            with self._engine.connect() as connection:
                rows = connection.execute(rest).all()
            if rows:
                yield rows
            if len(rows) < _CHUNK:
                return
            last = rows[-1]
            at = utc(last.received_at)
            # The first condition says nothing new, but finds the index.
            rest = statement.where(
                messages.c.received_at >= at, tuple_(*place) > tuple_(at, last.group_id, last.message_id)
            )

    def _keep(self, connection: Connection, rows: Sequence[Any]) -> int:
        """Adds what got no answer, drops what was edited since, and notes how far this came."""
        read = [(row, self._read(bytes(row.response))) for row in rows]
        new = [_values(row, silence) for row, silence in read if silence is not None]
        named = tuple_(unanswered.c.group_id, unanswered.c.message_id)
        stale = unanswered.c.question_id.not_in([values["question_id"] for values in new])
        connection.execute(delete(unanswered).where(named.in_([(r.group_id, r.message_id) for r in rows]), stale))
        if new:
            connection.execute(_INSERT_NEW[connection.dialect.name], new)
        _reach(connection, utc(rows[-1].received_at))
        return len(new)


def _values(row: Any, silence: Silence) -> dict[str, Any]:
    return {
        "question_id": question_id(row.group_id, row.message_id, bytes(row.text_sha256)),
        "group_id": row.group_id,
        "message_id": row.message_id,
        "asked_at": utc(row.received_at),
        "decision": silence.decision,
        "entry_id": silence.entry_id,
        "confidence": silence.confidence,
    }


def close(connection: Connection, ids: Sequence[str], gap_id: str) -> None:
    """Takes questions from the open ones, in the caller's transaction."""
    for i in range(0, len(ids), _CHUNK):
        chosen = unanswered.c.question_id.in_(ids[i : i + _CHUNK])
        connection.execute(update(unanswered).where(chosen).values(gap_id=gap_id))


def wording_sha256(wording: str) -> bytes:
    """What is kept of a wording that is settled."""
    return hashlib.sha256(wording.encode()).digest()


def _settled(connection: Connection, keys: Sequence[tuple[str, bytes]]) -> dict[tuple[str, bytes], str]:
    wanted = sorted(set(keys))
    columns = (settled.c.group_id, settled.c.wording_sha256)
    found = {}
    for i in range(0, len(wanted), _CHUNK):
        statement = select(*columns, settled.c.gap_id).where(tuple_(*columns).in_(wanted[i : i + _CHUNK]))
        found.update({(row[0], bytes(row[1])): row[2] for row in connection.execute(statement)})
    return found


def _reach(connection: Connection, at: datetime) -> None:
    moved = update(progress).where(progress.c.reader == _READER).values(reached_at=at)
    if connection.execute(moved).rowcount == 0:
        connection.execute(insert(progress).values(reader=_READER, reached_at=at))


def _record(row: Any) -> Unanswered:
    return Unanswered(
        id=row.question_id,
        group_id=row.group_id,
        message_id=row.message_id,
        member_id=row.member_id,
        text=row.text,
        asked_at=utc(row.asked_at),
        silence=Silence(Decision(row.decision), row.entry_id, row.confidence),
    )
