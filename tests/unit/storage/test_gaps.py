"""Unanswered questions are read once, follow edits and deletions, and stay closed when they were resolved."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, text
from tests.unit.storage.conftest import NOW

from ragcomm.errors import Conflict, IdempotencyConflict
from ragcomm.records import Decision, Silence, Unanswered
from ragcomm.storage.gaps import GapStore, Resolution
from ragcomm.storage.messages import Idempotent, StoredMessage, write_all
from ragcomm.storage.unanswered import UnansweredQuestions

IGNORED = Resolution(gap_id="gap-1", resolved_as="ignore", entry_id=None, key_id="key-1")


def read(response: bytes) -> Silence | None:
    """In this world a response is “?” with an entry and its confidence, or anything else."""
    kind, _, nearest = response.decode().partition(" ")
    if kind != "?":
        return None
    return Silence(Decision.ABSTAIN, nearest or None, 0.25 if nearest else 0.0)


@pytest.fixture
def questions(engine: Engine) -> UnansweredQuestions:
    return UnansweredQuestions(engine, read)


@pytest.fixture
def store(engine: Engine, write: Any) -> Callable[..., None]:
    def stored(*rows: StoredMessage) -> None:
        with engine.begin() as connection:
            write_all(connection, [write(*rows)])

    return stored


@pytest.fixture
def at(row: Any) -> Callable[..., StoredMessage]:
    """A message received so many seconds after the others."""

    def make(message_id: str, words: str, response: str, *, second: float = 0, group_id: str = "g1") -> StoredMessage:
        made: StoredMessage = row(message_id, words, group_id=group_id, response=response.encode())
        return replace(made, received_at=NOW + timedelta(seconds=second))

    return make


def seen(questions: UnansweredQuestions, *groups: str, limit: int = 10) -> list[str]:
    questions.collect()
    return [q.text for q in questions.open(groups, limit)]


def test_only_what_got_no_answer_is_kept_with_all_that_is_known_of_it(
    questions: UnansweredQuestions, store: Any, at: Any
) -> None:
    store(at("m1", "甲？", "? faq.near"), at("m2", "早", "fine"))
    assert questions.collect() == 1
    [found] = questions.open((), 10)
    assert found == Unanswered(
        id=found.id,
        group_id="g1",
        message_id="m1",
        member_id="member-7",
        text="甲？",
        asked_at=NOW,
        silence=Silence(Decision.ABSTAIN, "faq.near", 0.25),
    )


def test_reading_again_finds_what_came_since_even_where_it_was_committed_late(
    questions: UnansweredQuestions, store: Any, at: Any
) -> None:
    store(at("m1", "甲", "?", second=100))
    assert seen(questions) == ["甲"]
    store(at("m2", "乙", "?", second=95), at("m3", "丙", "?", second=101))
    assert seen(questions) == ["乙", "甲", "丙"]


def test_what_was_read_long_ago_is_not_read_again(questions: UnansweredQuestions, store: Any, at: Any) -> None:
    store(at("m1", "甲", "?"), at("m2", "乙", "?", second=600))
    assert questions.collect() == 2
    assert questions.collect() == 1


def test_more_messages_than_one_transaction_takes_are_all_read_where_all_came_at_once(
    questions: UnansweredQuestions, store: Any, at: Any
) -> None:
    store(*(at(f"m{i:04}", f"第{i}问", "?" if i % 3 == 0 else "fine") for i in range(1000)))
    assert questions.collect() == 334
    assert len(questions.open((), 1000)) == 334


def test_an_edit_is_another_question_and_an_answered_edit_is_none(
    questions: UnansweredQuestions, store: Any, at: Any
) -> None:
    store(at("m1", "甲", "?"), at("m2", "乙", "?"))
    assert sorted(seen(questions)) == ["乙", "甲"]
    ids = {q.message_id: q.id for q in questions.open((), 10)}
    store(at("m1", "甲甲", "?", second=5), at("m2", "乙乙", "fine", second=5))
    assert seen(questions) == ["甲甲"]
    assert questions.open((), 10)[0].id != ids["m1"]


def test_a_deleted_message_takes_its_question_with_it(
    engine: Engine, questions: UnansweredQuestions, store: Any, at: Any
) -> None:
    store(at("m1", "甲", "?"))
    questions.collect()
    with engine.begin() as connection:
        connection.execute(text("DELETE FROM messages"))
    assert questions.open((), 10) == []


def test_groups_are_kept_apart_and_the_newest_are_given(questions: UnansweredQuestions, store: Any, at: Any) -> None:
    store(*(at(f"m{i}", f"{g}{i}", "?", second=i, group_id=g) for g in ("g1", "g2", "g3") for i in range(3)))
    assert seen(questions, "g2") == ["g20", "g21", "g22"]
    assert set(seen(questions, "g1", "g3", limit=2)) == {"g12", "g32"}


def resolved(engine: Engine, questions: UnansweredQuestions, **changes: Any) -> bytes:
    found = questions.open((), 10)
    return GapStore(engine).resolve(
        replace(IGNORED, **changes), found, [q.text for q in found], b'{"done":1}', now=NOW, promise=None
    )


def test_a_resolved_gap_does_not_come_back_for_the_same_question_or_the_same_words(
    engine: Engine, questions: UnansweredQuestions, store: Any, at: Any
) -> None:
    store(at("m1", "甲", "?"))
    questions.collect()
    assert resolved(engine, questions) == b'{"done":1}'
    assert seen(questions) == []
    store(at("m2", "甲", "?", second=9), at("m3", "乙", "?", second=10), at("m4", "甲", "?", second=11, group_id="g2"))
    questions.collect()
    found = questions.open((), 10)
    assert questions.settle(found, [q.text for q in found]) == [True, False, False]
    # In another group somebody else decides.
    assert [(q.group_id, q.text) for q in questions.open((), 10)] == [("g1", "乙"), ("g2", "甲")]


def test_the_same_decision_again_gets_the_first_response_and_another_one_is_a_conflict(
    engine: Engine, questions: UnansweredQuestions, store: Any, at: Any
) -> None:
    store(at("m1", "甲", "?"))
    questions.collect()
    gaps = GapStore(engine)
    assert gaps.earlier(IGNORED, None) is None
    resolved(engine, questions)
    assert gaps.earlier(IGNORED, None) == b'{"done":1}'
    assert resolved(engine, questions) == b'{"done":1}'
    with pytest.raises(Conflict, match="'gap-1' was resolved as 'ignore'"):
        gaps.earlier(replace(IGNORED, resolved_as="entry"), None)
    with pytest.raises(Conflict):
        resolved(engine, questions, resolved_as="alternate", entry_id="faq.a")


def test_a_promise_is_kept_across_gaps(engine: Engine) -> None:
    gaps = GapStore(engine)
    promise = Idempotent(key_id="key-1", idempotency_key="k", request_sha256=b"1" * 32)
    assert gaps.resolve(IGNORED, [], [], b"first", now=NOW, promise=promise) == b"first"
    again = replace(IGNORED, gap_id="gap-2")
    assert gaps.resolve(again, [], [], b"second", now=NOW, promise=promise) == b"first"
    assert gaps.earlier(again, promise) == b"first"
    with pytest.raises(IdempotencyConflict):
        gaps.resolve(again, [], [], b"x", now=NOW, promise=replace(promise, request_sha256=b"2" * 32))
