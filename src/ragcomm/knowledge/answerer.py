"""A question in, a decision out: answer, confirm or abstain, with a calibrated confidence and its reason."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ragcomm.knowledge.calibration import Calibration, gather_evidence
from ragcomm.knowledge.dense import DenseIndex
from ragcomm.knowledge.fusion import highest, rank_entries
from ragcomm.knowledge.lexical import LexicalIndex
from ragcomm.records import Decision, Entry, Finding, Match, Text
from ragcomm.text.encode import StaticEncoder
from ragcomm.text.segment import Segmenter

# Enough for a search page; a message's answer shows the first three.
MOST_MATCHES = 10
# Wordings taken from each index before both are weighed exactly: enough for ten entries.
_CANDIDATES = 64


class Answerer:
    """Searches the wordings of vetted entries with words and with vectors."""

    def __init__(
        self,
        entries: Sequence[Entry],
        segmenter: Segmenter,
        encoder: StaticEncoder,
        calibration: Calibration,
        version: str,
        *,
        forms: Sequence[Sequence[str]] | None = None,
    ) -> None:
        """`forms` replaces the entries' own wordings (evaluation leaves the test wordings out)."""
        self.entries = tuple(entries)
        wordings = forms if forms is not None else [entry.forms for entry in entries]
        self._owner = np.repeat(np.arange(len(self.entries)), [len(group) for group in wordings])
        self._exact: dict[str, int] = {}
        self._lexical = LexicalIndex()
        vectors = []
        for place, group in enumerate(wordings):
            texts = [segmenter.read(form) for form in group]
            self._exact.update((text.normal, place) for text in texts)
            self._lexical.add(texts)
            vectors.append(encoder.encode(texts))
        self._lexical.finish()
        self._dense = DenseIndex(np.concatenate(vectors))
        self._calibration = calibration
        self.version = version

    def search(self, text: Text, vector: NDArray[np.float32], *, limit: int = 3) -> Finding:
        """Finds up to `limit` entries for a text whose unit vector is `vector`."""
        places, evidence = self.evidence(text, vector, limit=max(limit, 2))
        confidences = self._calibration.confidence(evidence)
        exact = self._exact.get(text.normal)
        if exact is not None:
            others = [i for i, place in enumerate(places) if place != exact]
            places = [exact, *(places[i] for i in others)]
            confidences = np.concatenate([[1.0], confidences[others]])
        # Only the order of the fused scores counts: a confidence never overtakes the one before it.
        confidences = np.minimum.accumulate(confidences)
        matches = tuple(
            Match(self.entries[place], round(float(confidence), 4))
            for place, confidence in zip(places, confidences, strict=True)
        )[:limit]
        return self._decide(matches)

    def evidence(
        self, text: Text, vector: NDArray[np.float32], *, limit: int = MOST_MATCHES
    ) -> tuple[list[int], NDArray[np.float32]]:
        """Places of the best entries, best first, and what speaks for each (calibration's input)."""
        lexical, known = self._lexical.look_up(text)
        near, _ = self._dense.nearest(vector, _CANDIDATES)
        forms = np.union1d(near, highest(lexical, _CANDIDATES))
        ranking = rank_entries(
            self._owner[forms],
            self._dense.scores(vector, forms),
            lexical[forms],
            dense_share=self._calibration.dense_share,
        )
        rows = gather_evidence(ranking, limit, length=len(text.normal), known_share=known)
        return list(ranking.entries[:limit]), rows

    def _decide(self, matches: tuple[Match, ...]) -> Finding:
        confidence = matches[0].confidence if matches else 0.0
        if confidence >= self._calibration.answer_from:
            decision, reason = Decision.ANSWER, "one entry answers this question"
        elif confidence >= self._calibration.confirm_from:
            decision, reason = Decision.CONFIRM, "several entries may fit; none is sure enough"
        else:
            decision, reason = Decision.ABSTAIN, "no vetted entry fits"
        return Finding(
            decision=decision,
            confidence=confidence,
            reason=reason,
            matches=matches,
            index_version=self.version,
        )


def reviewed_by(finding: Finding, review: str) -> Finding:
    """The finding under a demand on the review status: what is not `clinician` may only be confirmed."""
    if review == "any" or finding.decision is not Decision.ANSWER:
        return finding
    if finding.matches[0].entry.review_status == review:
        return finding
    reason = f"the entry is {finding.matches[0].entry.review_status}, not reviewed by a {review}"
    return replace(finding, decision=Decision.CONFIRM, reason=reason)
