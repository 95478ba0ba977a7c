"""Drafts become an edition only whole, right, and with a second person where it may harm."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ragcomm.errors import InvalidInput, Refused
from ragcomm.knowledge.categories import CLINICAL
from ragcomm.knowledge.lint import Rules
from ragcomm.knowledge.publication import (
    Draft,
    Edition,
    State,
    compose,
    digest,
    is_ready,
    lines_of,
    needs_second_person,
    plan,
    shipped_edition,
)
from ragcomm.records import Entry, Source
from ragcomm.safety.herbs import HerbConflicts
from ragcomm.safety.statements import any_of
from ragcomm.settings import shipped_folder

RULES = Rules(any_of([]), any_of([]), HerbConflicts([]))
NOW = datetime(2026, 3, 1, tzinfo=UTC)


def entry(name: str, question: str | None = None, category: str = "diet", **more: object) -> Entry:
    asked = question or f"{name}{name}怎么办？"
    whole = Entry(
        id=f"faq.{name}",
        question=asked,
        answer="说得清楚而且够长。" * 10,
        forms=(asked,),
        category=category,
        review_status="editorial",
        reviewed_on="2026-01-01",
        expires_on="2027-01-01",
        sources=(Source("书", "社", 2020),),
    )
    return replace(whole, **more)  # type: ignore[arg-type]


def draft(of: Entry | None, entry_id: str = "", **more: object) -> Draft:
    name = of.id if of else entry_id
    made = Draft(kind="faq", entry_id=name, entry=of, revision=1, author="key-1", drafted_at=NOW)
    return replace(made, **more)  # type: ignore[arg-type]


A, B = entry("a"), entry("b")
BASE = Edition(4, {"faq": (A, B), "claims": ()})


def planned(*drafts: Draft, **more: object) -> object:
    return plan(BASE, drafts, RULES, today=date(2026, 3, 1), **more)  # type: ignore[arg-type]


def test_drafts_take_the_place_of_what_they_change_and_new_ones_follow() -> None:
    changed, z, y = replace(A, tier="核心"), entry("z"), entry("y")
    drafts = [draft(z), draft(changed), draft(None, "faq.b"), draft(y)]
    assert compose((A, B), drafts) == (changed, y, z)


@given(st.permutations(["a", "b", "y", "z"]))
def test_the_order_of_drafts_changes_nothing(order: list[str]) -> None:
    drafts = {name: draft(entry(name, tier="新")) for name in order}
    assert [e.id for e in compose((A, B), list(drafts.values()))] == ["faq.a", "faq.b", "faq.y", "faq.z"]


def test_without_drafts_nothing_changes_and_the_digest_tells_so() -> None:
    same = {"faq": compose((A, B), []), "claims": ()}
    assert digest(lines_of(same).values()) == digest(lines_of(BASE.entries).values())
    moved = {"faq": (B, A), "claims": ()}
    assert digest(lines_of(moved).values()) != digest(lines_of(BASE.entries).values())


@pytest.mark.parametrize("category", sorted(CLINICAL))
def test_what_may_harm_needs_a_second_person(category: str) -> None:
    medical = draft(entry("h", category=category))
    assert needs_second_person(medical, None)
    # Moving it elsewhere does not lead around it.
    assert needs_second_person(draft(entry("h", category="diet")), entry("h", category=category))
    assert not is_ready(medical, None)
    assert is_ready(replace(medical, state=State.APPROVED, reviewer="key-2"), None)


def test_what_says_that_a_clinician_read_it_needs_a_second_person() -> None:
    assert needs_second_person(draft(entry("a", review_status="clinician")), A)
    assert not needs_second_person(draft(A), A)


def test_taking_an_entry_away_needs_nobody_but_a_rejection_holds() -> None:
    gone = draft(None, "faq.h")
    assert is_ready(gone, entry("h", category="herb"))
    assert not is_ready(replace(gone, state=State.REJECTED, reviewer="key-2"), entry("h"))


def test_a_plan_takes_what_is_ready_and_leaves_the_rest() -> None:
    ready, medical, bad = draft(entry("n")), draft(entry("h", category="herb")), draft(B, state=State.REJECTED)
    made = planned(ready, medical, bad)
    assert (made.taken, made.waiting) == ((ready,), (medical, bad))  # type: ignore[attr-defined]
    assert made.entries == {"faq": (A, B, entry("n")), "claims": ()}  # type: ignore[attr-defined]


def test_whoever_names_drafts_wants_all_of_them() -> None:
    ready, medical = draft(entry("n")), draft(entry("h", category="herb"))
    assert planned(ready, medical, only=["faq.n"]).waiting == ()  # type: ignore[attr-defined]
    with pytest.raises(Refused) as refused:
        planned(ready, medical, only=["faq.n", "faq.h", "faq.none"])
    assert refused.value.reasons == [
        {"where": "faq.none", "message": "there is no draft of it"},
        {"where": "faq.h", "message": "it waits for a second person"},
    ]


def test_errors_refuse_a_plan_and_are_accepted_by_their_rule_alone() -> None:
    flawed = draft(entry("n", sources=(), expires_on=""))
    with pytest.raises(Refused) as refused:
        planned(flawed, accept=["no_source"])
    assert refused.value.reasons == [
        {"where": "faq.n", "message": "names no day on which it expires", "kind": "no_expiry"}
    ]
    assert [f.rule for f in planned(flawed, accept=["no_source", "no_expiry"]).flaws] == ["no_expiry", "no_source"]  # type: ignore[attr-defined]
    with pytest.raises(InvalidInput, match="no_rule"):
        planned(flawed, accept=["no_rule"])


def test_flaws_of_entries_that_do_not_change_hold_nothing_up() -> None:
    old = Edition(4, {"faq": (replace(A, sources=()), B), "claims": ()})
    made = plan(old, [draft(entry("n"))], RULES, today=date(2026, 3, 1))
    assert made.flaws == ()


def test_nothing_is_not_published() -> None:
    with pytest.raises(Refused, match="no draft"):
        planned()


def test_the_shipped_entries_are_version_0() -> None:
    edition = shipped_edition(shipped_folder("corpora"))
    assert (edition.version, len(edition.entries["claims"])) == (0, 200)
    rose = edition.find("faq", "faq.tea.rose")
    assert rose is not None
    assert edition.find("claims", "faq.tea.rose") is None
