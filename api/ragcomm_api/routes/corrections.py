"""Who read an older text of an entry, so that a correction can be pushed."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Annotated

import orjson
from fastapi import APIRouter, Query, Request, Response

from ragcomm.errors import Conflict, UnknownEntry
from ragcomm.knowledge.corrections import WITHDRAWN, text_sha256
from ragcomm.storage.corrections import CorrectionStore
from ragcomm_api.auth import groups_of, require_group
from ragcomm_api.dependencies import Parts, parts_of
from ragcomm_api.promises import promise_of
from ragcomm_api.schemas.corrections import READ_TOLD, CorrectionsOut, Told, ToldOut
from ragcomm_api.schemas.openapi import takes
from ragcomm_api.wire import posting_json

router = APIRouter(prefix="/v1/knowledge", tags=["knowledge"])
_SCOPE = "moderator"


@router.get("/corrections", response_model=CorrectionsOut)
async def get_corrections(
    request: Request,
    entry_id: Annotated[str, Query(min_length=1, max_length=128)],
    group_id: Annotated[str, Query(max_length=128)] = "",
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> Response:
    """Where an older text of an entry stands and nobody was told of the newest, the latest first."""
    parts = parts_of(request)
    key = await parts.keys.holder(request, _SCOPE)
    groups = groups_of(key, _SCOPE, group_id)
    text = await _newest(parts, entry_id)
    newest = text_sha256(text)
    store = CorrectionStore(parts.engine)
    outdated = await asyncio.to_thread(store.outdated, entry_id, newest, groups, limit)
    body = {
        "entry_id": entry_id,
        "text": text or None,
        "text_sha256": newest.hex(),
        "outdated": [posting_json(posting) for posting in outdated],
        "total": await asyncio.to_thread(store.count_outdated, entry_id, newest, groups),
    }
    return Response(orjson.dumps(body), media_type="application/json")


@router.post("/corrections:told", response_model=ToldOut, openapi_extra=takes(Told, idempotent=True))
async def post_told(request: Request) -> Response:
    """Marks messages as told of the newest text; refused where the text has changed again since it was read."""
    parts = parts_of(request)
    key = await parts.keys.holder(request, _SCOPE)
    body = await request.body()
    given = READ_TOLD.validate_json(body)
    for receiver in given.messages:
        require_group(key, _SCOPE, receiver.group_id)
    newest = text_sha256(await _newest(parts, given.entry_id))
    if newest.hex() != given.text_sha256:
        raise Conflict(f"the newest text of {given.entry_id!r} is {newest.hex()}, they were told of another")
    receivers = sorted({(receiver.group_id, receiver.message_id) for receiver in given.messages})
    told = await asyncio.to_thread(
        CorrectionStore(parts.engine).tell,
        given.entry_id,
        newest,
        receivers,
        now=datetime.now(UTC),
        promise=promise_of(request, key, body),
    )
    return Response(orjson.dumps({"told": told}), media_type="application/json")


async def _newest(parts: Parts, entry_id: str) -> str:
    """The text of an entry that holds now; that of a withdrawn one is empty.

    Raises:
        UnknownEntry: it neither is served nor ever was posted.
    """
    served = await parts.judge.entry(entry_id)
    if served is not None:
        return served.text
    if not await asyncio.to_thread(CorrectionStore(parts.engine).was_posted, entry_id):
        raise UnknownEntry(f"no entry {entry_id!r}")
    return WITHDRAWN
