"""Entries of both kinds: looked at, drafted, reviewed, linted, and exchanged as files."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

import orjson
from fastapi import APIRouter, Query, Request, Response

from ragcomm.errors import UnknownEntry
from ragcomm.knowledge.exchange import Reading, compare, from_row, to_row
from ragcomm.knowledge.publication import Draft, Edition, compose, is_ready, needs_second_person
from ragcomm.knowledge.sheets import MEDIA_TYPES, READERS, WRITERS
from ragcomm.records import ApiKey, Entry
from ragcomm_api.dependencies import Parts, parts_of
from ragcomm_api.problems import Problem
from ragcomm_api.promises import once
from ragcomm_api.schemas.entries import (
    READ_LINT,
    READ_REVIEW,
    EntriesOut,
    EntryIn,
    EntryOut,
    FlawsOut,
    ImportOut,
    LintIn,
    ReviewIn,
)
from ragcomm_api.schemas.openapi import file_of_entries, takes
from ragcomm_api.wire import flaw_json

router = APIRouter(prefix="/v1", tags=["knowledge"])
Format = Literal["jsonl", "csv", "xlsx"]
Limit = Annotated[int, Query(ge=1, le=500)]
Revision = Annotated[int | None, Query(ge=0, description="The draft's revision as last seen; 0: there is none.")]


@router.get("/faq/entries", response_model=EntriesOut)
@router.get("/claims/entries", response_model=EntriesOut)
async def list_entries(
    request: Request, state: Literal["all", "published", "draft"] = "all", after: str = "", limit: Limit = 100
) -> Response:
    """Entries by id, each as published and as drafted."""
    parts, _, kind = await _called(request)
    edition, drafts = await _known(parts, kind)
    published = {e.id: e for e in edition.entries[kind]}
    ids = {"all": published.keys() | drafts.keys(), "published": published.keys(), "draft": drafts.keys()}[state]
    page = sorted(entry_id for entry_id in ids if entry_id > after)
    shown = [_entry_json(kind, entry_id, published.get(entry_id), drafts.get(entry_id)) for entry_id in page[:limit]]
    more = page[limit - 1] if len(page) > limit else None
    return _json({"version": edition.version, "entries": shown, "next": more})


@router.post("/faq/entries:import", response_model=ImportOut, openapi_extra=file_of_entries())
@router.post("/claims/entries:import", response_model=ImportOut, openapi_extra=file_of_entries())
async def import_entries(request: Request, format: Format = "jsonl", apply: bool = False) -> Response:
    """What a file would change; `apply` writes the changes as drafts, rejected rows left out."""
    parts, key, kind = await _called(request)
    body = await request.body()
    if not apply:
        _, told = await asyncio.to_thread(_dry_run, parts, kind, format, body)
        return _json({"applied": False, **told})

    async def work() -> bytes:
        read, told = await asyncio.to_thread(_dry_run, parts, kind, format, body)
        touched = {*told["added"], *(change["entry_id"] for change in told["changed"])}
        wanted = [entry for entry in read.entries if entry.id in touched]
        now = datetime.now(UTC)
        await asyncio.to_thread(parts.publisher.store.put_all, kind, wanted, author=key.id, now=now)
        return orjson.dumps({"applied": True, **told})

    return await once(parts, request, key, body, work)


@router.get("/faq/entries:export", response_class=Response)
@router.get("/claims/entries:export", response_class=Response)
async def export_entries(request: Request, format: Format = "jsonl", drafts: bool = False) -> Response:
    """The published entries as a file; with `drafts`, as they would be once all drafts are published."""
    parts, _, kind = await _called(request)
    edition, known = await _known(parts, kind)
    entries = compose(edition.entries[kind], list(known.values()) if drafts else [])
    content = await asyncio.to_thread(WRITERS[format], entries)
    name = f"{kind}-{edition.version}.{format}"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(content, media_type=MEDIA_TYPES[format], headers=headers)


@router.post("/faq/entries:lint", response_model=FlawsOut, openapi_extra=takes(LintIn))
@router.post("/claims/entries:lint", response_model=FlawsOut, openapi_extra=takes(LintIn))
async def lint_entries(request: Request) -> Response:
    """What is wrong with the drafts, with given entries, or with all there are."""
    parts, _, kind = await _called(request)
    given = READ_LINT.validate_json(await request.body() or b"{}")
    entries = None
    if given.entries is not None:
        entries = [from_row(kind, row, f"entries.{i}") for i, row in enumerate(given.entries)]
    flaws = await parts.publisher.lint(kind, entries, whole=given.all)
    return _json({"flaws": list(map(flaw_json, flaws))})


@router.get("/faq/entries/{entry_id}", response_model=EntryOut)
@router.get("/claims/entries/{entry_id}", response_model=EntryOut)
async def get_entry(request: Request, entry_id: str) -> Response:
    """One entry as published and as drafted."""
    parts, _, kind = await _called(request)
    edition, drafts = await _known(parts, kind)
    return _shown(kind, entry_id, edition, drafts.get(entry_id))


@router.put("/faq/entries/{entry_id}", response_model=EntryOut, openapi_extra=takes(EntryIn))
@router.put("/claims/entries/{entry_id}", response_model=EntryOut, openapi_extra=takes(EntryIn))
async def put_draft(request: Request, entry_id: str, revision: Revision = None) -> Response:
    """Writes a draft; a review of an earlier writing is void."""
    parts, key, kind = await _called(request)
    entry = _read_entry(kind, entry_id, await request.body())
    edition = await parts.publisher.edition()
    draft = await asyncio.to_thread(
        parts.publisher.store.put, kind, entry_id, entry, author=key.id, now=datetime.now(UTC), revision=revision
    )
    return _shown(kind, entry_id, edition, draft)


@router.delete("/faq/entries/{entry_id}", status_code=204, response_class=Response)
@router.delete("/claims/entries/{entry_id}", status_code=204, response_class=Response)
async def delete_draft(request: Request, entry_id: str, revision: Revision = None) -> Response:
    """Throws a draft away; what is published stays."""
    parts, _, kind = await _called(request)
    await asyncio.to_thread(parts.publisher.store.discard, kind, entry_id, revision=revision)
    return Response(status_code=204)


@router.post("/faq/entries/{entry_id}:retire", response_model=EntryOut, openapi_extra=takes(None, idempotent=True))
@router.post("/claims/entries/{entry_id}:retire", response_model=EntryOut, openapi_extra=takes(None, idempotent=True))
async def retire_entry(request: Request, entry_id: str) -> Response:
    """Drafts that a published entry is taken away with the next publish."""
    parts, key, kind = await _called(request)

    async def work() -> bytes:
        edition = await parts.publisher.edition()
        if edition.find(kind, entry_id) is None:
            raise UnknownEntry(f"no entry {entry_id!r} is published")
        now = datetime.now(UTC)
        draft = await asyncio.to_thread(parts.publisher.store.put, kind, entry_id, None, author=key.id, now=now)
        return bytes(_shown(kind, entry_id, edition, draft).body)

    return await once(parts, request, key, await request.body(), work)


@router.post("/faq/entries/{entry_id}:review", response_model=EntryOut, openapi_extra=takes(ReviewIn, idempotent=True))
@router.post(
    "/claims/entries/{entry_id}:review", response_model=EntryOut, openapi_extra=takes(ReviewIn, idempotent=True)
)
async def review_draft(request: Request, entry_id: str) -> Response:
    """A second person agrees to a draft or rejects it; never its author."""
    parts, key, kind = await _called(request)
    body = await request.body()
    given = READ_REVIEW.validate_json(body)

    async def work() -> bytes:
        edition = await parts.publisher.edition()
        draft = await asyncio.to_thread(
            parts.publisher.store.review,
            kind,
            entry_id,
            revision=given.revision,
            reviewer=key.id,
            approve=given.decision == "approve",
            note=given.note,
            now=datetime.now(UTC),
        )
        return bytes(_shown(kind, entry_id, edition, draft).body)

    return await once(parts, request, key, body, work)


async def _called(request: Request) -> tuple[Parts, ApiKey, str]:
    """The parts, the moderator's key, and the kind that the path names (/v1/KIND/…)."""
    parts = parts_of(request)
    key = await parts.keys.holder(request, "moderator")
    return parts, key, request.url.path.split("/")[2]


