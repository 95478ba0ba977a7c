"""A message in, a verdict and an answer out, after a durable write."""

from __future__ import annotations

import json
import threading
from typing import Any

import pytest
from sqlalchemy import text

from ragcomm.corpora import load_entries
from ragcomm.storage.writer import Writer

SPAM = "想调理身体的姐妹加我薇♥tly2076，祖传方子三天见效"


def message(name: str, words: str, **more: Any) -> dict[str, Any]:
    return {"id": name, "group_id": "g1", "member_id": "u1", "text": words, **more}


def stored(api: Any, name: str) -> list[Any]:
    return api.rows(f"SELECT text, revision, action, flagged, review_id FROM messages WHERE message_id = '{name}'")


def test_an_advertisement_is_held_with_its_evidence_and_a_review(api: Any) -> None:
    answer = api.post("/v1/messages", message("spam-1", SPAM))
    assert answer.status_code == 200
    body = answer.json()
    assert body["verdict"]["flagged"] == ["spam"]
    assert body["verdict"]["action"] == "hold"
    handle = next(s for s in body["verdict"]["signals"] if s["check"] == "contact_handle")
    assert SPAM[handle["start"] : handle["end"]] == handle["text"]
    assert "tly2076" in handle["text"]
    assert stored(api, "spam-1") == [(SPAM, 1, "hold", "spam", body["review_id"])]
    assert api.rows(f"SELECT state FROM reviews WHERE review_id = '{body['review_id']}'") == [("open",)]


def test_plain_chat_is_allowed_without_reply_or_review(api: Any) -> None:
    body = api.post("/v1/messages", message("chat-1", "早上好，今天下雨大家出门带伞")).json()
    assert (body["verdict"]["action"], body["reply"], body["review_id"]) == ("allow", None, None)
    assert body["answer"] is None


def test_a_question_gets_the_vetted_answer_with_its_sources(api: Any) -> None:
    body = api.post("/v1/messages", message("q-1", "玫瑰花茶怎么喝，哪些人不宜喝？")).json()
    assert body["answer"]["decision"] == "answer"
    first = body["answer"]["matches"][0]
    assert first["entry_id"] == "faq.tea.rose"
    assert first["sources"]
    assert first["review_status"] == "editorial"
    assert body["reply"]["content_id"] == "faq.tea.rose"
    assert body["reply"]["visibility"] == "group"
    assert body["reply"]["machine_generated"] is True
    assert len(body["answer"]["matches"]) == 3


def test_a_clinical_entry_nobody_signed_is_proposed_to_the_moderators(api: Any) -> None:
    entries = load_entries(api.settings.corpora / "faq/entries.jsonl")
    herb = next(e for e in entries if e.category == "herb" and e.review_status == "editorial")
    body = api.post("/v1/messages", message("q-4", herb.question)).json()
    assert body["answer"]["decision"] == "confirm"
    assert "clinician" in body["answer"]["reason"]
    assert body["reply"]["visibility"] == "moderators"
    assert body["reply"]["content_id"] == herb.id
    assert body["reply"]["text"].startswith("【待确认】")
    assert body["verdict"]["action"] == "allow"


def test_an_answer_that_waits_for_the_operators_numbers_is_found_but_not_posted(api: Any) -> None:
    entries = load_entries(api.settings.corpora / "faq/entries.jsonl")
    entry = next(e for e in entries if "{" in e.answer and e.question.endswith("？"))
    body = api.post("/v1/messages", message("q-3", entry.question)).json()
    assert body["answer"]["matches"][0]["entry_id"] == entry.id
    assert body["reply"] is None
    assert body["verdict"]["action"] == "allow"


def test_a_question_nobody_vetted_is_met_with_silence_and_a_reason(api: Any) -> None:
    body = api.post("/v1/messages", message("q-2", "请问去火车站坐几路公交车？")).json()
    assert body["answer"]["decision"] == "abstain"
    assert body["answer"]["reason"] == "no vetted entry fits"
    assert body["reply"] is None


