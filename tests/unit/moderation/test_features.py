from __future__ import annotations

from collections.abc import Sequence
from math import log

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ragcomm.moderation.checks import Evidence
from ragcomm.moderation.features import (
    HEAD,
    LONGEST_GRAM,
    SHAPES,
    TAIL,
    FeatureSpace,
    framed,
    learn_vocabulary,
    phrases,
    shapes,
    type_marks,
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
    # 天 stands in the text but not here; 艾灸 好 is a phrase and no gram.
    return FeatureSpace(["艾", "艾灸", "\x02艾"], ["艾灸\x1f好"], np.array([3, 4, 12, 84], np.float32), CHECKS, {})


def test_a_text_stands_between_its_borders() -> None:
    assert framed("艾灸") == "\x02艾灸\x03"
    assert framed("") == "\x02\x03"


def test_a_long_text_is_read_from_both_ends() -> None:
    fits = "头" * HEAD + "尾" * TAIL
    assert framed(fits) == f"\x02{fits}\x03"
    assert framed("头" * HEAD + "中" + "尾" * TAIL) == "\x02" + "头" * HEAD + "\n" + "尾" * TAIL + "\x03"


def test_phrases_are_words_neighbours_and_words_with_one_between() -> None:
    assert phrases(words("艾灸", " ", "天天", "做"), {}) == [
        "艾灸", "天天", "做",
        "\x02\x1f艾灸", "艾灸\x1f天天", "天天\x1f做", "做\x1f\x03",
        "\x02\x1e天天", "艾灸\x1e做", "天天\x1e\x03",
    ]  # fmt: skip
    assert phrases(words(), {}) == ["\x02\x1f\x03"]


def test_terms_stand_in_phrases_by_their_type() -> None:
    marks = type_marks({"黃芪": "herb", "灸": "therapy"})
    assert marks == {"黄芪": "<herb>"}
    assert phrases(words("黄芪", "灸"), marks)[:4] == ["<herb>", "灸", "\x02\x1f<herb>", "<herb>\x1f灸"]


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


def test_columns_are_grams_then_phrases_then_checks_twice_then_shapes(space: FeatureSpace) -> None:
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
    with pytest.raises(ValueError, match="3 weights for 2 grams and 2 phrases"):
        FeatureSpace(["a", "b"], ["a\x1fb", "b\x1fa"], np.ones(3, np.float32), CHECKS, {})


def test_the_vocabulary_is_what_enough_texts_say_with_its_smoothed_idf() -> None:
    texts = [words("艾", "灸"), words("艾", "灸"), words("艾", "艾", "艾")]
    grams, said, idf = learn_vocabulary(texts, {}, least=2)
    both = ["\x02艾灸", "灸", "灸\x03", "艾灸", "艾灸\x03"]
    all_three = ["\x02", "\x02艾", "\x03", "艾"]
    assert grams == sorted([*both, *all_three])
    # 艾艾 is said twice, but by one text.
    assert said == sorted(["灸", "艾", "\x02\x1f艾", "艾\x1f灸", "灸\x1f\x03", "\x02\x1e灸", "艾\x1e\x03"])
    common = {*all_three, "\x02\x1f艾", "艾\x1e\x03"}
    expected = [1.0 if term in common else log(4 / 3) + 1 for term in (*grams, *said)]
    assert idf.tolist() == pytest.approx(expected)
    assert idf.dtype == np.float32


def test_no_gram_is_longer_than_the_longest() -> None:
    grams, _, _ = learn_vocabulary([words("一二三四五六")] * 3, {})
    assert {len(g) for g in grams} == set(range(1, LONGEST_GRAM + 1))
    assert "二三四" in grams


def test_a_rarer_bound_keeps_fewer_grams() -> None:
    texts = [words("艾"), words("艾"), words("灸")]
    assert learn_vocabulary(texts, {}, least=3)[0] == ["\x02", "\x03"]


@given(
    st.lists(
        st.lists(st.sampled_from(["艾", "黄芪", "党参", " ", "做", "_", "|"]), max_size=7), min_size=1, max_size=4
    ),
    st.integers(0, 2**16),
)
@settings(deadline=None, max_examples=100)
def test_the_phrases_found_are_those_of_the_definition(lines: list[list[str]], seed: int) -> None:
    marks = type_marks({"黄芪": "herb", "党参": "herb"})
    texts = [words(*line) for line in lines]
    everything = sorted({phrase for text in texts for phrase in phrases(text, marks)})
    kept = [p for p in everything if np.random.default_rng([seed, everything.index(p)]).random() < 0.7]
    space = FeatureSpace([], kept, np.ones(len(kept), np.float32), (), marks)
    for text in texts:
        columns, _ = row(space, text)
        expected = {kept.index(p) for p in phrases(text, marks) if p in kept}
        assert {c for c in columns if c < len(kept)} == expected
