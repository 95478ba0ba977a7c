"""The judge lives in a process of its own: what happens when it fails, ends or cannot start."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from ragcomm.errors import RagcommError, Unavailable
from ragcomm.records import Message
from ragcomm.settings import Settings
from ragcomm_api.frames import MOST_TOGETHER, unpack
from ragcomm_api.judge import Judge
from ragcomm_api.judging import replies


def message(name: str) -> dict[str, Any]:
    return {"id": name, "group_id": "judge", "text": "黄芪泡水放几片？"}


def test_a_killed_judge_is_started_again_and_nothing_is_stored_meanwhile(api: Any) -> None:
    judge = api.app.state.parts.judge
    before = judge._child.pid
    os.kill(before, signal.SIGKILL)
    refused = 0
    for attempt in range(400):
        answer = api.post("/v1/messages", message(f"again-{attempt}"))
        if answer.status_code == 200:
            break
        assert answer.status_code == 503
        assert answer.headers["retry-after"] == "2"
        refused += 1
        if not judge.alive:
            assert api.call("GET", "/readyz").status_code == 503
        time.sleep(0.02)
    assert refused > 0
    assert answer.status_code == 200
    assert judge._child.pid != before
    assert api.call("GET", "/readyz").status_code == 200
    assert [row[0] for row in api.rows("SELECT message_id FROM messages WHERE group_id = 'judge'")] == [
        f"again-{attempt}"
    ]


def test_a_judgement_that_fails_leaves_the_next_one_whole(api: Any) -> None:
    judge = api.app.state.parts.judge

    async def one_bad_one_good() -> list[Any]:
        return await asyncio.gather(
            judge._ask("nonsense", {}), judge.search("answers", "黄芪泡水放几片？", 1), return_exceptions=True
        )

    bad, good = api._loop.run_until_complete(one_bad_one_good())
    assert isinstance(bad, RagcommError)
    assert "ValueError" in str(bad)
    assert b"faq." in good


def test_many_messages_keep_their_order(api: Any) -> None:
    judge = api.app.state.parts.judge
    texts = [f"第{i}天打卡，足三里按了{i}分钟" for i in range(2 * MOST_TOGETHER + 3)]

    async def judged(texts: list[str]) -> list[bytes]:
        return [j.document for j in await judge.run([Message(text=t) for t in texts])]

    together = api._loop.run_until_complete(judged(texts))
    assert len(together) == len(texts)
    for i in (0, MOST_TOGETHER, len(texts) - 1):
        assert api._loop.run_until_complete(judged([texts[i]])) == [together[i]]
    assert api._loop.run_until_complete(judged([])) == []


def test_without_models_the_service_does_not_start_and_says_why(tmp_path: Path) -> None:
    async def start() -> None:
        judge = Judge(Settings(models=tmp_path))
        try:
            with pytest.raises(RagcommError, match=r"current\.toml"):
                await judge.start()
            with pytest.raises(Unavailable):
                await judge.run([Message(text="早")])
        finally:
            await judge.close()

    asyncio.run(start())


class Stub:
    """A service that cannot bear one word."""

    def run(self, messages: list[Message]) -> list[Any]:
        if any("炸" in m.text for m in messages):
            raise ValueError("a word of a member")
        return []

    def ask(self, text: str, *, limit: int) -> Any:
        raise KeyError(text)


def test_what_fails_together_is_judged_alone_and_its_error_tells_no_text() -> None:
    asked = [
        {"ask": "messages", "texts": []},
        {"ask": "messages", "texts": [["炸", None]]},
        {"ask": "answers", "text": "密", "limit": 1},
    ]
    good, bad, search = (unpack(reply) for reply in replies(Stub(), asked))  # type: ignore[arg-type]
    assert good == ([], [])
    assert bad == ({"error": "ValueError"}, [])
    assert search == ({"error": "KeyError"}, [])
