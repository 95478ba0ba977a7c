"""What every test may ask for."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ragcomm.assembly import TextParts, build_service, build_text
from ragcomm.service import Service
from ragcomm.settings import Settings

ROOT = Path(__file__).resolve().parent.parent
ON_CI = os.environ.get("CI") == "true"


@pytest.fixture(scope="session")
def settings() -> Settings:
    """The settings of a fresh checkout, whatever the environment says."""
    return Settings(public_data=Path("nowhere"))


@pytest.fixture(scope="session")
def text_parts(settings: Settings) -> TextParts:
    """The real dictionary and checks."""
    return build_text(settings.corpora)


@pytest.fixture(scope="session")
def service(settings: Settings) -> Service:
    """The whole product with the shipped models."""
    return build_service(settings)


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """A database of the test's own."""
    return f"sqlite:///{tmp_path}/test.sqlite3"
