"""What the service and its judge say to each other: frames of bytes over a socket.

A frame is its length (four bytes, big-endian) and its content. The content of a reply is one line of JSON that
describes what follows, then the documents themselves, ready to be sent to a caller, one after the other.
"""

from __future__ import annotations

import socket
from collections.abc import Sequence
from typing import Any

import orjson

LENGTH_BYTES = 4
# Messages judged in one stroke: enough to share the trip through the caches, few enough to wait for.
MOST_TOGETHER = 32


def frame(content: bytes) -> bytes:
    """The content with its length before it."""
    return len(content).to_bytes(LENGTH_BYTES, "big") + content


def read_frame(connection: socket.socket) -> bytes | None:
    """The next frame of a blocking socket; None when the other side has gone."""
    head = _exactly(connection, LENGTH_BYTES)
    return None if head is None else _exactly(connection, int.from_bytes(head, "big"))


def _exactly(connection: socket.socket, count: int) -> bytes | None:
    parts = bytearray()
    while len(parts) < count:
        part = connection.recv(count - len(parts))
        if not part:
            return None
        parts += part
    return bytes(parts)


def pack(head: Any, documents: Sequence[bytes] = ()) -> bytes:
    """A reply: `head`, then documents whose sizes the head does not need to name."""
    sizes = [len(document) for document in documents]
    return orjson.dumps([head, sizes]) + b"\n" + b"".join(documents)


def unpack(content: bytes) -> tuple[Any, list[bytes]]:
    """What `pack` put together."""
    line, _, body = content.partition(b"\n")
    head, sizes = orjson.loads(line)
    documents, start = [], 0
    for size in sizes:
        documents.append(body[start : start + size])
        start += size
    return head, documents
