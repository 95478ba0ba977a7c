"""The judge's entries: those in use, those before them, and those being made ready aside.

New ones are built and tried in a thread while the old ones answer; to swap them is to change one reference between
two questions. The ones before stay in memory, so that going back takes no time either.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ragcomm.knowledge.exchange import from_lines
from ragcomm.knowledge.publication import Edition
from ragcomm.records import Finding
from ragcomm.service import Service
from ragcomm_api.frames import pack

log = logging.getLogger(__name__)
# What the shelf is asked; all else is for the service on it.
ASKS = frozenset({"stage", "staged", "compare", "swap"})

Build = Callable[[Service, Mapping[str, str]], tuple[Service, Sequence[str]]]


@dataclass(slots=True)
class _Staged:
    """A service in the making: ready with what its golden queries missed, or failed with the kind of error."""

    token: str
    service: Service | None = None
    failures: Sequence[str] = ()
    error: str = ""
    done: threading.Event = field(default_factory=threading.Event)


class Shelf:
    """Holds the service in use and answers what concerns its entries; asked by one thread only."""

    def __init__(self, service: Service, version: int, build: Build) -> None:
        """`build` makes a service like the given one over entries (JSON lines by kind), and tries it."""
        self.service, self.version = service, version
        self._build = build
        self._before: tuple[int, Service] | None = None
        self._staged: _Staged | None = None

    def reply(self, asked: Mapping[str, Any]) -> bytes:
        """The reply to one question of `ASKS`; never raises."""
        try:
            return pack(*self._reply(asked))
        except Exception as error:
            log.error("the shelf failed: %s", type(error).__name__)
            return pack({"error": type(error).__name__})

    def _reply(self, asked: Mapping[str, Any]) -> tuple[Any, ...]:
        match asked["ask"]:
            case "stage":
                self._stage(asked["token"], asked["entries"])
                return ([],)
            case "staged":
                return (self._progress(asked["token"]),)
            case "compare":
                return (self._compare(asked["token"], asked["texts"]),)
            case "swap":
                return ([self._swap(asked["version"], asked["token"])],)
        raise ValueError(f"asked for {asked['ask']!r}")

    def _stage(self, token: str, entries: Mapping[str, str]) -> None:
        staged = self._staged = _Staged(token)

        def make() -> None:
            try:
                staged.service, staged.failures = self._build(self.service, entries)
            except Exception as error:
                staged.error = f"{type(error).__name__}: {error}"
            staged.done.set()

        threading.Thread(target=make, name="stage", daemon=True).start()

    def _progress(self, token: str) -> list[Any]:
        """State, ids of entries that their own question does not find, and the error if there was one."""
        staged = self._staged
        if staged is None or staged.token != token:
            return ["gone", [], ""]
        if not staged.done.is_set():
            return ["building", [], ""]
        return ["failed" if staged.service is None else "ready", list(staged.failures), staged.error]

    def _compare(self, token: str, texts: Sequence[str]) -> list[list[Any]]:
        """For each text what is found now and what would be: place, then decision, entry and words of either."""
        staged = self._staged
        if staged is None or staged.token != token or staged.service is None:
            raise LookupError("nothing is staged")
        both = [(_found(self.service.ask(text)), _found(staged.service.ask(text))) for text in texts]
        return [[place, now, then] for place, (now, then) in enumerate(both) if now != then]

    def _swap(self, version: int, token: str | None) -> bool:
        """Takes what was staged under the token, or what was used before; False where neither is the version."""
        staged = self._staged
        if token is not None and staged is not None and staged.token == token and staged.service is not None:
            self._put(version, staged.service)
            self._staged = None
            return True
        if self._before is not None and self._before[0] == version != self.version:
            self._put(*self._before)
        return self.version == version

    def _put(self, version: int, service: Service) -> None:
        self._before = (self.version, self.service)
        self.version, self.service = version, service


def _found(finding: Finding) -> list[Any]:
    """What members would see of a finding."""
    first = finding.matches[0].entry if finding.matches else None
    if finding.decision == "abstain" or first is None:
        return [finding.decision, None, None]
    return [finding.decision, first.id, first.answer]


def edition_of(version: int, entries: Mapping[str, str]) -> Edition:
    """The edition that was sent as JSON lines by kind."""
    return Edition(version, {kind: from_lines(kind, lines.encode()).entries for kind, lines in entries.items()})
