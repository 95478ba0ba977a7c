"""Entries, their drafts, and what publishing them says."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, TypeAdapter

from ragcomm_api.schemas.messages import Identifier, SourceOut, clean

Note = Annotated[str, Field(max_length=2000), AfterValidator(clean)]


class _Closed(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class EntryIn(_Closed):
    """A vetted question with its answer, or a claim with its debunk; what is missing may be added before publishing."""

    id: Identifier | None = None
    category: str
    question: str
    answer: str
    alternates: list[str] | None = None
    verdict: Literal["false", "misleading", "unproven", "true"] | None = None
    instead: str | None = None
    audience: list[str] | None = None
    exclusions: list[str] | None = None
    constitutions: list[str] | None = None
    tier: str | None = None
    seasons: list[str] | None = None
    sources: list[SourceOut] | None = None
    review_status: str | None = None
    reviewed_on: str | None = None
    expires_on: str | None = None


class ReviewIn(_Closed):
    """A second person's word on one writing of a draft."""

    revision: Annotated[int, Field(ge=1)]
    decision: Literal["approve", "reject"]
    note: Note = ""


class LintIn(_Closed):
    """Which entries to look at: these as if they were drafts, all there are, or else the drafts."""

    entries: list[dict[str, Any]] | None = None
    all: bool = False


class PublishIn(_Closed):
    """Which drafts to publish (none named: all that are ready), and the errors that are accepted by their rule."""

    note: Note = ""
    entries: Annotated[list[Identifier], Field(max_length=10_000)] | None = None
    accept: Annotated[list[str], Field(max_length=64)] = []
    dry_run: bool = False
    # How many of the last stored questions are tried with the new entries.
    questions: Annotated[int, Field(ge=0, le=2000)] = 200


class RollbackIn(_Closed):
    """Which version to go back to; 0 are the shipped entries."""

    version: Annotated[int, Field(ge=0)]
    note: Note = ""


class DraftOut(BaseModel):
    """A writing of an entry that is not published; without an entry it takes the published one away."""

    revision: int
    author: str
    drafted_at: AwareDatetime
    state: Literal["open", "approved", "rejected"]
    reviewer: str | None
    reviewed_at: AwareDatetime | None
    note: str
    needs_second_person: bool
    ready: bool
    entry: EntryIn | None


class EntryOut(BaseModel):
    """An entry as it is published and as it is drafted."""

    entry_id: str
    kind: Literal["faq", "claims"]
    published: EntryIn | None
    draft: DraftOut | None


class EntriesOut(BaseModel):
    """Entries by id; `next` is the `after` of the page that follows."""

    version: int
    entries: list[EntryOut]
    next: str | None


class FlawOut(BaseModel):
    """What is wrong with an entry, by which rule."""

    rule: str
    level: Literal["error", "warning"]
    entry_id: str
    other_id: str | None
    what: str


class FlawsOut(BaseModel):
    """Every flaw found."""

    flaws: list[FlawOut]


class ChangeOut(BaseModel):
    """A field of an entry before and after."""

    entry_id: str
    field: str
    before: Any
    after: Any


class RejectedOut(BaseModel):
    """A row that is no entry, and why."""

    where: str
    reason: str


class ImportOut(BaseModel):
    """What taking over a file would do, or did."""

    applied: bool
    added: list[str]
    changed: list[ChangeOut]
    unchanged: int
    rejected: list[RejectedOut]


class FoundOut(BaseModel):
    """What a question finds."""

    decision: str
    entry_id: str | None
    answer: str | None


class DifferenceOut(BaseModel):
    """A stored question that is answered differently."""

    group_id: str
    message_id: str
    text: str
    before: FoundOut
    after: FoundOut


class PublishedOut(BaseModel):
    """What came of a publish; `version` is null where it was only tried."""

    version: int | None
    base: int
    in_use: bool
    sizes: dict[str, int]
    published: list[str]
    waiting: list[str]
    flaws: list[FlawOut]
    answered_differently: list[DifferenceOut]


class RolledBackOut(BaseModel):
    """The version that is in use again; `in_use` is false while the judge has yet to catch up."""

    version: int
    in_use: bool


class VersionOut(BaseModel):
    """A published version."""

    version: int
    base: int
    published_at: AwareDatetime
    publisher: str
    note: str
    digest: str
    sizes: dict[str, int]


class MoveOut(BaseModel):
    """When which version came into use."""

    version: int
    action: Literal["publish", "rollback"]
    moved_by: str
    moved_at: AwareDatetime
    note: str


class VersionsOut(BaseModel):
    """Every version, newest first, and the last moves between them."""

    current: int
    versions: list[VersionOut]
    moves: list[MoveOut]


READ_REVIEW: TypeAdapter[ReviewIn] = TypeAdapter(ReviewIn)
READ_LINT: TypeAdapter[LintIn] = TypeAdapter(LintIn)
READ_PUBLISH: TypeAdapter[PublishIn] = TypeAdapter(PublishIn)
READ_ROLLBACK: TypeAdapter[RollbackIn] = TypeAdapter(RollbackIn)
