"""What may be posted without a person, rule by rule."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from tests.unit.knowledge.worlds import ENTRIES

from ragcomm.knowledge.gate import Gate, Review
from ragcomm.knowledge.overlap import Reader
from ragcomm.records import Decision, Entry, Finding, Match
from ragcomm.text.segment import Segmenter

SEGMENTER = Segmenter(["三七粉", "几克"])
READER = Reader({"三七粉": "herb"}, {}, {"几克": ("action", "amount"), "我妈": ("person", "elder")}, frozenset())
TODAY = date(2026, 6, 1)


def finding(decision: Decision = Decision.ANSWER, **changes: str) -> Finding:
    entry: Entry = replace(ENTRIES[0], **{"category": "herb", **changes})  # type: ignore[arg-type]
    return Finding(decision=decision, confidence=0.97, reason="", matches=(Match(entry, 0.97),), index_version="1")


def release(found: Finding, raw: str = "三七粉怎么吃", review: Review = "clinician") -> Finding:
    return Gate(READER, review, lambda: TODAY).release(SEGMENTER.read(raw), found)


def test_a_clinical_entry_waits_for_a_clinician() -> None:
    held = release(finding())
    assert held.decision is Decision.CONFIRM
    assert held.for_moderators
    assert held.reason == "an entry on herb has to be reviewed by a clinician, this one is editorial"
    assert held.matches == finding().matches


@pytest.mark.parametrize(
    ("found", "review"),
    [
        (finding(review_status="clinician"), "clinician"),
        (finding(category="community"), "clinician"),
        (finding(), "any"),
    ],
)
def test_what_was_reviewed_or_needs_no_review_goes_out_as_it_is(found: Finding, review: Review) -> None:
    assert release(found, review=review) is found


@pytest.mark.parametrize("review", ["clinician", "any"])
def test_an_expired_entry_is_only_proposed(review: Review) -> None:
    held = release(finding(expires_on="2026-06-01", review_status="clinician"), review=review)
    assert held.decision is Decision.CONFIRM
    assert held.reason == "the entry expired on 2026-06-01"
    valid = finding(expires_on="2026-06-02", review_status="clinician")
    assert release(valid, review=review) is valid


def test_nobody_gets_a_personal_dose_from_a_machine() -> None:
    found = finding(review_status="clinician")
    held = release(found, "我妈吃三七粉一天几克")
    assert held.decision is Decision.CONFIRM
    assert "dose" in held.reason
    for calm in ("我妈能吃三七粉吗", "三七粉一天几克", "我妈一天几克"):
        assert release(found, calm) is found


@pytest.mark.parametrize("decision", [Decision.CONFIRM, Decision.ABSTAIN])
def test_what_is_no_answer_stays_what_it_is(decision: Decision) -> None:
    found = finding(decision, expires_on="2020-01-01")
    assert release(found) is found
