"""From judgements to what is stored of them and goes out: the last moment at which an answer can be kept back."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

from ragcomm.knowledge.manners import Manners, Withheld
from ragcomm.records import Action, Message, Posting
from ragcomm.storage.messages import Idempotent, StoredMessage, Write
from ragcomm_api.edge import Metrics
from ragcomm_api.judge import Judged
from ragcomm_api.wire import outcome_document, without_reply

_REVIEWED = frozenset({Action.HOLD, Action.REMOVE, Action.ESCALATE})
_REPLIES = frozenset({Action.ANSWER, Action.NOTE})


def make_write(
    metrics: Metrics,
    manners: Manners,
    messages: Sequence[Message],
    judged: Sequence[Judged],
    promise: Idempotent | None,
) -> Write:
    """What is stored of the judgements of one request; counts them too, and keeps back what would be bad manners."""
    now = datetime.now(UTC)
    rows = []
    for message, judgement in zip(messages, judged, strict=True):
        withheld = None
        if judgement.entry_id is not None:
            withheld = manners.post(message, judgement.entry_id, now.timestamp())
        if withheld is not None:
            metrics.withheld(withheld.reason)
            judgement = _kept_back(judgement)
        metrics.judged(judgement.action, judgement.decision)
        rows.append(_row(message, judgement, withheld, now))
    return Write(rows, now, promise)


def take_back(manners: Manners, write: Write) -> None:
    """What was not stored was not posted either."""
    for row in write.rows:
        if row.posting is not None:
            manners.take_back(row.group_id, row.posting.entry_id, row.message_id)


def _kept_back(judged: Judged) -> Judged:
    """The judgement without its reply; an action that was all about the reply goes with it."""
    if judged.action not in _REPLIES:
        return replace(judged, reply=None, entry_id=None)
    document = without_reply(judged.document, judged.action)
    return replace(judged, document=document, action=Action.ALLOW, reply=None, entry_id=None)


def _posting(message: Message, judged: Judged, now: datetime) -> Posting | None:
    if judged.entry_id is None or judged.text_sha256 is None:
        return None
    return Posting(
        group_id=message.group_id,
        message_id=message.id,
        entry_id=judged.entry_id,
        text_sha256=bytes.fromhex(judged.text_sha256),
        posted_at=now,
    )


def _row(message: Message, judged: Judged, withheld: Withheld | None, now: datetime) -> StoredMessage:
    review_id = secrets.token_hex(12) if judged.action in _REVIEWED else None
    return StoredMessage(
        group_id=message.group_id,
        message_id=message.id,
        member_id=message.member_id,
        text=message.text,
        text_sha256=hashlib.sha256(message.text.encode()).digest(),
        quoted=message.quoted,
        sent_at=message.sent_at,
        received_at=now,
        action=judged.action,
        flagged=judged.flagged,
        policy_version=judged.policy_version,
        model_version=judged.model_version,
        response=outcome_document(message, judged.document, judged.reply, withheld, review_id),
        review_id=review_id,
        review_reason=judged.flagged,
        posting=_posting(message, judged, now),
    )
