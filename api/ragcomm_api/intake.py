"""Where concurrent messages meet: those that arrive while others are judged are judged and stored together.

A message alone drags the whole pipeline through the processor's caches for itself; thirty together share the
trip, one commit and one wake-up. Nobody waits for company: who finds the judge idle goes at once.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ragcomm.errors import RagcommError
from ragcomm.knowledge.manners import Manners
from ragcomm.records import Message
from ragcomm.storage.messages import Idempotent, Write
from ragcomm.storage.writer import Stored, Writer
from ragcomm_api.frames import MOST_TOGETHER
from ragcomm_api.judge import Judge, Judged

# Groups that may wait at the judge, which takes all that wait together.
_UNDER_WAY = 4

MakeWrite = Callable[[Sequence[Message], Sequence[Judged], Idempotent | None], Write]
TakeBack = Callable[[Write], None]


@dataclass(slots=True)
class _Waiting:
    message: Message
    promise: Idempotent | None
    reply: asyncio.Future[bytes]


class Intake:
    """Judges and stores single messages in the company of whatever arrived with them."""

    def __init__(
        self, judge: Judge, writer: Writer, manners: Manners, make_write: MakeWrite, take_back: TakeBack
    ) -> None:
        """`make_write` turns the judgements of one request into what is stored of it; `take_back` knows it was not."""
        self._judge, self._writer, self._manners = judge, writer, manners
        self._make_write, self._take_back = make_write, take_back
        self._waiting: list[_Waiting] = []
        self._turns: set[asyncio.Task[None]] = set()

    async def take(self, message: Message, promise: Idempotent | None) -> bytes:
        """The response for a message, after it is committed.

        Raises:
            RagcommError: the queue is full, the write failed, or the idempotency promise is broken.
        """
        self.hear([message])
        loop = asyncio.get_running_loop()
        reply: asyncio.Future[bytes] = loop.create_future()
        self._waiting.append(_Waiting(message, promise, reply))
        if len(self._waiting) == 1:
            # All that arrive in this turn of the loop go together.
            loop.call_soon(self._start)
        return await reply

    def hear(self, messages: Sequence[Message]) -> None:
        """Notes who replies to whom as soon as a message arrives: what it replies to may be waiting for its answer."""
        for message in messages:
            if message.reply_to:
                self._manners.hear(message, time.time())

    def _start(self) -> None:
        while self._waiting and len(self._turns) < _UNDER_WAY:
            taken, self._waiting = self._waiting[:MOST_TOGETHER], self._waiting[MOST_TOGETHER:]
            turn = asyncio.create_task(self._turn(taken))
            self._turns.add(turn)
            turn.add_done_callback(self._ended)

    def _ended(self, turn: asyncio.Task[None]) -> None:
        self._turns.discard(turn)
        self._start()

    async def _turn(self, taken: Sequence[_Waiting]) -> None:
        """Judges a group and queues it for the writer; the next group does not wait for the commit."""
        writes: list[Write] = []
        try:
            judged = await self._judge.run([w.message for w in taken])
            for waiting, judgement in zip(taken, judged, strict=True):
                writes.append(self._make_write([waiting.message], [judgement], waiting.promise))
            future = asyncio.wrap_future(self._writer.submit(writes))
        except Exception as error:
            self._fail(taken, writes, error)
            return
        future.add_done_callback(lambda done: self._deliver(taken, writes, done))

    def _fail(self, taken: Sequence[_Waiting], writes: Sequence[Write], error: BaseException) -> None:
        for write in writes:
            self._take_back(write)
        for waiting in taken:
            _fail(waiting.reply, error)

    def _deliver(self, taken: Sequence[_Waiting], writes: Sequence[Write], done: asyncio.Future[list[Stored]]) -> None:
        error = done.exception()
        if error is not None:
            self._fail(taken, writes, error)
            return
        for waiting, write, stored in zip(taken, writes, done.result(), strict=True):
            if isinstance(stored, Exception):
                self._fail([waiting], [write], stored)
            elif not waiting.reply.done():
                waiting.reply.set_result(stored[0])


def _fail(reply: asyncio.Future[bytes], error: BaseException) -> None:
    # A caller who went away has cancelled its future.
    if not reply.done():
        reply.set_exception(error if isinstance(error, Exception) else RagcommError(str(error)))
