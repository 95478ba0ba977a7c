from __future__ import annotations

from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, Engine, inspect, text

from ragcomm.errors import InvalidInput, WriteFailed
from ragcomm.storage.database import migrate, open_database, safe_url
from ragcomm.storage.tables import metadata


def differences(connection: Connection) -> list[object]:
    context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
    return compare_metadata(context, metadata)


def test_migrations_make_exactly_the_tables_of_the_code(engine: Engine) -> None:
    with engine.connect() as connection:
        assert differences(connection) == []


def test_the_comparison_sees_an_index_that_no_migration_made(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(text("DROP INDEX ix_messages_member_id"))
        [(change, index)] = differences(connection)
    assert (change, index.name) == ("add_index", "ix_messages_member_id")


def test_migrations_make_the_primary_keys_of_the_code(engine: Engine) -> None:
    seen = {t: inspect(engine).get_pk_constraint(t)["constrained_columns"] for t in metadata.tables}
    assert seen == {
        "messages": ["group_id", "message_id"],
        "reviews": ["review_id"],
        "idempotency": ["key_id", "idempotency_key"],
        "api_keys": ["key_id"],
        "entry_drafts": ["kind", "entry_id"],
        "knowledge_versions": ["version"],
        "knowledge_moves": ["sequence"],
        "unanswered": ["question_id"],
        "gaps": ["gap_id"],
        "settled": ["group_id", "wording_sha256"],
        "progress": ["reader"],
        "postings": ["group_id", "message_id", "entry_id"],
    }
    assert seen == {name: [c.name for c in table.primary_key] for name, table in metadata.tables.items()}


def test_migrating_again_changes_nothing(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(text("INSERT INTO reviews VALUES ('r', 'g', 'm', '2026-03-01 08:00:00', 'spam', 'open', 1)"))
    migrate(engine)
    with engine.connect() as connection:
        assert connection.execute(text("SELECT review_id FROM reviews")).scalars().all() == ["r"]
        assert connection.execute(text("SELECT version_num FROM alembic_version")).scalars().all() == ["0003"]


def test_a_migration_creates_nothing_else(empty_engine: Engine) -> None:
    assert inspect(empty_engine).get_table_names() == []
    migrate(empty_engine)
    assert set(inspect(empty_engine).get_table_names()) == {*metadata.tables, "alembic_version"}


def test_sqlite_keeps_a_log_and_waits_for_the_disk_on_every_connection(tmp_path: Path) -> None:
    engine = open_database(f"sqlite:///{tmp_path / 'a.sqlite3'}")
    with engine.connect() as one, engine.connect() as two:
        for connection in (one, two):
            pragmas = {
                name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
                for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
            }
            assert pragmas == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 5000}
    engine.dispose()


@pytest.mark.parametrize("url", ["", "ragcomm.sqlite3", "nosuchbase:///file", "sqlite+nosuchdriver:///file"])
def test_a_url_of_no_supported_database_is_refused_with_what_was_expected(url: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        open_database(url)
    assert refused.value.where == "RAGCOMM_DATABASE_URL"
    assert refused.value.expected == "sqlite:///FILE or postgresql+psycopg://USER@HOST/NAME"


def test_a_database_that_cannot_be_written_fails_with_its_url_in_the_message(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'no' / 'such' / 'folder' / 'a.sqlite3'}"
    engine = open_database(url)
    with pytest.raises(WriteFailed, match=r"cannot migrate sqlite:///.*unable to open database file"):
        migrate(engine)
    engine.dispose()


def test_no_message_shows_the_password_of_a_database_that_does_not_answer() -> None:
    engine = open_database("postgresql+psycopg://someone:hush-hush@127.0.0.1:1/none")
    assert safe_url(engine) == "postgresql+psycopg://someone:***@127.0.0.1:1/none"
    with pytest.raises(WriteFailed) as failed:
        migrate(engine)
    assert "someone:***@127.0.0.1:1/none" in str(failed.value)
    assert "hush-hush" not in str(failed.value)
    engine.dispose()
