"""Opening the database: SQLite in WAL mode with full synchronisation, or PostgreSQL."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError

from ragcomm.errors import InvalidInput, MissingExtra, WriteFailed

_WHERE = "RAGCOMM_DATABASE_URL"
_EXPECTED = "sqlite:///FILE or postgresql+psycopg://USER@HOST/NAME"
MIGRATIONS = Path(__file__).parent / "migrations"


def open_database(url: str) -> Engine:
    """An engine for `url` (sqlite:///file or postgresql+psycopg://…).

    Raises:
        InvalidInput: the URL is not one of a supported database.
        MissingExtra: the driver is not installed.
    """
    if not url.startswith(("sqlite:", "postgresql")):
        raise InvalidInput(seen=url.split(":")[0], expected=_EXPECTED, where=_WHERE)
    try:
        engine = create_engine(url, pool_pre_ping=not url.startswith("sqlite"))
    except (ArgumentError, NoSuchModuleError) as error:
        raise InvalidInput(
            seen=str(error),
            expected=_EXPECTED,
            where=_WHERE,
        ) from error
    except ModuleNotFoundError as error:
        raise MissingExtra("postgres", str(error.name)) from error
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _durable)
    return engine


def _durable(connection: Any, _record: Any) -> None:
    cursor = connection.cursor()
    for pragma in (
        "journal_mode=WAL",
        # With NORMAL, WAL loses the last commits at a power cut; a reply promises that they stay.
        "synchronous=FULL",
        "foreign_keys=ON",
        "busy_timeout=5000",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def migrate(engine: Engine) -> None:
    """Brings the schema to the newest version; does nothing where it is.

    Raises:
        WriteFailed: the database cannot be reached or written.
    """
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    try:
        with engine.begin() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
    except SQLAlchemyError as error:
        raise WriteFailed(f"cannot migrate {safe_url(engine)}: {error}") from error


def safe_url(engine: Engine) -> str:
    """The engine's URL without its password, fit for messages."""
    return make_url(engine.url).render_as_string(hide_password=True)


def utc(stored: datetime) -> datetime:
    """A time as it was stored: always UTC, which SQLite does not write down."""
    return stored if stored.tzinfo else stored.replace(tzinfo=UTC)
