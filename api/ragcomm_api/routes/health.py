"""Is it alive, is it ready, what has it done."""

from __future__ import annotations

import asyncio

import orjson
from fastapi import APIRouter, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from sqlalchemy import Engine, text
from sqlalchemy.exc import SQLAlchemyError

from ragcomm_api.dependencies import parts_of
from ragcomm_api.problems import Problem

router = APIRouter(tags=["operation"])


@router.get("/healthz", response_class=Response)
async def healthz() -> Response:
    """The process answers."""
    return Response(b'{"status":"alive"}', media_type="application/json")


@router.get("/readyz", response_class=Response)
async def readyz(request: Request) -> Response:
    """Models are loaded, the database answers and messages can be committed."""
    parts = parts_of(request)
    if not parts.judge.alive:
        raise Problem(503, "the judge is being started", headers={"Retry-After": "2"})
    if not parts.writer.alive:
        raise Problem(503, "the writer has stopped", headers={"Retry-After": "5"})
    try:
        await asyncio.to_thread(_ping, parts.engine)
    except SQLAlchemyError as error:
        raise Problem(
            503, f"the database does not answer: {type(error).__name__}", headers={"Retry-After": "5"}
        ) from error
    return Response(
        orjson.dumps({"status": "ready", "entries": parts.judge.sizes}),
        media_type="application/json",
    )


@router.get("/metrics", response_class=Response)
async def metrics(request: Request) -> Response:
    """Counters for Prometheus."""
    parts = parts_of(request)
    parts.metrics.waiting.set(parts.writer.waiting)
    return Response(generate_latest(parts.metrics.registry), media_type=CONTENT_TYPE_LATEST)


def _ping(engine: Engine) -> None:
    with engine.connect() as connection:
        connection.execute(text("SELECT 1"))
