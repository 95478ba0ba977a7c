"""The shipped moderation model on public sets, zero-shot, and the speed of `ragcomm moderate`."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.server import ROOT
from ragcomm.assembly import build_encoder, build_moderator, build_text
from ragcomm.evaluation.metrics import average_precision, precision_recall_f1, wilson_interval
from ragcomm.evaluation.reports import rounded
from ragcomm.jobs.public_data import chat_turns, rows
from ragcomm.moderation.moderator import Moderator
from ragcomm.records import HARMFUL, Label, Message
from ragcomm.settings import Settings

# File, field values that mean yes, the label they speak of, the split that is measured.
SETS: dict[str, tuple[set[Any], Label, str | None]] = {
    "spam_tg.jsonl": ({"spam"}, Label.SPAM, None),
    "spam_qqgroup_mc.jsonl": ({"spam"}, Label.SPAM, None),
    "toxic_cold.jsonl": ({1}, Label.ABUSE, "dev"),
}
SPEED_SET = "spam_tg.jsonl"


def run() -> dict[str, Any]:
    """Measures every set that lies in RAGCOMM_PUBLIC_DATA; says which are absent."""
    settings = Settings()
    text = build_text(settings.corpora, settings.segmenter)
    encoder, _ = build_encoder(settings.models, text.pipeline)
    moderator = build_moderator(settings.models, text, encoder)
    result: dict[str, Any] = {}
    for name, (positive, label, split) in SETS.items():
        lines = [row for row in rows(settings.public_data, name) if split in (None, row.get("split"))]
        if not lines:
            print(f"{name}: absent in {settings.public_data}, left out")
            continue
        result[name] = _binary(moderator, lines, positive, label)
        print(f"{name}: {json.dumps(result[name])}")
    chat = chat_turns(settings.public_data, "test")
    if chat:
        result["chat_lccc.jsonl"] = _false_alarms(moderator, chat)
        print(f"chat_lccc.jsonl: {json.dumps(result['chat_lccc.jsonl'])}")
    if (settings.public_data / SPEED_SET).is_file():
        result["moderate"] = _speed(settings.public_data / SPEED_SET)
        print(f"ragcomm moderate: {json.dumps(result['moderate'])}")
    return result


def _binary(moderator: Moderator, lines: Sequence[dict[str, Any]], positive: set[Any], label: Label) -> dict[str, Any]:
    readings = moderator.judge([Message(text=row["text"]) for row in lines], explain=False)
    truth = [row["label"] in positive for row in lines]
    said = [label in r.verdict.flagged for r in readings]
    precision, recall, f1 = precision_recall_f1(truth, said)
    innocent = [s for s, t in zip(said, truth, strict=True) if not t]
    report = {
        "lines": len(lines),
        "accuracy": sum(s == t for s, t in zip(said, truth, strict=True)) / len(lines),
        "precision": precision,
        "recall": recall,
        "f1": f1,
        "false_alarms": sum(innocent) / max(1, len(innocent)),
        "average_precision": average_precision(truth, [r.verdict.labels[label] for r in readings]),
    }
    return rounded(report)  # type: ignore[no-any-return]


def _false_alarms(moderator: Moderator, turns: Sequence[str]) -> dict[str, Any]:
    readings = moderator.judge([Message(text=turn) for turn in turns], explain=False)
    harmful = sum(bool(HARMFUL & set(r.verdict.flagged)) for r in readings)
    risky = sum(Label.RISK in r.verdict.flagged for r in readings)
    report = {
        "turns": len(turns),
        "flagged": harmful / len(turns),
        "flagged_95%": wilson_interval(harmful, len(turns)),
        "risk": risky / len(turns),
    }
    return rounded(report)  # type: ignore[no-any-return]


def _speed(file: Path) -> dict[str, Any]:
    """Lines a second of the command beyond its start, the best of three pairs of runs."""
    program = str(ROOT / ".venv/bin/ragcomm")
    lines = sum(1 for _ in file.open("rb"))

    def seconds(arguments: list[str], stdin: bytes | None = None) -> float:
        started = time.perf_counter()
        subprocess.run([program, *arguments], input=stdin, stdout=subprocess.DEVNULL, check=True)
        return time.perf_counter() - started

    start = min(seconds(["moderate", "-"], b'{"text":"hello"}\n') for _ in range(3))
    whole = min(seconds(["moderate", str(file)]) for _ in range(3))
    return {"lines": lines, "start_s": round(start, 2), "lines_per_s": round(lines / (whole - start))}
