"""Publishing while members ask: golden conversations, refusals, the death of the judge, and the way back."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from tests.api.conftest import KEY, Api

from ragcomm.corpora import load_entries
from ragcomm.knowledge.exchange import to_lines
from ragcomm.settings import Settings, shipped_folder
from ragcomm.storage.entries import EntryStore
from ragcomm.storage.keys import KeyStore

QUESTION = "米醋泡手能让手变软吗？"
ANSWER = (
    "米醋兑水泡手，是民间说法，没有可靠的研究支持。皮肤有破口、正在过敏的人会刺痛，不要这样做。想让手变软，洗手后马上涂护手霜，睡前厚涂一层再戴棉手套，"
    "坚持两周看变化；开裂出血要去皮肤科看看。"
)
VINEGAR = "faq.diet.vinegar_hands"


def entry(**changed: Any) -> dict[str, Any]:
    return {
        "question": QUESTION,
        "answer": ANSWER,
        "category": "diet",
        "alternates": ["用醋洗手手会嫩？"],
        "sources": [{"title": "皮肤病学", "issuer": "人民卫生出版社", "year": 2018}],
        "reviewed_on": "2026-11-01",
        "expires_on": "2099-11-01",
        **changed,
    }


# So few of the shipped entries that a publish takes a moment; one test takes them all.
KEPT = ("faq.tea.", "faq.diet.", "claim.food.")


@pytest.fixture(scope="module")
def corpora(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shipped corpora with a few entries only."""
    folder = tmp_path_factory.mktemp("corpora")
    for name in ("lexicon", "safety"):
        (folder / name).symlink_to(shipped_folder("corpora") / name)
    for kind in ("faq", "claims"):
        entries = load_entries(shipped_folder("corpora") / kind / "entries.jsonl")
        (folder / kind).mkdir()
        (folder / kind / "entries.jsonl").write_bytes(to_lines(e for e in entries if e.id.startswith(KEPT)))
    return folder


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory, corpora: Path) -> Iterator[Api]:
    folder = tmp_path_factory.mktemp("publishing")
    started = Api(
        Settings(database_url=f"sqlite:///{folder}/api.sqlite3", bootstrap_key=SecretStr(KEY), corpora=corpora)
    )
    yield started
    started.close()


def sizes(api: Any) -> tuple[int, int]:
    told = api.call("GET", "/readyz").json()["entries"]
    return told["answers"], told["debunks"]


@pytest.fixture(autouse=True)
def shipped(api: Any) -> Iterator[None]:
    """Every test begins and ends with the shipped entries and without drafts."""
    yield
    publisher = api.app.state.parts.publisher
    for draft in publisher.store.drafts():
        publisher.store.discard(draft.kind, draft.entry_id)
    while not api.app.state.parts.judge.alive:
        wait(api, 0.05)
    if publisher.store.current() != 0:
        assert api.post("/v1/knowledge:rollback", {"version": 0}).json()["in_use"] is True


def wait(api: Any, seconds: float) -> None:
    api._loop.run_until_complete(asyncio.sleep(seconds))


def draft(api: Any, entry_id: str = VINEGAR, **changed: Any) -> None:
    headers = {"Authorization": f"Bearer {api.key}"}
    put = api.call("PUT", f"/v1/faq/entries/{entry_id}", headers=headers, json=entry(**changed))
    assert put.status_code == 200, put.text


def publish(api: Any, **how: Any) -> dict[str, Any]:
    done = api.post("/v1/knowledge:publish", how)
    assert done.status_code == 200, done.text
    return dict(done.json())


def asked(api: Any, text: str = QUESTION) -> tuple[str, str | None, str]:
    """Decision, entry and index of the first match."""
    found = api.post("/v1/faq/search", {"text": text}).json()
    first = found["matches"][0]["entry_id"] if found["decision"] == "answer" else None
    return found["decision"], first, found["index_version"]


def test_a_question_gets_its_answer_with_the_publish_and_loses_it_with_the_rollback(api: Any) -> None:
    before, (answers, debunks) = asked(api), sizes(api)
    assert before[1] is None
    draft(api)
    assert asked(api) == before
    done = publish(api, note="手")
    assert (done["base"], done["in_use"], done["published"], done["waiting"]) == (0, True, [VINEGAR], [])
    assert done["sizes"] == {"faq": answers + 1, "claims": debunks}
    assert asked(api)[:2] == ("answer", VINEGAR)
    body = api.post("/v1/messages", {"id": "golden-1", "group_id": "g", "text": QUESTION}).json()
    assert (body["reply"]["content_id"], ANSWER in body["reply"]["text"]) == (VINEGAR, True)
    assert sizes(api) == (answers + 1, debunks)
    back = api.post("/v1/knowledge:rollback", {"version": 0, "note": "zurück"}).json()
    assert back == {"version": 0, "in_use": True}
    assert asked(api) == before
    assert sizes(api) == (answers, debunks)
    told = api.call("GET", "/v1/knowledge/versions", headers={"Authorization": f"Bearer {api.key}"}).json()
    assert told["current"] == 0
    assert [(m["version"], m["action"], m["note"]) for m in told["moves"][:2]] == [
        (0, "rollback", "zurück"),
        (done["version"], "publish", "手"),
    ]
    assert told["versions"][0]["version"] == done["version"]


