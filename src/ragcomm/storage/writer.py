"""One thread writes; everyone else waits for its commit.

Requests that arrive while a commit is under way share the next one (group commit), so that the price of
`fsync` is paid once for many. The queue is bounded: whoever finds it full is told so at once and nothing is lost.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from ragcomm.errors import QueueFull, WriteFailed
from ragcomm.storage.messages import Write, write_all

Stored = list[bytes]
Job = tuple[Write, Future[Stored]]
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
        """`length` bounds the waiting requests; `on_commit` is told how many messages a commit held."""
        self._engine = engine
        self._queue: queue.Queue[Job | None] = queue.Queue(length)
        self._on_commit = on_commit
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._run, name="writer", daemon=True)
        self._thread.start()

    def submit(self, write: Write) -> Future[Stored]:
        """Queues a write; the future holds the responses to send once they are committed.

        Raises:
            QueueFull: too many wait already, or the writer is closing.
        """
        if self._closed.is_set():
            raise QueueFull("the service is stopping")
        future: Future[Stored] = Future()
        try:
            self._queue.put_nowait((write, future))
        except queue.Full:
            raise QueueFull from None
        return future

    @property
    def waiting(self) -> int:
        """How many requests wait for a commit."""
        return self._queue.qsize()

    @property
    def alive(self) -> bool:
        """Whether writes are still being committed."""
        return self._thread.is_alive() and not self._closed.is_set()

    def close(self) -> None:
        """Commits what waits, then stops."""
        self._closed.set()
        self._queue.put(None)
        self._thread.join()

    def _run(self) -> None:
        last = False
        while not last:
            jobs, last = self._gather()
            if not jobs:
                continue
            try:
                self._commit(jobs)
            except Exception as error:
                self._one_by_one(jobs, error)

    def _gather(self) -> tuple[list[Job], bool]:
        """Waits for a request and takes all that wait with it; says whether they are the last."""
        jobs: list[Job] = []
        rows = 0
        job = self._queue.get()
        with suppress(queue.Empty):
            while job is not None:
                # From here on a caller who goes away can no longer cancel it.
                if job[1].set_running_or_notify_cancel():
                    jobs.append(job)
                    rows += len(job[0].rows)
                if rows >= MOST_ROWS:
                    return jobs, False
                job = self._queue.get_nowait()
            return jobs, True
        return jobs, False

    def _commit(self, jobs: list[Job]) -> None:
        with self._engine.begin() as connection:
            results = write_all(connection, [write for write, _ in jobs])
        self._on_commit(sum(len(write.rows) for write, _ in jobs))
        for (_, future), result in zip(jobs, results, strict=True):
            if isinstance(result, Exception):
                future.set_exception(result)
            else:
                future.set_result(result)

    def _one_by_one(self, jobs: list[Job], error: Exception) -> None:
        """A commit failed: one bad request must not take its neighbours with it."""
        if len(jobs) == 1:
            kind = type(error).__name__
            detail = f"{kind}: nothing was stored"
            failed = WriteFailed(detail) if isinstance(error, SQLAlchemyError) else error
            jobs[0][1].set_exception(failed)
            return
        for job in jobs:
            try:
                self._commit([job])
            except Exception as alone:
                self._one_by_one([job], alone)
