"""Normal text to words: they cover it, the terms stay whole, and both engines cut alike."""

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ragcomm.corpora import load_messages, load_terms
from ragcomm.settings import shipped_folder
from ragcomm.text.segment import Segmenter

CORPORA: Path = shipped_folder("corpora")
# Neither engine's idea of a Chinese character holds for these (㿠, 䗪): known to be cut apart differently.
RARE = re.compile("[\u3400-\u4dbf\u9fd6-\u9fff\U00020000-\U0003ffff]")
ENGINES = ("rjieba", "jieba")


@pytest.fixture(scope="module")
def terms() -> frozenset[str]:
    return frozenset(load_terms(CORPORA))


@pytest.fixture(scope="module")
def segmenters(terms: frozenset[str]) -> dict[str, Segmenter]:
    return {engine: Segmenter(terms, engine=engine) for engine in ENGINES}


@pytest.mark.parametrize("engine", ENGINES)
@given(raw=st.text(st.one_of(st.sampled_from("三黄片麻藥湯 aB1-。、！㿠𠮷\ud800\u200b"), st.characters())))
@settings(deadline=None, max_examples=150)
def test_tokens_join_to_the_normal_text(segmenters: dict[str, Segmenter], engine: str, raw: str) -> None:
    text = segmenters[engine].read(raw)
    assert "".join(text.tokens) == text.normal
    assert "" not in text.tokens
    assert text.raw == raw


@pytest.mark.parametrize("engine", ENGINES)
def test_a_term_of_ours_wins_over_its_pieces(engine: str) -> None:
    assert Segmenter(engine=engine).cut("我喝补中茶") == ["我", "喝", "补", "中", "茶"]
    assert Segmenter(["补中茶"], engine=engine).cut("我喝补中茶") == ["我", "喝", "补中茶"]


@pytest.mark.parametrize("engine", ENGINES)
def test_the_terms_of_one_segmenter_are_unknown_to_the_next(engine: str) -> None:
    first = Segmenter(["补中茶"], engine=engine)
    second = Segmenter(["喝补中"], engine=engine)
    assert first.cut("喝补中茶") == ["喝", "补中茶"]
    assert second.cut("喝补中茶") == ["喝补中", "茶"]
    assert first.cut("喝补中茶") == ["喝", "补中茶"]


def test_the_global_tokenizer_of_jieba_learns_nothing() -> None:
    Segmenter(["补中茶"], engine="jieba")
    import jieba

    assert "补中茶" not in jieba.dt.FREQ


@pytest.mark.parametrize("engine", ENGINES)
def test_reading_normalises_before_it_cuts(segmenters: dict[str, Segmenter], engine: str) -> None:
    text = segmenters[engine].read("祖。传。秘。方，三黃片")
    assert text.normal == "祖传秘方,三黄片"
    assert text.tokens == ("祖传秘方", ",", "三黄片")
    assert text.offsets == [0, 2, 4, 6, 7, 8, 9, 10, 11]
    assert text.tricks == {"separators"}
    assert text.boundaries() == {0, 4, 5, 8}


def test_both_engines_cut_five_hundred_messages_alike(segmenters: dict[str, Segmenter]) -> None:
    messages = [message.text for message in load_messages(CORPORA)]
    sample = messages[:: len(messages) // 500][:500]
    differing = [raw for raw in sample if segmenters["rjieba"].read(raw).tokens != segmenters["jieba"].read(raw).tokens]
    assert [raw for raw in differing if not RARE.search(raw)] == []


def test_both_engines_keep_every_common_term_whole_or_cut_it_alike(
    segmenters: dict[str, Segmenter], terms: frozenset[str]
) -> None:
    common = [term for term in sorted(terms) if not RARE.search(term)]
    differing = [t for t in common if segmenters["rjieba"].cut(t) != segmenters["jieba"].cut(t)]
    assert differing == []


def test_both_engines_reckon_with_the_same_total() -> None:
    # 的 is a word of jieba's already; counting it twice moves every close call, here that of 人瑞.
    assert Segmenter(["的"], engine="jieba").cut("人瑞") == Segmenter(["的"], engine="rjieba").cut("人瑞")


def test_a_term_with_capitals_or_variants_is_kept_whole() -> None:
    for engine in ENGINES:
        assert Segmenter(["维生素C"], engine=engine).read("吃维生素C吗").tokens == ("吃", "维生素c", "吗")
