"""Versions of the entries: published, gone back to, listed."""

from __future__ import annotations

import asyncio
from typing import Any

import orjson
from fastapi import APIRouter, Request, Response

from ragcomm.records import ApiKey
from ragcomm.storage.entries import EntryStore
from ragcomm_api.dependencies import Parts, parts_of
from ragcomm_api.problems import Problem
from ragcomm_api.promises import once
from ragcomm_api.publishing import Answered, Order, Published
from ragcomm_api.schemas.entries import (
    READ_PUBLISH,
    READ_ROLLBACK,
    PublishedOut,
    PublishIn,
    RollbackIn,
    RolledBackOut,
    VersionsOut,
)
from ragcomm_api.schemas.openapi import takes
from ragcomm_api.wire import flaw_json

router = APIRouter(prefix="/v1", tags=["knowledge"])
# Moves that are shown; all of them stay in the database.
_MOST_MOVES = 100


@router.post("/knowledge:publish", response_model=PublishedOut, openapi_extra=takes(PublishIn, idempotent=True))
async def publish(request: Request) -> Response:
    """Publishes drafts: built aside, tried with every entry's own question, then put to use without a pause."""
    parts, key = await _called(request)
    body = await request.body()
    given = READ_PUBLISH.validate_json(body or b"{}")
    order = Order(by=key.id, note=given.note, only=given.entries, accept=given.accept, questions=given.questions)

    async def work() -> bytes:
        return orjson.dumps(_published_json(await parts.publisher.publish(order, dry_run=given.dry_run)))

    return await once(parts, request, key, body, work)


@router.post("/knowledge:rollback", response_model=RolledBackOut, openapi_extra=takes(RollbackIn, idempotent=True))
async def rollback(request: Request) -> Response:
    """Goes back to an earlier version; drafts stay as they are."""
    parts, key = await _called(request)
    body = await request.body()
    given = READ_ROLLBACK.validate_json(body)

    async def work() -> bytes:
        in_use = await parts.publisher.roll_back(given.version, by=key.id, note=given.note)
        return orjson.dumps({"version": given.version, "in_use": in_use})

    return await once(parts, request, key, body, work)


@router.get("/knowledge/versions", response_model=VersionsOut)
async def versions(request: Request) -> Response:
    """Every version, newest first, which one is in use, and when which one was."""
    parts = parts_of(request)
    await parts.keys.holder(request, "moderator")
    told = await asyncio.to_thread(_versions_json, parts.publisher.store)
    return Response(orjson.dumps(told), media_type="application/json")


async def _called(request: Request) -> tuple[Parts, ApiKey]:
    """The parts and the admin's key; entries answer in every group, so one for some groups does not do."""
    parts = parts_of(request)
    key = await parts.keys.holder(request, "admin")
    if key.groups:
        raise Problem(403, "this key may act only in some groups, entries answer in all of them")
    return parts, key


def _versions_json(store: EntryStore) -> dict[str, Any]:
    return {"current": store.current(), "versions": store.versions(), "moves": store.moves(_MOST_MOVES)}


def _published_json(done: Published) -> dict[str, Any]:
    return {
        "version": done.version.version if done.version else None,
        "base": done.plan.base.version,
        "in_use": done.in_use,
        "sizes": {kind: len(entries) for kind, entries in done.plan.entries.items()},
        "published": [draft.entry_id for draft in done.plan.taken],
        "waiting": [draft.entry_id for draft in done.plan.waiting],
        "flaws": list(map(flaw_json, done.plan.flaws)),
        "answered_differently": list(map(_difference_json, done.differently)),
    }


def _difference_json(answered: Answered) -> dict[str, Any]:
    return {
        "group_id": answered.question.group_id,
        "message_id": answered.question.message_id,
        "text": answered.question.text,
        "before": answered.difference.now._asdict(),
        "after": answered.difference.then._asdict(),
    }
