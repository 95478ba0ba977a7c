"""Fits the confidence of answers or debunks on held-out wordings and on what no entry answers."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ragcomm.artefacts import Artefact, save_artefact
from ragcomm.corpora import (
    form_split,
    load_entries,
    load_messages,
    load_near_misses,
    load_questions,
    load_stances,
    question_split,
    read_jsonl,
)
from ragcomm.jobs.public_data import SHIPPABLE, chat_turns
from ragcomm.jobs.train_encoder import training_forms
from ragcomm.knowledge import calibration_training
from ragcomm.knowledge.answerer import Answerer
from ragcomm.knowledge.calibration import EVIDENCE, Calibration
from ragcomm.knowledge.calibration_training import Case
from ragcomm.records import Stance
from ragcomm.text.encode import StaticEncoder
from ragcomm.text.segment import Segmenter

ANSWERS, DEBUNKS = "answers", "debunks"
ALTERNATE = "alternate"
FILES = {ANSWERS: "faq/entries.jsonl", DEBUNKS: "claims/entries.jsonl"}
CHAT_LINES = 300


@dataclass(frozen=True, slots=True)
class Query:
    """A text with the entry that answers it (None: nothing does)."""

    text: str
    entry_id: str | None
    kind: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What was fitted."""

    artefact: Artefact
    calibration: dict[str, Any]


def run(
    *,
    name: str,
    corpora: Path,
    models: Path,
    public: Path,
    segmenter: Segmenter,
    encoder: StaticEncoder,
    encoder_version: str,
    pipeline: str,
    version: str,
) -> Report:
    """Fits and saves `models/<name>/<version>` on the dev split, with an index of train wordings."""
    # Questions by other hands are what members will ask; alternates are chosen to be far from each other,
    # so a held-out one is harder than life. Claims have no such set yet.
    dev = [q for q in queries(corpora, public, name, "dev") if name == DEBUNKS or q.kind != ALTERNATE]

    def collect(share: float) -> list[Case]:
        even = Calibration(share, (0.0,) * len(EVIDENCE), 0.0, 1.0, 1.0)
        answerer = honest_answerer(corpora, name, segmenter, encoder, even)
        place = {entry.id: i for i, entry in enumerate(answerer.entries)}
        texts = [segmenter.read(query.text) for query in dev]
        found = answerer.evidence(texts, encoder.encode(texts), limit=2)
        return [
            Case(places, rows, place.get(query.entry_id or "", -1))
            for query, (places, rows) in zip(dev, found, strict=True)
        ]

    fitted = calibration_training.fit(collect)
    manifest = {
        "pipeline": pipeline,
        "encoder": encoder_version,
        "calibration": fitted,
        "public_sets": {"chat_lccc.jsonl": SHIPPABLE["chat_lccc.jsonl"]},
    }
    card = f"# {name.capitalize()} {version}\n\n{_CARD}\n```json\n{json.dumps(fitted['dev'], indent=1)}\n```\n"
    artefact = save_artefact(models, name, version, {"MODEL_CARD.md": card.encode()}, manifest)
    return Report(artefact=artefact, calibration=fitted)


def honest_answerer(
    corpora: Path,
    name: str,
    segmenter: Segmenter,
    encoder: StaticEncoder,
    calibration: Calibration,
) -> Answerer:
    """A search that knows only the wordings of the train split, so that the others are new to it."""
    entries = load_entries(corpora / FILES[name])
    forms = [training_forms(entry) for entry in entries]
    return Answerer(entries, segmenter, encoder, calibration, "honest", forms=forms)


def queries(corpora: Path, public: Path, name: str, split: str) -> list[Query]:
    """The queries of a split: held-out alternates, questions by other hands, near misses, far lines, chat."""
    entries = load_entries(corpora / FILES[name])
    ids = {entry.id for entry in entries}
    found = [
        Query(form, entry.id, ALTERNATE) for entry in entries for form in entry.forms[1:] if form_split(form) == split
    ]
    if name == ANSWERS:
        found += [
            Query(q.text, q.entry_id, q.difficulty)
            for q in load_questions(corpora)
            if q.entry_id in ids and question_split(q.id) == split
        ]
        found += [
            Query(n.text, None, "near_miss" if n.resembles else "small_talk" if n.kind == "chat" else "uncovered")
            for n in load_near_misses(corpora)
            if form_split(n.text) == split
        ]
    else:
        found += [
            Query(s.text, s.claim_id, "asked")
            for s in load_stances(corpora)
            if s.stance is Stance.ASK and question_split(s.id) == split
        ]
        others = [row["text"] for _, row in read_jsonl(corpora / "claims/other_statements.jsonl")]
        innocent = [m.text for m in load_messages(corpora) if not m.stance and not m.labels]
        found += [Query(text, None, "other_statement") for text in others if form_split(text) == split]
        found += [
            Query(text, None, "innocent") for text in _thin([t for t in innocent if form_split(t) == split], CHAT_LINES)
        ]
    chat = chat_turns(public, "test" if split == "test" else "valid")
    found += [Query(t, None, "chat") for t in _thin(chat, CHAT_LINES)]
    return found


def _thin(lines: Sequence[str], most: int) -> Sequence[str]:
    return lines[:: max(1, len(lines) // most)][:most]


_CARD = """Fusion weight of the two similarities, logistic confidence of the first match and the cuts for answering and
confirming, fitted on the dev split (held-out wordings, questions by other hands, near misses, far questions, chat).
Dev figures:
"""
