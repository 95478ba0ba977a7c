"""Health, metrics, the contract, and the pages for people."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

ROOT = Path(__file__).resolve().parents[2]


def form(api: Any, **fields: str) -> Any:
    content = urlencode(fields).encode()
    return api.call("POST", "/", content=content, headers={"Content-Type": "application/x-www-form-urlencoded"})


def test_the_committed_contract_is_the_one_that_is_served(api: Any) -> None:
    committed = json.loads((ROOT / "api/openapi.json").read_text(encoding="utf-8"))
    assert committed == api.call("GET", "/openapi.json").json()


def test_health_and_readiness_need_no_key(api: Any) -> None:
    assert api.call("GET", "/healthz").json() == {"status": "alive"}
    ready = api.call("GET", "/readyz").json()
    assert ready["status"] == "ready"
    assert ready["entries"]["answers"] >= 100


def counted(api: Any, name: str) -> float:
    lines = api.call("GET", "/metrics").text.splitlines()
    return float(next((line.split()[-1] for line in lines if line.startswith(name + " ")), 0))


def test_metrics_count_verdicts_and_commits(api: Any) -> None:
    names = ('ragcomm_verdicts_total{action="hold"}', "ragcomm_committed_messages_total", "ragcomm_commits_total")
    before = [counted(api, name) for name in names]
    api.post("/v1/messages", {"id": "m", "text": "加我薇信abc12345，祖传膏药三贴断根"})
    assert [counted(api, name) - was for name, was in zip(names, before, strict=True)] == [1, 1, 1]


def test_an_unknown_path_is_a_problem_too(api: Any) -> None:
    answer = api.call("GET", "/nope")
    assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")


def test_search_gives_ten_matches_whatever_the_decision(api: Any) -> None:
    body = api.post("/v1/faq/search", {"text": "火车几点开"}).json()
    assert body["decision"] == "abstain"
    assert len(body["matches"]) == 10
    confidences = [m["confidence"] for m in body["matches"]]
    assert confidences == sorted(confidences, reverse=True)


def test_claims_are_found_with_their_verdict(api: Any) -> None:
    body = api.post("/v1/claims/search", {"text": "螃蟹和柿子一起吃会中毒", "limit": 3}).json()
    assert body["matches"][0]["entry_id"] == "claim.food.crab_persimmon"
    assert body["matches"][0]["verdict"] == "false"
    assert len(body["matches"]) == 3


def test_a_search_limit_outside_its_range_is_refused(api: Any) -> None:
    assert api.post("/v1/faq/search", {"text": "早", "limit": 11}).status_code == 422


def test_the_landing_page_judges_and_escapes(api: Any) -> None:
    page = form(api, key=api.key, text="<script>alert(1)</script> 加我微信 abc12345").text
    assert "<script>alert" not in page
    assert "&lt;script&gt;" in page
    assert "contact_handle" in page


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("黄芪泡水放几片？", ("问答库", "黄芪")),
        ("紧急扩散！虾和维C一起吃等于砒霜，快转给家人", ("谣言库", "砒霜", "机器人的回复")),
        ("不想活了，你们保重", ("只私聊本人", "12356")),
        ("早安", ("概率",)),
    ],
)
def test_the_landing_page_shows_every_kind_of_outcome(api: Any, text: str, shown: tuple[str, ...]) -> None:
    page = api.call("POST", "/", data={"key": api.key, "text": text})
    assert page.status_code == 200
    assert all(part in page.text for part in shown)


def test_the_landing_page_refuses_a_wrong_key_and_keeps_the_text(api: Any) -> None:
    page = form(api, key="wrong", text="早安你好")
    assert page.status_code == 401
    assert "密钥不对" in page.text
    assert "早安你好" in page.text


def test_pages_run_no_script_and_load_nothing_from_elsewhere(api: Any) -> None:
    for path in ("/", "/docs"):
        answer = api.call("GET", path)
        assert answer.status_code == 200
        assert "<script" not in answer.text
        assert "http://" not in answer.text
        assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert api.call("GET", "/static/style.css").headers["content-type"].startswith("text/css")
    assert api.call("GET", "/static/../app.py").status_code == 404
