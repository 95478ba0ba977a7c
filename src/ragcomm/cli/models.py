"""Training, publishing and measuring models."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from ragcomm.artefacts import current_version, open_artefact, promote
from ragcomm.assembly import build_answerer, build_encoder, build_moderator, build_text, pipeline_version
from ragcomm.cli.commands import version_folder
from ragcomm.corpora import ENTRY_FILES, load_entries, training_forms
from ragcomm.errors import InvalidInput, RagcommError
from ragcomm.settings import Settings
from ragcomm.text.encode import StaticEncoder

# In this order: each stands on the one before it.
MODELS = ("encoder", "moderation", "answers", "debunks")


def train(name: str, version: str | None, *, promote: bool, epochs: int | None) -> None:
    """Trains one model, or all of them in order."""
    names = MODELS if name == "all" else (_known(name),)
    settings = Settings()
    for each in names:
        chosen = version or version_folder(settings.models / each)
        report = _TRAINERS[each](settings, each, chosen, epochs)
        if promote:
            _promote(settings, each, chosen)
        print(json.dumps({"model": each, "version": chosen, **report}, ensure_ascii=False))


def publish(name: str, version: str) -> None:
    """Verifies a version and points current.toml at it."""
    settings = Settings()
    open_artefact(settings.models, _known(name), pipeline=pipeline_version(settings.corpora), version=version)
    _promote(settings, name, version)
    print(json.dumps({"model": name, "version": current_version(settings.models, name)}))


def evaluate(name: str) -> None:
    """Prints a report on the test split."""
    print(json.dumps(measure(name), ensure_ascii=False, indent=1))


def measure(name: str) -> dict[str, Any]:
    """The report of moderation, answers or debunks on the test split, with the current models."""
    from ragcomm.jobs import evaluate as job

    settings = Settings()
    text = build_text(settings.corpora, settings.segmenter)
    encoder, encoder_version = build_encoder(settings.models, text.pipeline)
    if _known(name) == "encoder":
        raise InvalidInput(seen=name, expected="moderation, answers or debunks", where="NAME")
    if name == "moderation":
        moderator = build_moderator(settings.models, text, encoder)
        return job.run_moderation(corpora=settings.corpora, public=settings.public_data, moderator=moderator)
    entries = load_entries(settings.corpora / ENTRY_FILES[name])
    forms = [training_forms(entry) for entry in entries]
    return job.run_matching(
        name=name,
        corpora=settings.corpora,
        public=settings.public_data,
        segmenter=text.segmenter,
        encoder=encoder,
        answerer=build_answerer(settings.models, name, entries, text, encoder, encoder_version, forms=forms),
    )


def _known(name: str) -> str:
    if name not in MODELS:
        raise InvalidInput(seen=name, expected=", ".join(MODELS), where="NAME")
    return name


def _promote(settings: Settings, name: str, version: str) -> None:
    promote(settings.models, name, version)


def _train_encoder(settings: Settings, _name: str, version: str, epochs: int | None) -> dict[str, Any]:
    from ragcomm.jobs.train_encoder import run
    from ragcomm.knowledge.encoder_training import Recipe

    recipe = replace(Recipe(), epochs=epochs) if epochs else Recipe()

    def told(epoch: int, loss: float) -> None:
        print(f"epoch {epoch + 1} of {recipe.epochs}: loss {loss:.4f}", file=sys.stderr)

    text = build_text(settings.corpora, settings.segmenter)
    report = run(
        corpora=settings.corpora,
        models=settings.models,
        public=settings.public_data,
        read=text.segmenter.read,
        pipeline=text.pipeline,
        version=version,
        recipe=recipe,
        on_epoch=told,
    )
    return {"groups": report.groups, "wordings": report.wordings, "background": report.background}


def _train_moderation(settings: Settings, _name: str, version: str, _epochs: int | None) -> dict[str, Any]:
    from ragcomm.jobs.train_moderation import run

    text = build_text(settings.corpora, settings.segmenter)
    encoder, encoder_version = build_encoder(settings.models, text.pipeline)
    report = run(
        corpora=settings.corpora,
        models=settings.models,
        public=settings.public_data,
        segmenter=text.segmenter,
        checks=text.checks,
        types=text.types,
        encoder=encoder,
        encoder_version=encoder_version,
        pipeline=text.pipeline,
        version=version,
    )
    return {"own": report.own, "public": report.foreign, "thresholds": report.thresholds}


def _train_answers(settings: Settings, name: str, version: str, _epochs: int | None) -> dict[str, Any]:
    from ragcomm.jobs.train_answers import run

    text = build_text(settings.corpora, settings.segmenter)
    encoder, encoder_version = build_encoder(settings.models, text.pipeline)
    report = run(
        name=name,
        corpora=settings.corpora,
        models=settings.models,
        public=settings.public_data,
        segmenter=text.segmenter,
        reader=text.reader,
        encoder=encoder,
        encoder_version=encoder_version,
        folds=_fold_encoders(settings.corpora, settings.public_data, settings.segmenter),
        pipeline=text.pipeline,
        version=version,
    )
    return report.calibration


@cache
def _fold_encoders(corpora: Path, public: Path, engine: str | None) -> list[StaticEncoder]:
    """Trained once for answers and debunks."""
    from ragcomm.jobs.train_encoder import fold_encoders

    return fold_encoders(corpora=corpora, public=public, read=build_text(corpora, engine).segmenter.read)


_TRAINERS: dict[str, Callable[[Settings, str, str, int | None], dict[str, Any]]] = {
    "encoder": _train_encoder,
    "moderation": _train_moderation,
    "answers": _train_answers,
    "debunks": _train_answers,
}


def check_corpora() -> None:
    """Prints every flaw as file:line and the sizes as JSON; fails if there is any flaw."""
    from ragcomm.jobs.check_corpora import run

    report = run(Settings().corpora)
    for flaw in report.flaws:
        print(f"{flaw.where}: {flaw.what}")
    print(json.dumps(report.figures, ensure_ascii=False))
    if report.flaws:
        raise RagcommError(f"{len(report.flaws)} flaws in the corpora")
