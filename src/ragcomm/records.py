"""The corridor: small frozen records, the only things that pass between rooms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple


class Label(StrEnum):
    """What a message is; one message can carry several."""

    SPAM = "spam"
    RUMOR = "rumor"
    QUESTION = "question"
    ABUSE = "abuse"
    RISK = "risk"


LABELS: tuple[Label, ...] = tuple(Label)
HARMFUL: frozenset[Label] = frozenset({Label.SPAM, Label.RUMOR, Label.ABUSE})


class Stance(StrEnum):
    """How the author stands to the health claim in the message."""

    ASSERT = "assert"
    ASK = "ask"
    DENY = "deny"
    WARN = "warn"
    QUOTE = "quote"
    JOKE = "joke"


class Action(StrEnum):
    """What the bot should do with a message."""

    ALLOW = "allow"
    ANSWER = "answer"
    NOTE = "note"
    HOLD = "hold"
    REMOVE = "remove"
    ESCALATE = "escalate"


class MemberAction(StrEnum):
    """What is proposed for the member who wrote it."""

    NONE = "none"
    WARN = "warn"
    MUTE = "mute"
    REMOVE = "remove"


class Decision(StrEnum):
    """What was decided about a question or a claim."""

    ANSWER = "answer"
    CONFIRM = "confirm"
    ABSTAIN = "abstain"


class Visibility(StrEnum):
    """Who may read a reply."""

    GROUP = "group"
    PRIVATE = "private"
    MODERATORS = "moderators"


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One chat message: what its author wrote, and apart from it what it quotes."""

    text: str
    id: str = ""
    quoted: str | None = None
    group_id: str = ""
    member_id: str = ""
    member_name: str | None = None
    sent_at: datetime | None = None
    joined_at: datetime | None = None
    edited_at: datetime | None = None
    reply_to: str | None = None
    media: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Text:
    """A text, its normal form, and the way back.

    `offsets[i]` is the raw position of the normal character `i`, with the raw length as last
    item; None means that every character kept its place. `tokens` cover `normal` without gaps.
    `tricks` names what normalisation had to undo (zero_width, full_width, separators, …).
    """

    raw: str
    normal: str
    offsets: Sequence[int] | None
    tokens: tuple[str, ...]
    tricks: frozenset[str] = frozenset()

    def span(self, start: int, end: int) -> tuple[int, int]:
        """The raw [start, end) of the normal [start, end), in characters."""
        if self.offsets is None:
            return start, end
        if start >= end:
            return self.offsets[start], self.offsets[start]
        return self.offsets[start], self.offsets[end - 1] + 1

    def boundaries(self) -> set[int]:
        """Positions in `normal` where a token begins or ends."""
        position, edges = 0, {0}
        for token in self.tokens:
            position += len(token)
            edges.add(position)
        return edges


class Signal(NamedTuple):
    """What one check found, and how much it counts for `label`.

    `weight` is in log-odds as the model learned it (negative: it speaks against the label).
    `start` and `end` index the raw text in characters, `text` is the raw text between them.
    """

    check: str
    label: Label
    weight: float
    start: int
    end: int
    text: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The judgement of one message, with everything it was built from.

    `checks` names every check that was asked; those without a signal found nothing.
    """

    labels: Mapping[Label, float]
    flagged: tuple[Label, ...]
    stance: Stance | None
    action: Action
    member_action: MemberAction
    signals: tuple[Signal, ...]
    checks: tuple[str, ...]
    policy_version: str
    model_version: str


@dataclass(frozen=True, slots=True)
class Source:
    """A published source that stands behind an entry."""

    title: str
    issuer: str
    year: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A vetted question and answer, or a claim and its debunk."""

    id: str
    question: str
    answer: str
    forms: tuple[str, ...]
    category: str
    review_status: str
    reviewed_on: str
    expires_on: str
    sources: tuple[Source, ...] = ()
    verdict: str | None = None
    audience: tuple[str, ...] = ()
    exclusions: tuple[str, ...] = ()
    constitutions: tuple[str, ...] = ()
    tier: str = ""
    seasons: tuple[str, ...] = ()
    instead: str = ""


@dataclass(frozen=True, slots=True)
class Match:
    """An entry that may fit, with the calibrated probability that it does."""

    entry: Entry
    confidence: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What a search decided: an answer, a choice, or an honest silence with its reason.

    `for_moderators`: one match is sure enough, but a person has to agree before members read it.
    """

    decision: Decision
    confidence: float
    reason: str
    matches: tuple[Match, ...]
    index_version: str
    for_moderators: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """The text a bot may post, and to whom.

    `text_sha256` names the text of the entry behind it; None for help, which no entry stands behind.
    """

    text: str
    visibility: Visibility
    content_id: str
    review_status: str
    machine_generated: bool = True
    text_sha256: bytes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """Everything one message led to."""

    message: Message
    verdict: Verdict
    answer: Finding | None = None
    debunk: Finding | None = None
    reply: Reply | None = None
    review_id: str | None = None


@dataclass(frozen=True, slots=True)
class Silence:
    """Why a question got no answer, and the entry that came nearest with its confidence, if any did."""

    decision: Decision
    entry_id: str | None
    confidence: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Unanswered:
    """A question that got no answer; `id` names this text of this message."""

    id: str
    group_id: str
    message_id: str
    member_id: str
    text: str
    asked_at: datetime
    silence: Silence


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """Unanswered questions that ask for the same: a cluster, and what an entry for it might look like.

    `id` is that of the first question asked, so that it stays while others join. `wordings` are the different ways of
    asking, most central first; `questions` follow their order. `entry_id` came nearest to most of them, with the
    highest confidence any of them had in it.
    """

    id: str
    wordings: tuple[str, ...]
    questions: tuple[Unanswered, ...]
    askers: int
    entry_id: str | None
    confidence: float
    first_seen: datetime
    last_seen: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Posting:
    """A text of an entry that went to a group under a message, and the newest they were told of since."""

    group_id: str
    message_id: str
    entry_id: str
    text_sha256: bytes
    posted_at: datetime
    told_sha256: bytes | None = None
    told_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """A key as the service knows it: never the secret, only what it may do."""

    id: str
    name: str
    scopes: frozenset[str]
    groups: frozenset[str] = field(default_factory=frozenset)

    def allows(self, scope: str, group_id: str | None = None) -> bool:
        """Whether this key may do `scope` (an admin may do all) in the group, if one is named."""
        if scope not in self.scopes and "admin" not in self.scopes:
            return False
        return not self.groups or group_id is None or group_id in self.groups