def test_going_back_takes_less_than_a_tenth_of_a_second(api: Any) -> None:
    draft(api)
    version = publish(api)["version"]
    seconds = []
    for number in (0, version, 0, version, 0):
        started = time.perf_counter()
        assert api.post("/v1/knowledge:rollback", {"version": number}).json()["in_use"] is True
        seconds.append(time.perf_counter() - started)
        assert (asked(api)[1] == VINEGAR) is (number == version)
    # The best of five: the bar is the service's, not that of a busy machine.
    assert min(seconds) < 0.1


def test_a_changed_entry_answers_in_its_new_words_and_a_retired_one_no_more(api: Any) -> None:
    rose, there = "玫瑰花茶怎么喝，哪些人不宜喝？", sizes(api)[0]
    known = api.call("GET", "/v1/faq/entries/faq.tea.rose", headers={"Authorization": f"Bearer {api.key}"}).json()
    words = known["published"]["answer"].replace("玫瑰花", "平阴玫瑰花", 1)
    draft(api, "faq.tea.rose", **{**known["published"], "answer": words})
    publish(api, accept=["length"])
    found = api.post("/v1/faq/search", {"text": rose}).json()["matches"][0]
    assert (found["entry_id"], found["answer"]) == ("faq.tea.rose", words)
    assert words != known["published"]["answer"]
    assert api.post("/v1/faq/entries/faq.tea.rose:retire").status_code == 200
    publish(api)
    assert asked(api, rose)[1] != "faq.tea.rose"
    assert sizes(api)[0] == there - 1


def test_a_dry_run_tells_which_stored_questions_would_be_answered_differently(api: Any) -> None:
    api.post("/v1/messages", {"id": "dry-1", "group_id": "dry", "text": QUESTION})
    api.post("/v1/messages", {"id": "dry-2", "group_id": "dry", "text": "玫瑰花茶怎么喝，哪些人不宜喝？"})
    draft(api)
    done = publish(api, dry_run=True)
    assert (done["version"], done["in_use"]) == (None, False)
    told = {d["message_id"]: d for d in done["answered_differently"]}
    assert "dry-2" not in told
    assert told["dry-1"]["text"] == QUESTION
    assert told["dry-1"]["before"]["decision"] != "answer"
    assert told["dry-1"]["after"] == {"decision": "answer", "entry_id": VINEGAR, "answer": ANSWER}
    assert asked(api)[1] is None
    assert publish(api, questions=0)["answered_differently"] == []


def test_a_publish_whose_question_finds_another_entry_first_is_refused(api: Any) -> None:
    before = asked(api)
    draft(api)
    draft(api, "faq.diet.vinegar_twin")
    refused = api.post("/v1/knowledge:publish", {"accept": ["same_wording"]})
    assert refused.status_code == 422
    assert "own question" in refused.json()["detail"]
    assert {e["where"] for e in refused.json()["errors"]} <= {VINEGAR, "faq.diet.vinegar_twin"}
    assert api.app.state.parts.publisher.store.current() == 0
    assert asked(api) == before
    assert len(api.rows("SELECT 1 FROM entry_drafts")) == 2


@pytest.mark.parametrize(
    ("changed", "rule"), [({"sources": []}, "no_source"), ({"answer": ANSWER + "保证根治。"}, "promise")]
)
def test_a_publish_with_an_error_is_refused_unless_it_is_accepted(api: Any, changed: dict[str, Any], rule: str) -> None:
    draft(api, **changed)
    refused = api.post("/v1/knowledge:publish", {})
    assert refused.status_code == 422
    assert [(e["where"], e["kind"]) for e in refused.json()["errors"]] == [(VINEGAR, rule)]
    assert publish(api, accept=[rule])["flaws"][0]["rule"] == rule
    assert api.post("/v1/knowledge:publish", {"accept": ["no_such_rule"]}).status_code == 422


def test_a_medical_draft_waits_while_the_others_are_published(api: Any) -> None:
    draft(api)
    draft(api, "faq.herb.vinegar", category="herb", question="醋制香附是什么？", alternates=[])
    done = publish(api)
    assert (done["published"], done["waiting"]) == ([VINEGAR], ["faq.herb.vinegar"])
    for how in ({}, {"entries": ["faq.herb.vinegar"]}):
        refused = api.post("/v1/knowledge:publish", how)
        assert (refused.status_code, refused.json()["errors"][0]["where"]) == (422, "faq.herb.vinegar")
    store = api.app.state.parts.publisher.store
    second = {"reviewer": "key-2", "approve": True, "note": "", "now": datetime.now(UTC)}
    store.review("faq", "faq.herb.vinegar", revision=1, **second)
    assert publish(api)["published"] == ["faq.herb.vinegar"]
    # Found, but what is clinical still waits for a clinician before it is posted.
    assert asked(api, "醋制香附是什么？")[0] == "confirm"


