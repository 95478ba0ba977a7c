"""Keys: scopes, groups, and no way around them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from ragcomm.storage.keys import KeyStore
from ragcomm_api import auth

BODY = {"id": "a-1", "group_id": "g1", "text": "早"}


def new_key(api: Any, scopes: list[str], groups: list[str] | None = None) -> str:
    _, secret = KeyStore(api.app.state.parts.engine).create("t", scopes, groups=groups or [], now=datetime.now(UTC))
    return secret


@pytest.fixture(autouse=True)
def fresh_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keys are read again on every call, so that a test need not wait for the refresh."""
    monkeypatch.setattr(auth, "REFRESH_S", -1.0)


@pytest.mark.parametrize("path", ["/v1/messages", "/v1/messages:batch", "/v1/moderate", "/v1/faq/search"])
@pytest.mark.parametrize("key", [None, "", "wrong"])
def test_without_a_valid_key_nothing_is_told(api: Any, path: str, key: str | None) -> None:
    answer = api.post(path, BODY, key=key)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    assert api.rows("SELECT count(*) FROM messages") == [(0,)]


def test_a_key_of_another_scope_is_refused(api: Any) -> None:
    assert api.post("/v1/messages", BODY, key=new_key(api, ["moderator"])).status_code == 403


def test_a_key_for_one_group_may_not_speak_in_another(api: Any) -> None:
    key = new_key(api, ["bot"], ["g1"])
    assert api.post("/v1/messages", BODY, key=key).status_code == 200
    assert api.post("/v1/messages", {**BODY, "group_id": "g2"}, key=key).status_code == 403


def test_a_key_for_one_group_fails_only_the_lines_of_others(api: Any) -> None:
    key = new_key(api, ["bot"], ["g1"])
    lines = [{**BODY, "id": "l1"}, {**BODY, "id": "l2", "group_id": "g2"}]
    results = api.post("/v1/messages:batch", {"messages": lines}, key=key).json()["results"]
    assert [r["error"] and r["error"]["status"] for r in results] == [None, 403]


def test_a_revoked_key_stops_working(api: Any) -> None:
    store = KeyStore(api.app.state.parts.engine)
    key, secret = store.create("t", ["bot"], now=datetime.now(UTC))
    assert api.post("/v1/moderate", {"text": "早"}, key=secret).status_code == 200
    store.revoke(key.id, now=datetime.now(UTC))
    assert api.post("/v1/moderate", {"text": "早"}, key=secret).status_code == 401


def test_the_database_never_holds_a_secret(api: Any) -> None:
    secret = new_key(api, ["bot"])
    stored = api.rows("SELECT hex(secret_sha256), name, scopes FROM api_keys")
    assert all(secret not in str(row) and secret.encode().hex().upper() not in str(row) for row in stored)
