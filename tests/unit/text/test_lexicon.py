"""Terms are hit where a reader would see the word, and nowhere else."""

import pytest

from ragcomm.corpora import load_terms
from ragcomm.records import Text
from ragcomm.settings import shipped_folder
from ragcomm.text.lexicon import Hit, Lexicon
from ragcomm.text.segment import Segmenter

GROUPS = {
    "黄片": "porn",
    "口交": "porn",
    "祖传秘方": "cure",
    "包治百病": "cure",
    "加微信": "contact",
    "加微": "contact",
    "ＶＸ号": "contact",
}


@pytest.fixture(scope="module")
def terms() -> frozenset[str]:
    return frozenset(load_terms(shipped_folder("corpora")))


@pytest.fixture(scope="module")
def segmenter(terms: frozenset[str]) -> Segmenter:
    return Segmenter(terms)


@pytest.fixture(scope="module")
def lexicon(terms: frozenset[str]) -> Lexicon:
    return Lexicon(GROUPS, domain=terms)


def cut(*tokens: str) -> Text:
    normal = "".join(tokens)
    return Text(normal, normal, None, tokens)


@pytest.mark.parametrize("raw", ["三黄片怎么吃", "牛黄片一次几片", "路口交通拥堵", "到路口交通费", "今天天气好", ""])
def test_a_term_inside_honest_words_is_no_hit(segmenter: Segmenter, lexicon: Lexicon, raw: str) -> None:
    assert lexicon.find(segmenter.read(raw)) == []


@pytest.mark.parametrize(("raw", "start"), [("看黄片", 1), ("黄片哪里有", 0)])
def test_the_same_term_standing_alone_is_a_hit(segmenter: Segmenter, lexicon: Lexicon, raw: str, start: int) -> None:
    assert lexicon.find(segmenter.read(raw)) == [Hit("黄片", "porn", start, start + 2)]


@pytest.mark.parametrize(
    ("raw", "span"),
    [
        ("祖。传。秘。方", (0, 7)),
        ("来，祖。传。秘。方！", (2, 9)),
        ("家有祖\u200b传\u200b秘方啊", (2, 8)),
        ("祖傳秘方", (0, 4)),
    ],
)
def test_a_disguised_term_is_found_with_its_raw_span(
    segmenter: Segmenter, lexicon: Lexicon, raw: str, span: tuple[int, int]
) -> None:
    text = segmenter.read(raw)
    (hit,) = lexicon.find(text)
    assert (hit.term, hit.group) == ("祖传秘方", "cure")
    assert text.normal[hit.start : hit.end] == "祖传秘方"
    assert text.span(hit.start, hit.end) == span


def test_the_longest_term_wins_and_hits_come_from_left_to_right(segmenter: Segmenter, lexicon: Lexicon) -> None:
    hits = lexicon.find(segmenter.read("祖传秘方包治百病，加微信"))
    assert hits == [
        Hit("祖传秘方", "cure", 0, 4),
        Hit("包治百病", "cure", 4, 8),
        Hit("加微信", "contact", 9, 12),
    ]


def test_terms_are_normalised_like_the_text(segmenter: Segmenter, lexicon: Lexicon) -> None:
    assert lexicon.find(segmenter.read("我的vx号")) == [Hit("vx号", "contact", 2, 5)]


def test_two_characters_have_to_begin_and_end_with_a_word() -> None:
    lexicon = Lexicon({"甲乙": "g"})
    whole = Hit("甲乙", "g", 1, 3)
    assert lexicon.find(cut("丙", "甲乙", "丁")) == [whole]
    assert lexicon.find(cut("丙", "甲", "乙", "丁")) == [whole]
    assert lexicon.find(cut("丙", "甲", "乙丁")) == []
    assert lexicon.find(cut("丙甲", "乙", "丁")) == []
    assert lexicon.find(cut("丙甲乙丁")) == []


def test_three_characters_may_cut_words_but_never_lie_in_one() -> None:
    lexicon = Lexicon({"甲乙丙": "g"})
    hit = Hit("甲乙丙", "g", 1, 4)
    assert lexicon.find(cut("丁甲", "乙丙", "戊")) == [hit]
    assert lexicon.find(cut("丁", "甲乙", "丙戊")) == [hit]
    assert lexicon.find(cut("丁甲乙丙")) == []


def test_a_domain_word_is_never_cut() -> None:
    lexicon = Lexicon({"甲乙丙": "g"}, domain=frozenset({"丁甲", "丙戊"}))
    assert lexicon.find(cut("丁甲", "乙丙", "戊")) == []
    assert lexicon.find(cut("丁", "甲乙", "丙戊")) == []
    assert lexicon.find(cut("丁", "甲", "乙", "丙", "戊")) == [Hit("甲乙丙", "g", 1, 4)]
    # The word that ends with the hit is not cut, though it is the domain's.
    assert Lexicon({"甲乙丙": "g"}, domain=frozenset({"甲乙"})).find(cut("丁", "甲乙", "丙戊")) == [
        Hit("甲乙丙", "g", 1, 4)
    ]


def test_an_empty_lexicon_finds_nothing() -> None:
    assert Lexicon({}).find(cut("甲乙")) == []
    assert Lexicon({"\u200b": "g"}).find(cut("甲乙")) == []


def test_a_refused_hit_does_not_hide_the_one_after_it() -> None:
    lexicon = Lexicon({"口交": "porn", "交通罚单": "scam"})
    assert lexicon.find(cut("路口", "交通", "罚单")) == [Hit("交通罚单", "scam", 2, 6)]


def test_a_refused_long_term_does_not_hide_the_short_one_in_it() -> None:
    lexicon = Lexicon({"甲乙": "g", "甲乙丙": "g"}, domain=frozenset({"丙丁"}))
    assert lexicon.find(cut("甲乙", "丙丁")) == [Hit("甲乙", "g", 0, 2)]