def test_an_emergency_is_helped_and_never_held(api: Any) -> None:
    body = api.post("/v1/messages", message("risk-1", "我爸刚才突然嘴歪了，一边胳膊抬不起来")).json()
    assert "risk" in body["verdict"]["flagged"]
    assert body["verdict"]["action"] == "escalate"
    assert body["verdict"]["member_action"] == "none"
    assert "120" in body["reply"]["text"]
    assert body["answer"] is None


def test_words_of_self_harm_are_answered_in_private_only(api: Any) -> None:
    body = api.post("/v1/messages", message("risk-2", "活着没意思，我不想活了，遗书写好了")).json()
    assert "risk" in body["verdict"]["flagged"]
    assert body["reply"]["visibility"] == "private"
    assert "12356" in body["reply"]["text"]


def test_a_spread_rumor_is_met_with_its_debunk(api: Any) -> None:
    words = "紧急扩散！虾和维C一起吃等于吃砒霜，快转给家人"
    body = api.post("/v1/messages", message("rumor-1", words)).json()
    assert "rumor" in body["verdict"]["flagged"]
    assert body["verdict"]["stance"] == "assert"
    assert body["debunk"]["matches"][0]["entry_id"] == "claim.food.shrimp_vitc"


def test_the_same_message_again_gives_the_stored_verdict(api: Any) -> None:
    first = api.post("/v1/messages", message("again", SPAM))
    second = api.post("/v1/messages", message("again", SPAM))
    assert second.content == first.content
    assert [row[1] for row in stored(api, "again")] == [1]


def test_the_same_id_with_another_text_is_an_edit_and_judged_again(api: Any) -> None:
    api.post("/v1/messages", message("edited", "早安"))
    body = api.post("/v1/messages", message("edited", SPAM)).json()
    assert body["verdict"]["action"] == "hold"
    assert [(row[0], row[1]) for row in stored(api, "edited")] == [(SPAM, 2)]


def test_messages_that_arrive_together_each_get_their_own_verdict(api: Any) -> None:
    bodies = [message(f"t{i}", SPAM if i % 3 == 0 else f"今天第{i}天打卡，按了足三里") for i in range(60)]
    answers = [a.json() for a in api.together(*bodies)]
    assert [a["message"]["id"] for a in answers] == [b["id"] for b in bodies]
    assert [a["verdict"]["action"] == "hold" for a in answers] == [i % 3 == 0 for i in range(60)]
    assert api.rows("SELECT count(*) FROM messages WHERE message_id LIKE 't%'") == [(60,)]


def test_moderate_stores_nothing(api: Any) -> None:
    before = api.rows("SELECT count(*) FROM messages")
    body = api.post("/v1/moderate", {"text": SPAM}).json()
    assert body["verdict"]["flagged"] == ["spam"]
    assert api.rows("SELECT count(*) FROM messages") == before


def test_an_idempotency_key_gives_the_same_reply_and_refuses_another_body(api: Any) -> None:
    headers = {"Idempotency-Key": "k-1"}
    first = api.post("/v1/messages", message("idem-1", SPAM), headers=headers)
    again = api.post("/v1/messages", message("idem-1", SPAM), headers=headers)
    other = api.post("/v1/messages", message("idem-2", "早"), headers=headers)
    assert again.content == first.content
    assert other.status_code == 409
    assert stored(api, "idem-2") == []


def test_a_batch_answers_in_order_and_a_bad_line_fails_alone(api: Any) -> None:
    lines = [message("b-1", "早"), {"id": 7, "text": "x"}, message("b-3", SPAM), "nonsense"]
    answer = api.post("/v1/messages:batch", {"messages": lines})
    results = answer.json()["results"]
    assert [r["index"] for r in results] == [0, 1, 2, 3]
    assert [r["error"] and r["error"]["status"] for r in results] == [None, 422, None, 422]
    assert results[2]["outcome"]["verdict"]["flagged"] == ["spam"]
    assert api.rows("SELECT count(*) FROM messages WHERE message_id LIKE 'b-%'") == [(2,)]


