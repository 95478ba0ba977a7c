"""What every test may ask for."""

from __future__ import annotations

import pytest

from ragcomm.assembly import TextParts, build_text
from ragcomm.settings import Settings


@pytest.fixture(scope="session")
def text_parts() -> TextParts:
    """The shipped dictionary and cues, built once."""
    return build_text(Settings().corpora)
