"""A service in a process of its own, with a fresh database, for as long as a benchmark needs it."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

KEY = "benchmark-key"
ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True)
class Running:
    """A started server: its port, its process id, and the seconds from start to the first good answer."""

    port: int
    pid: int
    ready_s: float


@contextmanager
def ragcomm(executable: Path) -> Iterator[Running]:
    """The service under test, run by `executable` (the program that `make install` puts into .venv)."""
    with TemporaryDirectory() as folder:
        environment = {
            "RAGCOMM_DATABASE_URL": f"sqlite:///{folder}/bench.sqlite3",
            "RAGCOMM_BOOTSTRAP_KEY": KEY,
        }
        port = _free_port()
        yield from _running([str(executable), "serve", "--port", str(port)], port, "/readyz", environment)


@contextmanager
def echo() -> Iterator[Running]:
    """A bare FastAPI application that returns what it is sent."""
    port = _free_port()
    command = [sys.executable, "-m", "uvicorn", "benchmarks.echo:app", "--port", str(port), "--no-access-log"]
    yield from _running([*command, "--log-level", "warning"], port, "/ready", {})


def _running(command: Sequence[str], port: int, path: str, environment: dict[str, str]) -> Iterator[Running]:
    started = time.perf_counter()
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        env={**os.environ, **environment},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait(f"http://127.0.0.1:{port}{path}", process)
        yield Running(port, process.pid, time.perf_counter() - started)
    finally:
        process.terminate()
        process.wait(20)


def _wait(url: str, process: subprocess.Popen[bytes]) -> None:
    for _ in range(3000):
        if process.poll() is not None:
            raise SystemExit(f"the server ended with {process.returncode} before it was ready")
        try:
            with urllib.request.urlopen(url, timeout=1):
                return
        except OSError:
            time.sleep(0.01)
    raise SystemExit("the server was not ready within 30 seconds")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def resident_mb(pid: int) -> dict[str, float]:
    """Memory of the service and its judge in MiB (Linux).

    `resident` is what each holds by itself, `total` counts pages that both use (the interpreter, libraries) once.
    """
    pids = [pid, *_children(pid)]
    totals = [_field(Path(f"/proc/{p}/smaps_rollup"), "Pss:") for p in pids]
    resident = [_field(Path(f"/proc/{p}/status"), "VmRSS:") for p in pids]
    return {"total": round(sum(totals), 1), **{f"resident_{i}": round(r, 1) for i, r in enumerate(resident)}}


def _children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def _field(file: Path, name: str) -> float:
    line = next(line for line in file.read_text().splitlines() if line.startswith(name))
    return int(line.split()[1]) / 1024
