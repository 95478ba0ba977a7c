"""The whole way of a message through the real models, where a rule must hold whatever they think."""

from __future__ import annotations

import pytest

from ragcomm.assembly import build_service
from ragcomm.corpora import load_entries
from ragcomm.records import Action, Label, Message, Visibility
from ragcomm.service import Service
from ragcomm.settings import Settings


@pytest.fixture(scope="module", params=["clinician", "any"])
def service(request: pytest.FixtureRequest) -> Service:
    settings = Settings()
    return build_service(settings.corpora, settings.models, review=request.param)


def test_whoever_tells_a_truth_that_sounds_strange_is_no_spreader_of_rumors(service: Service) -> None:
    claims = [e for e in load_entries(Settings().corpora / "claims/entries.jsonl") if e.verdict == "true"]
    assert len(claims) == 26
    forms = [form for claim in claims for form in claim.forms]
    for form, outcome in zip(forms, service.run([Message(text=form) for form in forms]), strict=True):
        assert Label.RUMOR not in outcome.verdict.flagged, form
        if not outcome.verdict.flagged:
            assert outcome.verdict.action is not Action.HOLD, form


def test_over_an_emergency_nothing_is_answered_but_help(service: Service) -> None:
    text = "我爸刚才突然嘴歪了，一边胳膊抬不起来，能不能喝点黄芪水"
    (outcome,) = service.run([Message(text=text)])
    assert Label.RISK in outcome.verdict.flagged
    assert outcome.answer is None
    assert outcome.reply is not None
    assert "120" in outcome.reply.text


def test_what_waits_for_a_person_is_never_posted_to_the_group(service: Service) -> None:
    entries = load_entries(Settings().corpora / "faq/entries.jsonl")
    outcomes = service.run([Message(text=entry.question) for entry in entries])
    for outcome in outcomes:
        if outcome.reply is not None and outcome.answer is not None and outcome.answer.for_moderators:
            assert outcome.reply.visibility is Visibility.MODERATORS
            assert outcome.verdict.action is not Action.ANSWER


@pytest.mark.parametrize("text", ["便秘怎么办", "拉不出来怎么办"])
def test_a_plain_question_with_a_vetted_answer_is_no_emergency(service: Service, text: str) -> None:
    (outcome,) = service.run([Message(text=text)])
    assert Label.RISK not in outcome.verdict.flagged
    assert outcome.verdict.action in (Action.ANSWER, Action.ALLOW)
    assert outcome.answer is not None


@pytest.mark.parametrize(
    "text", ["胸口像压着大石头，左胳膊也麻，怎么办", "孩子误食了一把降压药怎么办", "宝宝一个月发烧38度5怎么办"]
)
def test_a_question_about_a_danger_stays_an_emergency_whatever_the_entries_say(service: Service, text: str) -> None:
    (outcome,) = service.run([Message(text=text)])
    assert Label.RISK in outcome.verdict.flagged
    assert outcome.answer is None
    assert outcome.reply is not None
