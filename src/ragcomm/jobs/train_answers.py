"""Fits the confidence of answers or debunks on held-out wordings and on what no entry answers."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ragcomm.artefacts import Artefact, save_artefact
from ragcomm.corpora import (
    ENTRY_FILES,
    form_split,
    is_test_message,
    load_entries,
    load_messages,
    load_near_misses,
    load_questions,
    load_stances,
    question_split,
    read_jsonl,
    training_forms,
)
from ragcomm.jobs.public_data import SHIPPABLE, chat_turns
from ragcomm.jobs.train_encoder import fold
from ragcomm.knowledge import calibration_training, verifier_training
from ragcomm.knowledge.calibration import rank
from ragcomm.knowledge.overlap import Reader
from ragcomm.knowledge.pairs import Pairs, compare, joined
from ragcomm.knowledge.retrieval import Index
from ragcomm.knowledge.verifier import Verifier, role_marks
from ragcomm.records import Entry, Label, Stance
from ragcomm.text.encode import StaticEncoder
from ragcomm.text.segment import Segmenter

ANSWERS, DEBUNKS = "answers", "debunks"
ALTERNATE = "alternate"
CHAT_LINES = 300
INNOCENT_LINES = 1500
# Lines looked up in one stroke: their cosines with every wording have to fit into memory.
_PART = 256


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
    reader: Reader,
    encoder: StaticEncoder,
    encoder_version: str,
    folds: Sequence[StaticEncoder],
    pipeline: str,
    version: str,
) -> Report:
    """Fits and saves `models/<name>/<version>`.

    The verifier learns from train wordings and near misses, each seen through the encoder of its fold; the calibration
    from the dev split, with an index of train wordings.
    """
    entries = load_entries(corpora / ENTRY_FILES[name])
    forms = [training_forms(entry) for entry in entries]

    def index(through: StaticEncoder) -> Index:
        return Index(entries, segmenter, through, reader, forms=forms)

    lines = _training_lines(corpora, name, forms)
    files, verifier = _verifier(lines, segmenter, [(each, index(each)) for each in folds])
    fitted = _calibration(
        queries(corpora, public, name, "dev"), name, entries, segmenter, encoder, index(encoder), verifier
    )
    manifest = {
        "pipeline": pipeline,
        "encoder": encoder_version,
        "calibration": fitted,
        "public_sets": {"chat_lccc.jsonl": SHIPPABLE["chat_lccc.jsonl"]},
    }
    card = f"# {name.capitalize()} {version}\n\n{_CARD}\n```json\n{json.dumps(fitted['dev'], indent=1)}\n```\n"
    artefact = save_artefact(models, name, version, {**files, "MODEL_CARD.md": card.encode()}, manifest)
    return Report(artefact=artefact, calibration=fitted)


@dataclass(frozen=True, slots=True)
class _Line:
    """A training line: the entry it belongs to and which wording of the index it is (-1: none)."""

    text: str
    entry: int
    wording: int


def _training_lines(corpora: Path, name: str, forms: Sequence[Sequence[str]]) -> list[_Line]:
    """Every wording but the entries' own questions, and what no entry answers."""
    lines = []
    wording = 0
    for entry, group in enumerate(forms):
        for place, form in enumerate(group):
            if place:
                lines.append(_Line(form, entry, wording))
            wording += 1
    messages = [m for m in load_messages(corpora) if not is_test_message(m.id)]
    if name == ANSWERS:
        others = [n.text for n in load_near_misses(corpora) if form_split(n.text) == "train"]
    else:
        statements = [row["text"] for _, row in read_jsonl(corpora / "claims/other_statements.jsonl")]
        others = [text for text in statements if form_split(text) == "train"]
        said = [m.text for m in messages if m.stance is Stance.ASSERT and Label.RUMOR not in m.labels]
        others += _thin(said, INNOCENT_LINES)
    others += _thin([m.text for m in messages if not m.labels], INNOCENT_LINES)
    return lines + [_Line(text, -1, -1) for text in others]


def _verifier(
    lines: Sequence[_Line], segmenter: Segmenter, folds: Sequence[tuple[StaticEncoder, Index]]
) -> tuple[dict[str, bytes], Verifier]:
    """Compares each line with its candidates as if the index lacked it, and fits the model on all folds together."""
    seen: list[Pairs] = []
    right: list[NDArray[np.bool_]] = []
    for number, (encoder, index) in enumerate(folds):
        own = [line for line in lines if fold(line.text) == number]
        texts = [segmenter.read(line.text) for line in own]
        without = [line.wording for line in own]
        questions = index.overlap.read(texts)
        for part in _parts(len(own)):
            asked, left = questions.part(part), without[part]
            found = index.look_up(asked, encoder.encode(texts[part]), without=left)
            pairs = compare(index.overlap, asked, found, without=left)
            truth = np.array([line.entry for line in own[part]])
            seen.append(pairs)
            right.append(pairs.entries == truth[pairs.owners])
    files = verifier_training.fit(joined(seen), np.concatenate(right), role_marks(folds[0][1].overlap))
    return files, Verifier.read(files)


def _parts(count: int) -> list[slice]:
    return [slice(start, min(start + _PART, count)) for start in range(0, count, _PART)]


def _calibration(
    asked: Sequence[Query],
    name: str,
    entries: Sequence[Entry],
    segmenter: Segmenter,
    encoder: StaticEncoder,
    index: Index,
    verifier: Verifier,
) -> dict[str, Any]:
    # Questions by other hands are what members will ask; alternates are chosen to be far from each other,
    # so a held-out one is harder than life. Claims have no such set yet.
    dev = [q for q in asked if name == DEBUNKS or q.kind != ALTERNATE]
    place = {entry.id: i for i, entry in enumerate(entries)}
    truth = np.array([place.get(query.entry_id or "", -1) for query in dev])
    texts = [segmenter.read(query.text) for query in dev]
    questions = index.overlap.read(texts)
    pairs = compare(index.overlap, questions, index.look_up(questions, encoder.encode(texts)))
    ranked = rank(pairs, verifier.scores(pairs, verifier.role_table(index.overlap)))
    # Where nothing was found there is nothing to be sure of.
    first = np.flatnonzero(np.diff(ranked.owners, prepend=-1))
    return calibration_training.fit(ranked.evidence[first], ranked.entries[first] == truth[ranked.owners[first]])


def queries(corpora: Path, public: Path, name: str, split: str) -> list[Query]:
    """The queries of a split: held-out alternates, questions by other hands, near misses, far lines, chat."""
    entries = load_entries(corpora / ENTRY_FILES[name])
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


_CARD = """Verifier (a linear model over what a question and an entry share and what each says alone) and the calibrated
confidence of the first match with its cuts. The verifier learned from train wordings and near misses through encoders
that had not seen them; confidence and cuts were fitted on the dev split (questions by other hands, near misses, far
questions, chat). A cut for a precision is the lowest whose lower confidence bound (Wilson, one-sided 95 %) meets it.
Dev figures:
"""
