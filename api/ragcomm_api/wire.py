"""Records to JSON: the only place that knows how an outcome looks outside."""

from __future__ import annotations

from functools import cache
from typing import Any

import orjson

from ragcomm.knowledge.lint import Flaw
from ragcomm.records import Finding, Match, Message, Outcome, Reply, Signal, Verdict


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
    }


def judgement_json(outcome: Outcome) -> dict[str, Any]:
    """Everything one message led to, without the message."""
    return {
        "verdict": verdict_json(outcome.verdict),
        "answer": finding_json(outcome.answer),
        "debunk": finding_json(outcome.debunk),
        "reply": reply_json(outcome.reply),
    }


def outcome_document(message: Message, judgement: bytes, review_id: str | None) -> bytes:
    """A message, the document of its judgement and the review it opened, as one document."""
    review = b"null" if review_id is None else b'"%b"' % review_id.encode()
    return b'{"message":%b,%b,"review_id":%b}' % (orjson.dumps(message_json(message)), judgement[1:-1], review)
