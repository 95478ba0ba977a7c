"""Files of lines: each judged alone, in order, in batches; a bad line is reported and the rest goes on."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import IO, Any

import orjson

from ragcomm.assembly import build_service
from ragcomm.errors import InvalidInput, RagcommError
from ragcomm.knowledge.gate import REVIEWS
from ragcomm.records import Finding, Message
from ragcomm.settings import Settings

BATCH = 256
_MOST_CHARACTERS = 1_000_000


class BadLine(RagcommError):
    """A line that cannot be judged."""


def moderate(file: str) -> None:
    """Writes {"id","labels","flagged","stance","action"} for every line of `file`."""
    settings = Settings()
    service = build_service(settings.corpora, settings.models, settings.segmenter, review=settings.review)

    def judge(messages: Sequence[Message]) -> list[dict[str, Any]]:
        outcomes = service.run(messages, explain=False)
        return [
            {
                "id": o.message.id,
                "labels": {label.value: round(p, 4) for label, p in o.verdict.labels.items()},
                "flagged": o.verdict.flagged,
                "stance": o.verdict.stance,
                "action": o.verdict.action,
            }
            for o in outcomes
        ]

    _run(file, judge)


def search(file: str, which: str, review: str) -> None:
    """Writes {"id","decision","confidence","matches"} for every line of `file`."""
    if review not in REVIEWS:
        raise InvalidInput(seen=review, expected="any or clinician", where="--review")
    settings = Settings()
    service = build_service(settings.corpora, settings.models, settings.segmenter, review=review)
    find = service.ask if which == "answers" else service.debunk

    def look_up(messages: Sequence[Message]) -> list[dict[str, Any]]:
        return [{"id": m.id, **_finding(find(m.text, limit=10))} for m in messages]

    _run(file, look_up)


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "decision": finding.decision,
        "confidence": finding.confidence,
        "matches": [{"entry_id": m.entry.id, "confidence": m.confidence} for m in finding.matches],
    }


def _run(file: str, judge: Callable[[Sequence[Message]], list[dict[str, Any]]]) -> None:
    bad: list[str] = []
    out = sys.stdout.buffer
    with _open(file) as stream, _progress() as advance:
        lines = iter(enumerate(stream, 1))
        while batch := list(islice(lines, BATCH)):
            read = [(n, _read(n, line)) for n, line in batch if line.strip()]
            results = iter(judge([m for _, m in read if isinstance(m, Message)]))
            for number, message in read:
                if isinstance(message, Message):
                    out.write(orjson.dumps(next(results)) + b"\n")
                else:
                    bad.append(f"line {number}: {message}")
                    out.write(orjson.dumps({"id": None, "line": number, "error": str(message)}) + b"\n")
            advance(len(batch))
    out.flush()
    if bad:
        raise BadLine(f"{len(bad)} of the lines could not be read; first, {bad[0]}")


def _read(number: int, line: bytes) -> Message | BadLine:
    try:
        row = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        return BadLine(f"saw {error}, expected a JSON object in UTF-8")
    if not isinstance(row, dict):
        return BadLine(f"saw {type(row).__name__}, expected a JSON object")
    text, quoted, name = row.get("text"), row.get("quoted"), row.get("id", str(number))
    if not isinstance(text, str):
        return BadLine(f"saw 'text' as {type(text).__name__}, expected a string")
    if not (quoted is None or isinstance(quoted, str)):
        return BadLine(f"saw 'quoted' as {type(quoted).__name__}, expected a string")
    if not isinstance(name, str | int):
        return BadLine(f"saw 'id' as {type(name).__name__}, expected a string")
    if len(text) > _MOST_CHARACTERS:
        return BadLine(f"saw a text of {len(text)} characters, expected at most {_MOST_CHARACTERS}")
    return Message(id=str(name), text=text, quoted=quoted)


def _open(file: str) -> IO[bytes]:
    if file == "-":
        return sys.stdin.buffer
    try:
        return Path(file).open("rb")
    except OSError as error:
        raise InvalidInput(seen=str(error.strerror), expected="a readable file", where=file) from error


@contextmanager
def _progress() -> Iterator[Callable[[int], None]]:
    """A counter on standard error, only where a person watches."""
    done, shown = 0, sys.stderr.isatty()

    def advance(lines: int) -> None:
        nonlocal done
        done += lines
        if shown:
            print(f"\r{done} lines", end="", file=sys.stderr, flush=True)

    yield advance
    if shown:
        print(file=sys.stderr)
