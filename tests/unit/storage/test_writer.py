from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import Engine, text

from ragcomm.errors import IdempotencyConflict, QueueFull, WriteFailed
from ragcomm.storage.writer import MOST_ROWS, Writer

PATIENCE_S = 20


@pytest.fixture
def commits() -> list[int]:
    """How many messages each commit held, in order."""
    return []


@pytest.fixture
def writer(engine: Engine, commits: list[int]) -> Iterator[Writer]:
    writer = Writer(engine, length=100, on_commit=commits.append)
    yield writer
    if writer.alive:
        writer.close()


def until(claim: Callable[[], bool]) -> None:
    """Waits for something another thread is about to do."""
    end = time.monotonic() + PATIENCE_S
    while not claim():
        assert time.monotonic() < end, "it never happened"
        time.sleep(0.002)


def kinds(results: list[Any]) -> list[Any]:
    return [type(r) if isinstance(r, Exception) else r for r in results]


def break_at_commit(engine: Engine) -> None:
    """From now on every message breaks a constraint that is looked at only by the commit itself."""
    deferred = "REFERENCES nobody (id) DEFERRABLE INITIALLY DEFERRED"
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE nobody (id VARCHAR(128) PRIMARY KEY)"))
        if engine.dialect.name == "sqlite":
            connection.execute(text(f"CREATE TABLE orphans (id VARCHAR(128) {deferred})"))
            connection.execute(
                text(
                    "CREATE TRIGGER orphan AFTER INSERT ON messages "
                    "BEGIN INSERT INTO orphans VALUES (new.member_id); END"
                )
            )
        else:
            connection.execute(text(f"ALTER TABLE messages ADD FOREIGN KEY (member_id) {deferred}"))


def test_a_response_comes_only_after_its_commit(
    engine: Engine, writer: Writer, row: Any, write: Any, hold: Any, stored: Any
) -> None:
    with hold(engine):
        future = writer.submit([write(row("m1", "甲"))])
        until(lambda: writer.waiting == 0)
        assert not future.done()
    assert future.result(PATIENCE_S) == [["甲".encode()]]
    assert stored(engine) == {("g1", "m1"): ("甲", 1, "甲".encode())}


def test_what_waits_shares_one_commit_and_keeps_its_order(
    engine: Engine, writer: Writer, commits: list[int], row: Any, write: Any, hold: Any, stored: Any
) -> None:
    with hold(engine):
        first = writer.submit([write(row("m0", "零"))])
        until(lambda: writer.waiting == 0)
        texts = ["甲", "乙", "甲", "丙"]
        later = [writer.submit([write(row("m1", t, response=f"{i}{t}".encode()))]) for i, t in enumerate(texts)]
    assert first.result(PATIENCE_S) == [["零".encode()]]
    assert [f.result(PATIENCE_S) for f in later] == [[[f"{i}{t}".encode()]] for i, t in enumerate(texts)]
    assert commits == [1, 4]
    assert stored(engine)["g1", "m1"] == ("丙", 4, "3丙".encode())


def test_a_commit_takes_no_more_once_it_is_long(
    engine: Engine, writer: Writer, commits: list[int], row: Any, write: Any, hold: Any
) -> None:
    with hold(engine):
        futures = [writer.submit([write(row("first", "甲"))])]
        until(lambda: writer.waiting == 0)
        futures.append(writer.submit([write(*(row(f"a{i}", "甲") for i in range(MOST_ROWS)))]))
        futures.append(writer.submit([write(row("last", "甲"))]))
    for future in futures:
        future.result(PATIENCE_S)
    assert commits == [1, MOST_ROWS, 1]


def test_each_write_of_a_submission_gets_its_own_result(writer: Writer, row: Any, write: Any) -> None:
    got = writer.submit(
        [
            write(row("m1", "甲", response=b"1"), row("m2", "乙", response=b"2"), key="k"),
            write(row("m3", "丙", response=b"3"), key="k", body="another"),
            write(row("m1", "甲", response=b"4")),
        ]
    ).result(PATIENCE_S)
    assert kinds(got) == [[b"1", b"2"], IdempotencyConflict, [b"1"]]


