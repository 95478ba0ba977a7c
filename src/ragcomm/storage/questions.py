"""The last questions that members asked, to see what a change would answer them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine, select

from ragcomm.storage.tables import messages


@dataclass(frozen=True, slots=True)
class StoredQuestion:
    """A stored message that is a question."""

    group_id: str
    message_id: str
    received_at: datetime
    text: str


def last_questions(engine: Engine, limit: int, groups: Collection[str] = ()) -> list[StoredQuestion]:
    """Up to `limit` messages that were judged to be questions, newest first; `groups` limits them to some."""
    wanted = (messages.c.group_id, messages.c.message_id, messages.c.received_at, messages.c.text)
    statement = select(*wanted).where(messages.c.flagged.like("%question%"))
    if groups:
        statement = statement.where(messages.c.group_id.in_(sorted(groups)))
    with engine.connect() as connection:
        rows = connection.execute(statement.order_by(messages.c.received_at.desc()).limit(limit))
        return [StoredQuestion(*row) for row in rows]
