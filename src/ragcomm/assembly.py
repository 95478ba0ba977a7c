"""Builds the parts from corpora and models; the only place that knows which part needs which."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from ragcomm.artefacts import open_artefact
from ragcomm.corpora import (
    load_cues,
    load_slots,
    load_stop_words,
    load_synonyms,
    load_terms,
    load_variants,
)
from ragcomm.errors import ArtefactError
from ragcomm.knowledge.answerer import Answerer
from ragcomm.knowledge.calibration import Calibration
from ragcomm.knowledge.categories import KINDS
from ragcomm.knowledge.exchange import to_lines
from ragcomm.knowledge.gate import Gate, Review
from ragcomm.knowledge.overlap import Reader
from ragcomm.knowledge.publication import Edition, digest, shipped_edition
from ragcomm.knowledge.retrieval import Index
from ragcomm.knowledge.verifier import Verifier
from ragcomm.moderation.checks import CheckBook
from ragcomm.moderation.classifier import Classifier
from ragcomm.moderation.moderator import Moderator
from ragcomm.records import Entry
from ragcomm.service import Service
from ragcomm.text.encode import StaticEncoder
from ragcomm.text.segment import Segmenter

# Raised whenever normalisation, segmentation or the terms of the encoder change what a text becomes.
TEXT_CODE = "2"
# The share of automatic replies, in percent, that has to be right: to debunk what nobody claimed offends more than
# an answer that misses the question.
PRECISIONS = {"answers": 95, "debunks": 98}
# What decides how a text is cut and what its words stand for.
_LISTS = ("terms.jsonl", "synonyms.jsonl", "slots.jsonl", "stop_words.jsonl")


@dataclass(frozen=True, slots=True)
class TextParts:
    """What turns raw text into tokens and checks, and the name of exactly this way of doing it."""

    segmenter: Segmenter
    checks: CheckBook
    pipeline: str
    types: Mapping[str, str]
    reader: Reader


def pipeline_version(corpora: Path) -> str:
    """Names the text pipeline: code version and the digest of the lists it cuts and reads with."""
    digest = hashlib.sha256()
    for name in _LISTS:
        digest.update((corpora / "lexicon" / name).read_bytes())
    return f"{TEXT_CODE}-{digest.hexdigest()[:12]}"


def build_text(corpora: Path, engine: str | None = None) -> TextParts:
    """Reads the dictionary and the cues."""
    types = load_terms(corpora)
    checks = CheckBook(load_cues(corpora), load_variants(corpora), domain=frozenset(types))
    reader = Reader(types, _synonyms(corpora), load_slots(corpora), load_stop_words(corpora))
    return TextParts(Segmenter(types, engine=engine), checks, pipeline_version(corpora), types, reader)


def _synonyms(corpora: Path) -> dict[str, str]:
    """What stands for a word: the first of the first group that means it; a word of two meanings stands for itself."""
    stands: dict[str, str] = {}
    for group in load_synonyms(corpora):
        for word in group.words:
            if word not in group.ambiguous:
                stands.setdefault(word, group.words[0])
    return stands


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


def build_answerer(
    models: Path,
    name: str,
    entries: list[Entry],
    text: TextParts,
    encoder: StaticEncoder,
    encoder_version: str,
    *,
    forms: Sequence[Sequence[str]] | None = None,
    mark: str = "",
) -> Answerer:
    """A search over entries with the verifier and the calibration `name` (answers or debunks).

    `forms` replaces the entries' own wordings (evaluation leaves the test wordings out); `mark` ends its version.

    Raises:
        ArtefactError: missing, damaged, or trained with another encoder.
    """
    artefact = open_artefact(models, name, pipeline=text.pipeline)
    if artefact.manifest["encoder"] != encoder_version:
        raise ArtefactError(
            f"{name} {artefact.version} was trained with encoder {artefact.manifest['encoder']}, this is "
            f"{encoder_version}: train it again (ragcomm train {name})"
        )
    return Answerer(
        entries,
        Index(entries, text.segmenter, encoder, text.reader, forms=forms),
        Verifier.open(artefact.folder),
        Calibration.read(artefact.manifest["calibration"]),
        f"{name}-{artefact.version}-{len(entries)}{mark}",
        precision=PRECISIONS[name],
    )


@dataclass(frozen=True, slots=True)
class Workshop:
    """What searches are built from, whatever the entries: models, the way to read, the encoder and its version."""

    models: Path
    text: TextParts
    encoder: StaticEncoder
    encoder_version: str


def build_workshop(corpora: Path, models: Path, segmenter: str | None = None) -> Workshop:
    """Opens what every search needs."""
    text = build_text(corpora, segmenter)
    return Workshop(models, text, *build_encoder(models, text.pipeline))


def build_answerers(shop: Workshop, edition: Edition, *, like: Sequence[Answerer] = ()) -> tuple[Answerer, Answerer]:
    """The searches among the answers and the debunks of an edition; a digest of the entries is part of their version.

    Of `like`, searches that were built before, those over the very same entries are taken as they are.
    """
    answers, debunks = (
        next((known for known in like if known.entries == edition.entries[kind]), None)
        or _build_marked(shop, edition, kind)
        for kind in KINDS
    )
    return answers, debunks


def _build_marked(shop: Workshop, edition: Edition, kind: str) -> Answerer:
    entries = edition.entries[kind]
    mark = f"-{digest([to_lines(entries)]).hex()[:8]}" if edition.version else ""
    encoder = (shop.encoder, shop.encoder_version)
    return build_answerer(shop.models, KINDS[kind], list(entries), shop.text, *encoder, mark=mark)


def build_service_of(
    shop: Workshop, edition: Edition, *, review: Review, today: Callable[[], date] = date.today
) -> Service:
    """The whole product over the entries of an edition; `review` as for `build_service`."""
    return Service(
        build_moderator(shop.models, shop.text, shop.encoder),
        *build_answerers(shop, edition),
        Gate(shop.text.reader, review, today),
        shop.text.segmenter,
        shop.encoder,
        shop.text.reader,
    )


def build_service(
    corpora: Path,
    models: Path,
    segmenter: str | None = None,
    *,
    review: Review,
    today: Callable[[], date] = date.today,
) -> Service:
    """The whole product without its memory: text, moderation, answers and debunks.

    `review` is what clinical entries need before they answer without a person.
    """
    shop = build_workshop(corpora, models, segmenter)
    return build_service_of(shop, shipped_edition(corpora), review=review, today=today)
