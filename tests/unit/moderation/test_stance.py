from __future__ import annotations

import pytest

from ragcomm.moderation.classifier import NO_STANCE, STANCES
from ragcomm.moderation.stance import QUOTED_RUMOR, read_stance
from ragcomm.records import Label, Stance


def leaning(stance: str) -> dict[str, float]:
    """Shares of one with most of it on `stance`."""
    return {s: 0.4 if s == stance else 0.1 for s in STANCES}


@pytest.mark.parametrize("stance", STANCES)
@pytest.mark.parametrize("quoted_rumor", [None, 0.0, 1.0])
def test_who_is_flagged_for_rumor_asserts(stance: str, quoted_rumor: float | None) -> None:
    flagged = (Label.RUMOR, Label.RISK)
    assert read_stance(leaning(stance), flagged, quoted_rumor=quoted_rumor) is Stance.ASSERT


@pytest.mark.parametrize("stance", list(Stance))
@pytest.mark.parametrize("quoted_rumor", [None, 0.0, 1.0])
def test_an_own_stance_stands_whatever_is_quoted(stance: Stance, quoted_rumor: float | None) -> None:
    assert read_stance(leaning(stance), (Label.SPAM,), quoted_rumor=quoted_rumor) is stance


@pytest.mark.parametrize(
    ("quoted_rumor", "expected"),
    [(None, None), (0.0, None), (QUOTED_RUMOR - 0.01, None), (QUOTED_RUMOR, Stance.QUOTE), (1.0, Stance.QUOTE)],
)
def test_without_an_own_stance_only_a_quoted_rumor_is_passed_on(
    quoted_rumor: float | None, expected: Stance | None
) -> None:
    assert read_stance(leaning(NO_STANCE), (Label.QUESTION,), quoted_rumor=quoted_rumor) is expected