def test_a_judge_that_is_killed_comes_up_with_what_is_published(api: Any) -> None:
    draft(api)
    version = publish(api)["version"]
    judge = api.app.state.parts.judge
    os.kill(judge._child.pid, signal.SIGKILL)
    while judge.alive:
        wait(api, 0.01)
    while not judge.alive:
        wait(api, 0.05)
    assert judge.version == version
    assert asked(api)[:2] == ("answer", VINEGAR)
    # The new process has no index before this one; it builds what it goes back to.
    assert api.post("/v1/knowledge:rollback", {"version": 0}).json()["in_use"] is True
    assert asked(api)[1] is None


def test_a_judge_that_dies_while_a_publish_is_made_ready_publishes_nothing(api: Any) -> None:
    draft(api)
    judge = api.app.state.parts.judge

    async def killed_meanwhile() -> Any:
        headers = {"Authorization": f"Bearer {api.key}"}
        publishing = asyncio.create_task(api._client.post("/v1/knowledge:publish", json={}, headers=headers))
        while not judge._pending and not publishing.done():
            await asyncio.sleep(0.01)
        os.kill(judge._child.pid, signal.SIGKILL)
        return await publishing

    answer = api._loop.run_until_complete(killed_meanwhile())
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
    assert (api.app.state.parts.publisher.store.current(), len(api.rows("SELECT 1 FROM entry_drafts"))) == (0, 1)


@pytest.mark.slow
def test_no_request_is_dropped_while_all_entries_are_published_again(tmp_path: Path) -> None:
    whole = Api(Settings(database_url=f"sqlite:///{tmp_path}/api.sqlite3", bootstrap_key=SecretStr(KEY)))
    try:
        draft(whole)
        done, statuses, found = whole._loop.run_until_complete(_under_load(whole))
    finally:
        whole.close()
    assert done.status_code == 200
    assert set(statuses) == {200}
    assert len(statuses) > 24
    assert found == [True] * 8


async def _under_load(api: Api) -> tuple[Any, list[int], list[bool]]:
    """A publish while eight members ask: its answer, theirs, and whether those after it knew the new entry."""
    headers = {"Authorization": f"Bearer {api.key}"}
    publishing = asyncio.create_task(api._client.post("/v1/knowledge:publish", json={}, headers=headers))
    statuses: list[int] = []
    found: list[bool] = []

    async def member(name: int) -> None:
        count = 0
        while not publishing.done() or count < 3:
            body = {"id": f"load-{name}-{count}", "group_id": "load", "text": QUESTION}
            answer = await api._client.post("/v1/messages", json=body, headers=headers)
            statuses.append(answer.status_code)
            count += 1
        body = {"id": f"load-{name}-last", "group_id": "load", "text": QUESTION}
        answer = await api._client.post("/v1/messages", json=body, headers=headers)
        found.append(answer.json()["answer"]["matches"][0]["entry_id"] == VINEGAR)

    await asyncio.gather(*(member(n) for n in range(8)))
    return await publishing, statuses, found


def test_what_another_process_publishes_is_taken_over(api: Any) -> None:
    draft(api)
    version = publish(api)["version"]
    publisher = api.app.state.parts.publisher
    other = EntryStore(api.app.state.parts.engine)
    other.roll_back(0, by="elsewhere", note="", now=datetime.now(UTC))
    api._loop.run_until_complete(publisher.catch_up())
    assert asked(api)[1] is None
    other.roll_back(version, by="elsewhere", note="", now=datetime.now(UTC))
    api._loop.run_until_complete(publisher.catch_up())
    assert asked(api)[1] == VINEGAR


def test_a_repeated_publish_with_its_idempotency_key_publishes_once(api: Any) -> None:
    draft(api)
    again = {"headers": {"Idempotency-Key": "publish-1"}}
    first, second = (api.post("/v1/knowledge:publish", {"note": "x"}, **again) for _ in range(2))
    assert (first.status_code, first.content) == (200, second.content)


def test_a_key_for_some_groups_does_not_publish(api: Any) -> None:
    parts = api.app.state.parts
    _, secret = KeyStore(parts.engine).create("some", ["admin"], now=datetime.now(UTC), groups=["g1"])
    parts.keys._read_at = 0.0
    assert api.post("/v1/knowledge:publish", {}, key=secret).status_code == 403


def test_nothing_is_published_twice_or_from_nothing(api: Any) -> None:
    assert api.post("/v1/knowledge:publish", {}).status_code == 422
    assert api.post("/v1/knowledge:rollback", {"version": 999}).status_code == 404
    assert api.post("/v1/knowledge:rollback", {"version": -1}).status_code == 422
    missing = api.post("/v1/knowledge:publish", {"entries": ["faq.none"]})
    assert missing.json()["errors"] == [{"where": "faq.none", "message": "there is no draft of it"}]
