"""Answer, confirm or abstain, in a world of three entries where every cosine is known by hand."""

from math import exp

import numpy as np
import pytest
from tests.unit.knowledge.worlds import CHARACTERS, ENCODER, ENTRIES, FORMS, READER, SEGMENTER, calibration, verifier

from ragcomm.knowledge.answerer import Answerer
from ragcomm.knowledge.calibration import Calibration
from ragcomm.knowledge.retrieval import Index
from ragcomm.knowledge.verifier import Verifier
from ragcomm.records import Decision, Finding

# Only the cosine counts: .5 is worth one half. Kept as bytes, cosines are right to two digits.
BY_COSINE = verifier(dense=10.0, offset=-5.0)
NEARLY = 0.02


def build(
    judge: Calibration | None = None, check: Verifier = BY_COSINE, forms: list[tuple[str, ...]] | None = None
) -> Answerer:
    index = Index(ENTRIES, SEGMENTER, ENCODER, READER, forms=forms)
    return Answerer(ENTRIES, index, check, judge or calibration(), "world-1")


@pytest.fixture(scope="module")
def answerer() -> Answerer:
    return build()


def confidence(cosine: float) -> float:
    return 1 / (1 + exp(5 - 10 * cosine))


def ask(answerer: Answerer, raw: str, *, limit: int = 3, precision: int = 95) -> Finding:
    text = SEGMENTER.read(raw)
    return answerer.search([text], ENCODER.encode([text]), limit=limit, precision=precision)[0]


def found(finding: Finding) -> dict[str, float]:
    return {match.entry.id: match.confidence for match in finding.matches}


def test_the_world_is_cut_as_its_author_counts() -> None:
    forms = [form for forms in FORMS.values() for form in forms]
    for raw in (*forms, "失眠原因", "怎么办", "失眠怎么办原因", "感冒痊愈"):
        assert all(len(token) > 1 for token in SEGMENTER.cut(raw)), raw


@pytest.mark.parametrize("raw", ["感冒怎么办", "感冒\u200b怎麼辦", "感冒多久痊愈"])
def test_a_known_wording_is_answered_for_sure(answerer: Answerer, raw: str) -> None:
    finding = ask(answerer, raw)
    assert finding.decision is Decision.ANSWER
    assert finding.confidence == 1
    assert finding.matches[0].entry.id == "cold"
    assert finding.index_version == "world-1"


def test_confidences_are_the_calibrated_scores_best_first(answerer: Answerer) -> None:
    # 失眠 is two of five characters of one form; the question has four, and no other form has any of them.
    finding = ask(answerer, "失眠原因")
    assert next(iter(found(finding))) == "sleep"
    assert finding.confidence == pytest.approx(confidence(2 / 20**0.5), abs=NEARLY)
    assert finding.confidence == finding.matches[0].confidence
    assert finding.decision is Decision.ABSTAIN
    # 怎么办 speaks for both: all its three characters in forms of five.
    shared = found(ask(answerer, "怎么办"))
    assert set(list(shared)[:2]) == {"sleep", "cold"}
    assert list(shared.values())[:2] == pytest.approx([confidence(3 / 15**0.5)] * 2, abs=NEARLY)


def test_the_verifier_decides_the_order_of_what_the_indexes_found() -> None:
    # It prefers what is far: whoever is first by nearness comes last.
    contrary = build(check=verifier(dense=-10.0, offset=5.0))
    names = list(found(ask(contrary, "失眠怎么办")))
    assert names[0] == "sleep", "an exact wording stays first"
    assert list(found(ask(contrary, "失眠怎么办原因")))[-1] == "sleep"


def test_what_nothing_fits_is_met_with_silence_and_its_reason(answerer: Answerer) -> None:
    finding = ask(answerer, "股票代码")
    assert finding.decision is Decision.ABSTAIN
    assert finding.confidence == pytest.approx(confidence(0), abs=NEARLY)
    assert finding.reason == "no vetted entry fits"


@pytest.mark.parametrize(
    ("cut", "confirm_from", "decision"),
    [
        (0.99, 0.985, Decision.ABSTAIN),
        (0.99, 0.94, Decision.CONFIRM),
        (0.94, 0.5, Decision.ANSWER),
        (None, 0.5, Decision.CONFIRM),
    ],
)
def test_the_cuts_decide(cut: float | None, confirm_from: float, decision: Decision) -> None:
    finding = ask(build(calibration(cut, confirm_from)), "失眠怎么办原因")
    # All five of the form's characters, and two more: 5 / √35 ≈ .845, by the logistic ≈ .969
    assert finding.confidence == pytest.approx(confidence(5 / 35**0.5), abs=NEARLY)
    assert finding.decision is decision


def test_who_asks_for_more_precision_gets_fewer_answers(answerer: Answerer) -> None:
    assert ask(answerer, "失眠怎么办原因", precision=90).decision is Decision.ANSWER
    # No cut meets 98 % in this world: everything stays a choice, but for a known wording.
    assert ask(answerer, "失眠怎么办原因", precision=98).decision is Decision.CONFIRM
    assert ask(answerer, "失眠怎么办", precision=98).decision is Decision.ANSWER


def test_the_limit_cuts_the_matches_and_not_the_judgement(answerer: Answerer) -> None:
    whole, first = ask(answerer, "失眠怎么办原因"), ask(answerer, "失眠怎么办原因", limit=1)
    assert [match.entry.id for match in first.matches] == ["sleep"]
    assert first.matches[0] == whole.matches[0]
    assert first.decision is whole.decision


def test_confidence_never_rises_down_the_list() -> None:
    # This calibration likes what is not dense: the second entry would overtake the first.
    values = list(found(ask(build(calibration(dense=-10.0, offset=5.0)), "失眠怎么办原因")).values())
    assert values[0] == pytest.approx(1 - confidence(5 / 35**0.5), abs=NEARLY)
    assert values == sorted(values, reverse=True)


def test_an_exact_wording_comes_first_even_when_its_vector_does_not(answerer: Answerer) -> None:
    text, other = SEGMENTER.read("泡脚水温"), SEGMENTER.read("失眠怎么办")
    (finding,) = answerer.search([text], ENCODER.encode([other]))
    assert next(iter(found(finding))) == "feet"
    assert finding.matches[0].confidence == 1
    assert finding.decision is Decision.ANSWER
    assert found(finding)["sleep"] == pytest.approx(confidence(1), abs=NEARLY)


def test_other_forms_replace_those_of_the_entries() -> None:
    held_out = build(forms=[FORMS["sleep"], FORMS["cold"][:1], FORMS["feet"]])
    finding = ask(held_out, "感冒多久痊愈")
    # 感冒 is all that is left: two of six characters against five.
    assert finding.matches[0].entry.id == "cold"
    assert finding.confidence == pytest.approx(confidence(2 / 30**0.5), abs=NEARLY)


def test_words_alone_find_what_has_no_vector() -> None:
    text = SEGMENTER.read("泡脚")
    nothing = np.zeros((1, len(CHARACTERS)), np.float32)
    (finding,) = build(check=verifier(lexical=10.0)).search([text], nothing)
    assert finding.matches[0].entry.id == "feet"


def test_questions_searched_together_are_found_as_alone(answerer: Answerer) -> None:
    raws = ["失眠原因", "股票代码", "", "感冒多久", "泡脚水温", "怎么办"]
    texts = [SEGMENTER.read(raw) for raw in raws]
    together = answerer.search(texts, ENCODER.encode(texts))
    assert [ask(answerer, raw) for raw in raws] == together
    assert answerer.search([], np.zeros((0, len(CHARACTERS)), np.float32)) == []
