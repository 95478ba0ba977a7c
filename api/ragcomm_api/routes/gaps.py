"""What members ask and no entry answers, and what moderators make of it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Query, Request, Response

from ragcomm.errors import UnknownEntry
from ragcomm.records import Gap
from ragcomm.storage.gaps import Resolution
from ragcomm_api.auth import groups_of
from ragcomm_api.dependencies import Parts, parts_of
from ragcomm_api.promises import promise_of
from ragcomm_api.schemas.gaps import READ_RESOLVE, GapsOut, Resolve, ResolvedOut
from ragcomm_api.schemas.openapi import takes
from ragcomm_api.wire import gap_json

router = APIRouter(prefix="/v1/knowledge", tags=["knowledge"])
_SCOPE = "moderator"
# So many ways of asking tell what is meant; a moderator reads them all.
_MOST_WORDINGS = 20


@router.get("/gaps", response_model=GapsOut)
async def get_gaps(
    request: Request,
    group_id: Annotated[str, Query(max_length=128)] = "",
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
) -> Response:
    """Questions that got no answer, in clusters: those that most people ask first."""
    parts = parts_of(request)
    key = await parts.keys.holder(request, _SCOPE)
    gaps = await parts.gaps.find(groups_of(key, _SCOPE, group_id))
    return _json({"gaps": [gap_json(gap) for gap in gaps[:limit]], "total": len(gaps)})


@router.post("/gaps/{gap_id}:resolve", response_model=ResolvedOut, openapi_extra=takes(Resolve, idempotent=True))
async def resolve_gap(request: Request, gap_id: str) -> Response:
    """Makes a gap a new entry's draft or alternates of an entry, or ignores it; its questions do not come back."""
    parts = parts_of(request)
    key = await parts.keys.holder(request, _SCOPE)
    body = await request.body()
    given = READ_RESOLVE.validate_json(body)
    promise = promise_of(request, key, body)
    groups = groups_of(key, _SCOPE, given.group_id)
    resolution = Resolution(gap_id=gap_id, resolved_as=given.become, entry_id=given.entry_id, key_id=key.id)
    before = await parts.gaps.earlier(resolution, promise)
    if before is not None:
        return Response(before, media_type="application/json")
    await _require_entry(parts, given.entry_id)
    gap, wordings = await parts.gaps.pick(gap_id, groups)
    answer = orjson.dumps(_resolved(gap, resolution))
    stored = await parts.gaps.resolve(
        resolution, gap.questions, wordings, answer, now=datetime.now(UTC), promise=promise
    )
    return Response(stored, media_type="application/json")


async def _require_entry(parts: Parts, entry_id: str | None) -> None:
    if entry_id is not None and await parts.judge.entry(entry_id) is None:
        raise UnknownEntry(f"no entry {entry_id!r}")


def _resolved(gap: Gap, resolution: Resolution) -> dict[str, Any]:
    wordings = gap.wordings[:_MOST_WORDINGS]
    draft = {"question": wordings[0], "alternates": wordings[1:]}
    alternate = {"entry_id": resolution.entry_id, "wordings": wordings}
    return {
        "id": resolution.gap_id,
        "resolved_as": resolution.resolved_as,
        "draft": draft if resolution.resolved_as == "entry" else None,
        "alternate": alternate if resolution.resolved_as == "alternate" else None,
    }


def _json(content: Any) -> Response:
    return Response(orjson.dumps(content), media_type="application/json")
