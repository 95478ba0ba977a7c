"""What a route may ask for: everything that lives as long as the application."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Engine
from starlette.requests import Request

from ragcomm.knowledge.manners import Manners
from ragcomm.settings import Settings
from ragcomm.storage.writer import Writer
from ragcomm_api.auth import Keyring
from ragcomm_api.edge import Metrics
from ragcomm_api.gaps import Gaps
from ragcomm_api.intake import Intake
from ragcomm_api.judge import Judge
from ragcomm_api.problems import Problem
from ragcomm_api.publishing import Publisher


@dataclass(slots=True)
class Parts:
    """The living parts of a started application."""

    settings: Settings
    judge: Judge
    engine: Engine
    writer: Writer
    keys: Keyring
    metrics: Metrics
    intake: Intake
    publisher: Publisher
    gaps: Gaps
    manners: Manners


def parts_of(request: Request) -> Parts:
    """The parts of the application that serves this request.

    Raises:
        Problem: 503 while it is starting or stopping.
    """
    parts = getattr(request.app.state, "parts", None)
    if not isinstance(parts, Parts):
        raise Problem(503, "the service is starting", headers={"Retry-After": "1"})
    return parts
