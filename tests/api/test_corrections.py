"""An entry's text changes: who read the old one is found, told, and not told twice."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import text

from ragcomm.knowledge.corrections import text_sha256
from ragcomm.storage.keys import KeyStore
from ragcomm_api import auth

ROSE = "玫瑰花茶怎么喝，哪些人不宜喝？"
ENTRY = "faq.tea.rose"


@pytest.fixture(autouse=True)
def fresh_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(auth, "REFRESH_S", -1.0)


def look(api: Any, *, key: str | None = None, entry_id: str = ENTRY, **params: Any) -> Any:
    headers = {"Authorization": f"Bearer {key or api.key}"}
    return api.call("GET", "/v1/knowledge/corrections", params={"entry_id": entry_id, **params}, headers=headers)


def ask(api: Any, group: str) -> dict[str, Any]:
    body: dict[str, Any] = api.post("/v1/messages", {"id": "q1", "group_id": group, "text": ROSE}).json()
    assert body["reply"]["content_id"] == ENTRY
    return body


def as_if_posted_before(api: Any, group: str, *, entry_id: str = ENTRY) -> None:
    """The text that went to a group was another one, as it is after a new version was published."""
    with api.app.state.parts.engine.begin() as connection:
        connection.execute(
            text("UPDATE postings SET text_sha256 = :old, entry_id = :entry WHERE group_id = :group"),
            {"old": text_sha256("an older text"), "group": group, "entry": entry_id},
        )


def told(api: Any, digest: str, *messages: tuple[str, str], **options: Any) -> Any:
    named = [{"group_id": g, "message_id": m} for g, m in messages]
    body = {"entry_id": options.pop("entry_id", ENTRY), "text_sha256": digest, "messages": named}
    return api.post("/v1/knowledge/corrections:told", body, **options)


def new_key(api: Any, scope: str, *groups: str) -> str:
    _, secret = KeyStore(api.app.state.parts.engine).create("t", [scope], groups=groups, now=datetime.now(UTC))
    return secret


def test_who_read_the_text_that_holds_needs_no_correction(api: Any) -> None:
    answer = ask(api, "current")
    body = look(api, group_id="current").json()
    assert (body["outdated"], body["total"]) == ([], 0)
    assert body["text_sha256"] == answer["reply"]["text_sha256"]
    assert body["text"] in answer["reply"]["text"]
    assert text_sha256(body["text"]).hex() == body["text_sha256"]


def test_who_read_an_older_text_is_listed_until_told(api: Any) -> None:
    for group in ("c1", "c2"):
        ask(api, group)
        as_if_posted_before(api, group)
    body = look(api).json()
    assert [(o["group_id"], o["message_id"], o["told_at"]) for o in body["outdated"]] == [
        ("c2", "q1", None),
        ("c1", "q1", None),
    ]
    assert body["outdated"][0]["text_sha256"] == text_sha256("an older text").hex()
    assert told(api, body["text_sha256"], ("c1", "q1")).json() == {"told": 1}
    assert [o["group_id"] for o in look(api).json()["outdated"]] == ["c2"]
    assert told(api, body["text_sha256"], ("c1", "q1"), ("c2", "q1"), ("c2", "none")).json() == {"told": 1}
    assert look(api).json()["total"] == 0


def test_telling_of_a_text_that_has_changed_again_is_a_conflict(api: Any) -> None:
    ask(api, "stale")
    as_if_posted_before(api, "stale")
    answer = told(api, text_sha256("an older text").hex(), ("stale", "q1"))
    assert answer.status_code == 409
    assert look(api, group_id="stale").json()["total"] == 1


def test_a_withdrawn_entry_is_news_for_all_who_read_it(api: Any) -> None:
    ask(api, "withdrawn")
    as_if_posted_before(api, "withdrawn", entry_id="faq.gone")
    body = look(api, entry_id="faq.gone").json()
    assert (body["text"], [o["group_id"] for o in body["outdated"]]) == (None, ["withdrawn"])
    assert told(api, body["text_sha256"], ("withdrawn", "q1"), entry_id="faq.gone").json() == {"told": 1}
    assert look(api, entry_id="faq.gone").json()["total"] == 0


def test_an_entry_nobody_ever_read_and_nobody_serves_is_unknown(api: Any) -> None:
    assert look(api, entry_id="faq.never").status_code == 404
    assert told(api, "0" * 64, ("g", "m"), entry_id="faq.never").status_code == 404


def test_a_key_sees_and_tells_only_its_own_groups(api: Any) -> None:
    for group in ("own", "foreign"):
        ask(api, group)
        as_if_posted_before(api, group)
    key = new_key(api, "moderator", "own")
    body = look(api, key=key).json()
    assert [o["group_id"] for o in body["outdated"]] == ["own"]
    assert look(api, key=key, group_id="foreign").status_code == 403
    assert told(api, body["text_sha256"], ("foreign", "q1"), key=key).status_code == 403
    assert look(api, key=new_key(api, "bot")).status_code == 403
    assert told(api, body["text_sha256"], ("own", "q1"), key=new_key(api, "bot")).status_code == 403


def test_bad_calls_are_refused(api: Any) -> None:
    headers = {"Authorization": f"Bearer {api.key}"}
    assert api.call("GET", "/v1/knowledge/corrections", headers=headers).status_code == 422
    assert look(api, limit=1001).status_code == 422
    assert told(api, "short", ("g", "m")).status_code == 422
    assert told(api, "0" * 64).status_code == 422


def test_an_idempotency_key_gives_the_same_count(api: Any) -> None:
    ask(api, "once")
    as_if_posted_before(api, "once")
    digest = look(api, group_id="once").json()["text_sha256"]
    headers = {"Idempotency-Key": "told-once"}
    for _ in range(2):
        assert told(api, digest, ("once", "q1"), headers=headers).json() == {"told": 1}
    assert told(api, digest, ("once", "q1"), ("once", "q2"), headers=headers).status_code == 409