def test_repeated_requests_in_one_commit_get_one_answer(
    engine: Engine, writer: Writer, row: Any, write: Any, hold: Any, stored: Any
) -> None:
    with hold(engine):
        writer.submit([write(row("m0", "零"))])
        until(lambda: writer.waiting == 0)
        same = [writer.submit([write(row("m1", "甲", response=bytes([65 + i])), key="k")]) for i in range(3)]
    assert [f.result(PATIENCE_S) for f in same] == [[[b"A"]]] * 3
    assert stored(engine)["g1", "m1"] == ("甲", 1, b"A")


def test_a_full_queue_says_so_at_once_and_loses_nothing(
    engine: Engine, row: Any, write: Any, hold: Any, stored: Any
) -> None:
    writer = Writer(engine, length=2)
    with hold(engine):
        kept = [writer.submit([write(row("m0", "甲"))])]
        until(lambda: writer.waiting == 0)
        kept += [writer.submit([write(row(f"m{i}", "甲"))]) for i in (1, 2)]
        assert writer.waiting == 2
        with pytest.raises(QueueFull) as full:
            writer.submit([write(row("m3", "甲"))])
        assert full.value.retry_after_s == 1
    assert [f.result(PATIENCE_S) for f in kept] == [[["甲".encode()]]] * 3
    writer.submit([write(row("m4", "甲"))]).result(PATIENCE_S)
    writer.close()
    assert set(stored(engine)) == {("g1", "m0"), ("g1", "m1"), ("g1", "m2"), ("g1", "m4")}


def test_a_dropped_table_fails_the_write_and_stores_nothing(
    engine: Engine, writer: Writer, commits: list[int], row: Any, write: Any, stored: Any
) -> None:
    with engine.begin() as connection:
        connection.execute(text("DROP TABLE reviews"))
    [error] = writer.submit([write(row("m1", "甲"), row("m2", "乙", review_id="r1"))]).result(PATIENCE_S)
    assert isinstance(error, WriteFailed)
    assert str(error).endswith(": nothing was stored")
    assert stored(engine) == {}
    assert commits == []


def test_a_commit_that_fails_itself_stores_nothing(
    engine: Engine, writer: Writer, commits: list[int], row: Any, write: Any, stored: Any
) -> None:
    break_at_commit(engine)
    got = writer.submit([write(row("m1", "甲")), write(row("m2", "乙"), key="k")]).result(PATIENCE_S)
    assert kinds(got) == [WriteFailed, WriteFailed]
    assert stored(engine) == {}
    assert commits == []


def test_a_promise_that_cannot_be_kept_takes_its_message_back(
    engine: Engine, writer: Writer, row: Any, write: Any, stored: Any
) -> None:
    # The promise is stored last; on SQLite a savepoint around the message would have committed it by then.
    with engine.begin() as connection:
        connection.execute(text("CREATE UNIQUE INDEX one_promise ON idempotency (request_sha256)"))
    writer.submit([write(row("m1", "甲"), key="k1", body="b")]).result(PATIENCE_S)
    [error] = writer.submit([write(row("m2", "乙"), key="k2", body="b")]).result(PATIENCE_S)
    assert isinstance(error, WriteFailed)
    assert set(stored(engine)) == {("g1", "m1")}


def test_the_writer_lives_on_after_a_failure(
    engine: Engine, writer: Writer, row: Any, write: Any, stored: Any, reviews: Any
) -> None:
    writer.submit([write(row("m1", "甲", review_id="r1"))]).result(PATIENCE_S)
    [error] = writer.submit([write(row("m2", "乙", review_id="r1"))]).result(PATIENCE_S)
    assert isinstance(error, WriteFailed)
    assert writer.alive
    # The very same message goes in once the cause is gone.
    assert writer.submit([write(row("m2", "乙", review_id="r2"))]).result(PATIENCE_S) == [["乙".encode()]]
    assert reviews(engine) == [("r1", "m1", "spam", "open"), ("r2", "m2", "spam", "open")]


