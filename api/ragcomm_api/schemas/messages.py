"""A message in, a verdict and an answer out."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, TypeAdapter

from ragcomm.knowledge.manners import Reason
from ragcomm.records import Action, Decision, Label, MemberAction, Message, Stance, Visibility

# Beyond this a message is a document; the service may be set to a lower bound.
MOST_CHARACTERS = 20_000


def clean(text: str) -> str:
    """Refuses what no database keeps."""
    if "\x00" in text:
        raise ValueError("a NUL character is not text")
    return text


Identifier = Annotated[str, Field(min_length=1, max_length=128), AfterValidator(clean)]
Optional = Annotated[str, Field(max_length=128), AfterValidator(clean)]
Words = Annotated[str, Field(max_length=MOST_CHARACTERS), AfterValidator(clean)]


class Closed(BaseModel):
    """A body in which nothing is left over."""

    model_config = ConfigDict(extra="forbid", strict=True)


class Media(Closed):
    """Something other than text that came with the message; it is not looked into."""

    kind: Annotated[str, Field(min_length=1, max_length=32), AfterValidator(clean)]


class Context(Closed):
    """What may be said of a message besides its text."""

    text: Words
    quoted: Words | None = None
    group_id: Optional = ""
    member_id: Optional = ""
    member_name: Optional | None = None
    sent_at: Annotated[AwareDatetime | None, Field(strict=False)] = None
    joined_at: Annotated[AwareDatetime | None, Field(strict=False)] = None
    edited_at: Annotated[AwareDatetime | None, Field(strict=False)] = None
    reply_to: Optional | None = None
    media: Annotated[list[Media], Field(max_length=64)] = []


class MessageIn(Context):
    """A message to judge and to store; (`group_id`, `id`) names it."""

    id: Identifier

    def record(self) -> Message:
        """The library's record of it."""
        return _record(self, self.id)


class MessageToJudge(Context):
    """A message to judge only; it needs no name."""

    id: Optional = ""

    def record(self) -> Message:
        """The library's record of it."""
        return _record(self, self.id)


def _record(given: Context, message_id: str) -> Message:
    return Message(
        id=message_id,
        text=given.text,
        quoted=given.quoted,
        group_id=given.group_id,
        member_id=given.member_id,
        member_name=given.member_name,
        sent_at=given.sent_at,
        joined_at=given.joined_at,
        edited_at=given.edited_at,
        reply_to=given.reply_to,
        media=tuple(m.kind for m in given.media),
    )


class Batch(Closed):
    """Up to 1,000 messages."""

    messages: list[MessageIn]


class Query(Closed):
    """A question or a claim to look up."""

    text: Annotated[Words, Field(min_length=1)]
    group_id: Optional = ""
    limit: Annotated[int, Field(ge=1, le=10)] = 10


class SignalOut(BaseModel):
    """What one check found; `start` and `end` index the raw text in characters."""

    check: str
    label: Label
    weight: float
    start: int
    end: int
    text: str
    why: str


class VerdictOut(BaseModel):
    """The judgement of a message; `checks` that have no signal found nothing."""

    labels: dict[Label, float]
    flagged: list[Label]
    stance: Stance | None
    action: Action
    member_action: MemberAction
    signals: list[SignalOut]
    checks: list[str]
    policy_version: str
    model_version: str


class SourceOut(BaseModel):
    """A published source."""

    title: str
    issuer: str
    year: int


class MatchOut(BaseModel):
    """An entry that may fit."""

    entry_id: str
    question: str
    answer: str
    confidence: float
    sources: list[SourceOut]
    reviewed_on: str
    review_status: str
    verdict: str | None = None


class FindingOut(BaseModel):
    """What was decided about a question or a claim, and why."""

    decision: Decision
    confidence: float
    reason: str
    matches: list[MatchOut]
    index_version: str


class ReplyOut(BaseModel):
    """What the bot may post, as a reply to the message; `text_sha256` names the text of the entry behind it, if any."""

    reply_to: str

    text: str
    visibility: Visibility
    machine_generated: Literal[True]
    content_id: str
    review_status: str
    text_sha256: str | None


class WithheldOut(BaseModel):
    """An answer that was found and kept back; in a cooldown it stands under `message_id` already."""

    reason: Reason
    entry_id: str
    message_id: str | None


class MessageOut(BaseModel):
    """The message as it was understood."""

    id: str
    text: str
    quoted: str | None
    group_id: str
    member_id: str
    sent_at: AwareDatetime | None


class JudgedOut(BaseModel):
    """A verdict; nothing was stored."""

    message: MessageOut
    verdict: VerdictOut


class OutcomeOut(JudgedOut):
    """Everything one message led to; it is stored."""

    answer: FindingOut | None
    debunk: FindingOut | None
    reply: ReplyOut | None
    withheld: WithheldOut | None
    review_id: str | None


class ProblemOut(BaseModel):
    """An error (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str
    errors: list[dict[str, str]]


class LineOut(BaseModel):
    """One line of a batch: its outcome, or the error that concerns it alone."""

    index: int
    outcome: OutcomeOut | None = None
    error: ProblemOut | None = None


class BatchOut(BaseModel):
    """The lines of a batch in order."""

    results: list[LineOut]


READ_MESSAGE: TypeAdapter[MessageIn] = TypeAdapter(MessageIn)
READ_TO_JUDGE: TypeAdapter[MessageToJudge] = TypeAdapter(MessageToJudge)
READ_QUERY: TypeAdapter[Query] = TypeAdapter(Query)
