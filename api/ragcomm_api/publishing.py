"""Publishing: plan, build aside, try, commit, swap; and following what other processes have published.

What is in use is what the database says: a version is committed before the judge swaps, so that a judge that is
started again comes up with it, and a service that lost the swap catches up within seconds.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeVar

import structlog
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from ragcomm.errors import RagcommError, Refused
from ragcomm.knowledge.lint import Flaw, Rules, lint
from ragcomm.knowledge.publication import Draft, Edition, Plan, compose, lines_of, plan, shipped_edition
from ragcomm.records import Entry
from ragcomm.settings import Settings
from ragcomm.storage.entries import EntryStore, Version
from ragcomm.storage.questions import StoredQuestion, last_questions
from ragcomm_api.judge import Difference, Judge, Staged

log = structlog.get_logger()
# What another process published is in use here within this time.
FOLLOW_S = 5.0
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What somebody wants published: which drafts (none named: all that are ready), and on whose word."""

    by: str
    note: str = ""
    only: Collection[str] | None = None
    accept: Collection[str] = ()
    questions: int = 0
    groups: Collection[str] = ()


@dataclass(frozen=True, slots=True)
class Answered:
    """A stored question that would be, or is from now on, answered differently."""

    question: StoredQuestion
    difference: Difference


@dataclass(frozen=True, slots=True)
class Published:
    """What came of an order; no version where it was only tried, not in use where the judge has yet to catch up."""

    plan: Plan
    version: Version | None
    differently: tuple[Answered, ...]
    in_use: bool


class Publisher:
    """Keeps the entries that the judge uses and those of the database the same."""

    def __init__(self, settings: Settings, judge: Judge, engine: Engine) -> None:
        self.store = EntryStore(engine)
        self._settings, self._judge, self._engine = settings, judge, engine
        self._turn = asyncio.Lock()
        self._edition: Edition | None = None
        self._rules: Rules | None = None

    async def edition(self) -> Edition:
        """The entries in use, as the database has them."""
        return await asyncio.to_thread(self.current)

    async def planned(self, order: Order) -> Plan:
        """What an order would make.

        Raises:
            Refused: it cannot be published.
        """
        return await asyncio.to_thread(self._plan, order)

    async def lint(self, kind: str, entries: Sequence[Entry] | None, *, whole: bool) -> list[Flaw]:
        """The flaws of given entries or, without any, of the drafts, among the published; or of all there are."""
        return await asyncio.to_thread(self._lint, kind, entries, whole)

    async def publish(self, order: Order, *, dry_run: bool) -> Published:
        """Builds, tries and compares; then, unless it is a dry run, commits and swaps.

        Raises:
            Refused: an entry has an error, or its own question does not find it.
            Stale: somebody else published, or wrote one of the drafts, meanwhile.
        """
        async with self._turn:
            made = await self.planned(order)
            staged = await self._judge.stage(lines_of(made.entries))
            if staged.failures:
                raise _missed(staged)
            differently = await self._differently(staged, order)
            if dry_run:
                return Published(made, None, differently, in_use=False)
            now = datetime.now(UTC)
            version = await asyncio.to_thread(self.store.publish, made, publisher=order.by, note=order.note, now=now)
            self._edition = Edition(version.version, made.entries)
            return Published(made, version, differently, await self._in_use(self._edition, staged))

    async def roll_back(self, version: int, *, by: str, note: str) -> bool:
        """Goes back to an earlier version; at once where the judge still has it. Says whether it is in use.

        Raises:
            UnknownEntry: there is no such version.
        """
        async with self._turn:
            await asyncio.to_thread(self.store.roll_back, version, by=by, note=note, now=datetime.now(UTC))
            self._edition = await asyncio.to_thread(self._load, version)
            return await self._in_use(self._edition)

    async def follow(self) -> None:
        """Takes over, for as long as it runs, what others publish or roll back in the same database."""
        while True:
            await asyncio.sleep(FOLLOW_S)
            try:
                await self.catch_up()
            except (RagcommError, SQLAlchemyError) as error:
                log.error("the entries in use are not those published", kind=type(error).__name__)

    async def catch_up(self) -> None:
        """Puts to use what the database says is in use."""
        if self._judge.alive and await asyncio.to_thread(self.store.current) != self._judge.version:
            async with self._turn:
                await self._bring(await self.edition())

    async def _in_use(self, edition: Edition, staged: Staged | None = None) -> bool:
        """Swaps what is committed already: should the judge fail now, it comes up with it."""
        try:
            await self._bring(edition, staged)
        except RagcommError as error:
            log.error("the judge will catch up", kind=type(error).__name__)
            return False
        return True

    async def _bring(self, edition: Edition, staged: Staged | None = None) -> None:
        sizes = {kind: len(entries) for kind, entries in edition.entries.items()}
        if await self._judge.swap(edition.version, sizes, staged):
            return
        fresh = await self._judge.stage(lines_of(edition.entries))
        await self._judge.swap(edition.version, sizes, fresh)

    async def _differently(self, staged: Staged, order: Order) -> tuple[Answered, ...]:
        questions = await asyncio.to_thread(last_questions, self._engine, order.questions, order.groups)
        found = await self._judge.compare(staged, [q.text for q in questions])
        return tuple(Answered(questions[difference.place], difference) for difference in found)

    def current(self) -> Edition:
        """The entries in use, read here and now."""
        number = self.store.current()
        known = self._edition
        if known is None or known.version != number:
            known = self._edition = self._load(number)
        return known

    def published(self) -> Edition | None:
        """The entries in use, read here and now; None while they are those the judge has itself."""
        return self.current() if self.store.current() else None

    def _load(self, number: int) -> Edition:
        return self.store.edition(number) if number else shipped_edition(self._settings.corpora)

    def _plan(self, order: Order) -> Plan:
        drafts = self.store.drafts()
        today = datetime.now(UTC).date()
        return plan(self.current(), drafts, self._read_rules(), today=today, only=order.only, accept=order.accept)

    def _lint(self, kind: str, entries: Sequence[Entry] | None, whole: bool) -> list[Flaw]:
        drafts = self.store.drafts(kind) if entries is None else list(map(_as_draft(kind), entries))
        there = compose(self.current().entries[kind], drafts)
        only = None if whole else {draft.entry_id for draft in drafts}
        return lint(kind, there, self._read_rules(), today=datetime.now(UTC).date(), only=only)

    def _read_rules(self) -> Rules:
        if self._rules is None:
            self._rules = Rules.read(self._settings.corpora)
        return self._rules


def _as_draft(kind: str) -> Callable[[Entry], Draft]:
    now = datetime.now(UTC)
    return lambda entry: Draft(kind=kind, entry_id=entry.id, entry=entry, revision=0, author="", drafted_at=now)


def _missed(staged: Staged) -> Refused:
    reasons = [
        {"where": entry_id, "message": "its own question finds another entry first"} for entry_id in staged.failures
    ]
    return Refused(f"{len(reasons)} entries are not found by their own question", reasons)


def published_by(ready: Awaitable[Publisher]) -> Callable[[], Awaitable[Edition | None]]:
    """What a judge asks whenever it starts: which entries, once the database is ready to tell; None: the shipped."""

    async def published() -> Edition | None:
        try:
            return await asyncio.to_thread((await ready).published)
        except SQLAlchemyError as error:
            raise RagcommError(f"the database does not tell which entries to use: {type(error).__name__}") from error

    return published
