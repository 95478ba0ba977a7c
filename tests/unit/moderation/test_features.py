from __future__ import annotations

from collections.abc import Sequence
from math import log

import numpy as np
import pytest

from ragcomm.moderation.checks import Evidence
from ragcomm.moderation.features import (
    HEAD,
    LONGEST_GRAM,
    SHAPES,
    TAIL,
    FeatureSpace,
    framed,
    learn_vocabulary,
    shapes,
    word_pairs,
)
from ragcomm.records import Text

CHECKS = ("link", "insult", "dose")


def words(*tokens: str, raw: str | None = None) -> Text:
    normal = "".join(tokens)
    return Text(normal if raw is None else raw, normal, None, tokens)


def named(text: Text, *, quoted: bool = False) -> set[str]:
    return {SHAPES[i] for i in shapes(text, quoted=quoted)}


def row(
    space: FeatureSpace, text: Text, found: Sequence[Evidence] = (), *, quoted: bool = False
) -> tuple[list[int], list[float]]:
    rows = space.rows([text], [found], [quoted])
    assert rows.starts.tolist() == [0, len(rows.columns)]
    return rows.columns.tolist(), rows.values.tolist()


@pytest.fixture
def space() -> FeatureSpace:
    # 天 stands in the text but not here; 艾|灸 is a pair and no gram.
    return FeatureSpace(["艾", "艾灸", "\x02艾"], ["艾灸|好"], np.array([3, 4, 12, 84], np.float32), CHECKS)


def test_a_text_stands_between_its_borders() -> None:
    assert framed("艾灸") == "\x02艾灸\x03"
    assert framed("") == "\x02\x03"


def test_a_long_text_is_read_from_both_ends() -> None:
    fits = "头" * HEAD + "尾" * TAIL
    assert framed(fits) == f"\x02{fits}\x03"
    assert framed("头" * HEAD + "中" + "尾" * TAIL) == "\x02" + "头" * HEAD + "\n" + "尾" * TAIL + "\x03"


def test_pairs_are_neighbouring_words_without_the_blanks_between() -> None:
    assert word_pairs(words("艾灸", " ", "天天", "做")) == ["艾灸|天天", "天天|做"]
    assert word_pairs(words("艾灸")) == []


@pytest.mark.parametrize(
    ("size", "shape"),
    [
        (0, "length<=4"),
        (4, "length<=4"),
        (5, "length<=8"),
        (8, "length<=8"),
        (16, "length<=16"),
        (17, "length<=40"),
        (100, "length<=100"),
        (250, "length<=250"),
        (251, "length>250"),
    ],
)
def test_every_text_has_exactly_one_length(size: int, shape: str) -> None:
    assert named(words(*"艾" * size)) == {shape}


@pytest.mark.parametrize(
    ("text", "shape"),
    [
        ("123灸灸灸灸灸灸灸", "digits>10%"),
        ("1234灸灸灸灸灸灸", "digits>30%"),
        ("abc灸灸灸灸灸灸灸", "latin>10%"),
        ("abcd灸灸灸灸灸灸", "latin>30%"),
        ("🙏🙏🙏🙏灸灸灸灸灸灸", "other>30%"),
    ],
)
def test_what_a_text_is_made_of_is_a_shape(text: str, shape: str) -> None:
    assert named(words(*text)) == {"length<=16", shape}


@pytest.mark.parametrize("text", ["1灸灸灸灸灸灸灸灸灸", "a灸灸灸灸灸灸灸灸灸", "🙏🙏🙏灸灸灸灸灸灸灸"])
def test_a_share_that_only_touches_its_bound_is_no_shape(text: str) -> None:
    assert named(words(*text)) == {"length<=16"}


def test_lines_are_counted_in_the_raw_text_and_a_quote_is_known() -> None:
    assert named(words("艾灸", raw="艾\n灸\n\n")) == {"length<=4", "lines>3"}
    assert named(words("艾灸", raw="艾\n灸\n")) == {"length<=4"}
    assert named(words("艾灸"), quoted=True) == {"length<=4", "quoted"}


def test_columns_are_grams_then_pairs_then_checks_twice_then_shapes(space: FeatureSpace) -> None:
    assert [space.check_columns(name) for name in CHECKS] == [(4, 5), (6, 7), (8, 9)]
    assert (space.first_check, space.first_shape, space.width) == (4, 10, 10 + len(SHAPES))


