"""Builds the wheel, installs it alone into a clean environment, and uses it from a foreign folder.

Run by `make wheel`: what a user gets from `pip install` must serve without the checkout.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import urllib.request
import venv
import zipfile
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).resolve().parents[2]
KEY = "wheel-smoke-key"
PORT = 18733


def main() -> None:
    """Runs the smoke test; ends with an assertion where something is missing."""
    with TemporaryDirectory() as folder:
        wheel = build(Path(folder))
        python = install(wheel, Path(folder) / "clean")
        foreign = Path(folder) / "elsewhere"
        foreign.mkdir()
        use_command_line(python, foreign)
        use_service(python, foreign)
    print("wheel: built, installed alone, asked and served from a foreign folder")


def build(folder: Path) -> Path:
    """Builds the wheel from the tree and looks into it."""
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder / "dist"), str(ROOT)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    (wheel,) = (folder / "dist").glob("*.whl")
    with zipfile.ZipFile(wheel) as content:
        names = set(content.namelist())
    for expected in (
        "ragcomm/py.typed",
        "ragcomm_api/app.py",
        "ragcomm_api/console/templates/landing.html",
        "ragcomm/storage/migrations/versions/0001_first_tables.py",
        "ragcomm/storage/migrations/versions/0002_knowledge.py",
        "ragcomm/_shipped/corpora/faq/entries.jsonl",
        "ragcomm/_shipped/models/current.toml",
    ):
        assert expected in names, f"{expected} is not in the wheel"
    return wheel


def install(wheel: Path, folder: Path) -> Path:
    """A clean environment that holds the wheel and what it needs."""
    venv.create(folder, with_pip=True)
    python = folder / "bin" / "python"
    subprocess.run([python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", wheel], check=True)
    missing = subprocess.run([python, "-c", "import torch"], capture_output=True, check=False)
    assert missing.returncode != 0, "torch came with the wheel"
    return python


def use_command_line(python: Path, foreign: Path) -> None:
    """A question and a spam line through the installed program."""
    program = str(python.parent / "ragcomm")
    line = json.dumps({"id": "1", "text": "玫瑰花茶怎么喝，哪些人不宜喝？"}, ensure_ascii=False)
    asked = subprocess.run([program, "ask", "-"], input=line, capture_output=True, text=True, cwd=foreign, check=True)
    assert json.loads(asked.stdout)["matches"][0]["entry_id"] == "faq.tea.rose"


def use_service(python: Path, foreign: Path) -> None:
    """The installed service answers a message."""
    environment = {**os.environ, "RAGCOMM_BOOTSTRAP_KEY": KEY, "RAGCOMM_PORT": str(PORT)}
    server = subprocess.Popen([str(python.parent / "ragcomm"), "serve"], cwd=foreign, env=environment)
    try:
        wait_until_ready(server)
        body = json.dumps({"id": "m1", "group_id": "g1", "text": "加我薇信abc12345，祖传膏药三贴断根"}).encode()
        request = urllib.request.Request(
            f"http://127.0.0.1:{PORT}/v1/messages",
            body,
            {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=10) as answer:
            outcome = json.load(answer)
        assert outcome["verdict"]["action"] == "hold", outcome["verdict"]
    finally:
        server.terminate()
        server.wait(20)


def wait_until_ready(server: subprocess.Popen[bytes]) -> None:
    """Waits for /readyz."""
    for _ in range(600):
        assert server.poll() is None, "the service ended before it was ready"
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{PORT}/readyz", timeout=2):
                return
        except OSError:
            time.sleep(0.05)
    raise AssertionError("not ready within 30 seconds")


if __name__ == "__main__":
    main()
