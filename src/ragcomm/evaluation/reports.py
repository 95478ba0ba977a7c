"""Reports over a run: moderation and matching, as plain dictionaries ready for JSON."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ragcomm.evaluation.metrics import (
    auroc,
    average_precision,
    calibration_error,
    coverage_at_precision,
    precision_recall_f1,
    reciprocal_rank,
    risk_coverage_area,
    wilson_interval,
)
from ragcomm.records import HARMFUL, LABELS, Decision, Finding, Label, Stance


@dataclass(frozen=True, slots=True, kw_only=True)
class Moderated:
    """A message with its true and its given labels."""

    truth: frozenset[Label]
    labels: Mapping[Label, float]
    flagged: frozenset[Label]
    stance: Stance | None
    true_stance: Stance | None
    hard: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Matched:
    """A query with the entry that answers it (None: nothing does) and what was found."""

    entry_id: str | None
    kind: str
    finding: Finding


def moderation_report(rows: Sequence[Moderated]) -> dict[str, Any]:
    """Per label precision, recall, F1, average precision and calibration; then the shares that hurt."""
    report: dict[str, Any] = {"messages": len(rows)}
    scores = []
    for label in LABELS:
        truth = [label in r.truth for r in rows]
        precision, recall, f1 = precision_recall_f1(truth, [label in r.flagged for r in rows])
        probability = [r.labels[label] for r in rows]
        report[label] = {
            "support": sum(truth),
            "precision": precision,
            "recall": recall,
            "f1": f1,
            "average_precision": average_precision(truth, probability),
            "ece": calibration_error(truth, probability),
        }
        if any(truth):
            scores.append(f1)
    report["macro_f1"] = sum(scores) / max(1, len(scores))
    report["exact_match"] = _share([r.truth == r.flagged for r in rows])
    report["stance_accuracy"] = _share([r.stance == r.true_stance for r in rows if r.true_stance])
    innocent = [r for r in rows if not r.truth & HARMFUL]
    report["innocent_flagged"] = _flagged_share(innocent)
    report["hard_innocent_flagged"] = _flagged_share([r for r in innocent if r.hard])
    report["risk_false_alarms"] = _share([Label.RISK in r.flagged for r in rows if Label.RISK not in r.truth])
    return report


def matching_report(rows: Sequence[Matched]) -> dict[str, Any]:
    """Hits, ranking, separation from each kind of unanswerable query, and the decisions taken."""
    ranks = [_rank(r) for r in rows]
    confidence = [r.finding.confidence for r in rows]
    known = [i for i, r in enumerate(rows) if r.entry_id]
    right = [rank == 1 for rank in ranks]
    report: dict[str, Any] = {"queries": len(rows), "answerable": len(known)}
    report["hit@1"] = _share([ranks[i] == 1 for i in known])
    report["hit@1_95%"] = wilson_interval(sum(ranks[i] == 1 for i in known), len(known))
    report["hit@3"] = _share([0 < ranks[i] <= 3 for i in known])
    report["mrr@10"] = float(np.mean([reciprocal_rank(ranks[i]) for i in known] or [0.0]))
    for kind in sorted({rows[i].kind for i in known}):
        report[f"hit@1_{kind}"] = _share([right[i] for i in known if rows[i].kind == kind])
    others = defaultdict(list)
    for i, row in enumerate(rows):
        if not row.entry_id:
            others[row.kind].append(i)
    report["auroc"] = {
        kind: auroc([confidence[i] for i in known], [confidence[i] for i in places])
        for kind, places in sorted(others.items())
    }
    report["aurc"] = risk_coverage_area(confidence, right)
    report["coverage_at_precision"] = {
        str(target): coverage_at_precision(confidence, right, len(known), target / 100) for target in (90, 95, 98)
    }
    answered = [i for i, r in enumerate(rows) if r.finding.decision is Decision.ANSWER]
    report["answered"] = len(answered)
    report["answer_precision"] = _share([right[i] for i in answered])
    report["answer_coverage"] = sum(right[i] for i in answered) / max(1, len(known))
    report["false_answers_per_1000"] = {
        kind: 1000 * _share([rows[i].finding.decision is Decision.ANSWER for i in places])
        for kind, places in sorted(others.items())
    }
    report["ece"] = calibration_error(right, confidence)
    return report


def rounded(value: Any) -> Any:
    """The same report with four decimals."""
    match value:
        case float():
            return round(value, 4)
        case dict():
            return {str(k): rounded(v) for k, v in value.items()}
        case list() | tuple():
            return [rounded(v) for v in value]
    return value


def _rank(row: Matched) -> int:
    ids = [m.entry.id for m in row.finding.matches]
    return ids.index(row.entry_id) + 1 if row.entry_id in ids else 0


def _share(hits: Sequence[bool]) -> float:
    return sum(hits) / len(hits) if hits else 0.0


def _flagged_share(rows: Sequence[Moderated]) -> float:
    return _share([bool(r.flagged & HARMFUL) for r in rows])
