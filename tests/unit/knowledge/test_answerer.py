"""Answer, confirm or abstain, in a world of three entries where every cosine is known by hand."""

from math import exp

import numpy as np
import pytest

from ragcomm.knowledge.answerer import Answerer, reviewed_by
from ragcomm.knowledge.calibration import EVIDENCE, Calibration
from ragcomm.records import Decision, Entry, Finding
from ragcomm.text.encode import StaticEncoder
from ragcomm.text.segment import Segmenter

# Words of two characters throughout: each character counts once, and a cosine is a matter of counting them.
FORMS = {
    "sleep": ("失眠怎么办", "夜里清醒"),
    "cold": ("感冒怎么办", "感冒多久痊愈"),
    "feet": ("泡脚水温",),
}
CHARACTERS = sorted({c for forms in FORMS.values() for form in forms for c in form} | set("原因"))
# Only the cosine counts: .5 is worth one half.
BY_COSINE = Calibration(1.0, (10.0, 0, 0, 0, 0, 0, 0), -5.0, 0.9, 0.45)


def entry(name: str, status: str = "editorial") -> Entry:
    return Entry(
        id=name,
        question=FORMS[name][0],
        answer=f"{name}!",
        forms=FORMS[name],
        category="world",
        review_status=status,
        reviewed_on="2026-01-01",
        expires_on="2027-01-01",
    )


ENTRIES = [entry("sleep"), entry("cold", "clinician"), entry("feet")]


def confidence(cosine: float) -> float:
    return 1 / (1 + exp(5 - 10 * cosine))


SEGMENTER = Segmenter(["泡脚"])
ENCODER = StaticEncoder({c: i for i, c in enumerate(CHARACTERS)}, np.eye(len(CHARACTERS), dtype=np.float16))


@pytest.fixture(scope="module")
def answerer() -> Answerer:
    return Answerer(ENTRIES, SEGMENTER, ENCODER, BY_COSINE, "world-1")


def ask(answerer: Answerer, raw: str, *, limit: int = 3) -> Finding:
    text = SEGMENTER.read(raw)
    return answerer.search([text], ENCODER.encode([text]), limit=limit)[0]


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


def test_confidences_are_the_calibrated_cosines_best_first(answerer: Answerer) -> None:
    # 失眠 is two of five characters of one form; the question has four, and no other form has any of them.
    finding = ask(answerer, "失眠原因")
    assert list(found(finding)) == ["sleep", "cold", "feet"]
    expected = [confidence(2 / 20**0.5), confidence(0), confidence(0)]
    assert list(found(finding).values()) == pytest.approx(expected, abs=1e-3)
    assert finding.confidence == finding.matches[0].confidence
    assert finding.decision is Decision.ABSTAIN
    # 怎么办 speaks for both: all its three characters in forms of five.
    shared = found(ask(answerer, "怎么办"))
    assert set(list(shared)[:2]) == {"sleep", "cold"}
    assert list(shared.values()) == pytest.approx([confidence(3 / 15**0.5)] * 2 + [confidence(0)], abs=1e-3)


def test_what_nothing_fits_is_met_with_silence_and_its_reason(answerer: Answerer) -> None:
    finding = ask(answerer, "股票代码")
    assert finding.decision is Decision.ABSTAIN
    assert finding.confidence == pytest.approx(confidence(0), abs=1e-3)
    assert finding.reason == "no vetted entry fits"


@pytest.mark.parametrize(
    ("answer_from", "confirm_from", "decision"),
    [
        (0.98, 0.97, Decision.ABSTAIN),
        (0.98, 0.96, Decision.CONFIRM),
        (0.98, 0.9693, Decision.CONFIRM),
        (0.9693, 0.96, Decision.ANSWER),
        (0.96, 0.1, Decision.ANSWER),
    ],
)
def test_the_cuts_decide(answer_from: float, confirm_from: float, decision: Decision) -> None:
    judge = Calibration(1.0, BY_COSINE.weights, -5.0, answer_from, confirm_from)
    finding = ask(Answerer(ENTRIES, SEGMENTER, ENCODER, judge, "1"), "失眠怎么办原因")
    # All five of the form's characters, and two more: 5 / √35 ≈ .845, by the logistic ≈ .969
    assert finding.confidence == pytest.approx(confidence(5 / 35**0.5), abs=1e-3)
    assert finding.decision is decision


