"""Idempotency keys: the same key with the same request gets the same answer."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

from fastapi import Request, Response

from ragcomm.records import ApiKey
from ragcomm.storage.messages import Idempotent
from ragcomm.storage.promises import keep_response, kept_response
from ragcomm_api.dependencies import Parts
from ragcomm_api.problems import Problem


def promise_of(request: Request, key: ApiKey, body: bytes) -> Idempotent | None:
    """The promise that a request makes with its `Idempotency-Key`, if it has one.

    Raises:
        Problem: 422 for a key of a wrong length.
    """
    given = request.headers.get("idempotency-key")
    if given is None:
        return None
    if not 0 < len(given) <= 255:
        raise Problem(422, "an Idempotency-Key has 1 to 255 characters")
    route = request.url.path.encode()
    return Idempotent(
        key_id=key.id,
        idempotency_key=given,
        request_sha256=hashlib.sha256(route + b"\n" + body).digest(),
    )


async def once(
    parts: Parts, request: Request, key: ApiKey, body: bytes, work: Callable[[], Awaitable[bytes]]
) -> Response:
    """Does what a request asks unless it was done before; JSON either way.

    An answer is kept after the work is committed: whoever repeats a request that died in between may be told that it
    was done.
    """
    promise = promise_of(request, key, body + b"\n" + request.url.query.encode())
    content = await asyncio.to_thread(kept_response, parts.engine, promise) if promise else None
    if content is None:
        content = await work()
        if promise:
            await asyncio.to_thread(keep_response, parts.engine, promise, content, now=datetime.now(UTC))
    return Response(content, media_type="application/json")
