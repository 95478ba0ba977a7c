"""Running the service and looking after it."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from ragcomm.errors import RagcommError
from ragcomm.settings import Settings

if TYPE_CHECKING:
    from ragcomm.storage.keys import KeyStore


def serve(host: str | None, port: int | None) -> None:
    """Runs uvicorn with one process; the application is named by string, never imported here."""
    import uvicorn

    settings = Settings()
    # The compiled loop and parser where they are installed; text never reaches a log line.
    uvicorn.run(
        "ragcomm_api.app:create",
        factory=True,
        host=host or settings.host,
        port=settings.port if port is None else port,
        log_level=settings.log_level,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=10,
    )


def migrate() -> None:
    """Migrates the configured database."""
    from ragcomm.storage import database

    engine = database.open_database(Settings().database_url)
    database.migrate(engine)
    print(json.dumps({"database": database.safe_url(engine), "schema": "newest"}))


def create_key(name: str, scopes: list[str], groups: list[str]) -> None:
    """Makes a key; standard output is the only place that ever sees its secret."""
    key, secret = _keys().create(name, scopes, groups=groups, now=datetime.now(UTC))
    print(json.dumps({"id": key.id, "name": name, "scopes": sorted(key.scopes), "key": secret}))


def list_keys() -> None:
    """Prints every valid key without its secret, one a line."""
    for key in sorted(_keys().valid().values(), key=lambda k: k.name):
        shown = {"id": key.id, "name": key.name, "scopes": sorted(key.scopes)}
        print(json.dumps({**shown, "groups": sorted(key.groups)}, ensure_ascii=False))


def revoke_key(key_id: str) -> None:
    """Ends a key."""
    _keys().revoke(key_id, now=datetime.now(UTC))
    print(json.dumps({"revoked": key_id}))


def _keys() -> KeyStore:
    from ragcomm.storage.database import migrate, open_database
    from ragcomm.storage.keys import KeyStore as Keys

    engine = open_database(Settings().database_url)
    migrate(engine)
    return Keys(engine)


def doctor() -> None:
    """Prints one line a check; exits with 1 when one fails."""
    settings = Settings()
    checks: dict[str, Callable[[], str]] = {
        "dictionary": lambda: _dictionary(settings),
        "models": lambda: _models(settings),
        "answers": lambda: _entries(settings),
        "database": lambda: _database(settings),
    }
    failed = 0
    for name, check in checks.items():
        try:
            print(f"ok    {name}: {check()}")
        except RagcommError as error:
            failed += 1
            print(f"FAIL  {name}: {error}")
    if failed:
        raise RagcommError(f"{failed} of {len(checks)} checks failed")


def _dictionary(settings: Settings) -> str:
    from ragcomm.assembly import build_text

    text = build_text(settings.corpora, settings.segmenter)
    return f"{len(text.segmenter.terms)} terms, engine {text.segmenter.engine}, pipeline {text.pipeline}"


def _models(settings: Settings) -> str:
    from ragcomm.artefacts import open_artefact
    from ragcomm.assembly import pipeline_version

    pipeline = pipeline_version(settings.corpora)
    opened = [
        open_artefact(settings.models, name, pipeline=pipeline)
        for name in ("encoder", "moderation", "answers", "debunks")
    ]
    return ", ".join(f"{a.name} {a.version}" for a in opened)


def _entries(settings: Settings) -> str:
    from ragcomm.corpora import load_entries

    answers = load_entries(settings.corpora / "faq/entries.jsonl")
    claims = load_entries(settings.corpora / "claims/entries.jsonl")
    today = datetime.now(UTC).date().isoformat()
    expired = sum(e.expires_on <= today for e in (*answers, *claims))
    return f"{len(answers)} answers, {len(claims)} claims, {expired} expired"


def _database(settings: Settings) -> str:
    from ragcomm.storage.database import migrate, open_database, safe_url

    engine = open_database(settings.database_url)
    migrate(engine)
    return f"{safe_url(engine)} has the newest schema"


_EXAMPLES = (
    "早上好，今天下雨大家出门带伞",
    "想调理身体的姐妹加我薇♥tly2076，祖传方子三天见效",
    "紧急扩散！虾和维C一起吃等于吃砒霜，快转给家人",
    "听说柿子和螃蟹一起吃会中毒，是真的吗",
    "四神汤怎么煮，怀孕能喝不",
    "我爸刚才突然嘴歪了，一边胳膊抬不起来",
)


def demo() -> None:
    """Shows what the bot would do with a few messages."""
    from ragcomm.assembly import build_service
    from ragcomm.records import Message

    settings = Settings()
    service = build_service(settings.corpora, settings.models, settings.segmenter, review=settings.review)
    outcomes = service.run([Message(text=text) for text in _EXAMPLES])
    for outcome in outcomes:
        verdict = outcome.verdict
        print(f"\n{outcome.message.text}")
        flags = ", ".join(f"{label} {verdict.labels[label]:.2f}" for label in verdict.flagged)
        print(f"  {verdict.action}{f'  [{flags}]' if flags else ''}")
        if outcome.reply:
            print(f"  → ({outcome.reply.visibility}) {outcome.reply.text}")
