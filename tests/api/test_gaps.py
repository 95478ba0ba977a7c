"""A question nobody answers, from the group to a moderator's decision."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from ragcomm.storage.keys import KeyStore
from ragcomm_api import auth

BUS = ("请问去火车站坐几路公交车？", "请问到火车站坐几路公交车呢？", "去火车站坐几路公交车")


@pytest.fixture(autouse=True)
def fresh_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(auth, "REFRESH_S", -1.0)


def new_key(api: Any, *scopes: str, groups: tuple[str, ...] = ()) -> str:
    _, secret = KeyStore(api.app.state.parts.engine).create("t", scopes, groups=groups, now=datetime.now(UTC))
    return secret


def look(api: Any, key: str | None = None, **params: Any) -> Any:
    headers = {"Authorization": f"Bearer {key or api.key}"}
    return api.call("GET", "/v1/knowledge/gaps", params=params, headers=headers)


def ask(api: Any, group: str, *texts: str, member: str = "") -> None:
    for i, text in enumerate(texts):
        body = {"id": f"{member}{i}", "group_id": group, "member_id": member or f"u{i}", "text": text}
        answer = api.post("/v1/messages", body).json()
        assert answer["reply"] is None
        assert answer["answer"]["decision"] in ("abstain", "confirm")


def resolve(api: Any, gap_id: str, body: dict[str, Any], **options: Any) -> Any:
    return api.post(f"/v1/knowledge/gaps/{gap_id}:resolve", body, **options)


def test_unanswered_questions_are_shown_in_clusters_with_a_title_and_examples(api: Any) -> None:
    ask(api, "shown", *BUS)
    api.post("/v1/messages", {"id": "fine", "group_id": "shown", "text": "玫瑰花茶怎么喝，哪些人不宜喝？"})
    api.post("/v1/messages", {"id": "chat", "group_id": "shown", "text": "早上好，今天下雨大家出门带伞"})
    body = look(api, group_id="shown").json()
    assert body["total"] == 1
    [gap] = body["gaps"]
    assert gap["title"] in BUS
    assert (gap["askers"], gap["questions"], gap["groups"]) == (3, 3, ["shown"])
    assert {e["text"] for e in gap["examples"]} == set(BUS)
    assert gap["nearest"]["entry_id"].startswith("faq.")
    assert 0 <= gap["nearest"]["confidence"] < 1
    assert gap["first_seen"] <= gap["last_seen"]


def test_an_answer_that_only_waits_for_a_signature_is_no_gap(api: Any) -> None:
    body = api.post("/v1/messages", {"id": "herb", "group_id": "signed", "text": "黄芪泡水放几片？"}).json()
    assert body["reply"]["visibility"] == "moderators"
    assert look(api, group_id="signed").json() == {"gaps": [], "total": 0}


def test_a_gap_becomes_a_draft_and_does_not_come_back_for_the_same_question(api: Any) -> None:
    ask(api, "draft", *BUS)
    [gap] = look(api, group_id="draft").json()["gaps"]
    answer = resolve(api, gap["id"], {"as": "entry", "group_id": "draft"})
    assert answer.status_code == 200
    body = answer.json()
    assert (body["id"], body["resolved_as"], body["alternate"]) == (gap["id"], "entry", None)
    assert body["draft"]["question"] == gap["title"]
    assert {body["draft"]["question"], *body["draft"]["alternates"]} == set(BUS)
    assert look(api, group_id="draft").json()["total"] == 0
    ask(api, "draft", BUS[0], member="later")
    assert look(api, group_id="draft").json()["total"] == 0
    # The same call again gets the same answer; another decision comes too late.
    assert resolve(api, gap["id"], {"as": "entry", "group_id": "draft"}).content == answer.content
    assert resolve(api, gap["id"], {"as": "ignore", "group_id": "draft"}).status_code == 409


def test_a_gap_becomes_alternates_of_an_entry_that_exists(api: Any) -> None:
    ask(api, "alternate", BUS[0])
    [gap] = look(api, group_id="alternate").json()["gaps"]
    unknown = resolve(api, gap["id"], {"as": "alternate", "entry_id": "faq.no.such"})
    assert (unknown.status_code, "faq.no.such" in unknown.json()["detail"]) == (404, True)
    given = {"as": "alternate", "entry_id": "faq.tea.rose", "group_id": "alternate"}
    body = resolve(api, gap["id"], given).json()
    assert body["alternate"] == {"entry_id": "faq.tea.rose", "wordings": [BUS[0]]}
    assert look(api, group_id="alternate").json()["total"] == 0


def test_an_ignored_gap_is_gone_and_another_question_is_not(api: Any) -> None:
    ask(api, "ignored", BUS[0], "我家孩子的学区房该买哪个小区")
    first, second = look(api, group_id="ignored").json()["gaps"]
    body = resolve(api, first["id"], {"as": "ignore"}).json()
    assert body == {"id": first["id"], "resolved_as": "ignore", "draft": None, "alternate": None}
    assert [gap["id"] for gap in look(api, group_id="ignored").json()["gaps"]] == [second["id"]]


def test_a_key_sees_and_resolves_only_its_own_groups(api: Any) -> None:
    ask(api, "mine", BUS[0])
    ask(api, "theirs", "我家孩子的学区房该买哪个小区")
    key = new_key(api, "moderator", groups=("mine",))
    body = look(api, key).json()
    assert [gap["groups"] for gap in body["gaps"]] == [["mine"]]
    assert look(api, key, group_id="theirs").status_code == 403
    [other] = look(api, group_id="theirs").json()["gaps"]
    assert resolve(api, other["id"], {"as": "ignore"}, key=key).status_code == 404
    assert look(api, group_id="theirs").json()["total"] == 1


def test_only_moderators_may_look(api: Any) -> None:
    assert look(api, "wrong").status_code == 401
    assert look(api, new_key(api, "bot")).status_code == 403
    assert look(api, new_key(api, "moderator")).status_code == 200
    assert resolve(api, "x", {"as": "ignore"}, key=new_key(api, "bot")).status_code == 403


@pytest.mark.parametrize(
    "body",
    [{"as": "alternate"}, {"as": "entry", "entry_id": "faq.tea.rose"}, {"as": "nothing"}, {}, {"as": "ignore", "x": 1}],
)
def test_a_decision_that_makes_no_sense_is_refused(api: Any, body: dict[str, Any]) -> None:
    assert resolve(api, "x", body).status_code == 422


def test_what_is_not_there_is_not_found_and_limits_hold(api: Any) -> None:
    assert resolve(api, "nosuchgap", {"as": "ignore"}).status_code == 404
    assert look(api, limit=0).status_code == 422
    assert look(api, limit=101).status_code == 422
    ask(api, "limit", BUS[0], "我家孩子的学区房该买哪个小区")
    body = look(api, group_id="limit", limit=1).json()
    assert (len(body["gaps"]), body["total"]) == (1, 2)


def test_an_idempotency_key_holds_for_decisions_too(api: Any) -> None:
    ask(api, "promise", BUS[0])
    [gap] = look(api, group_id="promise").json()["gaps"]
    headers = {"Idempotency-Key": "gap-promise"}
    first = resolve(api, gap["id"], {"as": "ignore"}, headers=headers)
    assert resolve(api, gap["id"], {"as": "ignore"}, headers=headers).content == first.content
    assert resolve(api, gap["id"], {"as": "entry"}, headers=headers).status_code == 409
