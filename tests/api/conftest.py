"""A started application over a database of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import SecretStr
from sqlalchemy import create_engine, text

from ragcomm.settings import Settings
from ragcomm_api.app import create

KEY = "test-key-0123456789"


class Api:
    """The application in this process, called like a client would, and its database looked into."""

    key = KEY

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.app = create(settings)
        self._loop = asyncio.new_event_loop()
        self._lifespan = self.app.router.lifespan_context(self.app)
        self._loop.run_until_complete(self._lifespan.__aenter__())
        transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
        self._client = httpx.AsyncClient(transport=transport, base_url="http://test")

    def close(self) -> None:
        self._loop.run_until_complete(self._client.aclose())
        self._loop.run_until_complete(self._lifespan.__aexit__(None, None, None))
        self._loop.close()

    def call(self, method: str, path: str, **options: Any) -> httpx.Response:
        return self._loop.run_until_complete(self._client.request(method, path, **options))

    def post(self, path: str, json: Any = None, *, key: str | None = KEY, **options: Any) -> httpx.Response:
        headers = dict(options.pop("headers", {}))
        if key is not None:
            headers["Authorization"] = f"Bearer {key}"
        if json is not None:
            options["json"] = json
        return self.call("POST", path, headers=headers, **options)

    def together(self, *bodies: dict[str, Any]) -> list[httpx.Response]:
        """Posts several messages at the same moment."""

        async def all_at_once() -> list[httpx.Response]:
            headers = {"Authorization": f"Bearer {KEY}"}
            return await asyncio.gather(
                *(self._client.post("/v1/messages", json=body, headers=headers) for body in bodies)
            )

        return self._loop.run_until_complete(all_at_once())

    def rows(self, query: str) -> list[Any]:
        engine = create_engine(self.settings.database_url)
        with engine.connect() as connection:
            found = list(connection.execute(text(query)))
        engine.dispose()
        return found


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    folder: Path = tmp_path_factory.mktemp("api")
    settings = Settings(
        database_url=f"sqlite:///{folder}/api.sqlite3",
        bootstrap_key=SecretStr(KEY),
        most_text_characters=5000,
        most_body_bytes=2_000_000,
    )
    started = Api(settings)
    yield started
    started.close()
