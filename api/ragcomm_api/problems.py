"""Errors as application/problem+json (RFC 9457)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

import orjson
from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError
from pydantic_core import ErrorDetails
from starlette.exceptions import HTTPException

from ragcomm.errors import (
    Conflict,
    IdempotencyConflict,
    InvalidInput,
    QueueFull,
    RagcommError,
    Refused,
    SamePerson,
    Stale,
    Unavailable,
    UnknownEntry,
    UnknownGap,
    WriteFailed,
)

MEDIA_TYPE = "application/problem+json"


class Problem(Exception):
    """An answer that is an error: status, what happened, and where."""

    def __init__(
        self,
        status: int,
        detail: str,
        *,
        errors: Sequence[Mapping[str, Any]] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status, self.detail = status, detail
        self.errors, self.headers = list(errors), dict(headers or {})

    def body(self) -> dict[str, Any]:
        """The members of the problem document."""
        title = HTTPStatus(self.status).phrase
        return {
            "type": f"urn:ragcomm:problem:{title.lower().replace(' ', '-')}",
            "title": title,
            "status": self.status,
            "detail": self.detail,
            "errors": self.errors,
        }

    def response(self) -> Response:
        """The document as a response."""
        return Response(orjson.dumps(self.body()), self.status, headers=self.headers, media_type=MEDIA_TYPE)


def from_validation(error: ValidationError) -> Problem:
    """400 for what is no JSON, 413 for what is too long, 422 for all else; never echoes the input."""
    details = error.errors(include_url=False, include_input=False, include_context=False)
    kinds = {d["type"] for d in details}
    errors = [_where(d) for d in details]
    if "json_invalid" in kinds:
        return Problem(400, f"the body is not valid JSON: {details[0]['msg']}", errors=errors)
    first = f"{errors[0]['where']}: {errors[0]['message']}"
    if kinds == {"string_too_long"}:
        return Problem(413, first, errors=errors)
    return Problem(422, first, errors=errors)


def _where(detail: ErrorDetails) -> dict[str, str]:
    place = ".".join(str(part) for part in detail["loc"]) or "body"
    return {"where": place, "message": detail["msg"], "kind": detail["type"]}


def from_error(error: RagcommError) -> Problem:
    """The problem that an error of the library is for a caller."""
    match error:
        case QueueFull() | Unavailable():
            return Problem(503, str(error), headers={"Retry-After": str(error.retry_after_s)})
        case WriteFailed():
            return Problem(503, str(error), headers={"Retry-After": "5"})
        case IdempotencyConflict() | Stale() | Conflict():
            return Problem(409, str(error))
        case UnknownGap() | UnknownEntry():
            return Problem(404, str(error))
        case SamePerson():
            return Problem(403, str(error))
        case Refused():
            return Problem(422, str(error), errors=error.reasons)
        case InvalidInput():
            return Problem(422, str(error))
    return Problem(500, "the service failed; nothing was stored")


async def on_problem(_request: Request, error: Exception) -> Response:
    """Handles `Problem` and every other exception a route lets through."""
    match error:
        case Problem():
            return error.response()
        case ValidationError():
            return from_validation(error).response()
        case RequestValidationError():
            errors = [{"where": ".".join(map(str, e["loc"])), "message": e["msg"]} for e in error.errors()]
            return Problem(422, "the request is not as expected", errors=errors).response()
        case RagcommError():
            return from_error(error).response()
        case HTTPException():
            return Problem(error.status_code, str(error.detail), headers=error.headers).response()
    return Problem(500, "the service failed; nothing was stored").response()
