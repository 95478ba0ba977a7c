"""Which text of which entry went where, and who has to be told of a newer one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine
from tests.unit.storage.conftest import NOW

from ragcomm.errors import IdempotencyConflict
from ragcomm.records import Posting
from ragcomm.storage.corrections import CorrectionStore
from ragcomm.storage.messages import Idempotent, write_all
from ragcomm.storage.postings import PostingStore

OLD, NEW, NEWER = b"1" * 32, b"2" * 32, b"3" * 32


def posting(message_id: str, text: bytes = OLD, *, group_id: str = "g1", entry: str = "faq.a", day: int = 0) -> Posting:
    return Posting(
        group_id=group_id,
        message_id=message_id,
        entry_id=entry,
        text_sha256=text,
        posted_at=NOW + timedelta(days=day),
    )


@pytest.fixture
def post(engine: Engine, row: Any, write: Any) -> Callable[..., None]:
    """Stores messages with what is posted under them."""

    def posted(*postings: Posting, words: str = "问") -> None:
        rows = [replace(row(p.message_id, words, group_id=p.group_id), posting=p) for p in postings]
        with engine.begin() as connection:
            write_all(connection, [write(*rows)])

    return posted


def outdated(engine: Engine, newest: bytes, *groups: str, entry: str = "faq.a", limit: int = 10) -> list[str]:
    return [p.message_id for p in CorrectionStore(engine).outdated(entry, newest, groups, limit)]


def test_a_posting_is_stored_with_its_message_and_only_then(
    engine: Engine, post: Any, row: Any, write: Any, stored: Any
) -> None:
    post(posting("m1"))
    with engine.begin() as connection:
        write_all(connection, [write(row("m2", "早"))])
    assert PostingStore(engine).since(NOW) == [posting("m1")]
    assert set(stored(engine)) == {("g1", "m1"), ("g1", "m2")}


def test_what_was_posted_since_comes_oldest_first(engine: Engine, post: Any) -> None:
    post(posting("m3", day=3), posting("m1", day=1), posting("m2", day=2))
    assert [p.message_id for p in PostingStore(engine).since(NOW + timedelta(days=2))] == ["m2", "m3"]


def test_a_repeated_message_posts_nothing_and_an_edit_posts_anew(engine: Engine, post: Any, row: Any) -> None:
    post(posting("m1", OLD))
    CorrectionStore(engine).tell("faq.a", NEW, [("g1", "m1")], now=NOW)
    post(posting("m1", NEWER, day=1), words="问得不一样")
    assert PostingStore(engine).since(NOW) == [posting("m1", NEWER, day=1)]
    post(posting("m1", NEWER, entry="faq.b", day=2), words="再问")
    assert [p.entry_id for p in PostingStore(engine).since(NOW)] == ["faq.a", "faq.b"]


def test_a_message_that_was_stored_before_keeps_its_first_posting(engine: Engine, row: Any, write: Any) -> None:
    first = replace(row("m1", "问", response=b"1"), posting=posting("m1", OLD))
    second = replace(row("m1", "问", response=b"2"), posting=posting("m1", NEW, day=1))
    for made in (first, second):
        with engine.begin() as connection:
            write_all(connection, [write(made)])
    assert PostingStore(engine).since(NOW) == [posting("m1", OLD)]


def test_the_same_posting_twice_in_one_transaction_is_one(engine: Engine, row: Any, write: Any) -> None:
    rows = [
        replace(row("m1", words, response=words.encode()), posting=posting("m1", text))
        for words, text in (("甲", OLD), ("乙", NEW))
    ]
    with engine.begin() as connection:
        write_all(connection, [write(*rows)])
    assert PostingStore(engine).since(NOW) == [posting("m1", NEW)]


def test_whoever_read_another_text_is_outdated_the_latest_first(engine: Engine, post: Any) -> None:
    post(posting("m1"), posting("m2", NEW, day=1), posting("m3", day=2), posting("m4", entry="faq.b"))
    assert outdated(engine, NEW) == ["m3", "m1"]
    assert outdated(engine, NEW, limit=1) == ["m3"]
    assert CorrectionStore(engine).count_outdated("faq.a", NEW, ()) == 2
    assert outdated(engine, OLD) == ["m2"]
    assert outdated(engine, NEW, entry="faq.b") == ["m4"]
    assert outdated(engine, NEW, entry="faq.none") == []


def test_groups_are_kept_apart(engine: Engine, post: Any) -> None:
    post(posting("m1"), posting("m2", group_id="g2", day=1), posting("m3", group_id="g3", day=2))
    assert outdated(engine, NEW, "g2") == ["m2"]
    assert outdated(engine, NEW, "g1", "g3") == ["m3", "m1"]
    assert CorrectionStore(engine).count_outdated("faq.a", NEW, ["g2"]) == 1


def test_who_was_told_is_told_again_only_of_what_is_newer_still(engine: Engine, post: Any) -> None:
    store = CorrectionStore(engine)
    post(posting("m1"), posting("m2", day=1), posting("m3", NEW, day=2))
    told = [("g1", "m1"), ("g1", "m3"), ("g9", "m2")]
    # The third knew it already, and the last is somebody else's message.
    assert store.tell("faq.a", NEW, told, now=NOW) == 1
    assert outdated(engine, NEW) == ["m2"]
    [first, *_] = PostingStore(engine).since(NOW)
    assert (first.told_sha256, first.told_at) == (NEW, NOW)
    assert outdated(engine, NEWER) == ["m3", "m2", "m1"]
    # The text goes back to what it was: who was told of the other one hears of it.
    assert outdated(engine, OLD) == ["m3", "m1"]
    assert store.tell("faq.a", NEW, told, now=NOW) == 0


def test_many_are_told_at_once_and_a_promise_is_kept(engine: Engine, post: Any) -> None:
    store = CorrectionStore(engine)
    post(*(posting(f"m{i}") for i in range(900)))
    promise = Idempotent(key_id="k", idempotency_key="i", request_sha256=b"r" * 32)
    everyone = [("g1", f"m{i}") for i in range(900)]
    assert store.tell("faq.a", NEW, everyone, now=NOW, promise=promise) == 900
    assert store.tell("faq.a", NEW, everyone, now=NOW, promise=promise) == 900
    assert store.count_outdated("faq.a", NEW, ()) == 0
    with pytest.raises(IdempotencyConflict):
        store.tell("faq.a", NEW, [], now=NOW, promise=replace(promise, request_sha256=b"s" * 32))


def test_whether_an_entry_was_ever_posted_is_known(engine: Engine, post: Any) -> None:
    post(posting("m1"))
    assert CorrectionStore(engine).was_posted("faq.a")
    assert not CorrectionStore(engine).was_posted("faq.b")
