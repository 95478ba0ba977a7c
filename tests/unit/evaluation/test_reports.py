"""Reports of small worlds, every figure counted by hand or a second time by plain definitions."""

import random
from collections.abc import Sequence
from typing import Any

import pytest

from ragcomm.evaluation.reports import Matched, Moderated, matching_report, moderation_report, rounded
from ragcomm.records import HARMFUL, LABELS, Decision, Entry, Finding, Label, Match, Stance

SPAM, RUMOR, QUESTION, ABUSE, RISK = LABELS


def moderated(
    truth: Sequence[Label],
    flagged: Sequence[Label],
    stances: tuple[Stance | None, Stance | None] = (None, None),
    *,
    hard: bool = False,
    **labels: float,
) -> Moderated:
    return Moderated(
        truth=frozenset(truth),
        labels={label: labels.get(label, 0.0) for label in LABELS},
        flagged=frozenset(flagged),
        stance=stances[0],
        true_stance=stances[1],
        hard=hard,
    )


def entry(name: str) -> Entry:
    return Entry(
        id=name,
        question=name,
        answer=name,
        forms=(name,),
        category="",
        review_status="",
        reviewed_on="",
        expires_on="",
    )


def matched(entry_id: str | None, kind: str, found: str, confidence: float, decision: Decision) -> Matched:
    """`found` names the entries, one letter each, best first."""
    return Matched(
        entry_id=entry_id,
        kind=kind,
        finding=Finding(
            decision=decision,
            confidence=confidence,
            reason="",
            matches=tuple(Match(entry(letter), confidence) for letter in found),
            index_version="1",
        ),
    )


MODERATED = [
    moderated([SPAM], [SPAM], spam=0.9),
    moderated([SPAM, ABUSE], [SPAM], (Stance.ASK, None), spam=0.7, abuse=0.4),
    moderated([], [SPAM], spam=0.8, hard=True),
    moderated([QUESTION], [QUESTION], (Stance.ASK, Stance.ASK), question=1.0, hard=True),
    moderated([QUESTION], [RISK], (Stance.DENY, Stance.ASK), risk=0.6),
    moderated([RISK], [RISK, QUESTION], (None, Stance.WARN), risk=0.9, question=0.5),
    moderated([], []),
]


def test_each_label_is_judged_by_itself() -> None:
    report = moderation_report(MODERATED)
    assert report["messages"] == 7
    spam = report[SPAM]
    assert (spam["support"], spam["precision"], spam["recall"]) == (2, pytest.approx(2 / 3), 1)
    assert spam["f1"] == pytest.approx(0.8)
    # .9 right, .8 wrong, .7 right.
    assert spam["average_precision"] == pytest.approx((1 + 2 / 3) / 2)
    # One in each bin: .1 short, .8 over, .3 short.
    assert spam["ece"] == pytest.approx(1.2 / 7)
    assert (report[QUESTION]["precision"], report[QUESTION]["recall"]) == (0.5, 0.5)
    assert (report[RISK]["precision"], report[RISK]["recall"]) == (0.5, 1)
    assert (report[ABUSE]["support"], report[ABUSE]["recall"], report[ABUSE]["f1"]) == (1, 0, 0)
    assert report[RUMOR]["support"] == 0


def test_macro_f1_leaves_out_labels_that_never_occur() -> None:
    assert moderation_report(MODERATED)["macro_f1"] == pytest.approx((0.8 + 0.5 + 0 + 2 / 3) / 4)


def test_the_shares_that_hurt_count_the_innocent_only() -> None:
    report = moderation_report(MODERATED)
    assert report["exact_match"] == pytest.approx(3 / 7)
    assert report["stance_accuracy"] == pytest.approx(1 / 3)
    assert report["innocent_flagged"] == pytest.approx(1 / 5)
    assert report["hard_innocent_flagged"] == pytest.approx(1 / 2)
    assert report["risk_false_alarms"] == pytest.approx(1 / 6)


def test_a_run_over_nothing_reports_zeros() -> None:
    report = moderation_report([])
    assert (report["messages"], report["macro_f1"], report["exact_match"], report["innocent_flagged"]) == (0, 0, 0, 0)


