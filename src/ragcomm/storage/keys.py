"""API keys: made once, shown once, kept as a digest."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import Engine, insert, select, update

from ragcomm.errors import InvalidInput, UnknownKey
from ragcomm.records import ApiKey
from ragcomm.storage.tables import api_keys

SCOPES = ("bot", "moderator", "admin", "batch")
PREFIX = "rc_"


def digest(secret: str) -> bytes:
    """SHA-256 of a key, 32 bytes."""
    return hashlib.sha256(secret.encode()).digest()


class KeyStore:
    """The keys of a database."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def create(
        self,
        name: str,
        scopes: Iterable[str],
        *,
        now: datetime,
        groups: Iterable[str] = (),
        secret: str | None = None,
    ) -> tuple[ApiKey, str]:
        """Makes a key; the secret is returned here and never again.

        Raises:
            InvalidInput: an unknown scope.
        """
        wanted = frozenset(scopes)
        if not wanted or wanted - set(SCOPES):
            raise InvalidInput(
                seen=", ".join(sorted(wanted)) or "no scope",
                expected=f"some of {', '.join(SCOPES)}",
                where="scopes",
            )
        secret = secret or PREFIX + secrets.token_urlsafe(32)
        key = ApiKey(id=secrets.token_hex(8), name=name, scopes=wanted, groups=frozenset(groups))
        with self._engine.begin() as connection:
            connection.execute(
                insert(api_keys).values(
                    key_id=key.id,
                    name=name,
                    secret_sha256=digest(secret),
                    scopes=" ".join(sorted(wanted)),
                    groups=json.dumps(sorted(key.groups)),
                    created_at=now,
                )
            )
        return key, secret

    def revoke(self, key_id: str, *, now: datetime) -> None:
        """Ends a key.

        Raises:
            UnknownKey: there is no such key, or it was revoked before.
        """
        statement = (
            update(api_keys).where(api_keys.c.key_id == key_id, api_keys.c.revoked_at.is_(None)).values(revoked_at=now)
        )
        with self._engine.begin() as connection:
            if connection.execute(statement).rowcount == 0:
                raise UnknownKey(f"no valid key {key_id!r}")

    def valid(self) -> dict[bytes, ApiKey]:
        """Every key that was not revoked, by the digest of its secret."""
        statement = select(api_keys).where(api_keys.c.revoked_at.is_(None))
        with self._engine.connect() as connection:
            rows = connection.execute(statement).all()
        return {
            bytes(row.secret_sha256): ApiKey(
                id=row.key_id,
                name=row.name,
                scopes=frozenset(row.scopes.split()),
                groups=frozenset(json.loads(row.groups)),
            )
            for row in rows
        }
