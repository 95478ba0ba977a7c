"""The shipped models on the test split of the project's own corpora."""

from __future__ import annotations

import json
from typing import Any

from ragcomm.cli.models import measure


def run() -> dict[str, Any]:
    """Moderation, answers and debunks; each as `ragcomm evaluate` prints it."""
    result = {name: measure(name) for name in ("moderation", "answers", "debunks")}
    for name, report in result.items():
        print(f"{name}: {json.dumps(report)}")
    return result