def test_a_bad_write_does_not_take_its_neighbours_in_one_submission(
    engine: Engine, writer: Writer, commits: list[int], row: Any, write: Any, stored: Any
) -> None:
    writer.submit([write(row("m0", "零", review_id="taken"))]).result(PATIENCE_S)
    got = writer.submit(
        [
            write(row("m1", "甲"), key="k"),
            write(row("m2", "乙"), row("m3", "丙", review_id="taken")),
            write(row("m4", "丁")),
        ]
    ).result(PATIENCE_S)
    assert kinds(got) == [["甲".encode()], WriteFailed, ["丁".encode()]]
    assert set(stored(engine)) == {("g1", "m0"), ("g1", "m1"), ("g1", "m4")}
    assert commits == [1, 1, 1]


def test_a_bad_write_does_not_take_those_who_share_its_commit(
    engine: Engine, writer: Writer, row: Any, write: Any, hold: Any, stored: Any
) -> None:
    writer.submit([write(row("m0", "零", review_id="taken"))]).result(PATIENCE_S)
    with hold(engine):
        writer.submit([write(row("first", "甲"))])
        until(lambda: writer.waiting == 0)
        futures = [
            writer.submit([write(row("m1", "甲"))]),
            writer.submit([write(row("m2", "乙", review_id="taken"))]),
            writer.submit([write(row("m3", "丙"))]),
        ]
    assert [kinds(f.result(PATIENCE_S)) for f in futures] == [[["甲".encode()]], [WriteFailed], [["丙".encode()]]]
    assert set(stored(engine)) == {("g1", "m0"), ("g1", "first"), ("g1", "m1"), ("g1", "m3")}


def test_a_write_no_database_can_take_fails_alone(
    engine: Engine, writer: Writer, row: Any, write: Any, stored: Any
) -> None:
    # A lone surrogate has no UTF-8.
    lone = replace(row("m2", "乙"), text="\ud800")
    got = writer.submit([write(row("m1", "甲")), write(lone)]).result(PATIENCE_S)
    assert got[0] == ["甲".encode()]
    assert isinstance(got[1], Exception)
    assert writer.alive
    assert set(stored(engine)) == {("g1", "m1")}


def test_close_commits_what_waits(engine: Engine, row: Any, write: Any, hold: Any, stored: Any) -> None:
    writer = Writer(engine, length=10)
    with hold(engine):
        futures = [writer.submit([write(row(f"m{i}", "甲"))]) for i in range(5)]
        closing = threading.Thread(target=writer.close)
        closing.start()
        until(lambda: not writer.alive)
        assert closing.is_alive()
    closing.join(PATIENCE_S)
    assert not closing.is_alive()
    assert [f.done() and f.result() for f in futures] == [[["甲".encode()]]] * 5
    assert set(stored(engine)) == {("g1", f"m{i}") for i in range(5)}


def test_a_closed_writer_takes_nothing_more(engine: Engine, writer: Writer, row: Any, write: Any, stored: Any) -> None:
    assert writer.alive
    writer.close()
    assert not writer.alive
    with pytest.raises(QueueFull, match="the service is stopping"):
        writer.submit([write(row("m1", "甲"))])
    assert stored(engine) == {}


def test_a_caller_who_leaves_before_the_commit_began_stores_nothing(
    engine: Engine, writer: Writer, row: Any, write: Any, hold: Any, stored: Any
) -> None:
    with hold(engine):
        begun = writer.submit([write(row("m0", "甲"))])
        until(lambda: writer.waiting == 0)
        waits = writer.submit([write(row("m1", "甲"))])
        assert waits.cancel()
        assert not begun.cancel()
    begun.result(PATIENCE_S)
    writer.close()
    assert set(stored(engine)) == {("g1", "m0")}
