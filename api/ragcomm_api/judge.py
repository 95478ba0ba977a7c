"""The service's side of its judge: a process of its own, so that judging and serving each have a processor.

The event loop only moves bytes; models, dictionary and indexes live in the judge (see `judging`). Should that
process end, what it was asked fails with 503, nothing is stored, and it is started again.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import socket
import sys
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, NamedTuple

import orjson
import structlog

from ragcomm.errors import RagcommError, Unavailable
from ragcomm.knowledge.categories import KINDS
from ragcomm.knowledge.publication import Edition, lines_of
from ragcomm.records import Message
from ragcomm.settings import Settings
from ragcomm_api.frames import LENGTH_BYTES, MOST_TOGETHER, frame, unpack

log = structlog.get_logger()
_RESTART_S = 1.0
# Entries are ready after seconds; asking costs the judge microseconds.
_POLL_S = 0.05


@dataclass(frozen=True, slots=True)
class Judged:
    """What the judge says of one message: what is stored and counted of it, and the documents for the caller.

    `document` is a JSON object with verdict, answer and debunk, `reply` another, if there is one; `flagged` has blanks
    between labels. `entry_id` and `text_sha256` name what the reply would post to the group, if it posts an entry.
    """

    document: bytes
    reply: bytes | None
    action: str
    flagged: str
    decision: str | None
    policy_version: str
    model_version: str
    entry_id: str | None = None
    text_sha256: str | None = None


@dataclass(frozen=True, slots=True)
class Description:
    """What questions are compared by: wordings, words, and vectors as they came (`knowledge.gaps.Described`)."""

    wordings: list[str]
    words: list[list[str]]
    vectors: bytes


@dataclass(frozen=True, slots=True)
class Served:
    """An entry as it is served now: its question and what members read of it."""

    question: str
    text: str


class Found(NamedTuple):
    """What a question finds: the decision, the entry and its answer where there is one."""

    decision: str
    entry_id: str | None
    answer: str | None


@dataclass(frozen=True, slots=True)
class Difference:
    """A question, by its place, that finds something else with staged entries than now."""

    place: int
    now: Found
    then: Found


@dataclass(frozen=True, slots=True)
class Staged:
    """Entries made ready in the judge, and the ids of those that their own question does not find."""

    token: str
    failures: tuple[str, ...]


# Which entries to start with; None: those of the corpora.
Published = Callable[[], Awaitable[Edition | None]]


class Judge:
    """Asks the judge's process; requests are answered in the order in which they were sent."""

    def __init__(self, settings: Settings, published: Published | None = None) -> None:
        """`published` tells which entries to use, each time the process starts; without it the shipped ones are."""
        self._settings = settings
        self._published = published
        self._pending: deque[asyncio.Future[bytes]] = deque()
        self._writer: asyncio.StreamWriter | None = None
        self._child: asyncio.subprocess.Process | None = None
        self._watch: asyncio.Task[None] | None = None
        # Whether messages can be judged now, and among how many answers and debunks.
        self.alive = False
        self.sizes: dict[str, int] = {}
        # The version of the entries in use.
        self.version = 0

    async def start(self) -> None:
        """Starts the process and waits until its models are loaded.

        Raises:
            RagcommError: the models or corpora cannot be used.
        """
        reader = await self._spawn()
        self._watch = asyncio.create_task(self._listen(reader))

    async def close(self) -> None:
        """Ends the process; what is still asked fails."""
        if self._watch is not None:
            self._watch.cancel()
            with suppress(asyncio.CancelledError):
                await self._watch
        await self._end()

    async def run(self, messages: Sequence[Message]) -> list[Judged]:
        """Judges messages and finds what to answer them, in order.

        Raises:
            RagcommError: the judge is not there, or could not judge.
        """
        results: list[Judged] = []
        # One group after the other, so that what others send may come between.
        for start in range(0, len(messages), MOST_TOGETHER):
            heads, documents = await self._ask("messages", _texts(messages[start : start + MOST_TOGETHER]))
            replies = [None if reply == b"null" else reply for reply in documents[1::2]]
            results += [Judged(d, r, *head) for d, r, head in zip(documents[::2], replies, heads, strict=True)]
        return results

    async def verdict(self, message: Message) -> tuple[str, bytes]:
        """The action for one message and its verdict as JSON."""
        heads, documents = await self._ask("verdicts", _texts([message]))
        return heads[0], documents[0]

    async def search(self, kind: str, text: str, limit: int) -> bytes:
        """The finding for a text among "answers" or "debunks", as JSON."""
        _, documents = await self._ask(kind, {"text": text, "limit": limit})
        return documents[0]

    async def stage(self, entries: Mapping[str, bytes]) -> Staged:
        """Has other entries (JSON lines by kind) made ready and tried while the present ones answer.

        Raises:
            RagcommError: the judge is not there, ended meanwhile, or cannot use them.
        """
        token = secrets.token_hex(8)
        await self._ask("stage", {"token": token, "entries": {kind: own.decode() for kind, own in entries.items()}})
        while True:
            state, failures, error = (await self._ask("staged", {"token": token}))[0]
            if state == "ready":
                return Staged(token, tuple(failures))
            if state != "building":
                raise RagcommError(f"the entries cannot be used: {error or state}")
            await asyncio.sleep(_POLL_S)

    async def compare(self, staged: Staged, texts: Sequence[str]) -> list[Difference]:
        """Which questions would be answered differently once what was staged is in use."""
        found: list[Difference] = []
        for start in range(0, len(texts), MOST_TOGETHER):
            some = list(texts[start : start + MOST_TOGETHER])
            told, _ = await self._ask("compare", {"token": staged.token, "texts": some})
            found += [Difference(start + place, Found(*now), Found(*then)) for place, now, then in told]
        return found

    async def swap(self, version: int, sizes: Mapping[str, int], staged: Staged | None = None) -> bool:
        """Puts staged entries to use as this version, or those used before; False where neither is at hand."""
        token = staged.token if staged else None
        (swapped,), _ = await self._ask("swap", {"version": version, "token": token})
        if swapped:
            self.version, self.sizes = version, {KINDS[kind]: size for kind, size in sizes.items()}
        return bool(swapped)

    async def describe(self, questions: Sequence[str]) -> Description:
        """What questions are compared by, in order."""
        wordings: list[str] = []
        words: list[list[str]] = []
        vectors = bytearray()
        # A few at a time, so that messages may come between.
        for start in range(0, len(questions), MOST_TOGETHER):
            head, (rows,) = await self._ask("questions", {"texts": questions[start : start + MOST_TOGETHER]})
            wordings += head[0]
            words += head[1]
            vectors += rows
        return Description(wordings, words, bytes(vectors))

    async def entry(self, entry_id: str) -> Served | None:
        """The answer or the debunk that is served under this id now."""
        entry, _ = await self._ask("entry", {"id": entry_id})
        return Served(*entry) if entry else None

    async def _ask(self, kind: str, rest: dict[str, Any]) -> tuple[Any, list[bytes]]:
        if self._writer is None or not self.alive:
            raise Unavailable
        reply: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self._pending.append(reply)
        self._writer.write(frame(orjson.dumps({"ask": kind, **rest})))
        head, documents = unpack(await reply)
        if isinstance(head, dict):
            raise RagcommError(f"the judge failed: {head['error']}")
        return head, documents

    async def _spawn(self) -> asyncio.StreamReader:
        ours, theirs = socket.socketpair()
        with theirs:
            self._child = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "ragcomm_api.judging",
                str(theirs.fileno()),
                pass_fds=[theirs.fileno()],
                env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
                # Ctrl-C is for the service, which still needs its judge for what is under way.
                start_new_session=True,
            )
        reader, self._writer = await asyncio.open_unix_connection(sock=ours)
        edition = await self._published() if self._published else None
        given: dict[str, Any] = {
            "corpora": str(self._settings.corpora.absolute()),
            "models": str(self._settings.models.absolute()),
            "segmenter": self._settings.segmenter,
            "review": self._settings.review,
        }
        if edition is not None:
            given["version"] = edition.version
            given["entries"] = {kind: lines.decode() for kind, lines in lines_of(edition.entries).items()}
        self._writer.write(frame(orjson.dumps(given)))
        try:
            sizes, _ = unpack(await _next(reader))
        except asyncio.IncompleteReadError as error:
            raise RagcommError("the judge ended before it was ready") from error
        if "error" in sizes:
            raise RagcommError(sizes["error"])
        self.sizes, self.alive = sizes, True
        self.version = edition.version if edition else 0
        return reader

    async def _listen(self, reader: asyncio.StreamReader) -> None:
        """Hands every reply to whoever asked; starts the process again when it has ended."""
        while True:
            with suppress(asyncio.IncompleteReadError, ConnectionError):
                while True:
                    content = await _next(reader)
                    waiting = self._pending.popleft()
                    # A caller who went away has cancelled its future.
                    if not waiting.done():
                        waiting.set_result(content)
            log.error("the judge has ended and is started again")
            await self._end()
            reader = await self._respawn()

    async def _respawn(self) -> asyncio.StreamReader:
        while True:
            try:
                return await self._spawn()
            except RagcommError as error:
                log.error("the judge does not start", reason=str(error))
                await self._end()
                await asyncio.sleep(_RESTART_S)

    async def _end(self) -> None:
        self.alive = False
        if self._writer is not None:
            self._writer.close()
            self._writer = None
        while self._pending:
            waiting = self._pending.popleft()
            if not waiting.done():
                waiting.set_exception(Unavailable())
        if self._child is not None:
            with suppress(ProcessLookupError):
                self._child.terminate()
            await self._child.wait()
            self._child = None


def _texts(messages: Sequence[Message]) -> dict[str, Any]:
    return {"texts": [(m.text, m.quoted) for m in messages]}


async def _next(reader: asyncio.StreamReader) -> bytes:
    length = int.from_bytes(await reader.readexactly(LENGTH_BYTES), "big")
    return await reader.readexactly(length)