MATCHED = [
    matched("a", "plain", "abc", 0.95, Decision.ANSWER),
    matched("b", "far", "acb", 0.85, Decision.ANSWER),
    matched("c", "far", "cab", 0.45, Decision.CONFIRM),
    matched("d", "plain", "abc", 0.35, Decision.ABSTAIN),
    matched(None, "pets", "abc", 0.75, Decision.ANSWER),
    matched(None, "pets", "bac", 0.15, Decision.ABSTAIN),
    matched(None, "chat", "", 0.0, Decision.ABSTAIN),
]


def test_hits_and_ranks_count_what_can_be_answered() -> None:
    report = matching_report(MATCHED)
    assert (report["queries"], report["answerable"]) == (7, 4)
    assert report["hit@1"] == 2 / 4
    assert report["hit@3"] == 3 / 4
    assert report["mrr@10"] == pytest.approx((1 + 1 / 3 + 1 + 0) / 4)
    assert (report["hit@1_plain"], report["hit@1_far"]) == (1 / 2, 1 / 2)
    # Wilson for 2 of 4, z = 1.96.
    assert report["hit@1_95%"] == (pytest.approx(0.15, abs=1e-3), pytest.approx(0.85, abs=1e-3))


def test_each_kind_of_the_unanswerable_is_told_apart() -> None:
    report = matching_report(MATCHED)
    # Against .75 two of four win, against .15 all.
    assert report["auroc"] == {"pets": pytest.approx(6 / 8), "chat": 1}
    assert report["false_answers_per_1000"] == {"pets": 500, "chat": 0}


def test_decisions_are_judged_as_they_were_taken() -> None:
    report = matching_report(MATCHED)
    assert report["answered"] == 3
    assert report["answer_precision"] == pytest.approx(1 / 3)
    assert report["answer_coverage"] == 1 / 4
    # In order of confidence: right, wrong, wrong, right, wrong, wrong, wrong.
    assert report["coverage_at_precision"] == {"90": 1 / 4, "95": 1 / 4, "98": 1 / 4}
    risks = [0, 1 / 2, 2 / 3, 2 / 4, 3 / 5, 4 / 6, 5 / 7]
    assert report["aurc"] == pytest.approx(sum(risks) / 7)
    # Every bin holds one: .05 and .55 short, the others over by all they said.
    assert report["ece"] == pytest.approx((0.05 + 0.85 + 0.75 + 0.55 + 0.35 + 0.15) / 7)


def moderation_by_definition(rows: Sequence[Moderated]) -> dict[str, Any]:
    report: dict[str, Any] = {}
    f1s = []
    for label in LABELS:
        hits = sum(label in r.truth and label in r.flagged for r in rows)
        support, said = sum(label in r.truth for r in rows), sum(label in r.flagged for r in rows)
        precision, recall = hits / max(1, said), hits / max(1, support)
        f1 = 2 * precision * recall / (precision + recall) if hits else 0.0
        seen, total = 0, 0.0
        for rank, row in enumerate(sorted(rows, key=lambda r, label=label: -r.labels[label]), 1):
            if label in row.truth:
                seen += 1
                total += seen / rank
        error = 0.0
        for b in range(10):
            inside = [r for r in rows if min(9, int(r.labels[label] * 10)) == b]
            error += abs(sum((label in r.truth) - r.labels[label] for r in inside)) / len(rows)
        report[label] = {
            "support": support,
            "precision": precision,
            "recall": recall,
            "f1": f1,
            "average_precision": total / max(1, support),
            "ece": error,
        }
        if support:
            f1s.append(f1)
    report["macro_f1"] = sum(f1s) / len(f1s)
    innocent = [r for r in rows if not HARMFUL & r.truth]
    for name, group in (("innocent_flagged", innocent), ("hard_innocent_flagged", [r for r in innocent if r.hard])):
        report[name] = sum(bool(HARMFUL & r.flagged) for r in group) / len(group)
    return report


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_moderation_report_agrees_with_the_definitions(seed: int) -> None:
    chance = random.Random(seed)
    rows = []
    for _ in range(60):
        scores = {label: chance.randrange(101) / 100 for label in LABELS}
        truth = [label for label in LABELS if chance.random() < 0.2 + 0.4 * (scores[label] > 0.6)]
        flagged = [label for label in LABELS if scores[label] >= 0.7]
        rows.append(moderated(truth, flagged, hard=chance.random() < 0.5, **scores))
    report = moderation_report(rows)
    for name, expected in moderation_by_definition(rows).items():
        assert report[name] == pytest.approx(expected, abs=1e-9), name


