"""Public sets, read where they lie; they are never part of the project.

`SHIPPABLE` names those whose licence allows a model trained on them to be shipped, with their source.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ragcomm.corpora import read_jsonl

SHIPPABLE = {
    "chat_lccc.jsonl": "LCCC sample, valid split (thu-coai/CDial-GPT, MIT)",
    "faq_toyhom_internal_med.jsonl": "Chinese medical dialogue data, titles and questions (Toyhom, MIT)",
}


def available(folder: Path) -> list[str]:
    """The shippable sets that lie in `folder`."""
    return [name for name in SHIPPABLE if (folder / name).is_file()]


def rows(folder: Path, name: str) -> Iterator[dict[str, Any]]:
    """The rows of a set, none if it is absent."""
    if (folder / name).is_file():
        for _, row in read_jsonl(folder / name):
            yield row


def chat_turns(folder: Path, split: str) -> list[str]:
    """Distinct turns of everyday chat, sorted."""
    return sorted({turn for row in rows(folder, "chat_lccc.jsonl") if row["split"] == split for turn in row["turns"]})
