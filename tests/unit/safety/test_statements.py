from __future__ import annotations

import re

import pytest

from ragcomm.safety.statements import any_of, doses, promises, sentences, undenied


@pytest.mark.parametrize("text", ["这不能根治", "“三天断根”多是广告", "没有包治百病的药", "所谓特效药要警惕"])
def test_a_denied_promise_is_none(text: str) -> None:
    assert list(promises(text)) == []


def test_a_promise_is_one_even_beside_a_denial_far_away() -> None:
    assert list(promises("别担心，坚持喝这碗汤两个月再加上晚上泡脚，失眠一定根治，放心用就好了哦")) != []


def test_a_limit_and_a_food_are_no_dose() -> None:
    medicine = re.compile("黄芪|人参")
    assert list(doses("黄芪每次15克。盐每天5克。人参每天不超过3克。米100克煮粥。", medicine)) == ["黄芪每次15克"]


def test_the_longest_word_is_met_first_and_no_word_meets_nothing() -> None:
    assert any_of(["川贝", "川贝母", "a.c"]).findall("川贝母abc川贝") == ["川贝母", "川贝"]
    assert any_of([]).search("anything") is None


def test_a_word_is_told_with_what_is_around_it() -> None:
    assert list(undenied("这碗汤最佳。", any_of(["最佳"]))) == ["这碗汤最佳。"]
    assert sentences("一。二！\n三") == ["一", "二", "三"]
