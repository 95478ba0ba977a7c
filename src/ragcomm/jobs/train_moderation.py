"""Trains the moderation models on the labelled messages and, where at hand, permissive public sets."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ragcomm.artefacts import Artefact, save_artefact
from ragcomm.corpora import LabelledMessage, is_test_message, load_entries, load_messages, load_stances, training_forms
from ragcomm.jobs.public_data import SHIPPABLE, available, chat_turns
from ragcomm.moderation import training
from ragcomm.moderation.checks import CheckBook
from ragcomm.moderation.training import Sample
from ragcomm.records import LABELS, Label, Stance
from ragcomm.text.encode import StaticEncoder
from ragcomm.text.segment import Segmenter

# Lines of everyday chat, and how much one counts beside one of ours. Out of fold, with all labels under one budget of
# alarms in chat: mean F1 of the harmful labels .816 with weight 1, .831 with 2, .835 with 4.
CHAT_LINES, CHAT_WEIGHT = 30000, 4.0
WORDING_WEIGHT = 0.4
SUICIDE = "suicide"


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What was trained, on how much, with which thresholds."""

    artefact: Artefact
    own: int
    foreign: int
    thresholds: dict[str, float]


def run(
    *,
    corpora: Path,
    models: Path,
    public: Path,
    segmenter: Segmenter,
    checks: CheckBook,
    types: Mapping[str, str],
    encoder: StaticEncoder,
    encoder_version: str,
    pipeline: str,
    version: str,
) -> Report:
    """Trains and saves `models/moderation/<version>`; test lines are never seen."""
    own = [_sample(m, segmenter, checks) for m in load_messages(corpora) if not is_test_message(m.id)]
    foreign = _chat(public, segmenter, checks)
    samples = [*own, *_wordings(corpora, segmenter, checks), *_stances(corpora, segmenter, checks), *foreign]
    trained = training.fit(samples, encoder.encode([s.text for s in samples]), checks.names, types)
    used = {name: SHIPPABLE[name] for name in available(public) if name == "chat_lccc.jsonl"}
    manifest: dict[str, Any] = {
        "pipeline": pipeline,
        "encoder": encoder_version,
        "lines": {"own": len(own), "wordings": len(samples) - len(own) - len(foreign), "public": len(foreign)},
        "public_sets": used,
    }
    files = {**trained.files, "MODEL_CARD.md": _card(version, len(own), used).encode()}
    artefact = save_artefact(models, "moderation", version, files, manifest)
    return Report(artefact=artefact, own=len(own), foreign=len(foreign), thresholds=trained.thresholds)


def _sample(
    message: LabelledMessage,
    segmenter: Segmenter,
    checks: CheckBook,
    *,
    weight: float = 1.0,
    judged: frozenset[Label] = frozenset(LABELS),
    own: bool = True,
) -> Sample:
    text = segmenter.read(message.text)
    return Sample(
        text=text,
        found=checks.find(text),
        quoted=bool(message.quoted),
        labels=message.labels,
        stance=message.stance,
        self_harm=message.kind == SUICIDE and Label.RISK in message.labels,
        weight=weight,
        judged=judged,
        own=own,
    )


def _wordings(corpora: Path, segmenter: Segmenter, checks: CheckBook) -> list[Sample]:
    """The wordings of claims (train split), as forwarded in groups: they spread a rumor or a truth."""
    spread = {
        "false": (frozenset({Label.RUMOR}), Stance.ASSERT),
        "misleading": (frozenset({Label.RUMOR}), Stance.ASSERT),
        "true": (frozenset[Label](), Stance.ASSERT),
    }
    made: list[tuple[str, frozenset[Label], Stance | None]] = [
        (form, *spread[claim.verdict])
        for claim in load_entries(corpora / "claims/entries.jsonl")
        if claim.verdict in spread
        for form in training_forms(claim)
    ]
    # Whether somebody is in danger was not looked at when they were written.
    judged = frozenset(LABELS) - {Label.RISK}
    return [
        _sample(_line(form, labels, stance), segmenter, checks, weight=WORDING_WEIGHT, judged=judged, own=False)
        for form, labels, stance in made
    ]


def _stances(corpora: Path, segmenter: Segmenter, checks: CheckBook) -> list[Sample]:
    """What members say about known claims without spreading them: who asks has a question, nobody is guilty."""
    asked = {Stance.ASK: frozenset({Label.QUESTION})}
    judged = frozenset(LABELS) - {Label.RISK}
    return [
        _sample(_line(s.text, asked.get(s.stance, frozenset()), s.stance), segmenter, checks, judged=judged, own=False)
        for s in load_stances(corpora)
        if not is_test_message(s.id)
    ]


def _chat(public: Path, segmenter: Segmenter, checks: CheckBook) -> list[Sample]:
    """Everyday chat: nobody advertises, spreads rumors or is in danger; whether it asks is unknown."""
    judged = frozenset({Label.SPAM, Label.RUMOR, Label.ABUSE, Label.RISK})
    return [
        _sample(_line(turn, frozenset()), segmenter, checks, weight=CHAT_WEIGHT, judged=judged, own=False)
        for turn in _thin(chat_turns(public, "valid"), CHAT_LINES)
    ]


def _thin(lines: Sequence[Any], most: int) -> Sequence[Any]:
    return lines[:: max(1, len(lines) // most)][:most]


def _line(text: str, labels: frozenset[Label], stance: Stance | None = None) -> LabelledMessage:
    name = hashlib.sha256(text.encode()).hexdigest()[:12]
    return LabelledMessage(id=name, text=text, labels=labels, stance=stance, kind="wording")


def _card(version: str, own: int, used: dict[str, str]) -> str:
    sources = "\n".join(f"- {source}" for source in used.values()) or "- none"
    return f"""# Moderation {version}

One logistic regression a label (spam, rumor, question, abuse, risk) and one over the stances, on character 1- to
3-grams, phrases of words (terms of the domain by type), the checks' hits, the text's shape and its dense vector;
calibrated by Platt's method on out-of-fold scores.

- **Use**: to propose; a person decides about members. Scores are probabilities in the mix of the corpora.
- **Trained on**: {own} hand-written lines (`corpora/moderation`, train split); with less weight the train wordings of
  claims, as rumors or truths that are asserted.
- **Public sets**, licence permitting, with small weights:
{sources}
- **Thresholds**: best F1 (risk and self-harm: F2) of out-of-fold scores, in `parameters.json`.
- **Limits**: drafted lines, not a sample of real groups; dialects and very long posts are thin.

Figures on the test split are in `docs/benchmarks.md`.
"""
