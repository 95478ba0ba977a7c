"""The judge's own process: models and answers in memory, one frame of questions in, one of verdicts out.

Run by `judge.Judge` as `python -m ragcomm_api.judging FD`; the first frame holds the settings. It ends when the
service at the other end of the socket does.
"""

from __future__ import annotations

import logging
import socket
import sys
from pathlib import Path
from typing import Any

import orjson

from ragcomm.assembly import build_service
from ragcomm.errors import RagcommError
from ragcomm.records import Message, Outcome
from ragcomm.service import Service
from ragcomm_api.frames import frame, pack, read_frame
from ragcomm_api.memory import settle
from ragcomm_api.wire import finding_json, judgement_json, verdict_json

log = logging.getLogger(__name__)


def reply_to(service: Service, content: bytes) -> bytes:
    """The reply to one frame: messages to judge, or a text to look up."""
    asked = orjson.loads(content)
    match asked["ask"]:
        case "messages":
            outcomes = service.run([Message(text=text, quoted=quoted) for text, quoted in asked["texts"]])
            return pack(list(map(_head, outcomes)), [orjson.dumps(judgement_json(o)) for o in outcomes])
        case "verdicts":
            judged = service.judge([Message(text=text, quoted=quoted) for text, quoted in asked["texts"]])
            verdicts = [j.reading.verdict for j in judged]
            return pack([v.action for v in verdicts], [orjson.dumps(verdict_json(v)) for v in verdicts])
        case "answers":
            finding = service.ask(asked["text"], limit=asked["limit"])
        case "debunks":
            finding = service.debunk(asked["text"], limit=asked["limit"])
        case unknown:
            raise ValueError(f"asked for {unknown!r}")
    return pack(finding.decision, [orjson.dumps(finding_json(finding))])


def _head(outcome: Outcome) -> tuple[Any, ...]:
    """What the service stores and counts of an outcome (see `judge.Judged`)."""
    verdict = outcome.verdict
    decision = outcome.answer.decision if outcome.answer else None
    return verdict.action, " ".join(verdict.flagged), decision, verdict.policy_version, verdict.model_version


def main() -> None:
    """Builds the service and answers frames until the socket closes."""
    with socket.socket(fileno=int(sys.argv[1])) as connection:
        first = read_frame(connection)
        if first is None:
            return
        try:
            service = _build(first)
        except RagcommError as error:
            connection.sendall(frame(pack({"error": str(error)})))
            return
        settle()
        connection.sendall(frame(pack(service.sizes())))
        while (content := read_frame(connection)) is not None:
            try:
                reply = reply_to(service, content)
            except Exception as error:
                # One frame fails alone. Its traceback may hold a member's words: only its kind is told.
                log.error("a judgement failed: %s", type(error).__name__)
                reply = pack({"error": type(error).__name__})
            connection.sendall(frame(reply))


def _build(content: bytes) -> Service:
    given = orjson.loads(content)
    return build_service(Path(given["corpora"]), Path(given["models"]), given["segmenter"])


if __name__ == "__main__":
    main()
