"""The shipped models on the test split of the project's own corpora."""

from __future__ import annotations

import json
from typing import Any

from ragcomm.artefacts import open_artefact
from ragcomm.assembly import build_encoder, build_moderator, build_text
from ragcomm.jobs import evaluate
from ragcomm.knowledge.calibration import Calibration
from ragcomm.settings import Settings


def run() -> dict[str, Any]:
    """Moderation, answers and debunks; each as `ragcomm evaluate` prints it."""
    settings = Settings()
    text = build_text(settings.corpora, settings.segmenter)
    encoder, _ = build_encoder(settings.models, text.pipeline)
    moderator = build_moderator(settings.models, text, encoder)
    result = {
        "moderation": evaluate.run_moderation(
            corpora=settings.corpora, public=settings.public_data, moderator=moderator
        )
    }
    for name in ("answers", "debunks"):
        artefact = open_artefact(settings.models, name, pipeline=text.pipeline)
        result[name] = evaluate.run_matching(
            name=name,
            corpora=settings.corpora,
            public=settings.public_data,
            segmenter=text.segmenter,
            encoder=encoder,
            calibration=Calibration.read(artefact.manifest["calibration"]),
        )
    for name, report in result.items():
        print(f"{name}: {json.dumps(report)}")
    return result
