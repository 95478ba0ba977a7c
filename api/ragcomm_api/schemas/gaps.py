"""Gaps of the knowledge base, as they come in and go out."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, Field, TypeAdapter, model_validator

from ragcomm_api.schemas.messages import Closed, Identifier, Optional


class NearestOut(BaseModel):
    """The entry that comes nearest, with the highest confidence that any of the questions had in it."""

    entry_id: str
    confidence: float


class ExampleOut(BaseModel):
    """One of the questions."""

    text: str
    group_id: str
    message_id: str
    asked_at: AwareDatetime


class GapOut(BaseModel):
    """Questions that ask for the same and got no answer; `title` is the most central of them."""

    id: str
    title: str
    askers: int
    questions: int
    groups: list[str]
    nearest: NearestOut | None
    examples: list[ExampleOut]
    first_seen: AwareDatetime
    last_seen: AwareDatetime


class GapsOut(BaseModel):
    """The gaps that most people ask about, and how many there are."""

    gaps: list[GapOut]
    total: int


class Resolve(Closed):
    """What becomes of a gap; `group_id` where the gaps of one group were looked at."""

    become: Annotated[Literal["entry", "alternate", "ignore"], Field(alias="as")]
    entry_id: Identifier | None = None
    group_id: Optional = ""

    @model_validator(mode="after")
    def _fits(self) -> Resolve:
        if (self.become == "alternate") != (self.entry_id is not None):
            raise ValueError("entry_id names the entry of an alternate, and nothing else")
        return self


class DraftOut(BaseModel):
    """A new entry to be: what is asked, and in which other words."""

    question: str
    alternates: list[str]


class AlternateOut(BaseModel):
    """More wordings for an entry."""

    entry_id: str
    wordings: list[str]


class ResolvedOut(BaseModel):
    """A gap that does not come back for the same questions, and what was made of it."""

    id: str
    resolved_as: Literal["entry", "alternate", "ignore"]
    draft: DraftOut | None
    alternate: AlternateOut | None


READ_RESOLVE: TypeAdapter[Resolve] = TypeAdapter(Resolve)
