"""A question in, a decision out: answer, confirm or abstain, with a calibrated confidence and its reason."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate

import numpy as np

from ragcomm.knowledge.calibration import Calibration, Ranked, rank
from ragcomm.knowledge.pairs import compare
from ragcomm.knowledge.retrieval import Index
from ragcomm.knowledge.verifier import Verifier
from ragcomm.records import Decision, Entry, Finding, Match, Text
from ragcomm.text.encode import Vectors

# What an operator gets who asks for nothing else: of a hundred automatic answers at most five wrong.
PRECISION = 95


class Answerer:
    """Searches the wordings of vetted entries, verifies the best and says how sure it is."""

    def __init__(
        self,
        entries: Sequence[Entry],
        index: Index,
        verifier: Verifier,
        calibration: Calibration,
        version: str,
        *,
        precision: int = PRECISION,
    ) -> None:
        """`index` holds the wordings of `entries`, in their order; `precision` is what `search` aims at unless told."""
        self.entries = tuple(entries)
        self._index = index
        self._verifier = verifier
        self._roles = verifier.role_table(index.overlap)
        self._calibration = calibration
        self._precision = precision
        self.version = version

    def search(
        self, texts: Sequence[Text], vectors: Vectors, *, limit: int = 3, precision: int | None = None
    ) -> list[Finding]:
        """Finds up to `limit` entries for each text; `vectors` holds their unit vectors as rows.

        `precision` is the share of automatic answers, in percent, that has to be right: 90, 95 or 98.
        """
        if not texts:
            return []
        ranked = self.rank(texts, vectors)
        precision = precision or self._precision
        confidences = self._calibration.confidence(ranked.evidence).tolist()
        entries = ranked.entries.tolist()
        borders = np.searchsorted(ranked.owners, np.arange(len(texts) + 1)).tolist()
        return [
            self._finding(text, entries[start:end], confidences[start:end], limit, precision)
            for text, start, end in zip(texts, borders, borders[1:], strict=False)
        ]

    def rank(self, texts: Sequence[Text], vectors: Vectors) -> Ranked:
        """The verified candidates of every text with the evidence for each (calibration's input)."""
        overlap = self._index.overlap
        questions = overlap.read(texts)
        pairs = compare(overlap, questions, self._index.look_up(questions, vectors))
        return rank(pairs, self._verifier.scores(pairs, self._roles))

    def _finding(self, text: Text, places: list[int], confidences: list[float], limit: int, precision: int) -> Finding:
        exact = self._index.exact.get(text.normal)
        if exact is not None:
            others = [(p, c) for p, c in zip(places, confidences, strict=True) if p != exact]
            places = [exact, *(p for p, _ in others)]
            confidences = [1.0, *(c for _, c in others)]
        # Only the verifier's order counts: a confidence never overtakes the one before it.
        matches = tuple(
            Match(self.entries[place], round(confidence, 4))
            for place, confidence in zip(places[:limit], accumulate(confidences, min), strict=False)
        )
        return self._decide(matches, precision)

    def _decide(self, matches: tuple[Match, ...], precision: int) -> Finding:
        confidence = matches[0].confidence if matches else 0.0
        cut = self._calibration.cuts[str(precision)]
        if confidence == 1.0 or (cut is not None and confidence >= cut):
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
