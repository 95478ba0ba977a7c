"""Answers that are kept back: said once already, answered by a person, or too late; and where replies belong."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from pydantic import SecretStr
from sqlalchemy import text
from tests.api.conftest import KEY, Api

from ragcomm.settings import Settings

ROSE = "玫瑰花茶怎么喝，哪些人不宜喝？"
ROSE_ID = "faq.tea.rose"
EMERGENCY = "我爸刚才突然嘴歪了，一边胳膊抬不起来"


def message(name: str, group: str, words: str = ROSE, **more: Any) -> dict[str, Any]:
    return {"id": name, "group_id": group, "member_id": "asker", "text": words, **more}


def ago(seconds: float) -> str:
    return (datetime.now(UTC) - timedelta(seconds=seconds)).isoformat()


def test_a_reply_belongs_to_its_question(api: Any) -> None:
    body = api.post("/v1/messages", message('问"1', "thread")).json()
    assert body["reply"]["reply_to"] == '问"1'
    assert body["withheld"] is None
    assert len(body["reply"]["text_sha256"]) == 64
    assert api.post("/v1/messages", message("e1", "thread", EMERGENCY)).json()["reply"]["text_sha256"] is None


def test_the_same_entry_is_not_posted_twice_within_its_rest(api: Any) -> None:
    first = api.post("/v1/messages", message("q1", "rest")).json()
    assert (first["verdict"]["action"], first["reply"]["content_id"]) == ("answer", ROSE_ID)
    second = api.post("/v1/messages", message("q2", "rest")).json()
    assert second["reply"] is None
    assert second["withheld"] == {"reason": "cooldown", "entry_id": ROSE_ID, "message_id": "q1"}
    assert second["answer"]["decision"] == "answer"
    # Nothing is left to do, and a bot that acts on the action alone does nothing.
    assert second["verdict"]["action"] == "allow"
    assert api.rows("SELECT message_id, action FROM messages WHERE group_id = 'rest' ORDER BY 1") == [
        ("q1", "answer"),
        ("q2", "allow"),
    ]
    assert api.rows("SELECT message_id, entry_id FROM postings WHERE group_id = 'rest'") == [("q1", ROSE_ID)]
    assert api.post("/v1/messages", message("q1", "elsewhere")).json()["reply"] is not None


def test_a_repeated_message_gets_the_reply_it_got(api: Any) -> None:
    first = api.post("/v1/messages", message("q1", "repeat"))
    assert first.json()["reply"] is not None
    assert api.post("/v1/messages", message("q1", "repeat")).content == first.content


def test_of_questions_that_arrive_together_one_is_answered(api: Any) -> None:
    bodies = [answer.json() for answer in api.together(*(message(f"q{i}", "together") for i in range(8)))]
    assert sum(body["reply"] is not None for body in bodies) == 1
    assert {body["withheld"]["reason"] for body in bodies if body["withheld"]} == {"cooldown"}


def test_who_was_answered_by_a_person_meanwhile_gets_no_machines_answer(api: Any) -> None:
    reply = {"id": "r1", "group_id": "person", "member_id": "friend", "text": "一天三五朵就行", "reply_to": "q1"}
    api.post("/v1/messages", reply)
    body = api.post("/v1/messages", message("q1", "person")).json()
    assert body["reply"] is None
    assert body["withheld"] == {"reason": "answered", "entry_id": ROSE_ID, "message_id": None}


def test_a_backlog_in_one_batch_knows_its_replies(api: Any) -> None:
    lines = [
        message("q1", "backlog"),
        {"id": "r1", "group_id": "backlog", "member_id": "friend", "text": "三五朵", "reply_to": "q1"},
    ]
    results = api.post("/v1/messages:batch", {"messages": lines}).json()["results"]
    assert results[0]["outcome"]["withheld"]["reason"] == "answered"
    assert results[1]["outcome"]["withheld"] is None


def test_an_answer_that_comes_too_late_is_dropped_and_leaves_room_for_one_in_time(api: Any) -> None:
    late = api.post("/v1/messages", message("q1", "late", sent_at=ago(400))).json()
    assert (late["reply"], late["withheld"]["reason"]) == (None, "late")
    assert api.post("/v1/messages", message("q2", "late", sent_at=ago(10))).json()["reply"] is not None


def test_help_in_an_emergency_is_never_kept_back(api: Any) -> None:
    api.post("/v1/messages", {"id": "r1", "group_id": "help", "member_id": "x", "text": "别急", "reply_to": "e2"})
    for name in ("e1", "e2"):
        body = api.post("/v1/messages", message(name, "help", EMERGENCY, sent_at=ago(4000))).json()
        assert body["reply"]["content_id"] == "help.emergency"
        assert body["withheld"] is None


def test_a_withheld_answer_is_no_gap(api: Any) -> None:
    for name in ("q1", "q2"):
        api.post("/v1/messages", message(name, "no-gap"))
    headers = {"Authorization": f"Bearer {api.key}"}
    found = api.call("GET", "/v1/knowledge/gaps", params={"group_id": "no-gap"}, headers=headers)
    assert found.json()["total"] == 0


def test_what_could_not_be_stored_was_not_posted(api: Any) -> None:
    engine = api.app.state.parts.engine
    for path, body in (
        ("/v1/messages", message("q1", "unstored")),
        ("/v1/messages:batch", {"messages": [message("q1", "unstored")]}),
    ):
        with engine.begin() as connection:
            connection.execute(text("ALTER TABLE postings RENAME TO hidden"))
        try:
            assert api.post(path, body).status_code == 503
        finally:
            with engine.begin() as connection:
                connection.execute(text("ALTER TABLE hidden RENAME TO postings"))
    assert api.post("/v1/messages", message("q2", "unstored")).json()["reply"] is not None


def test_withheld_answers_are_counted_by_reason(api: Any) -> None:
    for name in ("q1", "q2"):
        api.post("/v1/messages", message(name, "counted"))
    lines = api.call("GET", "/metrics").text.splitlines()
    [line] = [line for line in lines if line.startswith('ragcomm_withheld_total{reason="cooldown"}')]
    assert float(line.split()[-1]) >= 1


def test_the_rest_of_an_entry_outlives_a_restart_and_can_be_turned_off(tmp_path: Path) -> None:
    replies = []
    for name, rest_s in (("q1", 600.0), ("q2", 600.0), ("q3", 0.0)):
        api = Api(
            Settings(
                database_url=f"sqlite:///{tmp_path}/a.sqlite3",
                bootstrap_key=SecretStr(KEY),
                answer_cooldown_s=rest_s,
            )
        )
        try:
            replies.append(api.post("/v1/messages", message(name, "restart")).json()["reply"] is not None)
        finally:
            api.close()
    assert replies == [True, False, True]
