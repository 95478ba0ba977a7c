from __future__ import annotations

from datetime import UTC, datetime

import pytest
from sqlalchemy import Engine

from ragcomm.errors import IdempotencyConflict
from ragcomm.storage.messages import Idempotent
from ragcomm.storage.promises import keep_response, kept_response

NOW = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)


def promise(key: str = "k", body: bytes = b"a") -> Idempotent:
    return Idempotent(key_id="key-1", idempotency_key=key, request_sha256=body.ljust(32))


def test_a_kept_response_is_that_of_the_same_request_alone(engine: Engine) -> None:
    assert kept_response(engine, promise()) is None
    keep_response(engine, promise(), b"first", now=NOW)
    assert kept_response(engine, promise()) == b"first"
    assert kept_response(engine, promise("other")) is None
    with pytest.raises(IdempotencyConflict):
        kept_response(engine, promise(body=b"b"))


def test_of_twins_the_first_answer_stays(engine: Engine) -> None:
    keep_response(engine, promise(), b"first", now=NOW)
    keep_response(engine, promise(), b"second", now=NOW)
    assert kept_response(engine, promise()) == b"first"
