from __future__ import annotations

from dataclasses import replace

import pytest

from ragcomm.assembly import TextParts, build_encoder, build_moderator
from ragcomm.corpora import load_messages
from ragcomm.moderation.checks import CHECKS
from ragcomm.moderation.moderator import CLASSIFIER, Moderator
from ragcomm.moderation.policy import VERSION, rule
from ragcomm.records import HARMFUL, Label, Message, Stance, Verdict
from ragcomm.settings import Settings

ADVERTISEMENT = "祖传秘方三贴断根，无效退款，加微信：tcm88886，今天下单包邮"
RUMOR = "紧急扩散！喝这个水抗癌，癌细胞全死光，医院不告诉你，赶紧转给家人"
INSULT = "你就是个王八蛋，傻逼东西，给我滚"
GUILTY = [ADVERTISEMENT, RUMOR, INSULT, "他突然嘴歪说不出话，半边身子没劲"]


@pytest.fixture(scope="module")
def moderator(text_parts: TextParts) -> Moderator:
    models = Settings().models
    encoder, _ = build_encoder(models, text_parts.pipeline)
    return build_moderator(models, text_parts, encoder)


@pytest.fixture(scope="module")
def lines() -> list[Message]:
    """Three hundred labelled lines from all over the corpus, quotes included."""
    every = load_messages(Settings().corpora)
    step = len(every) // 300
    return [Message(id=m.id, text=m.text, quoted=m.quoted) for m in every[::step][:300]]


@pytest.fixture(scope="module")
def verdicts(moderator: Moderator, lines: list[Message]) -> list[Verdict]:
    return [reading.verdict for reading in moderator.judge(lines)]


def judge(moderator: Moderator, text: str, quoted: str | None = None) -> Verdict:
    return moderator.judge([Message(text=text, quoted=quoted)])[0].verdict


def test_the_sample_is_large_and_of_every_kind(lines: list[Message], verdicts: list[Verdict]) -> None:
    assert len(lines) == 300
    assert {label for v in verdicts for label in v.flagged} == set(Label)


def test_every_check_was_asked_and_is_named_in_every_verdict(verdicts: list[Verdict]) -> None:
    assert {v.checks for v in verdicts} == {(*CHECKS, CLASSIFIER)}


def test_every_signal_points_into_the_raw_text(lines: list[Message], verdicts: list[Verdict]) -> None:
    signals = [(m.text, s) for m, v in zip(lines, verdicts, strict=True) for s in v.signals]
    assert [s for raw, s in signals if raw[s.start : s.end] != s.text or not s.text] == []
    # Enough of them, and of enough checks, to mean something.
    assert len({s.check for _, s in signals}) > 30


def test_a_signal_tells_the_label_and_reason_of_its_check(verdicts: list[Verdict]) -> None:
    signals = [s for v in verdicts for s in v.signals if s.check != CLASSIFIER]
    assert {(s.check, s.label, s.why) for s in signals} <= {(c.name, c.label, c.why) for c in CHECKS.values()}


def test_a_span_of_the_models_is_given_only_for_a_flagged_harm_or_danger(verdicts: list[Verdict]) -> None:
    for verdict in verdicts:
        told = [s.label for s in verdict.signals if s.check == CLASSIFIER]
        assert set(told) <= set(verdict.flagged) & (HARMFUL | {Label.RISK})
        assert len(told) == len(set(told))


def test_a_disguised_word_is_shown_as_it_was_written(moderator: Moderator) -> None:
    raw = "想调理的加\u200b微\u200b信：ｔｃｍ８８８８６ 详聊"
    [handle] = [s for s in judge(moderator, raw).signals if s.check == "contact_handle"]
    assert (handle.text, handle.start, handle.end) == ("微\u200b信：ｔｃｍ８８８８６", 6, 18)


@pytest.mark.parametrize("size", [1, 7, 300])
def test_a_verdict_does_not_depend_on_the_batch(
    moderator: Moderator, lines: list[Message], verdicts: list[Verdict], size: int
) -> None:
    batches = [lines[i : i + size] for i in range(0, len(lines), size)]
    assert [r.verdict for batch in batches for r in moderator.judge(batch)] == verdicts


def test_a_verdict_does_not_depend_on_the_order(
    moderator: Moderator, lines: list[Message], verdicts: list[Verdict]
) -> None:
    assert [r.verdict for r in moderator.judge(lines[::-1])] == verdicts[::-1]


