"""Every contract of this folder is held against SQLite and PostgreSQL alike."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.exc import OperationalError

from ragcomm.storage.database import migrate, open_database
from ragcomm.storage.messages import Idempotent, StoredMessage, Write

NOW = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)
SERVER = os.environ.get("RAGCOMM_TEST_POSTGRES", "postgresql+psycopg://postgres@127.0.0.1:5432")


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """A database of this test run alone, gone when it ends."""
    name = f"ragcomm_storage_{uuid4().hex[:12]}"
    server = create_engine(f"{SERVER}/postgres", isolation_level="AUTOCOMMIT")
    try:
        try:
            with server.connect() as connection:
                connection.execute(text(f"CREATE DATABASE {name}"))
        except OperationalError as error:
            reason = f"no PostgreSQL at {server.url}: {error.orig}"
            if os.environ.get("CI"):
                pytest.fail(reason)
            pytest.skip(reason)
        yield f"{SERVER}/{name}"
        with server.connect() as connection:
            connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    finally:
        server.dispose()


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    """A database without a single table."""
    if request.param == "sqlite":
        engine = open_database(f"sqlite:///{tmp_path / 'test.sqlite3'}")
    else:
        engine = open_database(request.getfixturevalue("postgres_url"))
        with engine.begin() as connection:
            connection.execute(text("DROP SCHEMA public CASCADE"))
            connection.execute(text("CREATE SCHEMA public"))
    yield engine
    engine.dispose()


@pytest.fixture
def engine(empty_engine: Engine) -> Engine:
    migrate(empty_engine)
    return empty_engine


@pytest.fixture
def row() -> Callable[..., StoredMessage]:
    """Makes a row to store; what is said of it in the response is what was judged."""

    def make(
        message_id: str,
        words: str,
        *,
        group_id: str = "g1",
        response: bytes | None = None,
        review_id: str | None = None,
    ) -> StoredMessage:
        return StoredMessage(
            group_id=group_id,
            message_id=message_id,
            member_id="member-7",
            text=words,
            text_sha256=hashlib.sha256(words.encode()).digest(),
            quoted=None,
            sent_at=None,
            received_at=NOW,
            action="hold" if review_id else "allow",
            flagged="spam" if review_id else "",
            policy_version="policy-1",
            model_version="moderation-1",
            response=words.encode() if response is None else response,
            review_id=review_id,
            review_reason="spam" if review_id else "",
        )

    return make


@pytest.fixture
def write() -> Callable[..., Write]:
    """Makes the write of one request, with a promise where a key is given."""

    def make(*rows: StoredMessage, key: str | None = None, body: str = "body", key_id: str = "key-1") -> Write:
        promise = None
        if key is not None:
            digest = hashlib.sha256(body.encode()).digest()
            promise = Idempotent(key_id=key_id, idempotency_key=key, request_sha256=digest)
        return Write(rows, NOW, promise)

    return make


@pytest.fixture
def hold() -> Callable[[Engine], AbstractContextManager[None]]:
    """Keeps every other writer waiting, as a slow disk would, by the database's own lock."""

    @contextmanager
    def held(engine: Engine) -> Iterator[None]:
        with engine.connect() as connection:
            if engine.dialect.name == "sqlite":
                connection.exec_driver_sql("BEGIN IMMEDIATE")
            else:
                connection.execute(text("LOCK TABLE messages IN ACCESS EXCLUSIVE MODE"))
            yield
            connection.rollback()

    return held


@pytest.fixture
def stored() -> Callable[[Engine], dict[tuple[str, str], tuple[str, int, bytes]]]:
    """What the database holds: (group, message) to (text, revision, response)."""

    def read(engine: Engine) -> dict[tuple[str, str], tuple[str, int, bytes]]:
        with engine.connect() as connection:
            rows = connection.execute(text("SELECT group_id, message_id, text, revision, response FROM messages")).all()
        return {(r[0], r[1]): (r[2], r[3], bytes(r[4])) for r in rows}

    return read


@pytest.fixture
def reviews() -> Callable[[Engine], list[tuple[str, str, str, str]]]:
    """The reviews the database holds: id, message, reason and state, sorted."""

    def read(engine: Engine) -> list[tuple[str, str, str, str]]:
        with engine.connect() as connection:
            rows = connection.execute(text("SELECT review_id, message_id, reason, state FROM reviews")).all()
        return sorted(tuple(r) for r in rows)

    return read
