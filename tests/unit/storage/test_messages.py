from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Engine, text

from ragcomm.errors import IdempotencyConflict
from ragcomm.storage.messages import Write, write_all


@pytest.fixture
def send(engine: Engine) -> Any:
    """Stores writes in one transaction and gives what each gets."""

    def sent(*writes: Write) -> list[list[bytes] | Exception]:
        with engine.begin() as connection:
            return write_all(connection, writes)

    return sent


def kinds(results: list[list[bytes] | Exception]) -> list[Any]:
    """Results with errors by their type, so that they compare."""
    return [type(r) if isinstance(r, Exception) else r for r in results]


class TestMessages:
    def test_a_new_message_is_stored_with_revision_one_and_every_column(
        self, engine: Engine, send: Any, row: Any, write: Any
    ) -> None:
        assert send(write(row("m1", "早上好", response=b'{"a":1}'))) == [[b'{"a":1}']]
        with engine.connect() as connection:
            [seen] = connection.execute(text("SELECT * FROM messages")).mappings().all()
        expected = row("m1", "早上好")
        assert bytes(seen["text_sha256"]) == expected.text_sha256
        assert str(seen["received_at"])[:19] == "2026-03-01 08:00:00" or seen["received_at"] == expected.received_at
        assert {name: seen[name] for name in seen if name not in ("text_sha256", "received_at", "response")} == {
            "group_id": "g1",
            "message_id": "m1",
            "member_id": "member-7",
            "text": "早上好",
            "quoted": None,
            "sent_at": None,
            "revision": 1,
            "action": "allow",
            "flagged": "",
            "policy_version": "policy-1",
            "model_version": "moderation-1",
            "review_id": None,
        }

    def test_the_same_message_again_gets_the_response_stored_first(
        self, engine: Engine, send: Any, row: Any, write: Any, stored: Any
    ) -> None:
        send(write(row("m1", "艾灸", response=b"first")))
        assert send(write(row("m1", "艾灸", response=b"second"))) == [[b"first"]]
        assert stored(engine) == {("g1", "m1"): ("艾灸", 1, b"first")}

    def test_the_same_id_in_another_group_is_another_message(
        self, engine: Engine, send: Any, row: Any, write: Any, stored: Any
    ) -> None:
        send(write(row("m1", "艾灸", response=b"one")))
        assert send(write(row("m1", "艾灸", group_id="g2", response=b"two"))) == [[b"two"]]
        assert stored(engine) == {("g1", "m1"): ("艾灸", 1, b"one"), ("g2", "m1"): ("艾灸", 1, b"two")}

    def test_another_text_is_an_edit_with_the_next_revision(
        self, engine: Engine, send: Any, row: Any, write: Any, stored: Any
    ) -> None:
        send(write(row("m1", "甲", response=b"1")))
        assert send(write(row("m1", "乙", response=b"2"))) == [[b"2"]]
        assert stored(engine) == {("g1", "m1"): ("乙", 2, b"2")}
        # Back to the first text is an edit too: it was judged anew.
        assert send(write(row("m1", "甲", response=b"3"))) == [[b"3"]]
        assert stored(engine) == {("g1", "m1"): ("甲", 3, b"3")}

    def test_an_edit_changes_no_neighbour(self, engine: Engine, send: Any, row: Any, write: Any, stored: Any) -> None:
        send(write(row("m1", "甲"), row("m2", "甲"), row("m1", "甲", group_id="g2")))
        send(write(row("m1", "乙")))
        assert stored(engine) == {
            ("g1", "m1"): ("乙", 2, "乙".encode()),
            ("g1", "m2"): ("甲", 1, "甲".encode()),
            ("g2", "m1"): ("甲", 1, "甲".encode()),
        }

    def test_new_repeated_and_edited_messages_of_one_request_each_get_their_own(
        self, engine: Engine, send: Any, row: Any, write: Any, stored: Any
    ) -> None:
        send(write(row("same", "甲", response=b"same-1"), row("edit", "甲", response=b"edit-1")))
        got = send(
            write(
                row("edit", "乙", response=b"edit-2"),
                row("new", "丙", response=b"new-1"),
                row("same", "甲", response=b"same-2"),
            )
        )
        assert got == [[b"edit-2", b"new-1", b"same-1"]]
        assert stored(engine) == {
            ("g1", "same"): ("甲", 1, b"same-1"),
            ("g1", "edit"): ("乙", 2, b"edit-2"),
            ("g1", "new"): ("丙", 1, b"new-1"),
        }

    def test_within_one_transaction_the_same_text_repeats_and_another_edits(
        self, engine: Engine, send: Any, row: Any, write: Any, stored: Any
    ) -> None:
        got = send(
            write(row("m1", "甲", response=b"1"), row("m1", "甲", response=b"2")),
            write(row("m1", "乙", response=b"3")),
            write(row("m1", "丙", response=b"4"), row("m1", "丙", response=b"5")),
        )
        assert got == [[b"1", b"1"], [b"3"], [b"4", b"4"]]
        assert stored(engine) == {("g1", "m1"): ("丙", 3, b"4")}

    def test_edits_of_a_known_message_within_one_transaction_count_on(
        self, engine: Engine, send: Any, row: Any, write: Any, stored: Any
    ) -> None:
        send(write(row("m1", "甲")))
        send(write(row("m1", "乙")), write(row("m1", "丙")), write(row("m2", "新")))
        assert stored(engine) == {("g1", "m1"): ("丙", 3, "丙".encode()), ("g1", "m2"): ("新", 1, "新".encode())}

    def test_many_known_messages_are_all_recognised(
        self, engine: Engine, send: Any, row: Any, write: Any, stored: Any
    ) -> None:
        # More than one look-up can name at once.
        names = [f"m{i}" for i in range(900)]
        send(write(*(row(name, "甲", response=b"first " + name.encode()) for name in names)))
        got = send(write(*(row(name, "甲", response=b"second") for name in names), row("last", "新")))
        assert got == [[*(b"first " + name.encode() for name in names), "新".encode()]]
        assert {revision for _, revision, _ in stored(engine).values()} == {1}

    def test_a_message_under_review_opens_one_review_and_each_edit_its_own(
        self, engine: Engine, send: Any, row: Any, write: Any, reviews: Any
    ) -> None:
        # As the service does, the response names the review.
        send(write(row("m1", "甲", review_id="r1", response=b"r1"), row("m2", "甲")))
        assert send(write(row("m1", "甲", review_id="r2", response=b"r2"))) == [[b"r1"]]
        assert reviews(engine) == [("r1", "m1", "spam", "open")]
        send(write(row("m1", "乙", review_id="r3", response=b"r3")))
        assert reviews(engine) == [("r1", "m1", "spam", "open"), ("r3", "m1", "spam", "open")]

    def test_reviews_within_one_transaction_are_those_of_the_judged_texts(
        self, engine: Engine, send: Any, row: Any, write: Any, reviews: Any
    ) -> None:
        send(
            write(row("m1", "甲", review_id="r1", response=b"r1"), row("m1", "甲", review_id="r2", response=b"r2")),
            write(row("m1", "乙", review_id="r3", response=b"r3"), row("m2", "丁", review_id="r4", response=b"r4")),
        )
        assert reviews(engine) == [(r, m, "spam", "open") for r, m in (("r1", "m1"), ("r3", "m1"), ("r4", "m2"))]