async def _known(parts: Parts, kind: str) -> tuple[Edition, dict[str, Draft]]:
    edition = await parts.publisher.edition()
    drafts = await asyncio.to_thread(parts.publisher.store.drafts, kind)
    return edition, {draft.entry_id: draft for draft in drafts}


def _read_entry(kind: str, entry_id: str, body: bytes) -> Entry:
    try:
        given = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise Problem(400, f"the body is not valid JSON: {error}") from error
    if not isinstance(given, dict):
        raise Problem(422, "the body must be an entry")
    if given.get("id") not in (None, entry_id):
        raise Problem(422, f"the body is the entry {str(given['id'])[:60]!r}, the path names {entry_id!r}")
    return from_row(kind, {**given, "id": entry_id}, "body")


def _dry_run(parts: Parts, kind: str, form: str, body: bytes) -> tuple[Reading, dict[str, Any]]:
    """What a file holds, and what it would change of the entries as published and drafted."""
    read = READERS[form](kind, body)
    drafts = parts.publisher.store.drafts(kind)
    diff = compare(compose(parts.publisher.current().entries[kind], drafts), read)
    told = {"added": diff.added, "changed": [_fields(c) for c in diff.changed], "unchanged": len(diff.unchanged)}
    return read, {**told, "rejected": [_fields(r) for r in diff.rejected]}


def _fields(record: Any) -> dict[str, Any]:
    return {name: getattr(record, name) for name in record.__slots__}


def _shown(kind: str, entry_id: str, edition: Edition, draft: Draft | None) -> Response:
    published = edition.find(kind, entry_id)
    if published is None and draft is None:
        raise UnknownEntry(f"there is no entry {entry_id!r}")
    return _json(_entry_json(kind, entry_id, published, draft))


def _entry_json(kind: str, entry_id: str, published: Entry | None, draft: Draft | None) -> dict[str, Any]:
    shown = {"entry_id": entry_id, "kind": kind, "published": to_row(published) if published else None, "draft": None}
    if draft is not None:
        shown["draft"] = {
            "revision": draft.revision,
            "author": draft.author,
            "drafted_at": draft.drafted_at,
            "state": draft.state,
            "reviewer": draft.reviewer,
            "reviewed_at": draft.reviewed_at,
            "note": draft.note,
            "needs_second_person": needs_second_person(draft, published),
            "ready": is_ready(draft, published),
            "entry": to_row(draft.entry) if draft.entry else None,
        }
    return shown


def _json(content: Mapping[str, Any]) -> Response:
    return Response(orjson.dumps(content), media_type="application/json")
