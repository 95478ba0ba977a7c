from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from ragcomm.errors import InvalidInput, UnknownKey
from ragcomm.records import ApiKey
from ragcomm.storage.keys import KeyStore, digest

NOW = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)


def test_a_digest_is_sha256_of_the_secret() -> None:
    assert digest("abc").hex() == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_a_made_key_is_valid_and_found_by_the_digest_of_its_secret(engine: Engine) -> None:
    store = KeyStore(engine)
    key, secret = store.create("体质群机器人", ["moderator", "bot"], now=NOW, groups=["g2", "g1"])
    assert store.valid() == {
        hashlib.sha256(secret.encode()).digest(): ApiKey(
            id=key.id,
            name="体质群机器人",
            scopes=frozenset({"bot", "moderator"}),
            groups=frozenset({"g1", "g2"}),
        )
    }


def test_only_the_digest_of_a_key_is_stored(engine: Engine) -> None:
    _, secret = KeyStore(engine).create("bot", ["bot"], now=NOW)
    with engine.connect() as connection:
        [row] = connection.execute(text("SELECT * FROM api_keys")).mappings().all()
    assert bytes(row["secret_sha256"]) == hashlib.sha256(secret.encode()).digest()
    others = {name: str(value) for name, value in row.items() if name != "secret_sha256"}
    assert [name for name, value in others.items() if secret[3:] in value or value in secret] == []
    if engine.dialect.name == "sqlite":
        path = engine.url.database
        assert path
        files = [Path(path + end).read_bytes() for end in ("", "-wal")]
        assert not any(secret[3:].encode() in content for content in files)
        assert any(digest(secret) in content for content in files)


def test_secrets_are_random_prefixed_and_never_the_same(engine: Engine) -> None:
    store = KeyStore(engine)
    (one, first), (two, second) = (store.create("bot", ["bot"], now=NOW) for _ in range(2))
    # 32 random bytes are 43 characters of base64.
    assert [(s[:3], len(s)) for s in (first, second)] == [("rc_", 46), ("rc_", 46)]
    assert first != second
    assert one.id != two.id


def test_a_given_secret_is_kept_as_it_is(engine: Engine) -> None:
    store = KeyStore(engine)
    key, secret = store.create("bootstrap", ["admin"], now=NOW, secret="rc_given-by-the-operator")
    assert secret == "rc_given-by-the-operator"
    assert store.valid()[digest("rc_given-by-the-operator")] == key


def test_a_revoked_key_is_no_longer_valid_and_its_neighbour_is(engine: Engine) -> None:
    store = KeyStore(engine)
    gone, _ = store.create("gone", ["bot"], now=NOW)
    kept, _ = store.create("kept", ["batch"], now=NOW)
    store.revoke(gone.id, now=NOW + timedelta(hours=1))
    assert list(store.valid().values()) == [kept]
    with engine.connect() as connection:
        revoked = connection.execute(text("SELECT name FROM api_keys WHERE revoked_at IS NOT NULL")).scalars().all()
    assert revoked == ["gone"]


def test_a_key_is_revoked_once_and_only_if_it_exists(engine: Engine) -> None:
    store = KeyStore(engine)
    key, _ = store.create("bot", ["bot"], now=NOW)
    store.revoke(key.id, now=NOW)
    with pytest.raises(UnknownKey, match=key.id):
        store.revoke(key.id, now=NOW)
    with pytest.raises(UnknownKey, match="no valid key 'never-made'"):
        store.revoke("never-made", now=NOW)


@pytest.mark.parametrize(
    ("scopes", "seen"),
    [([], "no scope"), (["root"], "root"), (["bot", "root"], "bot, root")],
    ids=["none", "unknown", "one_unknown"],
)
def test_a_key_without_known_scopes_is_not_made(engine: Engine, scopes: list[str], seen: str) -> None:
    store = KeyStore(engine)
    with pytest.raises(InvalidInput) as refused:
        store.create("bot", scopes, now=NOW)
    assert refused.value.seen == seen
    assert refused.value.expected == "some of bot, moderator, admin, batch"
    assert store.valid() == {}
