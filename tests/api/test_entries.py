"""Drafts over HTTP: written, reviewed by a second person, linted, imported, exported."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from ragcomm.corpora import load_entries
from ragcomm.knowledge.exchange import Reading, to_lines
from ragcomm.knowledge.sheets import READERS, WRITERS

ANSWER = (
    "米醋兑水泡手，是民间说法，没有可靠的研究支持。皮肤有破口、正在过敏的人会刺痛，不要这样做。想让手变软，洗手后马上涂护手霜，睡前厚涂一层再戴棉手套，"
    "坚持两周看变化；开裂出血要去皮肤科看看。"
)


def entry(**changed: Any) -> dict[str, Any]:
    return {
        "question": "米醋泡手能让手变软吗？",
        "answer": ANSWER,
        "category": "diet",
        "alternates": ["用醋洗手手会嫩？"],
        "sources": [{"title": "皮肤病学", "issuer": "人民卫生出版社", "year": 2018}],
        "reviewed_on": "2026-11-01",
        "expires_on": "2099-11-01",
        **changed,
    }


@pytest.fixture(scope="module")
def keys(api: Any) -> dict[str, str]:
    """Two moderators and a bot."""
    from datetime import UTC, datetime

    from ragcomm.storage.keys import KeyStore

    store = KeyStore(api.app.state.parts.engine)
    made = {
        name: store.create(name, [scope], now=datetime.now(UTC))[1]
        for name, scope in (("one", "moderator"), ("two", "moderator"), ("bot", "bot"))
    }
    api.app.state.parts.keys._read_at = 0.0
    return made


@pytest.fixture(autouse=True)
def clean(api: Any) -> Iterator[None]:
    yield
    store = api.app.state.parts.publisher.store
    for draft in store.drafts():
        store.discard(draft.kind, draft.entry_id)


def call(api: Any, method: str, path: str, key: str, **options: Any) -> Any:
    headers = {"Authorization": f"Bearer {key}", **options.pop("headers", {})}
    return api.call(method, path, headers=headers, **options)


def test_a_draft_is_written_shown_and_thrown_away(api: Any, keys: dict[str, str]) -> None:
    path = "/v1/faq/entries/faq.diet.vinegar"
    put = call(api, "PUT", path, keys["one"], json=entry())
    assert put.status_code == 200
    body = put.json()
    assert (body["entry_id"], body["kind"], body["published"]) == ("faq.diet.vinegar", "faq", None)
    assert body["draft"]["entry"] == {**entry(), "id": "faq.diet.vinegar", "review_status": "editorial"}
    assert (body["draft"]["state"], body["draft"]["needs_second_person"], body["draft"]["ready"]) == (
        "open",
        False,
        True,
    )
    assert call(api, "GET", path, keys["two"]).json() == body
    assert call(api, "DELETE", path, keys["two"], params={"revision": 7}).status_code == 409
    assert call(api, "DELETE", path, keys["two"], params={"revision": 1}).status_code == 204
    gone = call(api, "GET", path, keys["one"])
    assert (gone.status_code, gone.headers["content-type"]) == (404, "application/problem+json")


def test_only_moderators_draft_and_only_admins_publish(api: Any, keys: dict[str, str]) -> None:
    path = "/v1/faq/entries/faq.diet.vinegar"
    assert call(api, "PUT", path, keys["bot"], json=entry()).status_code == 403
    assert call(api, "GET", "/v1/faq/entries", keys["bot"]).status_code == 403
    assert api.call("GET", "/v1/faq/entries").status_code == 401
    for name in ("publish", "rollback"):
        refused = call(api, "POST", f"/v1/knowledge:{name}", keys["one"], json={"version": 0})
        assert refused.status_code == 403
    assert call(api, "GET", "/v1/knowledge/versions", keys["one"]).json() == {"current": 0, "versions": [], "moves": []}


@pytest.mark.parametrize(
    ("body", "status", "word"),
    [
        (b"{", 400, "not valid JSON"),
        (b"[]", 422, "must be an entry"),
        (json.dumps(entry(id="faq.other")).encode(), 422, "faq.other"),
        (json.dumps(entry(anwser="")).encode(), 422, "anwser"),
        (json.dumps(entry(question="")).encode(), 422, "question"),
        (json.dumps(entry(expires_on="soon")).encode(), 422, "soon"),
    ],
)
def test_what_is_no_entry_is_a_problem(api: Any, keys: dict[str, str], body: bytes, status: int, word: str) -> None:
    answer = call(api, "PUT", "/v1/faq/entries/faq.diet.vinegar", keys["one"], content=body)
    assert (answer.status_code, word in answer.json()["detail"]) == (status, True)
    assert api.rows("SELECT entry_id FROM entry_drafts") == []


def test_a_stale_writing_is_a_conflict(api: Any, keys: dict[str, str]) -> None:
    path = "/v1/faq/entries/faq.diet.vinegar"
    assert call(api, "PUT", path, keys["one"], json=entry(), params={"revision": 0}).status_code == 200
    assert call(api, "PUT", path, keys["two"], json=entry(), params={"revision": 0}).status_code == 409
    assert call(api, "PUT", path, keys["two"], json=entry(), params={"revision": 1}).json()["draft"]["revision"] == 2


def test_a_medical_draft_takes_a_second_person(api: Any, keys: dict[str, str]) -> None:
    path = "/v1/faq/entries/faq.herb.vinegar"
    draft = call(api, "PUT", path, keys["one"], json=entry(category="herb")).json()["draft"]
    assert (draft["needs_second_person"], draft["ready"]) == (True, False)
    word = {"revision": 1, "decision": "approve", "note": "看过"}
    own = call(api, "POST", f"{path}:review", keys["one"], json=word)
    assert (own.status_code, "second person" in own.json()["detail"]) == (403, True)
    assert call(api, "POST", f"{path}:review", keys["two"], json={**word, "revision": 2}).status_code == 409
    other = call(api, "POST", f"{path}:review", keys["two"], json=word).json()["draft"]
    assert (other["state"], other["ready"], other["note"]) == ("approved", True, "看过")
    assert other["reviewer"] != other["author"]
    # Another category does not lead around it, once the entry is published as what it was.
    herb = next(e for e in load_entries(api.settings.corpora / "faq/entries.jsonl") if e.category == "herb")
    moved = call(api, "PUT", f"/v1/faq/entries/{herb.id}", keys["one"], json=entry(category="diet")).json()
    assert moved["draft"]["ready"] is False


def test_a_repeated_review_with_its_idempotency_key_gets_the_same_answer(api: Any, keys: dict[str, str]) -> None:
    path = "/v1/faq/entries/faq.herb.vinegar"
    call(api, "PUT", path, keys["one"], json=entry(category="herb"))
    word = {"revision": 1, "decision": "reject"}
    again = {"headers": {"Idempotency-Key": "review-1"}}
    first, second = (call(api, "POST", f"{path}:review", keys["two"], json=word, **again) for _ in range(2))
    assert (first.status_code, first.content) == (200, second.content)
    other = call(api, "POST", f"{path}:review", keys["two"], json={**word, "decision": "approve"}, **again)
    assert other.status_code == 409


def test_entries_are_listed_in_pages(api: Any, keys: dict[str, str]) -> None:
    shipped = sorted(e.id for e in load_entries(api.settings.corpora / "faq/entries.jsonl"))
    call(api, "PUT", "/v1/faq/entries/faq.zz", keys["one"], json=entry())
    seen: list[str] = []
    after = ""
    while after is not None:
        page = call(api, "GET", "/v1/faq/entries", keys["one"], params={"after": after, "limit": 150}).json()
        seen += [e["entry_id"] for e in page["entries"]]
        after = page["next"]
    assert seen == [*shipped, "faq.zz"]
    drafted = call(api, "GET", "/v1/faq/entries", keys["one"], params={"state": "draft"}).json()
    assert [e["entry_id"] for e in drafted["entries"]] == ["faq.zz"]
    assert call(api, "GET", "/v1/claims/entries", keys["one"], params={"state": "draft"}).json()["entries"] == []
    assert call(api, "GET", "/v1/faq/entries", keys["one"], params={"limit": 501}).status_code == 422


def test_lint_tells_what_is_wrong_with_drafts_and_with_given_entries(api: Any, keys: dict[str, str]) -> None:
    rose = "玫瑰花茶怎么喝，哪些人不宜喝？"
    call(api, "PUT", "/v1/faq/entries/faq.zz", keys["one"], json=entry(sources=[], question=rose))
    flaws = call(api, "POST", "/v1/faq/entries:lint", keys["one"]).json()["flaws"]
    assert {(f["rule"], f["level"], f["other_id"]) for f in flaws} == {
        ("no_source", "error", None),
        ("same_wording", "error", "faq.tea.rose"),
    }
    given = {"entries": [entry(id="faq.yy", answer=ANSWER + "保证根治。")]}
    flaws = call(api, "POST", "/v1/faq/entries:lint", keys["one"], json=given).json()["flaws"]
    assert ("promise", "faq.yy") in {(f["rule"], f["entry_id"]) for f in flaws}
    whole = call(api, "POST", "/v1/claims/entries:lint", keys["one"], json={"all": True}).json()["flaws"]
    assert {f["level"] for f in whole} == {"warning"}


@pytest.mark.parametrize("form", ["jsonl", "csv", "xlsx"])
def test_what_is_exported_changes_nothing_when_imported(api: Any, keys: dict[str, str], form: str) -> None:
    file = call(api, "GET", "/v1/claims/entries:export", keys["one"], params={"format": form})
    assert file.headers["content-disposition"] == f'attachment; filename="claims-0.{form}"'
    shipped = tuple(load_entries(api.settings.corpora / "claims/entries.jsonl"))
    assert READERS[form]("claims", file.content) == Reading(shipped, ())
    path, how = "/v1/claims/entries:import", {"format": form, "apply": True}
    told = call(api, "POST", path, keys["one"], params=how, content=file.content).json()
    assert told == {"applied": True, "added": [], "changed": [], "unchanged": len(shipped), "rejected": []}
    assert api.rows("SELECT entry_id FROM entry_drafts") == []


def test_an_import_is_tried_first_and_applied_on_request(api: Any, keys: dict[str, str]) -> None:
    from dataclasses import replace

    first, second, *_ = load_entries(api.settings.corpora / "faq/entries.jsonl")
    new = replace(first, id="faq.zz", question="全新的一问？", forms=("全新的一问？",))
    lines = to_lines([replace(first, answer=ANSWER), second, new]) + b'{"id": "faq.bad"}\n'
    path = "/v1/faq/entries:import"
    tried = call(api, "POST", path, keys["one"], content=lines).json()
    assert tried == {
        "applied": False,
        "added": ["faq.zz"],
        "changed": [{"entry_id": first.id, "field": "answer", "before": first.answer, "after": ANSWER}],
        "unchanged": 1,
        "rejected": [{"where": "line 4", "reason": "saw 'category' empty, expected a text"}],
    }
    assert api.rows("SELECT entry_id FROM entry_drafts") == []
    applied = call(api, "POST", path, keys["one"], content=lines, params={"apply": True}).json()
    assert applied == {**tried, "applied": True}
    assert sorted(r[0] for r in api.rows("SELECT entry_id FROM entry_drafts")) == sorted([first.id, "faq.zz"])
    exported = call(api, "GET", "/v1/faq/entries:export", keys["one"], params={"drafts": True}).content
    by_id = {e.id: e for e in READERS["jsonl"]("faq", exported).entries}
    assert (by_id[first.id].answer, by_id["faq.zz"]) == (ANSWER, new)


def test_a_file_of_another_kind_is_a_problem(api: Any, keys: dict[str, str]) -> None:
    answer = call(api, "POST", "/v1/faq/entries:import", keys["one"], params={"format": "xlsx"}, content=b"no workbook")
    assert (answer.status_code, "XLSX" in answer.json()["detail"]) == (422, True)
    assert call(api, "POST", "/v1/faq/entries:import", keys["one"], params={"format": "pdf"}).status_code == 422


def test_retiring_is_drafted_for_what_is_published_only(api: Any, keys: dict[str, str]) -> None:
    body = call(api, "POST", "/v1/faq/entries/faq.tea.rose:retire", keys["one"]).json()
    assert (body["draft"]["entry"], body["draft"]["ready"]) == (None, True)
    assert body["published"]["id"] == "faq.tea.rose"
    assert call(api, "POST", "/v1/faq/entries/faq.none:retire", keys["one"]).status_code == 404


def test_every_format_has_a_writer_and_a_reader() -> None:
    assert READERS.keys() == WRITERS.keys() == {"jsonl", "csv", "xlsx"}
