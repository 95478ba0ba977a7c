"""When an answer is kept back, second by second."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ragcomm.knowledge.manners import Manners, Reason, Rules, Withheld
from ragcomm.records import Message

NOW = 1_772_352_000.0
RULES = Rules(cooldown_s=600, lateness_s=300)


def message(name: str = "q1", *, group: str = "g1", member: str = "asker", age_s: float | None = None) -> Message:
    sent_at = None if age_s is None else datetime.fromtimestamp(NOW - age_s, UTC)
    return Message(id=name, text="?", group_id=group, member_id=member, sent_at=sent_at)


def reply(to: str = "q1", *, group: str = "g1", member: str = "friend") -> Message:
    return replace(message(f"re-{to}", group=group, member=member), reply_to=to)


def test_the_same_entry_rests_in_a_group_and_says_under_which_question_it_stands() -> None:
    manners = Manners(RULES)
    assert manners.post(message("q1"), "faq.a", NOW) is None
    assert manners.post(message("q2"), "faq.a", NOW + 599) == Withheld(Reason.COOLDOWN, "faq.a", "q1")
    assert manners.post(message("q3"), "faq.a", NOW + 600) is None
    assert manners.post(message("q4"), "faq.a", NOW + 601) == Withheld(Reason.COOLDOWN, "faq.a", "q3")


def test_what_was_kept_back_does_not_prolong_the_rest() -> None:
    manners = Manners(RULES)
    seen = [manners.post(message(f"q{i}"), "faq.a", NOW + 150 * i) is None for i in range(6)]
    assert seen == [True, False, False, False, True, False]


def test_other_entries_and_other_groups_are_not_concerned() -> None:
    manners = Manners(RULES)
    assert manners.post(message(), "faq.a", NOW) is None
    assert manners.post(message(), "faq.b", NOW) is None
    assert manners.post(message(group="g2"), "faq.a", NOW) is None


@pytest.mark.parametrize(("age_s", "late"), [(None, False), (300, False), (300.5, True), (86_400, True), (-60, False)])
def test_an_answer_that_would_come_too_late_is_dropped(age_s: float | None, late: bool) -> None:
    expected = Withheld(Reason.LATE, "faq.a") if late else None
    assert Manners(RULES).post(message(age_s=age_s), "faq.a", NOW) == expected


def test_a_late_answer_does_not_count_as_posted() -> None:
    manners = Manners(RULES)
    manners.post(message(age_s=1000), "faq.a", NOW)
    assert manners.post(message("q2"), "faq.a", NOW) is None


def test_a_persons_reply_silences_the_answer_for_as_long_as_it_could_come() -> None:
    manners = Manners(RULES)
    manners.hear(reply(), NOW)
    assert manners.post(message(), "faq.a", NOW + 299) == Withheld(Reason.ANSWERED, "faq.a")
    assert manners.post(message(), "faq.a", NOW + 300) is None


@pytest.mark.parametrize(
    ("heard", "silent"),
    [
        ([reply()], True),
        ([reply("other")], False),
        ([reply(group="g2")], False),
        # Whoever asked adds something; that is no answer, and does not hide one.
        ([reply(member="asker")], False),
        ([reply(member="asker"), reply(member="friend")], True),
        ([reply(member="friend"), reply(member="asker")], True),
        ([reply(member="asker"), reply(member="asker")], False),
        ([reply(member="")], True),
        ([message("re")], False),
    ],
)
def test_only_somebody_elses_reply_to_this_question_counts(heard: list[Message], silent: bool) -> None:
    manners = Manners(RULES)
    for one in heard:
        manners.hear(one, NOW)
    assert (manners.post(message(), "faq.a", NOW) is not None) == silent


def test_a_posting_that_never_went_out_is_taken_back_and_no_other() -> None:
    manners = Manners(RULES)
    manners.post(message("q1"), "faq.a", NOW)
    manners.take_back("g1", "faq.a", "q2")
    assert manners.post(message("q3"), "faq.a", NOW) is not None
    manners.take_back("g1", "faq.a", "q1")
    assert manners.post(message("q3"), "faq.a", NOW) is None
    manners.take_back("g9", "faq.a", "q1")


def test_zero_turns_a_rule_off() -> None:
    manners = Manners(Rules(cooldown_s=0, lateness_s=0))
    manners.hear(reply(), NOW)
    assert [manners.post(message(age_s=9999), "faq.a", NOW) for _ in range(3)] == [None] * 3


def test_what_stands_from_before_a_restart_is_known() -> None:
    manners = Manners(RULES)
    manners.remember("g1", "faq.a", "q0", NOW - 100)
    assert manners.post(message(), "faq.a", NOW) == Withheld(Reason.COOLDOWN, "faq.a", "q0")
    assert manners.post(message(), "faq.a", NOW + 500) is None


def test_what_may_be_forgotten_does_not_pile_up() -> None:
    manners = Manners(Rules(cooldown_s=10, lateness_s=10))
    for i in range(10_000):
        manners.post(message(f"q{i}"), f"faq.{i}", NOW + i)
        manners.hear(reply(f"q{i}"), NOW + i)
    assert len(manners._posted) == len(manners._replied) == 10


def test_what_is_posted_again_does_not_keep_others_from_being_forgotten() -> None:
    manners = Manners(Rules(cooldown_s=10, lateness_s=0))
    for entry, passed in (("faq.a", 0), ("faq.b", 1), ("faq.a", 11)):
        manners.post(message(), entry, NOW + passed)
    assert len(manners._posted) == 1


@given(st.lists(st.tuples(st.integers(0, 200), st.sampled_from("ab"), st.sampled_from("xy")), max_size=60))
def test_between_two_postings_of_an_entry_to_a_group_lies_its_rest(steps: list[tuple[int, str, str]]) -> None:
    manners = Manners(Rules(cooldown_s=100, lateness_s=0))
    now, last = 0, {}
    for i, (passed, group, entry) in enumerate(steps):
        now += passed
        rested = now - last.get((group, entry), -1000) >= 100
        assert (manners.post(message(f"q{i}", group=group), entry, now) is None) == rested
        if rested:
            last[group, entry] = now