class TestIdempotency:
    def test_the_same_key_and_body_get_the_same_responses_and_store_nothing(
        self, engine: Engine, send: Any, row: Any, write: Any, stored: Any
    ) -> None:
        send(write(row("m1", "甲", response=b"1"), row("m2", "乙", response=b"2"), key="k"))
        assert send(write(row("m3", "甲", response=b"3"), row("m4", "乙", response=b"4"), key="k")) == [[b"1", b"2"]]
        assert set(stored(engine)) == {("g1", "m1"), ("g1", "m2")}

    def test_the_same_key_with_another_body_is_a_conflict_and_stores_nothing(
        self, engine: Engine, send: Any, row: Any, write: Any, stored: Any
    ) -> None:
        send(write(row("m1", "甲"), key="k", body="one"))
        assert kinds(send(write(row("m1", "乙"), row("m2", "丙"), key="k", body="two"))) == [IdempotencyConflict]
        assert stored(engine) == {("g1", "m1"): ("甲", 1, "甲".encode())}

    def test_the_promise_outlives_later_edits(self, send: Any, row: Any, write: Any) -> None:
        send(write(row("m1", "甲", response=b"1"), key="k"))
        send(write(row("m1", "乙", response=b"2")))
        assert send(write(row("m1", "甲", response=b"3"), key="k")) == [[b"1"]]

    def test_keys_of_two_callers_do_not_meet(self, send: Any, row: Any, write: Any) -> None:
        send(write(row("m1", "甲", response=b"1"), key="k", body="one", key_id="a"))
        assert send(write(row("m2", "乙", response=b"2"), key="k", body="two", key_id="b")) == [[b"2"]]

    def test_within_one_transaction_a_repetition_gets_what_the_first_gets(
        self, engine: Engine, send: Any, row: Any, write: Any, stored: Any
    ) -> None:
        got = send(
            write(row("m1", "甲", response=b"1"), key="k"),
            write(row("m2", "乙", response=b"2")),
            write(row("m3", "甲", response=b"3"), key="k"),
            write(row("m4", "甲", response=b"4"), key="other"),
        )
        assert got == [[b"1"], [b"2"], [b"1"], [b"4"]]
        assert set(stored(engine)) == {("g1", "m1"), ("g1", "m2"), ("g1", "m4")}

    def test_within_one_transaction_another_body_is_a_conflict_and_the_first_stands(
        self, engine: Engine, send: Any, row: Any, write: Any, stored: Any
    ) -> None:
        got = send(
            write(row("m1", "甲", response=b"1"), key="k", body="one"),
            write(row("m2", "乙", response=b"2"), key="k", body="two"),
            write(row("m3", "丙", response=b"3")),
        )
        assert kinds(got) == [[b"1"], IdempotencyConflict, [b"3"]]
        assert set(stored(engine)) == {("g1", "m1"), ("g1", "m3")}
        # And the promise that was kept is the first one.
        assert send(write(row("m4", "甲"), key="k", body="one")) == [[b"1"]]

    def test_a_promise_over_a_known_message_keeps_the_stored_response(self, send: Any, row: Any, write: Any) -> None:
        send(write(row("m1", "甲", response=b"first")))
        assert send(write(row("m1", "甲", response=b"second"), key="k")) == [[b"first"]]
        assert send(write(row("m1", "甲", response=b"third"), key="k")) == [[b"first"]]
