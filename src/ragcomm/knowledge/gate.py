"""What a found answer still needs before it may be posted to members: a clinician's review, a valid date, no patient.

The gate never finds anything better; it turns an answer into a choice for the moderators, and says why.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Literal

from ragcomm.knowledge.categories import CLINICAL
from ragcomm.knowledge.overlap import Reader
from ragcomm.records import Decision, Entry, Finding, Text

Review = Literal["clinician", "any"]
REVIEWS: tuple[Review, ...] = ("clinician", "any")
_MEDICINES = ("herb:", "formula:", "patent:", "medicine:")
_DOSE = "action:amount"
_PERSON = "person:"


class Gate:
    """Decides whether what was found may be posted without a person."""

    def __init__(self, reader: Reader, review: Review, today: Callable[[], date]) -> None:
        """`review` is what clinical entries need: a clinician's, or any."""
        self._reader = reader
        self._review = review
        self._today = today

    def release(self, text: Text, finding: Finding) -> Finding:
        """The finding as it may be used: an answer that needs a person first becomes a choice for moderators."""
        if finding.decision is not Decision.ANSWER:
            return finding
        entry = finding.matches[0].entry
        reason = self._expired(entry) or self._unreviewed(entry) or self._personal(text)
        if not reason:
            return finding
        return replace(finding, decision=Decision.CONFIRM, reason=reason, for_moderators=True)

    def _expired(self, entry: Entry) -> str:
        if date.fromisoformat(entry.expires_on) > self._today():
            return ""
        return f"the entry expired on {entry.expires_on}"

    def _unreviewed(self, entry: Entry) -> str:
        if self._review == "any" or entry.category not in CLINICAL or entry.review_status == "clinician":
            return ""
        return f"an entry on {entry.category} has to be reviewed by a clinician, this one is {entry.review_status}"

    def _personal(self, text: Text) -> str:
        """A dose of a medicine for a certain person is never given by a machine."""
        if self._review == "any":
            return ""
        marks = self._reader.marks(text)
        if (
            _DOSE in marks
            and any(m.startswith(_PERSON) for m in marks)
            and any(m.startswith(_MEDICINES) for m in marks)
        ):
            return "asks for a person's dose, which only a clinician may give"
        return ""
