"""Raw text to normal form: what is undone, what is left alone, and the way back to every raw character."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ragcomm.records import Text
from ragcomm.text.normalize import normalize

NASTY = "加微信药藥a A1１①🅰!！。.、-_ \u3000\n\t\u200b\u200d\ufe0f\u20e3\u0301\ud800\udfffﷺ½…㎏ﬁİẞ👨"
raw_texts = st.text(st.one_of(st.sampled_from(NASTY), st.characters()), max_size=40)
tolerant = settings(deadline=None, max_examples=300)


def as_text(raw: str) -> Text:
    normal, offsets, tricks = normalize(raw)
    return Text(raw, normal, offsets, (), tricks)


@pytest.mark.parametrize(
    ("raw", "normal"),
    [
        ("ＡＢｃ１２", "abc12"),
        ("麻黃與藥", "麻黄与药"),
        ("①②③加❶", "123加1"),
        ("🅰🆃", "at"),
        ("加\u200b微\ufeff信", "加微信"),
        ("a\ud800b", "ab"),
        ("e\u0301", "e"),
        ("½", "1⁄2"),
        ("𝐕𝕏", "vx"),
        ("㎏", "kg"),
        ("", ""),
    ],
)
def test_every_character_takes_its_simple_form(raw: str, normal: str) -> None:
    assert normalize(raw)[0] == normal


@pytest.mark.parametrize("raw", ["加-微-信", "加 微 信", "加。微。信", "加__微__信", "加\u3000微\u3000信"])
def test_single_characters_kept_apart_by_signs_are_joined(raw: str) -> None:
    normal, _, tricks = normalize(raw)
    assert normal == "加微信"
    assert "separators" in tricks


@pytest.mark.parametrize(
    "raw", ["黄芪、党参、白术", "甲、乙、丙", "甲 乙", "人参 黄芪 党参", "加。微。信号不好", "ab-c-d-ef"]
)
def test_lists_pairs_and_longer_words_keep_their_separators(raw: str) -> None:
    assert normalize(raw) == (raw, None, frozenset())


@pytest.mark.parametrize(
    ("raw", "normal"),
    [("！！！！！", "!!"), ("哈哈哈哈", "哈哈"), ("哈哈", "哈哈"), ("多处   空\n\n白云", "多处 空 白云")],
)
def test_runs_of_a_sign_shrink_to_two_and_of_blanks_to_one(raw: str, normal: str) -> None:
    assert normalize(raw)[0] == normal


def test_numbers_keep_all_their_digits() -> None:
    assert normalize("１００００00元")[0] == "1000000元"


@pytest.mark.parametrize(
    ("raw", "tricks"),
    [
        ("加微信abc，好。", set()),
        ("加\u200b微信", {"zero_width"}),
        ("加Ｖ", {"full_width"}),
        ("加①", {"enclosed"}),
        ("加1\u20e3", {"enclosed"}),
        ("加\u0336微", {"combining"}),
        ("加-微-信Ｖ", {"full_width"}),
        ("加-微-信 Ｖ", {"full_width", "separators"}),
        ("好❤\ufe0f", set()),
        ("你好！？", set()),
    ],
)
def test_tricks_name_what_was_undone(raw: str, tricks: set[str]) -> None:
    assert normalize(raw)[2] == tricks


def test_offsets_lead_back_over_dropped_expanded_and_joined_characters() -> None:
    raw = "㎏\u200b，祖。传。秘"
    assert normalize(raw) == ("kg,祖传秘", [0, 0, 2, 3, 5, 7, 8], frozenset({"zero_width", "separators"}))
    text = as_text(raw)
    assert raw[slice(*text.span(3, 6))] == "祖。传。秘"
    assert raw[slice(*text.span(0, 2))] == "㎏"
    assert raw[slice(*text.span(4, 5))] == "传"


def test_a_text_that_kept_its_places_needs_no_offsets() -> None:
    assert normalize("ＡＢ藥")[1] is None
    assert as_text("ＡＢ藥").span(1, 3) == (1, 3)


def test_an_empty_span_stays_empty() -> None:
    text = as_text("a\u200bb")
    assert text.span(1, 1) == (2, 2)
    assert text.span(2, 2) == (3, 3)


@pytest.mark.parametrize("unit", ["a.", "a. ", "祖。", "!?", "a" * 3 + ".", "\u0301", "a_b "])
def test_long_hostile_texts_end(unit: str) -> None:
    normal, offsets, _ = normalize(unit * 20_000)
    assert normalize(normal)[0] == normal
    assert offsets is None or offsets[-1] == len(unit) * 20_000


@given(raw_texts)
@tolerant
def test_normalising_twice_changes_nothing_more(raw: str) -> None:
    normal = normalize(raw)[0]
    assert normalize(normal)[0] == normal


@given(raw_texts)
@tolerant
def test_offsets_are_total_monotone_and_in_range(raw: str) -> None:
    normal, offsets, _ = normalize(raw)
    if offsets is None:
        assert len(normal) == len(raw)
        return
    assert len(offsets) == len(normal) + 1
    assert offsets[-1] == len(raw)
    assert all(a <= b for a, b in pairwise(offsets))
    assert all(0 <= place < len(raw) for place in offsets[:-1])


@given(raw_texts)
@tolerant
def test_every_span_holds_the_raw_characters_it_came_from(raw: str) -> None:
    text = as_text(raw)
    for place, character in enumerate(text.normal):
        start, end = text.span(place, place + 1)
        assert end == start + 1
        assert character in normalize(raw[start:end])[0]
    if text.normal:
        start, end = text.span(0, len(text.normal))
        assert 0 <= start < end <= len(raw)


@given(raw_texts)
@tolerant
def test_a_normal_form_has_nothing_invisible_and_no_capitals(raw: str) -> None:
    normal = normalize(raw)[0]
    normal.encode()
    assert not set(normal) & set("\u200b\u200d\ufeff\ud800\u0301\n\t\u3000")
    assert not any("A" <= c <= "Z" or "Ａ" <= c <= "Ｚ" for c in normal)
    assert "  " not in normal


def test_every_han_character_is_normal_after_one_step() -> None:
    han = [chr(c) for first, last in ((0x3400, 0x9FFF), (0xF900, 0xFAFF)) for c in range(first, last + 1)]
    once = {c: normalize(c)[0] for c in han}
    assert [c for c, normal in once.items() if normalize(normal)[0] != normal] == []


def test_digits_of_any_script_are_digits() -> None:
    assert normalize("电话٠١٢३४५")[0] == "电话012345"
