"""Every rule finds its flaw, and the shipped entries have none that would keep them from being published."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from ragcomm.corpora import load_entries
from ragcomm.knowledge.lint import RULES, Flaw, Level, Rules, lint
from ragcomm.records import Entry, Source
from ragcomm.settings import shipped_folder

CORPORA = shipped_folder("corpora")
TODAY = date(2026, 11, 22)
GOOD = (
    "睡前两小时不喝浓茶咖啡，晚饭七分饱，手机放到卧室外面，午睡不超过半小时，每天固定时间上床，固定时间起床，周末也一样早起。"
    * 2
)


@pytest.fixture(scope="module")
def rules() -> Rules:
    return Rules.read(CORPORA)


def entry(name: str, question: str, *alternates: str, **more: object) -> Entry:
    whole = Entry(
        id=f"faq.{name}",
        question=question,
        answer=GOOD,
        forms=(question, *alternates),
        category="emotion_sleep",
        review_status="editorial",
        reviewed_on="2026-11-01",
        expires_on="2027-11-01",
        sources=(Source("指南", "学会", 2020),),
    )
    return replace(whole, **more)  # type: ignore[arg-type]


def found(flaws: list[Flaw]) -> list[tuple[str, str, str | None]]:
    return [(f.rule, f.entry_id, f.other_id) for f in flaws]


@pytest.mark.parametrize("kind", ["faq", "claims"])
def test_the_shipped_entries_have_no_error(rules: Rules, kind: str) -> None:
    flaws = lint(kind, load_entries(CORPORA / kind / "entries.jsonl"), rules, today=TODAY)
    assert [f for f in flaws if f.level is Level.ERROR] == []


def test_a_good_entry_has_no_flaw(rules: Rules) -> None:
    assert lint("faq", [entry("a", "失眠怎么办？"), entry("b", "怎么泡脚？")], rules, today=TODAY) == []


@pytest.mark.parametrize(
    ("rule", "changed"),
    [
        ("no_source", {"sources": ()}),
        ("no_review", {"reviewed_on": ""}),
        ("no_expiry", {"expires_on": ""}),
        ("no_expiry", {"reviewed_on": "2027-11-01"}),
        ("expired", {"expires_on": "2026-11-22"}),
        ("promise", {"answer": GOOD + "坚持喝就根治。"}),
        ("promise", {"instead": "坚持喝就根治。"}),
        ("advertising", {"answer": GOOD + "这是国家级配方。"}),
        ("dose", {"answer": GOOD + "黄芪每天30克煮水喝。"}),
        ("herb_conflict", {"answer": GOOD + "可以用甘草和海藻一起煮水喝。"}),
        ("herb_conflict", {"answer": GOOD + "早上喝甘草茶。晚上喝海藻汤。"}),
        ("length", {"answer": "早点睡。"}),
        ("length", {"answer": GOOD * 5}),
    ],
)
def test_each_rule_finds_its_flaw(rules: Rules, rule: str, changed: dict[str, object]) -> None:
    flaws = lint("faq", [entry("a", "失眠怎么办？", **changed)], rules, today=TODAY)
    # A promise is advertising as well.
    assert found([f for f in flaws if f.level is RULES[rule]]) == [(rule, "faq.a", None)]


@pytest.mark.parametrize(
    "answer",
    [
        "甘草不能和海藻同用。",
        "吃着含甘草的药，就别再喝海藻汤，先问医生。",
        "“包治百病”是骗局。",
        "所谓国家级配方都是广告。",
        "黄芪每天不超过30克。",
    ],
)
def test_who_warns_recommends_nothing(rules: Rules, answer: str) -> None:
    assert lint("faq", [entry("a", "失眠怎么办？", answer=GOOD + answer)], rules, today=TODAY) == []


def test_the_communitys_own_rules_need_no_source(rules: Rules) -> None:
    assert lint("faq", [entry("a", "几点打卡？", category="community", sources=())], rules, today=TODAY) == []


def test_a_wording_of_two_entries_is_told_once_however_it_is_written(rules: Rules) -> None:
    one, two = entry("a", "失眠怎么办？"), entry("b", "怎么泡脚？", "失 眠，怎麼辦", "失眠怎么办")
    assert found(lint("faq", [one, two], rules, today=TODAY)) == [("same_wording", "faq.a", "faq.b")]
    assert found(lint("faq", [one, two], rules, today=TODAY, only={"faq.b"})) == [("same_wording", "faq.b", "faq.a")]
    assert lint("faq", [one, two], rules, today=TODAY, only=set()) == []


def test_a_nearly_equal_wording_is_a_warning(rules: Rules) -> None:
    one = entry("a", "晚上睡觉之前能不能用热水泡脚半个小时？")
    two = entry("b", "晚上睡觉之前能不能用热水泡脚半个小时呢？")
    (flaw,) = lint("faq", [one, two], rules, today=TODAY)
    assert (flaw.rule, flaw.level, flaw.other_id) == ("near_wording", Level.WARNING, "faq.b")


@pytest.mark.parametrize(
    ("one", "two"),
    [
        ("孕妇能喝绿豆汤", "孕妇不能喝绿豆汤吗"),
        ("感冒可以泡脚？", "感冒不可以泡脚？"),
        ("喝药时吃萝卜", "喝药时别吃萝卜"),
    ],
)
def test_a_question_and_its_opposite_contradict_each_other(rules: Rules, one: str, two: str) -> None:
    flaws = found(
        lint("faq", [entry("a", one.removesuffix("吗")), entry("b", two.removesuffix("吗"))], rules, today=TODAY)
    )
    assert ("opposite_question", "faq.a", "faq.b") in flaws


def test_who_asks_either_way_contradicts_nobody(rules: Rules) -> None:
    asked = [entry("a", "孕妇能不能喝绿豆汤"), entry("b", "孕妇不能喝绿豆汤")]
    assert "opposite_question" not in {f.rule for f in lint("faq", asked, rules, today=TODAY)}


def test_claims_may_deny_each_other_where_one_is_true(rules: Rules) -> None:
    def claim(name: str, question: str, verdict: str) -> Entry:
        return replace(entry("x", question), id=f"claim.{name}", verdict=verdict)

    one, two = claim("a", "吃虾能补钙", "true"), claim("b", "吃虾不能补钙", "false")
    assert [f.rule for f in lint("claims", [one, two], rules, today=TODAY)] == []
    same = [one, replace(two, verdict="true")]
    assert [f.rule for f in lint("claims", same, rules, today=TODAY)] == ["opposite_question"]


def test_every_rule_is_known_with_its_level() -> None:
    assert {rule for rule, level in RULES.items() if level is Level.WARNING} == {"near_wording", "advertising"}
