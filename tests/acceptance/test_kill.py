"""What was acknowledged is there after the worst: kill -9 under load, then a restart."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import closing
from pathlib import Path

import pytest

KEY = "kill-test-key"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def start(database: Path, port: int) -> subprocess.Popen[bytes]:
    environment = {
        **os.environ,
        "RAGCOMM_DATABASE_URL": f"sqlite:///{database}",
        "RAGCOMM_BOOTSTRAP_KEY": KEY,
    }
    command = [sys.executable, "-m", "ragcomm", "serve", "--port", str(port)]
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    for _ in range(600):
        assert process.poll() is None, "the service ended before it was ready"
        try:
            with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=5)) as connection:
                connection.request("GET", "/readyz")
                if connection.getresponse().status == 200:
                    return process
        except OSError:
            time.sleep(0.05)
    raise AssertionError("not ready within 30 seconds")


def post_until_it_dies(port: int, worker: int, acknowledged: list[str]) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    headers = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"}
    for i in range(100_000):
        name = f"w{worker}-{i}"
        body = json.dumps({"id": name, "group_id": "g", "text": f"第{i}次打卡，加我微信abc{i}"})
        try:
            connection.request("POST", "/v1/messages", body, headers)
            answer = connection.getresponse()
            if answer.status == 200 and json.loads(answer.read())["message"]["id"] == name:
                acknowledged.append(name)
        except (OSError, http.client.HTTPException, ValueError):
            break
    connection.close()


@pytest.mark.slow
def test_every_acknowledged_message_survives_kill_9(tmp_path: Path) -> None:
    database, port = tmp_path / "kill.sqlite3", free_port()
    process = start(database, port)
    acknowledged: list[str] = []
    workers = [threading.Thread(target=post_until_it_dies, args=(port, n, acknowledged)) for n in range(8)]
    for worker in workers:
        worker.start()
    while len(acknowledged) < 300 and process.poll() is None:
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    for worker in workers:
        worker.join()
    again = start(database, port)
    again.terminate()
    again.wait(20)
    with closing(sqlite3.connect(database)) as connection:
        stored = {row[0] for row in connection.execute("SELECT message_id FROM messages")}
        reviewed = {row[0] for row in connection.execute("SELECT message_id FROM reviews")}
        held = {row[0] for row in connection.execute("SELECT message_id FROM messages WHERE action = 'hold'")}
    assert len(acknowledged) >= 300
    assert set(acknowledged) - stored == set()
    assert held == reviewed
