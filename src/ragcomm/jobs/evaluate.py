"""Figures of a model on the test split of the corpora; nothing here chooses anything."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ragcomm.corpora import is_test_message, load_messages, load_traps
from ragcomm.evaluation.reports import (
    Matched,
    Moderated,
    matching_report,
    moderation_report,
    rounded,
)
from ragcomm.jobs.public_data import chat_turns
from ragcomm.jobs.train_answers import queries
from ragcomm.knowledge.answerer import Answerer
from ragcomm.moderation.moderator import Moderator
from ragcomm.records import HARMFUL, Label, Message
from ragcomm.text.encode import StaticEncoder
from ragcomm.text.segment import Segmenter


def run_moderation(*, corpora: Path, public: Path, moderator: Moderator) -> dict[str, Any]:
    """The moderation report of the test lines, and false alarms on everyday chat where it is at hand."""
    lines = [m for m in load_messages(corpora) if is_test_message(m.id)]
    readings = moderator.judge([Message(text=m.text, quoted=m.quoted) for m in lines])
    rows = [
        Moderated(
            truth=line.labels,
            labels=reading.verdict.labels,
            flagged=frozenset(reading.verdict.flagged),
            stance=reading.verdict.stance,
            true_stance=line.stance,
            hard=line.hard,
        )
        for line, reading in zip(lines, readings, strict=True)
    ]
    report = {"test": moderation_report(rows), "traps": _alarms(moderator, [t.text for t in load_traps(corpora)])}
    chat = chat_turns(public, "test")
    if chat:
        report["chat_lccc"] = _alarms(moderator, chat)
    return rounded(report)  # type: ignore[no-any-return]


def _alarms(moderator: Moderator, innocent: Sequence[str]) -> dict[str, float]:
    """How many innocent lines are flagged as harmful or as risk."""
    flagged = [set(r.verdict.flagged) for r in moderator.judge([Message(text=t) for t in innocent], explain=False)]
    return {
        "lines": len(flagged),
        "flagged": sum(bool(f & HARMFUL) for f in flagged) / len(flagged),
        "risk": sum(Label.RISK in f for f in flagged) / len(flagged),
    }


def run_matching(
    *, name: str, corpora: Path, public: Path, segmenter: Segmenter, encoder: StaticEncoder, answerer: Answerer
) -> dict[str, Any]:
    """The matching report of answers or debunks; `answerer` must know train wordings only."""
    asked = queries(corpora, public, name, "test")
    texts = [segmenter.read(query.text) for query in asked]
    found = answerer.search(texts, encoder.encode(texts), limit=10)
    rows = [Matched(entry_id=q.entry_id, kind=q.kind, finding=f) for q, f in zip(asked, found, strict=True)]
    return rounded(matching_report(rows))  # type: ignore[no-any-return]
