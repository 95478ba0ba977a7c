"""How the author stands to a health claim: the model's shares, and what only the situation tells."""

from __future__ import annotations

from collections.abc import Mapping

from ragcomm.moderation.classifier import NO_STANCE
from ragcomm.records import Label, Stance

# A quoted text this likely to be a rumor is taken as one.
QUOTED_RUMOR = 0.5


def read_stance(
    shares: Mapping[str, float],
    flagged: tuple[Label, ...],
    *,
    quoted_rumor: float | None,
) -> Stance | None:
    """The stance of a message, None where it carries no health claim.

    An own text that takes no stance beside a quoted rumor only passes it on: `quote`. Who is flagged
    for rumor asserts; labels and stance never contradict each other.
    """
    if Label.RUMOR in flagged:
        return Stance.ASSERT
    likely = max(shares, key=lambda s: shares[s])
    if likely != NO_STANCE:
        return Stance(likely)
    if quoted_rumor is not None and quoted_rumor >= QUOTED_RUMOR:
        return Stance.QUOTE
    return None
