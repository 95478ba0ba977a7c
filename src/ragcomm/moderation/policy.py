"""From probabilities to an action: a pure function, hard rules before soft ones.

Hard: danger to a person is helped and never punished, except that asserted advice which endangers others is
hidden at once. Nobody is removed by a model alone: the harshest action here is to hold for a person's review.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ragcomm.records import HARMFUL, LABELS, Action, Label, MemberAction

VERSION = "policy-1"


@dataclass(frozen=True, slots=True)
class Ruling:
    """What follows from the probabilities of one message."""

    flagged: tuple[Label, ...]
    action: Action
    member_action: MemberAction


def flag(labels: Mapping[Label, float], thresholds: Mapping[Label, float]) -> tuple[Label, ...]:
    """The labels whose probability reaches the threshold of the model that made it."""
    return tuple(label for label in LABELS if labels[label] >= thresholds[label])


def rule(flagged: tuple[Label, ...]) -> Ruling:
    """Decides what the bot should do; answers and debunks are decided later, by knowledge."""
    said = set(flagged)
    if Label.RISK in said:
        action = Action.HOLD if Label.RUMOR in said else Action.ESCALATE
        return Ruling(flagged, action, MemberAction.NONE)
    if said & HARMFUL:
        member = MemberAction.WARN if said & {Label.SPAM, Label.ABUSE} else MemberAction.NONE
        return Ruling(flagged, Action.HOLD, member)
    return Ruling(flagged, Action.ALLOW, MemberAction.NONE)
