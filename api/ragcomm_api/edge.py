"""What happens to every request before and after its route: size limit, metrics, headers, log line."""

from __future__ import annotations

import time
from collections.abc import Mapping, MutableMapping
from http import HTTPStatus
from typing import Any

import structlog
from fastapi import Request, Response
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ragcomm.records import Action, Decision
from ragcomm_api.problems import Problem, on_problem
from ragcomm_api.routes.direct import DirectRoute

log = structlog.get_logger()

_HEADERS = [
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (
        b"content-security-policy",
        b"default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; "
        b"base-uri 'none'; frame-ancestors 'none'",
    ),
]


class Metrics:
    """What Prometheus is told; one registry an application."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "ragcomm_requests", "Requests by route and status.", ("route", "status"), registry=self.registry
        )
        self.seconds = Histogram(
            "ragcomm_request_seconds",
            "Time from request to reply.",
            ("route",),
            registry=self.registry,
            buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5),
        )
        self.verdicts = Counter("ragcomm_verdicts", "Judged messages by action.", ("action",), registry=self.registry)
        self.answers = Counter(
            "ragcomm_answers", "Searched questions by decision.", ("decision",), registry=self.registry
        )
        self.kept_back = Counter(
            "ragcomm_withheld", "Answers that were kept back, by reason.", ("reason",), registry=self.registry
        )
        # Looking a child up by its labels on every message would cost more than counting.
        self._actions = {str(action): self.verdicts.labels(action) for action in Action}
        self._decisions = {str(decision): self.answers.labels(decision) for decision in Decision}
        self.commits = Counter("ragcomm_commits", "Commits.", registry=self.registry)
        self.rows = Counter("ragcomm_committed_messages", "Messages committed.", registry=self.registry)
        self.waiting = Gauge("ragcomm_write_queue", "Requests waiting for a commit.", registry=self.registry)

    def verdict(self, action: str) -> None:
        """One more judged message."""
        self._actions[action].inc()

    def judged(self, action: str, decision: str | None) -> None:
        """One more message with what was decided about an answer to it, if one was looked for."""
        self.verdict(action)
        if decision is not None:
            self._decisions[decision].inc()

    def withheld(self, reason: str) -> None:
        """One more answer that was found and kept back."""
        self.kept_back.labels(reason).inc()

    def committed(self, rows: int) -> None:
        """One more commit, of so many messages."""
        self.commits.inc()
        self.rows.inc(rows)


# Method and path.
Call = tuple[str, str]


async def _called(route: DirectRoute, request: Request) -> Response:
    """What a route answers, errors too."""
    try:
        response: Response = await route.endpoint(request)
    except Exception as error:
        response = await on_problem(request, error)
        if response.status_code == HTTPStatus.INTERNAL_SERVER_ERROR:
            # The message of an error may hold a member's words; its kind does not.
            log.error("a route failed", route=route.path, kind=type(error).__name__)
    return response


class Edge:
    """The outermost layer, plain ASGI because it is on the path of every message."""

    def __init__(self, app: ASGIApp, metrics: Metrics, most_bytes: int, direct: Mapping[Call, DirectRoute]) -> None:
        """`direct` are the routes that are reached without the framework's layers between here and there."""
        self._app, self._metrics, self._most = app, metrics, most_bytes
        self._direct = direct
        self._children: dict[tuple[str, int], tuple[Any, Any]] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes the request on, unless it is too large."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        status = 500

        async def answer(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message.get("headers", ()), *_HEADERS]
            await send(message)

        try:
            await self._guarded(scope, receive, answer)
        finally:
            self._record(scope, status, time.perf_counter() - started)

    async def _guarded(self, scope: Scope, receive: Receive, answer: Send) -> None:
        declared = next((v for k, v in scope["headers"] if k == b"content-length"), b"0")
        if not declared.isdigit() or int(declared) > self._most:
            await self._too_large().response()(scope, receive, answer)
            return
        seen = 0

        async def counted() -> Message:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > self._most:
                raise self._too_large()
            return message

        route = self._direct.get((scope["method"], scope["path"]))
        if route is None:
            await self._app(scope, counted, answer)
            return
        scope["route"] = route
        await (await _called(route, Request(scope, counted)))(scope, counted, answer)

    def _too_large(self) -> Problem:
        return Problem(413, f"the body is larger than {self._most} bytes")

    def _record(self, scope: MutableMapping[str, Any], status: int, seconds: float) -> None:
        route = getattr(scope.get("route"), "path", "unknown")
        children = self._children.get((route, status))
        if children is None:
            children = (
                self._metrics.requests.labels(route, str(status)),
                self._metrics.seconds.labels(route),
            )
            self._children[route, status] = children
        children[0].inc()
        children[1].observe(seconds)
        if status >= 500:
            log.error("request failed", route=route, status=status, seconds=round(seconds, 4))
