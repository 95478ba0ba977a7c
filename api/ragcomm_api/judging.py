"""The judge's own process: models and answers in memory, frames of questions in, frames of verdicts out.

Run by `judge.Judge` as `python -m ragcomm_api.judging FD`; the first frame holds the settings and published entries.
What waits together is judged together. It ends when the service at the other end of the socket does.
"""

from __future__ import annotations

import logging
import socket
import sys
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from itertools import chain, groupby
from pathlib import Path
from select import select
from typing import Any

import orjson

from ragcomm.assembly import Workshop, build_answerers, build_service_of, build_workshop
from ragcomm.errors import RagcommError
from ragcomm.knowledge.corrections import posted_text
from ragcomm.knowledge.golden import failures
from ragcomm.knowledge.publication import shipped_edition
from ragcomm.records import Entry, Message, Outcome, Visibility
from ragcomm.service import Service
from ragcomm_api.frames import MOST_TOGETHER, frame, pack, read_frame
from ragcomm_api.memory import settle
from ragcomm_api.shelf import ASKS, Shelf, edition_of
from ragcomm_api.wire import finding_json, judgement_json, reply_json, verdict_json

log = logging.getLogger(__name__)


Asked = dict[str, Any]


def replies(service: Service, asked: Sequence[Asked]) -> list[bytes]:
    """The replies to questions that were waiting together; the messages among them are judged together.

    Where that fails, each is judged alone, so that a bad one takes no other with it.
    """
    texts = [a["texts"] if a["ask"] == "messages" else () for a in asked]
    try:
        outcomes = iter(service.run(_messages(chain.from_iterable(texts))))
    except Exception:
        return [_alone(service, a) for a in asked]
    return [
        _outcomes([next(outcomes) for _ in own]) if a["ask"] == "messages" else _alone(service, a)
        for a, own in zip(asked, texts, strict=True)
    ]


def _alone(service: Service, asked: Asked) -> bytes:
    try:
        return reply_to(service, asked)
    except Exception as error:
        # The traceback may hold a member's words: only its kind is told.
        log.error("a judgement failed: %s", type(error).__name__)
        return pack({"error": type(error).__name__})


def reply_to(service: Service, asked: Asked) -> bytes:
    """The reply to one question: messages to judge, or a text to look up."""
    match asked["ask"]:
        case "messages":
            return _outcomes(service.run(_messages(asked["texts"])))
        case "verdicts":
            verdicts = [j.reading.verdict for j in service.judge(_messages(asked["texts"]))]
            return pack([v.action for v in verdicts], [orjson.dumps(verdict_json(v)) for v in verdicts])
        case "questions":
            described = service.describe(asked["texts"])
            return pack([described.wordings, described.words], [described.vectors.tobytes()])
        case "entry":
            return pack(_entry(service.entry(asked["id"])))
        case "answers":
            finding = service.ask(asked["text"], limit=asked["limit"])
        case "debunks":
            finding = service.debunk(asked["text"], limit=asked["limit"])
        case unknown:
            raise ValueError(f"asked for {unknown!r}")
    return pack(finding.decision, [orjson.dumps(finding_json(finding))])


def _messages(texts: Iterable[tuple[str, str | None]]) -> list[Message]:
    return [Message(text=text, quoted=quoted) for text, quoted in texts]


def _entry(entry: Entry | None) -> list[str]:
    """An entry as the service knows it (see `judge.Served`); nothing where there is none."""
    return [] if entry is None else [entry.question, posted_text(entry)]


def _outcomes(outcomes: Sequence[Outcome]) -> bytes:
    documents = [orjson.dumps(part) for o in outcomes for part in (judgement_json(o), reply_json(o.reply))]
    return pack(list(map(_head, outcomes)), documents)


def _head(outcome: Outcome) -> tuple[Any, ...]:
    """What the service stores and counts of an outcome (see `judge.Judged`)."""
    verdict = outcome.verdict
    decision = outcome.answer.decision if outcome.answer else None
    posted = outcome.reply if outcome.reply and outcome.reply.visibility is Visibility.GROUP else None
    return (
        verdict.action,
        " ".join(verdict.flagged),
        decision,
        verdict.policy_version,
        verdict.model_version,
        *((posted.content_id, posted.text_sha256.hex()) if posted and posted.text_sha256 else (None, None)),
    )


def main() -> None:
    """Builds the service and answers frames until the socket closes."""
    with socket.socket(fileno=int(sys.argv[1])) as connection:
        first = read_frame(connection)
        if first is None:
            return
        try:
            shelf = _build(first)
        except RagcommError as error:
            connection.sendall(frame(pack({"error": str(error)})))
            return
        settle()
        connection.sendall(frame(pack(shelf.service.sizes())))
        while asked := _waiting(connection):
            connection.sendall(b"".join(map(frame, answers(shelf, asked))))


def answers(shelf: Shelf, asked: Sequence[Asked]) -> list[bytes]:
    """The replies in order; what concerns the entries is done between two questions."""
    found: list[bytes] = []
    for concerns_entries, run in groupby(asked, lambda a: a["ask"] in ASKS):
        some = list(run)
        found += map(shelf.reply, some) if concerns_entries else replies(shelf.service, some)
    return found


def _waiting(connection: socket.socket) -> list[Asked]:
    """The next question and those that wait behind it; empty when the service has gone."""
    asked: list[Asked] = []
    messages = 0
    while (not asked or select([connection], [], [], 0)[0]) and messages < MOST_TOGETHER:
        content = read_frame(connection)
        if content is None:
            break
        asked.append(orjson.loads(content))
        messages += len(asked[-1].get("texts", ()))
    return asked


def _build(content: bytes) -> Shelf:
    given = orjson.loads(content)
    corpora = Path(given["corpora"])
    shop = build_workshop(corpora, Path(given["models"]), given["segmenter"])
    entries = given.get("entries")
    edition = edition_of(given["version"], entries) if entries else shipped_edition(corpora)
    service = build_service_of(shop, edition, review=given["review"])
    return Shelf(service, edition.version, partial(_tried, shop))


def _tried(shop: Workshop, served: Service, entries: Mapping[str, str]) -> tuple[Service, list[str]]:
    """A service over other entries, and those of them that their own question does not find."""
    # Any number but 0 marks its index versions with the digest of its entries.
    built = build_answerers(shop, edition_of(-1, entries), like=served.answerers)
    missed = [
        entry_id
        for new, now in zip(built, served.answerers, strict=True)
        if new is not now
        for entry_id in failures(new, shop.text.segmenter, shop.encoder, served=now)
    ]
    return served.with_answerers(*built), missed


if __name__ == "__main__":
    main()
