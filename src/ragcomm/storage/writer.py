"""One thread writes; everyone else waits for its commit.

Requests that arrive while a commit is under way share the next one (group commit), so that the price of
`fsync` is paid once for many. The queue is bounded: whoever finds it full is told so at once and nothing is lost.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import suppress

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from ragcomm.errors import QueueFull, WriteFailed
from ragcomm.storage.messages import Write, write_all

# For each write the responses to send once it is committed, or the error that concerns it alone.
Stored = list[bytes] | Exception
Job = tuple[Sequence[Write], Future[list[Stored]]]
# More rows than this in one transaction make the first of them wait too long.
MOST_ROWS = 2000


class Writer:
    """Commits writes in groups, in the order they came."""

    def __init__(
        self,
        engine: Engine,
        *,
        length: int,
        on_commit: Callable[[int], None] = lambda rows: None,
    ) -> None:
        """`length` bounds the waiting submissions; `on_commit` is told how many messages a commit held."""
        self._engine = engine
        self._queue: queue.Queue[Job | None] = queue.Queue(length)
        self._on_commit = on_commit
        self._closed = threading.Event()
        self._closing = threading.Lock()
        self._thread = threading.Thread(target=self._run, name="writer", daemon=True)
        self._thread.start()

    def submit(self, writes: Sequence[Write]) -> Future[list[Stored]]:
        """Queues writes; the future holds one `Stored` for each, in order, after their commit.

        Raises:
            QueueFull: too many wait already, or the writer is closing.
        """
        future: Future[list[Stored]] = Future()
        # Nothing may be queued behind the end that `close` queues: nobody would ever read it.
        with self._closing:
            if self._closed.is_set():
                raise QueueFull("the service is stopping")
            try:
                self._queue.put_nowait((writes, future))
            except queue.Full:
                raise QueueFull from None
        return future

    @property
    def waiting(self) -> int:
        """How many submissions wait for a commit."""
        return self._queue.qsize()

    @property
    def alive(self) -> bool:
        """Whether writes are still being committed."""
        return self._thread.is_alive() and not self._closed.is_set()

    def close(self) -> None:
        """Commits what waits, then stops."""
        with self._closing:
            self._closed.set()
        self._queue.put(None)
        self._thread.join()

    def _run(self) -> None:
        last = False
        while not last:
            jobs, last = self._gather()
            if jobs:
                self._serve(jobs)

    def _gather(self) -> tuple[list[Job], bool]:
        """Waits for a submission and takes all that wait with it; says whether they are the last."""
        jobs: list[Job] = []
        rows = 0
        job = self._queue.get()
        with suppress(queue.Empty):
            while job is not None:
                # From here on a caller who goes away can no longer cancel it.
                if job[1].set_running_or_notify_cancel():
                    jobs.append(job)
                    rows += sum(len(write.rows) for write in job[0])
                if rows >= MOST_ROWS:
                    return jobs, False
                job = self._queue.get_nowait()
            return jobs, True
        return jobs, False

    def _serve(self, jobs: list[Job]) -> None:
        results = iter(self._stored([write for writes, _ in jobs for write in writes]))
        for writes, future in jobs:
            future.set_result([next(results) for _ in writes])

    def _stored(self, writes: Sequence[Write]) -> list[Stored]:
        """Commits the writes together; where that fails, each alone, so that a bad one takes no other with it."""
        try:
            with self._engine.begin() as connection:
                results = write_all(connection, writes)
        except Exception as error:
            if len(writes) > 1:
                return [result for write in writes for result in self._stored([write])]
            kind = type(error).__name__
            return [WriteFailed(f"{kind}: nothing was stored") if isinstance(error, SQLAlchemyError) else error]
        self._on_commit(sum(len(write.rows) for write in writes))
        return results
