"""Builds the parts from corpora and models; the only place that knows which part needs which."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ragcomm.artefacts import open_artefact
from ragcomm.corpora import load_cues, load_entries, load_terms, load_variants
from ragcomm.knowledge.answerer import Answerer
from ragcomm.knowledge.calibration import Calibration
from ragcomm.moderation.checks import CheckBook
from ragcomm.moderation.classifier import Classifier
from ragcomm.moderation.moderator import Moderator
from ragcomm.records import Entry
from ragcomm.service import Service
from ragcomm.text.encode import StaticEncoder
from ragcomm.text.segment import Segmenter

# Raised whenever normalisation, segmentation or the terms of the encoder change what a text becomes.
TEXT_CODE = "1"


@dataclass(frozen=True, slots=True)
class TextParts:
    """What turns raw text into tokens and checks, and the name of exactly this way of doing it."""

    segmenter: Segmenter
    checks: CheckBook
    pipeline: str
    types: Mapping[str, str]


def pipeline_version(corpora: Path) -> str:
    """Names the text pipeline: code version and the digest of the dictionary it cuts with."""
    digest = hashlib.sha256((corpora / "lexicon/terms.jsonl").read_bytes()).hexdigest()
    return f"{TEXT_CODE}-{digest[:12]}"


def build_text(corpora: Path, engine: str | None = None) -> TextParts:
    """Reads the dictionary and the cues."""
    types = load_terms(corpora)
    checks = CheckBook(load_cues(corpora), load_variants(corpora), domain=frozenset(types))
    return TextParts(Segmenter(types, engine=engine), checks, pipeline_version(corpora), types)


def build_encoder(models: Path, pipeline: str) -> tuple[StaticEncoder, str]:
    """The current encoder and its version."""
    artefact = open_artefact(models, "encoder", pipeline=pipeline)
    return StaticEncoder.open(artefact.folder), artefact.version


def build_moderator(models: Path, text: TextParts, encoder: StaticEncoder) -> Moderator:
    """The current moderation model over these text parts."""
    artefact = open_artefact(models, "moderation", pipeline=text.pipeline)
    parameters = json.loads((artefact.folder / "parameters.json").read_text(encoding="utf-8"))
    return Moderator(
        text.segmenter,
        encoder,
        text.checks,
        Classifier.open(artefact.folder, text.checks.names, text.types),
        parameters["thresholds"],
        f"moderation-{artefact.version}",
    )


def build_answerer(models: Path, name: str, entries: list[Entry], text: TextParts, encoder: StaticEncoder) -> Answerer:
    """A search over entries with the calibration `name` (answers or debunks)."""
    artefact = open_artefact(models, name, pipeline=text.pipeline)
    calibration = Calibration.read(artefact.manifest["calibration"])
    version = f"{name}-{artefact.version}-{len(entries)}"
    return Answerer(entries, text.segmenter, encoder, calibration, version)


def build_service(corpora: Path, models: Path, segmenter: str | None = None) -> Service:
    """The whole product without its memory: text, moderation, answers and debunks."""
    text = build_text(corpora, segmenter)
    encoder, _ = build_encoder(models, text.pipeline)
    entries = load_entries(corpora / "faq/entries.jsonl")
    claims = load_entries(corpora / "claims/entries.jsonl")
    return Service(
        build_moderator(models, text, encoder),
        build_answerer(models, "answers", entries, text, encoder),
        build_answerer(models, "debunks", claims, text, encoder),
        text.segmenter,
        encoder,
    )
