"""Who read an older text of an entry, as it comes in and goes out."""

from __future__ import annotations

from typing import Annotated

from pydantic import AwareDatetime, BaseModel, Field, TypeAdapter

from ragcomm_api.schemas.messages import Closed, Identifier, Optional


class OutdatedOut(BaseModel):
    """A message under which an older text stands, and the newest text they were told of since, if any."""

    group_id: str
    message_id: str
    text_sha256: str
    posted_at: AwareDatetime
    told_sha256: str | None
    told_at: AwareDatetime | None


class CorrectionsOut(BaseModel):
    """The text that holds now (null: the entry was withdrawn), its digest, and whoever does not know it yet."""

    entry_id: str
    text: str | None
    text_sha256: str
    outdated: list[OutdatedOut]
    total: int


class Receiver(Closed):
    """A message under which an entry was posted."""

    group_id: Optional
    message_id: Identifier


class Told(Closed):
    """Who was told of the newest text of an entry."""

    entry_id: Identifier
    text_sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
    messages: Annotated[list[Receiver], Field(min_length=1, max_length=1000)]


class ToldOut(BaseModel):
    """For how many of them it was news."""

    told: int


READ_TOLD: TypeAdapter[Told] = TypeAdapter(Told)
