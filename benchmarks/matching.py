"""Matching on public sets: pairs that mean the same, the same pairs as a FAQ, claims and their debunks.

What is trained here is thrown away; the product's encoder and its reading of texts are those that are shipped.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks import debunk_view, faq_view, pair_model, zero_shot
from benchmarks.pair_sets import FOLDS, Pair, fold
from ragcomm.assembly import build_encoder
from ragcomm.evaluation.metrics import auroc
from ragcomm.evaluation.reports import rounded
from ragcomm.jobs.public_data import rows
from ragcomm.settings import Settings
from ragcomm.text.encode import StaticEncoder

CLAIMS, ARTICLES = "rumor_claim_debunk.jsonl", "debunk_articles_hrde.jsonl"
_RESAMPLES = 500


def run() -> dict[str, Any]:
    """Measures every set that lies in RAGCOMM_PUBLIC_DATA; says which are absent."""
    settings = Settings()
    text = pair_model.text_parts()
    encoder, _ = build_encoder(settings.models, text.pipeline)
    absent = [f"{name}.jsonl" for name in (*pair_model.MEASURED, pair_model.HELPER) if not pair_model.pair_set(name)]
    absent += [name for name in (CLAIMS, ARTICLES) if not (settings.public_data / name).is_file()]
    for name in absent:
        print(f"{name}: absent in {settings.public_data}, left out")
    result: dict[str, Any] = {}
    if CLAIMS not in absent:
        claims = list(rows(settings.public_data, CLAIMS))
        others = [f"{row['title']}。{row['text']}" for row in rows(settings.public_data, ARTICLES)]
        result[CLAIMS] = debunk_view.measure(
            [row["text"] for row in claims], [row["debunk"] for row in claims], others, text, encoder
        )
        _print_ranking(CLAIMS, result[CLAIMS])
    helper = pair_model.pair_set(pair_model.HELPER)
    if helper:
        result[helper.name] = zero_shot.measure(helper.pairs, encoder)
        print(f"{helper.name}, nothing trained: {json.dumps(rounded(result[helper.name]))}")
    result |= _crossed(encoder)
    return rounded(result)  # type: ignore[no-any-return]


def _crossed(encoder: StaticEncoder) -> dict[str, Any]:
    """Five folds over all sets of pairs, and the FAQ view of the first."""
    if not any(map(pair_model.pair_set, pair_model.MEASURED)):
        return {}
    result: dict[str, Any] = {}
    first = pair_model.pair_set(pair_model.EPIDEMIC)
    if first is None:
        crossed = pair_model.cross([[] for _ in range(FOLDS)])
    else:
        view = faq_view.faq_view(first.pairs)
        found = faq_view.retrieve(view.forms, view.queries, pair_model.text_parts(), encoder)
        asked, compared = faq_view.to_compare(view, found)
        crossed = pair_model.cross(asked)
        result["faq"] = faq_view.measure(view, found, crossed.further, compared)
    print(f"{'five folds':<20} {'pairs':>6} {'accuracy':>8} {'95 %':>11} {'unseen':>6} {'AUC':>5} {'95 %':>11}")
    for name, (pairs, said) in crossed.tested.items():
        result[name] = _pairs(pairs, said)
        _print_pairs(name, result[name])
    if "faq" in result:
        _print_ranking(f"{pair_model.EPIDEMIC} as a FAQ", result["faq"])
    return result


def _pairs(pairs: Sequence[Pair], said: NDArray[np.float64]) -> dict[str, Any]:
    """Accuracy and area under the curve (most alike against the rest), intervals by resampling whole questions.

    `unseen` counts only pairs neither of whose texts stands in another fold: sets that use a text several times
    let a model know one side of a pair.
    """
    truth = np.array([pair.label for pair in pairs])
    right = said.argmax(1) == truth
    same, score = truth == said.shape[1] - 1, said[:, -1]
    unseen = _unseen(pairs)
    places = defaultdict(list)
    for place, pair in enumerate(pairs):
        places[pair.group].append(place)
    groups = [np.array(own) for own in places.values()]
    chance = np.random.default_rng(0)
    drawn = [
        np.concatenate([groups[i] for i in chance.integers(0, len(groups), len(groups))]) for _ in range(_RESAMPLES)
    ]
    accuracies = [float(right[own].mean()) for own in drawn]
    areas = [auroc(score[own][same[own]], score[own][~same[own]]) for own in drawn]
    return {
        "pairs": len(pairs),
        "accuracy": float(right.mean()),
        "accuracy_95%": np.percentile(accuracies, [2.5, 97.5]).tolist(),
        "unseen_pairs": int(unseen.sum()),
        "unseen_accuracy": float(right[unseen].mean()) if unseen.any() else float("nan"),
        "auc": auroc(score[same], score[~same]),
        "auc_95%": np.percentile(areas, [2.5, 97.5]).tolist(),
    }


def _unseen(pairs: Sequence[Pair]) -> NDArray[np.bool_]:
    """Which pairs have both texts in their own fold alone."""
    folds = defaultdict(set)
    for pair in pairs:
        for text in (pair.a, pair.b):
            folds[text.normal].add(fold(pair.group))
    return np.array([len(folds[pair.a.normal] | folds[pair.b.normal]) == 1 for pair in pairs])


def _print_pairs(name: str, report: dict[str, Any]) -> None:
    accuracy, area = ("–".join(f"{x:.3f}" for x in report[key]) for key in ("accuracy_95%", "auc_95%"))
    print(
        f"{name:<20} {report['pairs']:>6} {report['accuracy']:>8.3f} {accuracy:>11} {report['unseen_accuracy']:>6.3f}"
        f" {report['auc']:>5.3f} {area:>11}"
    )


def _print_ranking(name: str, report: dict[str, Any]) -> None:
    sizes = ", ".join(f"{value} {key}" for key, value in report.items() if isinstance(value, int))
    print(f"{name}: {sizes}")
    print(f"{'':<36} {'hit@1':>5} {'95 %':>11} {'hit@3':>5} {'@10':>5} {'MRR':>5}")
    for key, row in report.items():
        if isinstance(row, dict):
            interval = "–".join(f"{x:.3f}" for x in row["hit@1_95%"])
            print(
                f"{key:<36} {row['hit@1']:>5.3f} {interval:>11} {row['hit@3']:>5.3f} {row['hit@10']:>5.3f}"
                f" {row['mrr@10']:>5.3f}"
            )