def test_without_explanation_only_the_signals_are_missing(
    moderator: Moderator, lines: list[Message], verdicts: list[Verdict]
) -> None:
    brief = [r.verdict for r in moderator.judge(lines, explain=False)]
    assert brief == [replace(v, signals=()) for v in verdicts]


def test_nothing_in_nothing_out(moderator: Moderator) -> None:
    assert moderator.judge([]) == []


def test_actions_follow_from_the_flags_and_flags_from_probabilities(verdicts: list[Verdict]) -> None:
    for verdict in verdicts:
        ruling = rule(verdict.flagged)
        assert (verdict.action, verdict.member_action) == (ruling.action, ruling.member_action)
        assert all(0 <= verdict.labels[label] <= 1 for label in Label)
        assert verdict.policy_version == VERSION
        assert verdict.model_version.startswith("moderation-")


def test_a_label_is_flagged_in_every_verdict_from_the_same_probability_on(verdicts: list[Verdict]) -> None:
    for label in Label:
        flagged = [v.labels[label] for v in verdicts if label in v.flagged]
        others = [v.labels[label] for v in verdicts if label not in v.flagged]
        assert min(flagged) > max(others)


@pytest.mark.parametrize(("text", "label"), [(ADVERTISEMENT, Label.SPAM), (RUMOR, Label.RUMOR), (INSULT, Label.ABUSE)])
def test_a_blatant_line_is_flagged(moderator: Moderator, text: str, label: Label) -> None:
    assert label in judge(moderator, text).flagged


@pytest.mark.parametrize("text", ["早上好", "谢谢老师", "艾灸一周做几次合适？", ""])
@pytest.mark.parametrize("quoted", GUILTY)
def test_quoted_text_never_makes_the_author_guilty(moderator: Moderator, text: str, quoted: str) -> None:
    assert HARMFUL & set(judge(moderator, text, quoted).flagged) == set()


@pytest.mark.parametrize("text", ["早上好", "艾灸一周做几次合适？", *GUILTY])
def test_what_is_quoted_changes_no_probability_and_no_signal(moderator: Moderator, text: str) -> None:
    quotes = ["今天天气真好", *GUILTY]
    first, *others = [judge(moderator, text, quoted) for quoted in quotes]
    for other in others:
        assert (other.labels, other.flagged, other.signals) == (first.labels, first.flagged, first.signals)


def test_an_own_text_without_a_stance_passes_a_quoted_rumor_on(moderator: Moderator) -> None:
    assert judge(moderator, "早上好").stance is None
    assert judge(moderator, "早上好", "今天天气真好").stance is None
    assert judge(moderator, "早上好", RUMOR).stance is Stance.QUOTE


def test_who_is_flagged_for_rumor_asserts_it(verdicts: list[Verdict]) -> None:
    assert {v.stance for v in verdicts if Label.RUMOR in v.flagged} == {Stance.ASSERT}


@pytest.mark.parametrize("text", ["", " ", "\u200b", "\ud800", "🙏", "a" * 20_000, "加微信" * 5_000])
def test_any_text_gets_a_verdict(moderator: Moderator, text: str) -> None:
    verdict = judge(moderator, text)
    assert set(verdict.labels) == set(Label)
    assert [s for s in verdict.signals if text[s.start : s.end] != s.text] == []


@pytest.mark.parametrize(
    "text", ["不想活了，谢谢大家", "写好遗书了，你们保重", "活着没意思，想一了百了", "我先睡了大家保重", "今天天气真好"]
)
def test_danger_is_never_less_likely_than_self_harm(text_parts: TextParts, text: str) -> None:
    models = Settings().models
    encoder, _ = build_encoder(models, text_parts.pipeline)
    classifier = build_moderator(models, text_parts, encoder)._classifier
    read = text_parts.segmenter.read(text)
    (judged,) = classifier.judge([read], [text_parts.checks.find(read)], encoder.encode([read]), [False])
    assert judged.labels[Label.RISK] >= judged.self_harm


@pytest.mark.parametrize(
    ("text", "in_danger"),
    [
        ("不想活了，谢谢大家", True),
        ("写好遗书了，你们保重", True),
        ("我先睡了大家保重", False),
        ("饿死了快吃饭", False),
    ],
)
def test_a_farewell_for_good_is_told_from_a_good_night(moderator: Moderator, text: str, in_danger: bool) -> None:
    (reading,) = moderator.judge([Message(text=text)])
    assert (Label.RISK in reading.verdict.flagged) == in_danger
    assert reading.self_harm == in_danger
