"""A world of three entries, small enough to count in the head."""

from __future__ import annotations

import numpy as np

from ragcomm.knowledge.calibration import EVIDENCE, Calibration
from ragcomm.knowledge.overlap import Reader
from ragcomm.knowledge.pairs import FEATURES, ROLES
from ragcomm.knowledge.verifier import Verifier
from ragcomm.records import Entry
from ragcomm.text.encode import StaticEncoder
from ragcomm.text.segment import Segmenter

# Words of two characters throughout: each character counts once, and a cosine is a matter of counting them.
FORMS = {
    "sleep": ("失眠怎么办", "夜里清醒"),
    "cold": ("感冒怎么办", "感冒多久痊愈"),
    "feet": ("泡脚水温",),
}
CHARACTERS = sorted({c for forms in FORMS.values() for form in forms for c in form} | set("原因"))
SEGMENTER = Segmenter(["泡脚"])
ENCODER = StaticEncoder({c: i for i, c in enumerate(CHARACTERS)}, np.eye(len(CHARACTERS), dtype=np.float16))
READER = Reader({"失眠": "symptom", "感冒": "disease", "泡脚": "therapy"}, {}, {}, frozenset({"怎么办", "多久"}))


def entry(name: str, status: str = "editorial") -> Entry:
    return Entry(
        id=name,
        question=FORMS[name][0],
        answer=f"{name}!",
        forms=FORMS[name],
        category="world",
        review_status=status,
        reviewed_on="2026-01-01",
        expires_on="2027-01-01",
    )


ENTRIES = [entry("sleep"), entry("cold", "clinician"), entry("feet")]


def verifier(offset: float = 0.0, **weights: float) -> Verifier:
    """A verifier that weighs only what is named; a whole name of FEATURES each."""
    given = np.zeros(len(FEATURES), np.float32)
    for name, weight in weights.items():
        given[FEATURES.index(name)] = weight
    return Verifier(given, offset, {}, np.zeros((0, len(ROLES)), np.float32))


def calibration(
    cut: float | None = 0.9, confirm_from: float = 0.45, offset: float = 0.0, **weights: float
) -> Calibration:
    """A confidence by the named evidence alone, the verifier's score unless another is named."""
    given = weights or {"score": 1.0}
    return Calibration(
        tuple(given.get(name, 0.0) for name in EVIDENCE), offset, {"90": cut, "95": cut, "98": None}, confirm_from
    )
