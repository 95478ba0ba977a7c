"""The pages for people: try a message, read the calls. Plain HTML, no script."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

import orjson
from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse

from ragcomm import __version__
from ragcomm.records import Message
from ragcomm_api.dependencies import parts_of
from ragcomm_api.problems import Problem
from ragcomm_api.wire import outcome_document

if TYPE_CHECKING:
    from jinja2 import Environment

router = APIRouter(include_in_schema=False)
_CONSOLE = Path(__file__).parent.parent / "console"
_MOST_FIELDS = 8


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of the message and the signals that lie on it."""

    text: str
    labels: str
    why: str


@router.get("/", response_class=HTMLResponse)
async def landing() -> Response:
    """The page where one tries a message."""
    return _page("landing.html", text="", quoted="", outcome=None, pieces=[], error=None)


@router.post("/", response_class=HTMLResponse)
async def try_message(request: Request) -> Response:
    """Judges the message of the form; stores nothing."""
    parts = parts_of(request)
    fields = await _form(request)
    text, quoted = fields.get("text", ""), fields.get("quoted", "")
    shown: dict[str, Any] = {"text": text, "quoted": quoted, "outcome": None, "pieces": []}
    try:
        await parts.keys.check(fields.get("key", "").strip(), "bot")
        if not text.strip() or len(text) > parts.settings.most_text_characters:
            raise Problem(422, "请输入一条消息（不超过两万字）。")
    except Problem as problem:
        detail = "密钥不对：请填写启动时打印的密钥。" if problem.status in (401, 403) else problem.detail
        return _page("landing.html", status=problem.status, error=detail, **shown)
    message = Message(text=text, quoted=quoted or None)
    judged = await parts.judge.run([message])
    outcome = orjson.loads(outcome_document(message, judged[0].document, judged[0].reply, None, None))
    shown |= {"outcome": outcome, "pieces": pieces(text, outcome["verdict"]["signals"])}
    return _page("landing.html", error=None, **shown)


@router.get("/docs", response_class=HTMLResponse)
async def docs(request: Request) -> Response:
    """Every call of the API, from its own OpenAPI document."""
    return _page("docs.html", api=request.app.openapi())


@router.get("/static/{name}")
async def static(name: str) -> Response:
    """The style sheet."""
    if name != "style.css":
        raise Problem(404, f"no such file: {name}")
    return Response((_CONSOLE / "static" / name).read_bytes(), media_type="text/css")


def pieces(text: str, signals: Sequence[Mapping[str, Any]]) -> list[Piece]:
    """The message cut wherever a signal begins or ends, for highlighting."""
    telling = [s for s in signals if s["weight"] > 0]
    cuts = sorted({0, len(text), *(s["start"] for s in telling), *(s["end"] for s in telling)})
    return [
        Piece(text[a:b], *_explain([s for s in telling if s["start"] <= a and b <= s["end"]]))
        for a, b in pairwise(cuts)
    ]


def _explain(signals: Sequence[Mapping[str, Any]]) -> tuple[str, str]:
    labels = " ".join(sorted({s["label"] for s in signals}))
    return labels, "; ".join(f"{s['check']} {s['weight']:+.1f}: {s['why']}" for s in signals)


async def _form(request: Request) -> dict[str, str]:
    try:
        given = parse_qs((await request.body()).decode(), max_num_fields=_MOST_FIELDS, keep_blank_values=True)
    except ValueError as error:
        raise Problem(400, "the form is not valid") from error
    return {name: values[0] for name, values in given.items()}


@cache
def _templates() -> Environment:
    # Loaded with the first page: a service that only bots call needs none.
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    return Environment(loader=FileSystemLoader(_CONSOLE / "templates"), autoescape=True, undefined=StrictUndefined)


def _page(template: str, *, status: int = 200, **values: Any) -> Response:
    html = _templates().get_template(template).render(version=__version__, **values)
    return HTMLResponse(html, status, headers={"Cache-Control": "no-store"})
