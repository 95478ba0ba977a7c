"""Records to JSON: the only place that knows how an outcome looks outside."""

from __future__ import annotations

from functools import cache
from typing import Any

import orjson

from ragcomm.knowledge.lint import Flaw
from ragcomm.knowledge.manners import Withheld
from ragcomm.records import (
    Action,
    Decision,
    Finding,
    Gap,
    Match,
    Message,
    Outcome,
    Posting,
    Reply,
    Signal,
    Silence,
    Verdict,
)


def message_json(message: Message) -> dict[str, Any]:
    """The message as it was understood."""
    return {
        "id": message.id,
        "text": message.text,
        "quoted": message.quoted,
        "group_id": message.group_id,
        "member_id": message.member_id,
        "sent_at": message.sent_at,
    }


def verdict_json(verdict: Verdict) -> dict[str, Any]:
    """Probabilities, flags, action and every signal."""
    return {
        "labels": {label.value: round(p, 4) for label, p in verdict.labels.items()},
        "flagged": verdict.flagged,
        "stance": verdict.stance,
        "action": verdict.action,
        "member_action": verdict.member_action,
        "signals": [signal_json(s) for s in verdict.signals],
        "checks": _written(verdict.checks),
        "policy_version": verdict.policy_version,
        "model_version": verdict.model_version,
    }


@cache
def _written(names: tuple[str, ...]) -> orjson.Fragment:
    """The same few names in every reply, written once."""
    return orjson.Fragment(orjson.dumps(names))


def signal_json(signal: Signal) -> dict[str, Any]:
    """What one check found."""
    return {
        "check": signal.check,
        "label": signal.label,
        "weight": signal.weight,
        "start": signal.start,
        "end": signal.end,
        "text": signal.text,
        "why": signal.why,
    }


def finding_json(finding: Finding | None) -> dict[str, Any] | None:
    """A decision with its matches."""
    if finding is None:
        return None
    return {
        "decision": finding.decision,
        "confidence": finding.confidence,
        "reason": finding.reason,
        "matches": [match_json(m) for m in finding.matches],
        "index_version": finding.index_version,
    }


def match_json(match: Match) -> dict[str, Any]:
    """An entry that may fit."""
    entry = match.entry
    return {
        "entry_id": entry.id,
        "question": entry.question,
        "answer": entry.answer,
        "confidence": match.confidence,
        "sources": [{"title": s.title, "issuer": s.issuer, "year": s.year} for s in entry.sources],
        "reviewed_on": entry.reviewed_on,
        "review_status": entry.review_status,
        "verdict": entry.verdict,
    }


def flaw_json(flaw: Flaw) -> dict[str, Any]:
    """What is wrong with an entry."""
    return {
        "rule": flaw.rule,
        "level": flaw.level,
        "entry_id": flaw.entry_id,
        "other_id": flaw.other_id,
        "what": flaw.what,
    }


def reply_json(reply: Reply | None) -> dict[str, Any] | None:
    """What the bot may post."""
    if reply is None:
        return None
    return {
        "text": reply.text,
        "visibility": reply.visibility,
        "machine_generated": reply.machine_generated,
        "content_id": reply.content_id,
        "review_status": reply.review_status,
        "text_sha256": reply.text_sha256.hex() if reply.text_sha256 else None,
    }


def judgement_json(outcome: Outcome) -> dict[str, Any]:
    """Everything one message led to, without the message and the reply."""
    return {
        "verdict": verdict_json(outcome.verdict),
        "answer": finding_json(outcome.answer),
        "debunk": finding_json(outcome.debunk),
    }


def outcome_document(
    message: Message, judgement: bytes, reply: bytes | None, withheld: Withheld | None, review_id: str | None
) -> bytes:
    """A message, its judgement, the reply to it or why it was withheld, and the review it opened, as one document."""
    return b'{"message":%b,%b,"reply":%b,"withheld":%b,"review_id":%b}' % (
        orjson.dumps(message_json(message)),
        judgement[1:-1],
        b"null" if reply is None else b'{"reply_to":%b,%b' % (orjson.dumps(message.id), reply[1:]),
        b"null" if withheld is None else orjson.dumps(withheld),
        b"null" if review_id is None else b'"%b"' % review_id.encode(),
    )


def without_reply(judgement: bytes, action: str) -> bytes:
    """The document of a judgement whose reply is withheld: nothing is left to do.

    Only the action itself can look so: within a text of a member every quotation mark is escaped.
    """
    return judgement.replace(b'"action":"%b"' % action.encode(), b'"action":"%b"' % Action.ALLOW.encode(), 1)


# What is in every reply to a message that was not searched: by far the most, and no need to read them whole.
_NOT_SEARCHED = b'"answer":null'
_UNANSWERED = frozenset({Decision.ABSTAIN.value, Decision.CONFIRM.value})
# Examples of a gap that are shown.
_EXAMPLES = 5


def silence(response: bytes) -> Silence | None:
    """Why the question of a stored response got no answer; None if it got one, or was no question.

    An answer that is proposed to the moderators is no silence: knowledge has it, only a signature is missing.
    """
    if _NOT_SEARCHED in response:
        return None
    document = orjson.loads(response)
    answer = document["answer"]
    if document["reply"] is not None or document.get("withheld") or answer["decision"] not in _UNANSWERED:
        return None
    nearest = next(iter(answer["matches"]), None)
    entry_id, confidence = (nearest["entry_id"], nearest["confidence"]) if nearest else (None, 0.0)
    return Silence(Decision(answer["decision"]), entry_id, confidence)


def gap_json(gap: Gap) -> dict[str, Any]:
    """A gap with a drafted title and examples."""
    nearest = {"entry_id": gap.entry_id, "confidence": gap.confidence}
    return {
        "id": gap.id,
        "title": gap.wordings[0],
        "askers": gap.askers,
        "questions": len(gap.questions),
        "groups": sorted({question.group_id for question in gap.questions}),
        "nearest": nearest if gap.entry_id is not None else None,
        "examples": [
            {"text": q.text, "group_id": q.group_id, "message_id": q.message_id, "asked_at": q.asked_at}
            for q in gap.questions[:_EXAMPLES]
        ],
        "first_seen": gap.first_seen,
        "last_seen": gap.last_seen,
    }


def posting_json(posting: Posting) -> dict[str, Any]:
    """Where which text of an entry was posted, and what they were told of since."""
    return {
        "group_id": posting.group_id,
        "message_id": posting.message_id,
        "text_sha256": posting.text_sha256.hex(),
        "posted_at": posting.posted_at,
        "told_sha256": posting.told_sha256.hex() if posting.told_sha256 else None,
        "told_at": posting.told_at,
    }
