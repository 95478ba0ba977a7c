"""Where concurrent messages meet: all that arrive in one turn of the event loop are judged and stored together.

A message alone drags the whole pipeline through the processor's caches for itself; thirty together share the
trip, one commit and one wake-up. Nobody waits for company: what has arrived when the loop turns is what is judged.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ragcomm.errors import RagcommError
from ragcomm.records import Message, Outcome
from ragcomm.service import Service
from ragcomm.storage.messages import Idempotent, Write
from ragcomm.storage.writer import Stored, Writer

# Judging this many takes a few milliseconds; the others wait for the next turn of the loop.
MOST_TOGETHER = 32

MakeWrite = Callable[[Sequence[Outcome], Idempotent | None], Write]


@dataclass(slots=True)
class _Waiting:
    message: Message
    promise: Idempotent | None
    reply: asyncio.Future[bytes]


class Intake:
    """Judges and stores single messages in the company of whatever arrived with them."""

    def __init__(self, service: Service, writer: Writer, make_write: MakeWrite) -> None:
        """`make_write` turns the outcomes of one request into what is stored of it."""
        self._service, self._writer, self._make_write = service, writer, make_write
        self._waiting: list[_Waiting] = []

    async def take(self, message: Message, promise: Idempotent | None) -> bytes:
        """The response for a message, after it is committed.

        Raises:
            RagcommError: the queue is full, the write failed, or the idempotency promise is broken.
        """
        loop = asyncio.get_running_loop()
        reply: asyncio.Future[bytes] = loop.create_future()
        self._waiting.append(_Waiting(message, promise, reply))
        if len(self._waiting) == 1:
            loop.call_soon(self._turn)
        return await reply

    def _turn(self) -> None:
        taken, self._waiting = self._waiting[:MOST_TOGETHER], self._waiting[MOST_TOGETHER:]
        loop = asyncio.get_running_loop()
        if self._waiting:
            loop.call_soon(self._turn)
        try:
            outcomes = self._service.run([w.message for w in taken])
            writes = [self._make_write([o], w.promise) for o, w in zip(outcomes, taken, strict=True)]
            future = asyncio.wrap_future(self._writer.submit(writes))
        except Exception as error:
            for waiting in taken:
                _fail(waiting.reply, error)
            return
        future.add_done_callback(lambda done: _deliver(taken, done))


def _deliver(taken: Sequence[_Waiting], done: asyncio.Future[list[Stored]]) -> None:
    error = done.exception()
    if error is not None:
        for waiting in taken:
            _fail(waiting.reply, error)
        return
    for waiting, stored in zip(taken, done.result(), strict=True):
        if isinstance(stored, Exception):
            _fail(waiting.reply, stored)
        elif not waiting.reply.done():
            waiting.reply.set_result(stored[0])


def _fail(reply: asyncio.Future[bytes], error: BaseException) -> None:
    # A caller who went away has cancelled its future.
    if not reply.done():
        reply.set_exception(error if isinstance(error, Exception) else RagcommError(str(error)))
