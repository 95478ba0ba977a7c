"""A question in, a decision out: answer, confirm or abstain, with a calibrated confidence and its reason."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray

from ragcomm.knowledge.calibration import Calibration, gather_evidence
from ragcomm.knowledge.dense import DenseIndex
from ragcomm.knowledge.fusion import highest, rank_entries
from ragcomm.knowledge.lexical import LexicalIndex
from ragcomm.records import Decision, Entry, Finding, Match, Text
from ragcomm.text.encode import StaticEncoder, Vectors
from ragcomm.text.segment import Segmenter

# Enough for a search page; a message's answer shows the first three.
MOST_MATCHES = 10
# Wordings taken from each index before both are weighed exactly: enough for ten entries.
_CANDIDATES = 40


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

    def search(self, texts: Sequence[Text], vectors: Vectors, *, limit: int = 3) -> list[Finding]:
        """Finds up to `limit` entries for each text; `vectors` holds their unit vectors as rows."""
        found = self.evidence(texts, vectors, limit=max(limit, 2))
        return [self._finding(text, places, rows, limit) for text, (places, rows) in zip(texts, found, strict=True)]

    def _finding(self, text: Text, places: list[int], evidence: NDArray[np.float32], limit: int) -> Finding:
        confidences: list[float] = self._calibration.confidence(evidence).tolist()
        exact = self._exact.get(text.normal)
        if exact is not None:
            others = [(p, c) for p, c in zip(places, confidences, strict=True) if p != exact]
            places = [exact, *(p for p, _ in others)]
            confidences = [1.0, *(c for _, c in others)]
        # Only the order of the fused scores counts: a confidence never overtakes the one before it.
        matches = tuple(
            Match(self.entries[place], round(confidence, 4))
            for place, confidence in zip(places[:limit], accumulate(confidences, min), strict=False)
        )
        return self._decide(matches)

    def evidence(
        self, texts: Sequence[Text], vectors: Vectors, *, limit: int = MOST_MATCHES
    ) -> list[tuple[list[int], NDArray[np.float32]]]:
        """For each text the places of the best entries, best first, and what speaks for each (calibration's input)."""
        if not texts:
            return []
        lexical, known = self._lexical.look_up(texts)
        near = self._dense.nearest(vectors, _CANDIDATES)
        return [self._weigh(*each, limit) for each in zip(texts, vectors, lexical, known, near, strict=True)]

    def _weigh(
        self,
        text: Text,
        vector: NDArray[np.float32],
        lexical: NDArray[np.float32],
        known: float,
        near: NDArray[np.int64],
        limit: int,
    ) -> tuple[list[int], NDArray[np.float32]]:
        forms = np.concatenate([near, highest(lexical, _CANDIDATES)])
        ranking = rank_entries(
            self._owner[forms],
            self._dense.scores(vector, forms),
            lexical[forms],
            dense_share=self._calibration.dense_share,
            count=max(limit, 2),
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