def test_a_batch_may_be_ndjson(api: Any) -> None:
    lines = [json.dumps(message("n-1", "早"), ensure_ascii=False), "{broken", json.dumps(message("n-3", "晚安"))]
    answer = api.post(
        "/v1/messages:batch",
        content="\n".join(lines).encode(),
        headers={"Content-Type": "application/x-ndjson"},
    )
    results = [json.loads(line) for line in answer.content.splitlines()]
    assert [r["error"] and r["error"]["status"] for r in results] == [None, 400, None]


@pytest.mark.parametrize(
    ("body", "status", "where"),
    [
        (b"\xff\xfe", 400, "JSON"),
        (b'{"id":"x","text":"\xff"}', 400, "JSON"),
        (b'{"id":"x","text":"a', 400, "JSON"),
        (b'{"id":"x","text":"\\ud800"}', 400, "JSON"),
        (b'{"id":"x"}', 422, "text"),
        (b'{"id":5,"text":"a"}', 422, "id"),
        (b'{"id":"x","text":["a"]}', 422, "text"),
        (b'{"id":"x","text":"a","colour":1}', 422, "colour"),
        (b'{"id":"x","text":"a\\u0000b"}', 422, "text"),
        (b'{"id":"","text":"a"}', 422, "id"),
        (b'{"id":"x","text":"a","sent_at":"yesterday"}', 422, "sent_at"),
        (b"[]", 422, "body"),
        (b'{"id":"x","text":"' + b"a" * 6000 + b'"}', 413, "6000"),
        (b'{"id":"x","text":"' + b"a" * 1_000_000 + b'"}', 413, "text"),
        (b'{"id":"x","text":"' + b"a" * 2_100_000 + b'"}', 413, "body"),
    ],
)
def test_bad_input_gets_a_clear_4xx_and_nothing_is_stored(api: Any, body: bytes, status: int, where: str) -> None:
    before = api.rows("SELECT count(*) FROM messages")
    answer = api.post("/v1/messages", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["status"] == status
    assert where in problem["detail"]
    assert api.rows("SELECT count(*) FROM messages") == before
    assert api.call("GET", "/readyz").status_code == 200


def test_a_thousand_and_one_messages_are_refused_whole(api: Any) -> None:
    before = api.rows("SELECT count(*) FROM messages")
    answer = api.post("/v1/messages:batch", {"messages": [message(f"x{i}", "早") for i in range(1001)]})
    assert answer.status_code == 413
    assert "1001" in answer.json()["detail"]
    assert api.rows("SELECT count(*) FROM messages") == before


def test_a_failed_commit_is_an_error_and_not_a_verdict(api: Any) -> None:
    engine = api.app.state.parts.engine
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE messages RENAME TO hidden"))
    try:
        answer = api.post("/v1/messages", message("lost", "早"))
    finally:
        with engine.begin() as connection:
            connection.execute(text("ALTER TABLE hidden RENAME TO messages"))
    assert answer.status_code == 503
    assert "nothing was stored" in answer.json()["detail"]
    assert answer.headers["retry-after"] == "5"
    assert stored(api, "lost") == []


def test_a_full_queue_says_when_to_come_back(api: Any) -> None:
    parts = api.app.state.parts
    crowded = Writer(parts.engine, length=1)
    kept, parts.intake._writer = parts.intake._writer, crowded
    # Somebody else holds the database for a second: one submission waits for it, one in the queue.
    with parts.engine.connect() as other:
        other.execute(text("UPDATE reviews SET version = version"))
        release = threading.Timer(1.0, other.rollback)
        release.start()
        try:
            answers = api.together(*(message(f"full-{i}", "早") for i in range(200)))
        finally:
            release.join()
            parts.intake._writer = kept
            crowded.close()
    refused = [a for a in answers if a.status_code == 503]
    kept_ids = {a.json()["message"]["id"] for a in answers if a.status_code == 200}
    assert refused
    assert {a.headers["retry-after"] for a in refused} == {"1"}
    assert {row[0] for row in api.rows("SELECT message_id FROM messages WHERE message_id LIKE 'full-%'")} == kept_ids
