"""Who calls: a bearer key, looked up by its digest."""

from __future__ import annotations

import asyncio
import hmac
import time
from collections.abc import Mapping

from starlette.requests import Request

from ragcomm.records import ApiKey
from ragcomm.storage.keys import KeyStore, digest
from ragcomm_api.problems import Problem

# A key made or revoked on the command line is seen by a running service within this time.
REFRESH_S = 5.0
# Keys are found by the first bytes of their digest and then compared in constant time.
_BUCKET = 4


class Keyring:
    """The valid keys in memory, read again from the database every few seconds."""

    def __init__(self, store: KeyStore) -> None:
        self._store = store
        self._keys = _buckets(store.valid())
        self._read_at = time.monotonic()
        self._reading = asyncio.Lock()

    async def holder(self, request: Request, scope: str) -> ApiKey:
        """The key of a request, if it may do `scope`.

        Raises:
            Problem: 401 without a valid key, 403 without the scope.
        """
        kind, _, secret = request.headers.get("authorization", "").partition(" ")
        if kind.lower() != "bearer" or not secret:
            raise _unauthorized("send the header 'Authorization: Bearer KEY'")
        return await self.check(secret.strip(), scope)

    async def check(self, secret: str, scope: str) -> ApiKey:
        """The key whose secret this is, if it may do `scope`."""
        if time.monotonic() - self._read_at > REFRESH_S:
            await self._refresh()
        wanted = digest(secret)
        for known, key in self._keys.get(wanted[:_BUCKET], ()):
            if hmac.compare_digest(known, wanted):
                if not key.allows(scope):
                    raise Problem(403, f"this key may not act as {scope!r}")
                return key
        raise _unauthorized("this key is unknown or was revoked")

    async def _refresh(self) -> None:
        if self._reading.locked():
            return
        async with self._reading:
            self._keys = _buckets(await asyncio.to_thread(self._store.valid))
            self._read_at = time.monotonic()


def _buckets(keys: Mapping[bytes, ApiKey]) -> dict[bytes, list[tuple[bytes, ApiKey]]]:
    buckets: dict[bytes, list[tuple[bytes, ApiKey]]] = {}
    for known, key in keys.items():
        buckets.setdefault(known[:_BUCKET], []).append((known, key))
    return buckets


def require_group(key: ApiKey, scope: str, group_id: str) -> None:
    """Refuses a key that is limited to other groups.

    Raises:
        Problem: 403.
    """
    if not key.allows(scope, group_id):
        raise Problem(403, f"this key may not act in group {group_id!r}")


def groups_of(key: ApiKey, scope: str, group_id: str) -> frozenset[str]:
    """The groups a call looks at: the one named, else all that the key may see; empty means all there are.

    Raises:
        Problem: 403 for a group the key is not made for.
    """
    if not group_id:
        return key.groups
    require_group(key, scope, group_id)
    return frozenset({group_id})


def _unauthorized(detail: str) -> Problem:
    return Problem(401, detail, headers={"WWW-Authenticate": "Bearer"})