def test_the_weights_of_a_row_have_length_one(space: FeatureSpace) -> None:
    # 3, 4, 12 and 84 make 85.
    columns, values = row(space, words("艾灸", "好"))
    seen = dict(zip(columns, values, strict=True))
    assert seen == pytest.approx({0: 3 / 85, 1: 4 / 85, 2: 12 / 85, 3: 84 / 85, 10: 1.0})


def test_what_is_said_twice_counts_once(space: FeatureSpace) -> None:
    # 3, 4 and 12 make 13.
    columns, values = row(space, words("艾灸", "艾灸", "艾"))
    assert dict(zip(columns, values, strict=True)) == pytest.approx({0: 3 / 13, 1: 4 / 13, 2: 12 / 13, 11: 1.0})


def test_a_check_fills_one_column_when_it_hits_and_two_when_it_hits_again(space: FeatureSpace) -> None:
    found = [Evidence("link", 0, 1), Evidence("dose", 0, 1), Evidence("dose", 1, 2)]
    columns, values = row(space, words("天"), found, quoted=True)
    quoted = 10 + SHAPES.index("quoted")
    assert dict(zip(columns, values, strict=True)) == {4: 1.0, 8: 1.0, 9: 1.0, 10: 1.0, quoted: 1.0}


def test_a_text_of_unknown_words_still_has_its_shape(space: FeatureSpace) -> None:
    assert row(space, words()) == ([10], [1.0])


def test_a_gram_is_found_wherever_it_stands(space: FeatureSpace) -> None:
    starts, columns, lengths = space.find_grams("\x02艾灸艾\x03")
    seen = sorted(zip(columns.tolist(), starts.tolist(), lengths.tolist(), strict=True))
    assert seen == [(0, 1, 1), (0, 3, 1), (1, 1, 2), (2, 0, 2)]


def test_rows_together_are_the_rows_alone(space: FeatureSpace) -> None:
    texts = [words("艾灸", "好"), words(), words("🙏", "艾"), words("艾灸")]
    found: list[list[Evidence]] = [[], [Evidence("link", 0, 1)], [], [Evidence("dose", 0, 1), Evidence("dose", 1, 2)]]
    quoted = [False, True, False, True]
    rows = space.rows(texts, found, quoted)
    assert rows.starts[-1] == len(rows.columns) == len(rows.values)
    for i, text in enumerate(texts):
        one = slice(rows.starts[i], rows.starts[i + 1])
        alone = row(space, text, found[i], quoted=quoted[i])
        assert (rows.columns[one].tolist(), rows.values[one].tolist()) == alone


def test_a_space_with_too_few_weights_is_refused() -> None:
    with pytest.raises(ValueError, match="3 weights for 2 grams and 2 pairs"):
        FeatureSpace(["a", "b"], ["a|b", "b|a"], np.ones(3, np.float32), CHECKS)


def test_the_vocabulary_is_what_at_least_two_texts_say_with_its_smoothed_idf() -> None:
    texts = [words("艾", "灸"), words("艾", "灸"), words("艾", "艾", "艾")]
    grams, pairs, idf = learn_vocabulary(texts)
    both = ["\x02艾灸", "\x02艾灸\x03", "灸", "灸\x03", "艾灸", "艾灸\x03"]
    all_three = ["\x02", "\x02艾", "\x03", "艾"]
    assert grams == sorted([*both, *all_three])
    # 艾艾 is said twice, but by one text.
    assert pairs == ["艾|灸"]
    expected = [log(4 / 3) + 1 if g in both else 1.0 for g in grams] + [log(4 / 3) + 1]
    assert idf.tolist() == pytest.approx(expected)
    assert idf.dtype == np.float32


def test_no_gram_is_longer_than_the_longest() -> None:
    grams, _, _ = learn_vocabulary([words("一二三四五六"), words("一二三四五六")])
    assert {len(g) for g in grams} == set(range(1, LONGEST_GRAM + 1))
    assert "二三四五" in grams


def test_a_rarer_bound_keeps_fewer_grams() -> None:
    texts = [words("艾"), words("艾"), words("灸")]
    assert learn_vocabulary(texts, least=3)[0] == ["\x02", "\x03"]
