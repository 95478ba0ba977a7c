"""Tf-idf cosines, each computed a second time from its definition."""

from collections import Counter
from math import log, sqrt

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ragcomm.knowledge.lexical import LexicalIndex
from ragcomm.records import Text
from ragcomm.text.encode import terms


def cut(*tokens: str) -> Text:
    normal = "".join(tokens)
    return Text(normal, normal, None, tokens)


def build(*forms: Text) -> LexicalIndex:
    index = LexicalIndex()
    index.add(forms)
    index.finish()
    return index


def alone(index: LexicalIndex, text: Text) -> tuple[np.ndarray, float]:
    cosines, known = index.look_up([text])
    return cosines[0], known[0]


@pytest.fixture
def index() -> LexicalIndex:
    """失眠 茶 | 失眠 | 茶: three forms, of which no two are alike."""
    index = LexicalIndex()
    index.add([cut("失眠", "茶")])
    index.add([cut("失眠"), cut("茶")])
    index.finish()
    return index


def test_a_wording_met_exactly_scores_one(index: LexicalIndex) -> None:
    cosines, known = alone(index, cut("失眠", "茶"))
    assert cosines[0] == pytest.approx(1, abs=1e-6)
    assert known == pytest.approx(1)
    assert cosines.dtype == np.float32


def test_cosines_are_those_of_weighted_terms(index: LexicalIndex) -> None:
    # 失眠: word and pair, so twice; 失, 眠: characters, at three tenths. Each is in two of three forms.
    # 茶: word and character, twice, of one character. 眠茶: a pair in the first form only.
    common, rare = log(4 / 3) + 1, log(4 / 2) + 1
    word, character, tea, pair = (1 + log(2)) * common, 0.3 * common, 0.3 * (1 + log(2)) * common, rare
    sleep_norm = sqrt(word**2 + 2 * character**2)
    first_norm = sqrt(sleep_norm**2 + tea**2 + pair**2)
    cosines, known = alone(index, cut("失眠"))
    np.testing.assert_allclose(cosines, [sleep_norm / first_norm, 1, 0], atol=1e-6)
    assert known == pytest.approx(1)
    cosines, _ = alone(index, cut("茶"))
    np.testing.assert_allclose(cosines, [tea / first_norm, 0, 1], atol=1e-6)


def test_known_is_the_share_of_weight_that_any_form_has(index: LexicalIndex) -> None:
    common, unseen = log(4 / 3) + 1, log(4) + 1
    # 茶 twice (word, character); 票 twice; 茶票 once, a pair no form has.
    tea, ticket, pair = 0.3 * (1 + log(2)) * common, 0.3 * (1 + log(2)) * unseen, unseen
    cosines, known = alone(index, cut("茶", "票"))
    assert known == pytest.approx(tea / (tea + ticket + pair))
    assert cosines[2] == pytest.approx(tea / sqrt(tea**2 + ticket**2 + pair**2), abs=1e-6)


def test_nothing_known_scores_nothing(index: LexicalIndex) -> None:
    for text in (cut("股票"), cut()):
        cosines, known = alone(index, text)
        assert cosines.tolist() == [0, 0, 0]
        assert known == 0


def test_a_form_without_terms_keeps_its_place() -> None:
    cosines, _ = alone(build(cut(" "), cut("茶")), cut("茶"))
    np.testing.assert_allclose(cosines, [0, 1], atol=1e-6)


def test_a_term_of_more_than_a_hundred_forms_tells_nothing_apart() -> None:
    cosines, known = alone(build(*[cut("茶", chr(0x4E00 + i)) for i in range(100)]), cut("茶"))
    assert (cosines > 0).all()
    cosines, known = alone(build(*[cut("茶", chr(0x4E00 + i)) for i in range(101)]), cut("茶"))
    assert cosines.tolist() == [0] * 101
    assert known == pytest.approx(1)


word = st.text("失眠茶 票", min_size=1, max_size=3)
texts = st.lists(word, max_size=4).map(lambda tokens: cut(*tokens))


@given(st.lists(texts, min_size=1, max_size=8), texts)
@settings(deadline=None, max_examples=150)
def test_scores_are_cosines_computed_from_the_definition(forms: list[Text], query: Text) -> None:
    frequency = Counter(term for form in forms for term in set(terms(form)))

    def weigh(text: Text) -> dict[str, float]:
        return {
            term: (1 + log(n)) * (0.3 if len(term) == 1 else 1) * (log((1 + len(forms)) / (1 + frequency[term])) + 1)
            for term, n in Counter(terms(text)).items()
        }

    def cosine(a: dict[str, float], b: dict[str, float]) -> float:
        norms = sqrt(sum(w * w for w in a.values()) * sum(w * w for w in b.values()))
        return sum(w * b.get(term, 0.0) for term, w in a.items()) / norms if norms else 0.0

    cosines, known = alone(build(*forms), query)
    expected = [cosine(weigh(query), weigh(form)) for form in forms]
    np.testing.assert_allclose(cosines, expected, atol=1e-5)
    assert 0 <= known <= 1 + 1e-9


@given(st.lists(texts, min_size=1, max_size=8), st.lists(texts, max_size=5))
@settings(deadline=None, max_examples=80)
def test_texts_looked_up_together_score_as_alone(forms: list[Text], queries: list[Text]) -> None:
    index = build(*forms)
    cosines, known = index.look_up(queries)
    assert cosines.shape == (len(queries), len(forms))
    for i, query in enumerate(queries):
        one, share = alone(index, query)
        np.testing.assert_allclose(cosines[i], one, atol=1e-7)
        assert known[i] == share
