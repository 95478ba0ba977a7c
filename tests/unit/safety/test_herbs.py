from __future__ import annotations

from ragcomm.safety.herbs import HerbConflicts, Incompatible

HERBS = HerbConflicts(
    [
        Incompatible("one", ("乌头", "附子"), ("贝母", "川贝母")),
        Incompatible("two", ("甘草",), ("海藻",)),
    ]
)


def test_two_incompatible_herbs_of_one_text_are_a_conflict_by_any_name() -> None:
    assert list(HERBS.of("附子先煎。再放川贝母。")) == [("one", "附子", "川贝母")]


def test_two_names_of_one_herb_are_none() -> None:
    assert list(HERBS.of("附子就是乌头的子根，川贝另说。")) == []


def test_a_sentence_that_warns_recommends_nothing() -> None:
    assert list(HERBS.of("甘草煮水喝。甘草和海藻不宜同用。")) == []
    assert list(HERBS.of("甘草煮水喝。海藻凉拌。")) == [("two", "甘草", "海藻")]
