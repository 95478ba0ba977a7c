"""What serving may load, and how fast the command line answers."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest

FORBIDDEN = ("torch", "sklearn", "sentence_transformers", "transformers", "scipy", "jieba", "openpyxl")

SERVE_ONE = """
import asyncio, sys
from ragcomm.settings import Settings
from ragcomm.records import Message
from ragcomm_api.app import create

async def main():
    app = create(Settings(database_url="sqlite://{folder}/serving.sqlite3"))
    async with app.router.lifespan_context(app):
        parts = app.state.parts
        reply = await parts.intake.take(Message(id="m", text="黄芪泡水放几片？"), None)
        assert b"faq." in reply

asyncio.run(main())
print(" ".join(sorted(sys.modules)))
"""
JUDGE_ONE = """
import sys
from ragcomm.assembly import build_service
from ragcomm.settings import Settings
from ragcomm_api.judging import reply_to

settings = Settings()
service = build_service(settings.corpora, settings.models, review="any")
assert b"faq." in reply_to(service, {"ask": "messages", "texts": [["黄芪泡水放几片？", None]]})
for ask in ("answers", "debunks"):
    reply_to(service, {"ask": ask, "text": "绿豆治癌", "limit": 3})
print(" ".join(sorted(sys.modules)))
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("program", "forbidden"),
    # The service itself holds no model: what computes stays with the judge, what stores and serves with the service.
    [(SERVE_ONE, (*FORBIDDEN, "numpy", "faiss")), (JUDGE_ONE, (*FORBIDDEN, "fastapi", "sqlalchemy"))],
    ids=["service", "judge"],
)
def test_serving_loads_neither_torch_nor_scikit_learn_nor_jiebas_dictionary(
    tmp_path: object, program: str, forbidden: tuple[str, ...]
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", program.replace("{folder}", f"/{tmp_path}")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    loaded = {name.split(".")[0] for name in done.stdout.split()}
    assert loaded & set(forbidden) == set()


@pytest.mark.slow
def test_help_answers_in_half_a_second() -> None:
    command = [sys.executable, "-m", "ragcomm", "--help"]
    subprocess.run(command, capture_output=True, check=True)
    seconds = []
    for _ in range(5):
        started = time.perf_counter()
        subprocess.run(command, capture_output=True, check=True)
        seconds.append(time.perf_counter() - started)
    # The best of five: the bar is the program's, not that of a busy machine.
    assert min(seconds) < 0.5
