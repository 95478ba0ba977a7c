"""Messages: judged, stored, answered; single, in batches, or judged only."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import orjson
from fastapi import APIRouter, Request, Response
from pydantic import ValidationError

from ragcomm.records import ApiKey, Message
from ragcomm.storage.messages import Idempotent
from ragcomm_api.auth import require_group
from ragcomm_api.dependencies import Parts, parts_of
from ragcomm_api.judge import Judged
from ragcomm_api.problems import Problem, from_validation
from ragcomm_api.promises import promise_of
from ragcomm_api.routes.direct import DirectRoute
from ragcomm_api.schemas.messages import (
    READ_MESSAGE,
    READ_TO_JUDGE,
    Batch,
    BatchOut,
    JudgedOut,
    MessageIn,
    MessageToJudge,
    OutcomeOut,
)
from ragcomm_api.schemas.openapi import takes
from ragcomm_api.wire import message_json
from ragcomm_api.writes import make_write, take_back

router = APIRouter(prefix="/v1", route_class=DirectRoute, tags=["messages"])
NDJSON = "application/x-ndjson"


@router.post("/messages", response_model=OutcomeOut, openapi_extra=takes(MessageIn, idempotent=True))
async def post_message(request: Request) -> Response:
    """Judges and stores one message; the reply leaves only after the commit."""
    parts = parts_of(request)
    key = await parts.keys.holder(request, "bot")
    body = await request.body()
    given = READ_MESSAGE.validate_json(body)
    _bounded(parts, given.text, given.quoted)
    require_group(key, "bot", given.group_id)
    return _json(await parts.intake.take(given.record(), promise_of(request, key, body)))


@router.post(
    "/messages:batch",
    response_model=BatchOut,
    openapi_extra=takes(Batch, idempotent=True, ndjson=True),
)
async def post_batch(request: Request) -> Response:
    """Judges and stores up to 1,000 messages; a bad line fails alone, with its index."""
    parts = parts_of(request)
    key = await parts.keys.holder(request, "bot")
    body = await request.body()
    ndjson = request.headers.get("content-type", "").split(";")[0].strip() == NDJSON
    lines = _ndjson_lines(body) if ndjson else _json_lines(body)
    if len(lines) > parts.settings.most_messages:
        raise Problem(413, f"{len(lines)} messages in one batch, at most {parts.settings.most_messages} are taken")
    read = [_read_line(parts, key, line) for line in lines]
    good = [m for m in read if isinstance(m, Message)]
    parts.intake.hear(good)
    judged = await parts.judge.run(good)
    stored = iter(await _store(parts, good, judged, promise_of(request, key, body)) if good else [])
    results = [
        b'{"index":%d,"outcome":%b,"error":null}' % (i, next(stored))
        if isinstance(m, Message)
        else orjson.dumps({"index": i, "outcome": None, "error": m.body()})
        for i, m in enumerate(read)
    ]
    if ndjson:
        return Response(b"".join(r + b"\n" for r in results), media_type=NDJSON)
    return _json(b'{"results":[' + b",".join(results) + b"]}")


@router.post("/moderate", response_model=JudgedOut, openapi_extra=takes(MessageToJudge))
async def post_moderate(request: Request) -> Response:
    """The verdict alone: nothing is stored, no state is touched."""
    parts = parts_of(request)
    key = await parts.keys.holder(request, "bot")
    given = READ_TO_JUDGE.validate_json(await request.body())
    _bounded(parts, given.text, given.quoted)
    require_group(key, "bot", given.group_id)
    message = given.record()
    action, verdict = await parts.judge.verdict(message)
    parts.metrics.verdict(action)
    return _json(b'{"message":%b,"verdict":%b}' % (orjson.dumps(message_json(message)), verdict))


def _bounded(parts: Parts, *texts: str | None) -> None:
    most = parts.settings.most_text_characters
    for text in texts:
        if text is not None and len(text) > most:
            raise Problem(413, f"a text of {len(text)} characters, at most {most} are taken")


def _json(content: bytes) -> Response:
    return Response(content, media_type="application/json")


async def _store(
    parts: Parts, messages: Sequence[Message], judged: Sequence[Judged], promise: Idempotent | None
) -> list[bytes]:
    write = make_write(parts.metrics, parts.manners, messages, judged, promise)
    try:
        stored = (await asyncio.wrap_future(parts.writer.submit([write])))[0]
        if isinstance(stored, Exception):
            raise stored
    except Exception:
        take_back(parts.manners, write)
        raise
    return stored


def _json_lines(body: bytes) -> list[Any]:
    try:
        given = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise Problem(400, f"the body is not valid JSON: {error}") from error
    if not isinstance(given, dict) or set(given) != {"messages"}:
        raise Problem(422, 'the body must be {"messages": [...]} and nothing else')
    if not isinstance(given["messages"], list):
        raise Problem(422, "messages must be a list")
    return given["messages"]


def _ndjson_lines(body: bytes) -> list[Any]:
    return [_Line(line) for line in body.split(b"\n") if line.strip()]


class _Line(bytes):
    """A line of NDJSON that is yet to be read."""


def _read_line(parts: Parts, key: ApiKey, line: Any) -> Message | Problem:
    try:
        if isinstance(line, _Line):
            given = READ_MESSAGE.validate_json(line)
        else:
            given = READ_MESSAGE.validate_json(orjson.dumps(line))
        _bounded(parts, given.text, given.quoted)
        require_group(key, "bot", given.group_id)
    except ValidationError as error:
        return from_validation(error)
    except Problem as problem:
        return problem
    return given.record()
