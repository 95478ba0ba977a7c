from __future__ import annotations

from itertools import chain, combinations

import pytest

from ragcomm.moderation.policy import Ruling, flag, rule
from ragcomm.records import HARMFUL, LABELS, Action, Label, MemberAction

EVERY = [tuple(c) for c in chain.from_iterable(combinations(LABELS, n) for n in range(len(LABELS) + 1))]


def test_every_set_of_labels_is_looked_at() -> None:
    assert len(set(EVERY)) == 2 ** len(LABELS)


@pytest.mark.parametrize("flagged", EVERY, ids="+".join)
def test_nobody_is_removed_or_muted_by_a_model_alone(flagged: tuple[Label, ...]) -> None:
    ruling = rule(flagged)
    assert ruling.action in {Action.ALLOW, Action.HOLD, Action.ESCALATE}
    assert ruling.member_action in {MemberAction.NONE, MemberAction.WARN}


@pytest.mark.parametrize("flagged", [f for f in EVERY if Label.RISK in f and Label.RUMOR not in f], ids="+".join)
def test_danger_without_a_rumor_is_escalated_whatever_else_it_is(flagged: tuple[Label, ...]) -> None:
    assert rule(flagged) == Ruling(flagged, Action.ESCALATE, MemberAction.NONE)


@pytest.mark.parametrize("flagged", [f for f in EVERY if Label.RISK in f and Label.RUMOR in f], ids="+".join)
def test_advice_that_endangers_others_is_held_without_a_strike(flagged: tuple[Label, ...]) -> None:
    assert rule(flagged) == Ruling(flagged, Action.HOLD, MemberAction.NONE)


@pytest.mark.parametrize("flagged", [f for f in EVERY if Label.RISK not in f and HARMFUL & set(f)], ids="+".join)
def test_harm_without_danger_is_held_and_only_spam_and_abuse_warn_the_member(flagged: tuple[Label, ...]) -> None:
    strike = Label.SPAM in flagged or Label.ABUSE in flagged
    assert rule(flagged) == Ruling(flagged, Action.HOLD, MemberAction.WARN if strike else MemberAction.NONE)


@pytest.mark.parametrize("flagged", [(), (Label.QUESTION,)], ids=["nothing", "question"])
def test_what_is_harmless_is_allowed(flagged: tuple[Label, ...]) -> None:
    assert rule(flagged) == Ruling(flagged, Action.ALLOW, MemberAction.NONE)


def test_a_label_is_flagged_from_its_own_threshold_on() -> None:
    labels = {Label.SPAM: 0.5, Label.RUMOR: 0.49, Label.QUESTION: 0.9, Label.ABUSE: 0.2, Label.RISK: 0.1}
    thresholds = {Label.SPAM: 0.5, Label.RUMOR: 0.5, Label.QUESTION: 0.95, Label.ABUSE: 0.1, Label.RISK: 0.05}
    assert flag(labels, thresholds) == (Label.SPAM, Label.ABUSE, Label.RISK)


def test_flags_come_in_the_order_of_the_labels() -> None:
    thresholds = dict.fromkeys(LABELS, 0.5)
    assert flag(dict.fromkeys(reversed(LABELS), 1.0), thresholds) == LABELS