def matching_by_definition(rows: Sequence[Matched]) -> dict[str, Any]:
    known = [r for r in rows if r.entry_id]
    rank = {id(r): next((n for n, m in enumerate(r.finding.matches, 1) if m.entry.id == r.entry_id), 0) for r in rows}
    kinds = {r.kind for r in rows if not r.entry_id}
    groups = {kind: [r for r in rows if r.kind == kind and not r.entry_id] for kind in kinds}
    right, risk, coverage = 0, 0.0, {"90": 0.0, "95": 0.0, "98": 0.0}
    for n, row in enumerate(sorted(rows, key=lambda r: -r.finding.confidence), 1):
        right += rank[id(row)] == 1
        risk += 1 - right / n
        for target in coverage:
            if right / n >= int(target) / 100:
                coverage[target] = right / len(known)
    answered = [r for r in rows if r.finding.decision is Decision.ANSWER]
    good = sum(rank[id(r)] == 1 for r in answered)

    def won(group: Sequence[Matched]) -> float:
        pairs = [(k.finding.confidence, r.finding.confidence) for k in known for r in group]
        return sum((k > r) + (k == r) / 2 for k, r in pairs) / len(pairs)

    error = 0.0
    for b in range(10):
        inside = [r for r in rows if min(9, int(r.finding.confidence * 10)) == b]
        error += abs(sum((rank[id(r)] == 1) - r.finding.confidence for r in inside)) / len(rows)
    return {
        "hit@1": sum(rank[id(r)] == 1 for r in known) / len(known),
        "hit@3": sum(0 < rank[id(r)] <= 3 for r in known) / len(known),
        "mrr@10": sum(1 / rank[id(r)] for r in known if 0 < rank[id(r)] <= 10) / len(known),
        "auroc": {kind: won(group) for kind, group in groups.items()},
        "aurc": risk / len(rows),
        "coverage_at_precision": coverage,
        "answered": len(answered),
        "answer_precision": good / max(1, len(answered)),
        "answer_coverage": good / len(known),
        "false_answers_per_1000": {
            kind: 1000 * sum(r.finding.decision is Decision.ANSWER for r in group) / len(group)
            for kind, group in groups.items()
        },
        "ece": error,
    }


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_matching_report_agrees_with_the_definitions(seed: int) -> None:
    chance = random.Random(seed)
    rows = []
    for _ in range(80):
        confidence = chance.randrange(101) / 100
        found = chance.sample("abcdefghijkl", 12)
        answerable = chance.random() < 0.7
        if answerable and chance.random() < confidence:
            found.sort(key=lambda letter: letter != "a")
        decision = Decision.ANSWER if confidence > 0.6 else chance.choice([Decision.CONFIRM, Decision.ABSTAIN])
        kind = chance.choice(["plain", "far"] if answerable else ["pets", "chat", "other"])
        rows.append(matched("a" if answerable else None, kind, "".join(found), confidence, decision))
    report = matching_report(rows)
    for name, expected in matching_by_definition(rows).items():
        assert report[name] == pytest.approx(expected, abs=1e-9), name


def test_rounding_reaches_every_depth_and_leaves_counts_alone() -> None:
    report = {Label.SPAM: {"f1": 0.123456}, "interval": (0.00004, 1.0), "answered": 3, "name": "x", "none": None}
    assert rounded(report) == {"spam": {"f1": 0.1235}, "interval": [0.0, 1.0], "answered": 3, "name": "x", "none": None}
