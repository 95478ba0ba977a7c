"""A load generator: raw HTTP/1.1 over keep-alive connections, so that the client costs little."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np

_LENGTH = re.compile(rb"content-length: (\d+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Load:
    """What came of a run: requests a second, latencies in ms, and answers other than 200."""

    per_s: float
    p50_ms: float
    p99_ms: float
    failed: int


class _Connection(asyncio.Protocol):
    """Sends one request at a time from the shared queue and times each answer."""

    def __init__(self, requests: list[bytes], latencies: list[float], failed: list[bytes]) -> None:
        self._requests, self._latencies, self._failed = requests, latencies, failed
        self._buffer = b""
        self.done = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._next()

    def _next(self) -> None:
        if not self._requests:
            self._transport.close()
            if not self.done.done():
                self.done.set_result(None)
            return
        self._sent = time.perf_counter()
        self._transport.write(self._requests.pop())

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head = self._buffer.find(b"\r\n\r\n")
        if head < 0:
            return
        length = _LENGTH.search(self._buffer, 0, head)
        if length is None or len(self._buffer) < head + 4 + int(length[1]):
            return
        self._latencies.append(time.perf_counter() - self._sent)
        if not self._buffer.startswith(b"HTTP/1.1 200"):
            self._failed.append(self._buffer[:200])
        self._buffer = b""
        self._next()

    def connection_lost(self, error: Exception | None) -> None:
        if not self.done.done():
            self.done.set_exception(error or ConnectionError("the server closed the connection"))


def request(path: str, body: bytes, key: str | None = None) -> bytes:
    """The bytes of a POST."""
    auth = f"Authorization: Bearer {key}\r\n" if key else ""
    head = f"POST {path} HTTP/1.1\r\nHost: bench\r\n{auth}Content-Type: application/json\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


def run(port: int, requests: Sequence[bytes], connections: int) -> Load:
    """Sends all requests over so many connections, each with one request under way."""
    import uvloop

    return uvloop.run(_run(port, list(reversed(requests)), connections))


async def _run(port: int, requests: list[bytes], connections: int) -> Load:
    loop = asyncio.get_running_loop()
    latencies: list[float] = []
    failed: list[bytes] = []
    count = len(requests)
    started = time.perf_counter()
    made = [
        await loop.create_connection(lambda: _Connection(requests, latencies, failed), "127.0.0.1", port)
        for _ in range(connections)
    ]
    await asyncio.gather(*(protocol.done for _, protocol in made))
    seconds = time.perf_counter() - started
    p50, p99 = np.percentile(np.array(latencies) * 1000, [50, 99])
    if failed:
        print(f"  {len(failed)} failed, first: {failed[0]!r}")
    return Load(count / seconds, float(p50), float(p99), len(failed))