def test_the_limit_cuts_the_matches_and_not_the_judgement(answerer: Answerer) -> None:
    whole, first = ask(answerer, "失眠怎么办原因"), ask(answerer, "失眠怎么办原因", limit=1)
    assert [match.entry.id for match in first.matches] == ["sleep"]
    assert first.matches[0] == whole.matches[0]
    assert first.decision is whole.decision


def test_confidence_never_rises_down_the_list() -> None:
    # This model likes what is not dense: the second entry would overtake the first.
    contrary = Calibration(1.0, (-10.0, 0, 0, 0, 0, 0, 0), 5.0, 0.9, 0.5)
    finding = ask(Answerer(ENTRIES, SEGMENTER, ENCODER, contrary, "1"), "失眠怎么办原因")
    assert list(found(finding)) == ["sleep", "cold", "feet"]
    assert list(found(finding).values()) == pytest.approx([1 - confidence(5 / 35**0.5)] * 3, abs=1e-3)


def test_an_exact_wording_comes_first_even_when_its_vector_does_not(answerer: Answerer) -> None:
    text, other = SEGMENTER.read("泡脚水温"), SEGMENTER.read("失眠怎么办")
    (finding,) = answerer.search([text], ENCODER.encode([other]))
    assert list(found(finding)) == ["feet", "sleep", "cold"]
    assert finding.matches[0].confidence == 1
    assert finding.decision is Decision.ANSWER
    assert finding.matches[1].confidence == pytest.approx(confidence(1), abs=1e-3)


def test_an_exact_wording_leaves_the_others_their_own_confidence(answerer: Answerer) -> None:
    finding = ask(answerer, "感冒多久痊愈")
    # No other entry has any of these characters.
    assert list(found(finding).values()) == pytest.approx([1, confidence(0), confidence(0)], abs=1e-3)


def test_other_forms_replace_those_of_the_entries() -> None:
    held_out = Answerer(
        ENTRIES, SEGMENTER, ENCODER, BY_COSINE, "1", forms=[FORMS["sleep"], FORMS["cold"][:1], FORMS["feet"]]
    )
    finding = ask(held_out, "感冒多久痊愈")
    # 感冒 is all that is left: two of six characters against five.
    assert finding.matches[0].entry.id == "cold"
    assert finding.confidence == pytest.approx(confidence(2 / 30**0.5), abs=1e-3)


def test_words_alone_find_what_has_no_vector(answerer: Answerer) -> None:
    by_words = Calibration(0.0, (10.0, 0, 0, 0, 0, 0, 0), -5.0, 0.9, 0.45)
    text = SEGMENTER.read("泡脚")
    nothing = np.zeros((1, len(CHARACTERS)), np.float32)
    (finding,) = Answerer(ENTRIES, SEGMENTER, ENCODER, by_words, "1").search([text], nothing)
    assert finding.matches[0].entry.id == "feet"
    assert finding.confidence > finding.matches[1].confidence


def test_the_evidence_tells_both_scores_of_each_entry(answerer: Answerer) -> None:
    text = SEGMENTER.read("失眠原因")
    ((places, rows),) = answerer.evidence([text], ENCODER.encode([text]))
    assert places == [0, 1, 2]
    by_name = dict(zip(EVIDENCE, rows.T.tolist(), strict=True))
    assert by_name["dense"] == pytest.approx([2 / 20**0.5, 0, 0], abs=1e-6)
    assert by_name["fused"] == by_name["dense"]
    assert by_name["lexical"][0] > 0
    assert by_name["lexical"][1:] == [0, 0]
    assert 0 < by_name["known"][0] < 1


def test_a_demand_on_the_review_turns_answers_into_choices(answerer: Answerer) -> None:
    editorial, clinician = ask(answerer, "夜里清醒"), ask(answerer, "感冒怎么办")
    assert reviewed_by(editorial, "any") is editorial
    assert reviewed_by(clinician, "clinician") is clinician
    demoted = reviewed_by(editorial, "clinician")
    assert demoted.decision is Decision.CONFIRM
    assert demoted.reason == "the entry is editorial, not reviewed by a clinician"
    assert demoted.matches == editorial.matches
    silent = ask(answerer, "股票代码")
    assert reviewed_by(silent, "clinician") is silent
