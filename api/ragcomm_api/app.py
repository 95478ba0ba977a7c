"""The application: parts built at start, routes, and the way errors leave."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.openapi.utils import get_openapi
from pydantic import ValidationError
from sqlalchemy import Engine
from starlette.exceptions import HTTPException

from ragcomm import __version__
from ragcomm.errors import RagcommError
from ragcomm.knowledge.manners import Manners, Rules
from ragcomm.settings import Settings
from ragcomm.storage.database import migrate, open_database
from ragcomm.storage.gaps import GapStore
from ragcomm.storage.keys import KeyStore, digest
from ragcomm.storage.postings import PostingStore
from ragcomm.storage.unanswered import UnansweredQuestions
from ragcomm.storage.writer import Writer
from ragcomm_api.auth import Keyring
from ragcomm_api.dependencies import Parts
from ragcomm_api.edge import Edge, Metrics
from ragcomm_api.gaps import Gaps
from ragcomm_api.intake import Intake
from ragcomm_api.judge import Judge
from ragcomm_api.memory import settle
from ragcomm_api.problems import Problem, on_problem
from ragcomm_api.publishing import Publisher, published_by
from ragcomm_api.routes import corrections, entries, gaps, health, knowledge, messages, pages, search
from ragcomm_api.routes.direct import DirectRoute
from ragcomm_api.schemas.messages import ProblemOut
from ragcomm_api.schemas.openapi import BODIES, complete
from ragcomm_api.wire import silence
from ragcomm_api.writes import make_write, take_back


def create(settings: Settings | None = None) -> FastAPI:
    """Builds the application; what is slow to build is built when it starts."""
    settings = settings or Settings()
    metrics = Metrics()
    app = FastAPI(
        title="ragcomm",
        version=__version__,
        lifespan=_lifespan(settings, metrics),
        docs_url=None,
        redoc_url=None,
    )
    for module in (messages, search, entries, knowledge, gaps, corrections, health, pages):
        app.include_router(module.router)
    routes = [*messages.router.routes, *search.router.routes]
    direct = {(method, r.path): r for r in routes if isinstance(r, DirectRoute) for method in r.methods or ()}
    for kind in (Problem, ValidationError, RequestValidationError, RagcommError, HTTPException, Exception):
        app.add_exception_handler(kind, on_problem)
    app.add_middleware(Edge, metrics=metrics, most_bytes=settings.most_body_bytes, direct=direct)
    BODIES["ProblemOut"] = ProblemOut
    app.openapi = lambda: _openapi(app)  # type: ignore[method-assign]
    return app


def _openapi(app: FastAPI) -> dict[str, Any]:
    if app.openapi_schema is None:
        app.openapi_schema = complete(get_openapi(title=app.title, version=app.version, routes=app.routes))
    return app.openapi_schema


def _lifespan(settings: Settings, metrics: Metrics) -> Any:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            ready: asyncio.Future[Publisher] = asyncio.get_running_loop().create_future()
            judge = Judge(settings, published_by(ready))
            stack.push_async_callback(judge.close)
            # The judge loads its models while the database is made ready.
            starting = asyncio.create_task(judge.start())
            stack.callback(starting.cancel)
            engine = open_database(settings.database_url)
            stack.callback(engine.dispose)
            await asyncio.to_thread(migrate, engine)
            publisher = Publisher(settings, judge, engine)
            ready.set_result(publisher)
            keys = KeyStore(engine)
            _first_key(keys, settings, engine)
            writer = Writer(engine, length=settings.queue_length, on_commit=metrics.committed)
            stack.push_async_callback(asyncio.to_thread, writer.close)
            await starting
            manners = await asyncio.to_thread(_manners, settings, PostingStore(engine))
            writes = partial(make_write, metrics, manners)
            intake = Intake(judge, writer, manners, writes, partial(take_back, manners))
            found = Gaps(judge, UnansweredQuestions(engine, silence), GapStore(engine))
            app.state.parts = Parts(
                settings, judge, engine, writer, Keyring(keys), metrics, intake, publisher, found, manners
            )
            following = asyncio.create_task(publisher.follow())
            stack.callback(following.cancel)
            settle()
            yield
            app.state.parts = None

    return lifespan


def _manners(settings: Settings, postings: PostingStore) -> Manners:
    """The manners with what was posted before the service was stopped."""
    manners = Manners(Rules(cooldown_s=settings.answer_cooldown_s, lateness_s=settings.answer_lateness_s))
    for posting in postings.since(datetime.now(UTC) - timedelta(seconds=settings.answer_cooldown_s)):
        manners.remember(posting.group_id, posting.entry_id, posting.message_id, posting.posted_at.timestamp())
    return manners


def _first_key(keys: KeyStore, settings: Settings, engine: Engine) -> None:
    """Makes the admin key of a new database and prints it, once; a given one is only registered."""
    now = datetime.now(UTC)
    valid = keys.valid()
    if settings.bootstrap_key is not None:
        secret = settings.bootstrap_key.get_secret_value()
        if digest(secret) not in valid:
            keys.create("bootstrap", ["admin"], now=now, secret=secret)
    elif not valid:
        _, secret = keys.create("first admin", ["admin"], now=now)
        print(f"\n  admin key (shown this once): {secret}\n", file=sys.stderr, flush=True)
