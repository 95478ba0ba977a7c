"""HTTP load with a fixed mix (70 % chat, 20 % questions, 10 % harmful) beside a bare FastAPI echo."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks import client, server
from ragcomm.corpora import LabelledMessage, load_messages
from ragcomm.records import HARMFUL, Label
from ragcomm.settings import Settings

MIX = (("chat", 0.7), ("question", 0.2), ("harmful", 0.1))
SINGLES = {1: 1500, 4: 4000, 32: 12000}
BATCHES, BATCH_SIZE = 60, 100


def run() -> dict[str, Any]:
    """Runs the load against `.venv/bin/ragcomm serve` and returns its figures."""
    texts = _mix(load_messages(Settings().corpora), 40_000)
    result: dict[str, Any] = {"single": {}, "echo": {}}
    used = 0
    with server.echo() as bare, server.ragcomm(_executable()) as running:
        result["ready_s"] = round(running.ready_s, 2)
        result["memory_mb_ready"] = server.resident_mb(running.pid)
        client.run(running.port, [_single(f"warm{i}", t) for i, t in enumerate(texts[:300])], 8)
        for connections, count in SINGLES.items():
            part = texts[used : used + count]
            used += count
            bodies = [_body(f"m{used}-{i}", text) for i, text in enumerate(part)]
            result["echo"][connections] = _load(bare.port, [client.request("/echo", b) for b in bodies], connections)
            singles = [client.request("/v1/messages", b, server.KEY) for b in bodies]
            result["single"][connections] = _load(running.port, singles, connections)
        result["batch"] = _load(running.port, _batches(texts), 2)
        result["batch"]["messages_per_s"] = round(result["batch"]["per_s"] * BATCH_SIZE, 1)
        result["memory_mb_after"] = server.resident_mb(running.pid)
    result["share_of_echo_32"] = round(result["single"][32]["per_s"] / result["echo"][32]["per_s"], 3)
    _print(result)
    return result


def _executable() -> Path:
    return server.ROOT / ".venv/bin/ragcomm"


def _mix(messages: Sequence[LabelledMessage], count: int) -> list[str]:
    """Texts in the fixed mix, in a fixed random order."""
    chance = random.Random(11)
    pools = {
        "chat": [m.text for m in messages if not m.labels],
        "question": [m.text for m in messages if m.labels == {Label.QUESTION}],
        "harmful": [m.text for m in messages if m.labels & HARMFUL],
    }
    kinds = chance.choices([k for k, _ in MIX], [w for _, w in MIX], k=count)
    return [chance.choice(pools[kind]) for kind in kinds]


def _body(name: str, text: str) -> bytes:
    return json.dumps({"id": name, "group_id": "g1", "member_id": "u1", "text": text}, ensure_ascii=False).encode()


def _single(name: str, text: str) -> bytes:
    return client.request("/v1/messages", _body(name, text), server.KEY)


def _batches(texts: Sequence[str]) -> list[bytes]:
    made = []
    for n in range(BATCHES):
        part = texts[n * BATCH_SIZE : (n + 1) * BATCH_SIZE]
        messages = [{"id": f"b{n}-{i}", "group_id": "g2", "text": text} for i, text in enumerate(part)]
        body = json.dumps({"messages": messages}, ensure_ascii=False).encode()
        made.append(client.request("/v1/messages:batch", body, server.KEY))
    return made


def _load(port: int, requests: Sequence[bytes], connections: int) -> dict[str, Any]:
    return {k: round(v, 2) for k, v in asdict(client.run(port, requests, connections)).items()}


def _print(result: dict[str, Any]) -> None:
    print(f"ready after {result['ready_s']} s with {result['memory_mb_ready']} MB")
    print(f"{'connections':>12} {'echo/s':>9} {'posts/s':>9} {'share':>6} {'p50 ms':>7} {'p99 ms':>7}")
    for connections, single in result["single"].items():
        bare = result["echo"][connections]["per_s"]
        print(
            f"{connections:>12} {bare:>9.0f} {single['per_s']:>9.0f} {single['per_s'] / bare:>6.2f}"
            f" {single['p50_ms']:>7.1f} {single['p99_ms']:>7.1f}"
        )
    print(f"batches of {BATCH_SIZE}: {result['batch']['messages_per_s']:.0f} messages/s")
    print(f"memory afterwards: {result['memory_mb_after']} MB")
