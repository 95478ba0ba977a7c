"""One message in, a verdict out: checks, models and policy in order, batches in one stroke."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ragcomm.moderation.checks import CHECKS, CheckBook, Evidence
from ragcomm.moderation.classifier import SELF_HARM, Classifier, Judgement
from ragcomm.moderation.policy import VERSION as POLICY_VERSION
from ragcomm.moderation.policy import flag, rule
from ragcomm.moderation.stance import read_stance
from ragcomm.records import HARMFUL, Label, Message, Signal, Text, Verdict
from ragcomm.text.encode import StaticEncoder, Vectors
from ragcomm.text.segment import Segmenter

# Signals weaker than this say nothing a moderator would want to read.
_FAINT = 0.05
CLASSIFIER = "classifier"
# Checks that speak of danger, apart from those that speak of time or in jest.
_DANGER = frozenset(
    name
    for name, check in CHECKS.items()
    if check.label is Label.RISK and name not in ("now", "past_or_hypothetical", "hyperbole")
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A judged message with what later rooms need of it: its text, its vector, the danger to its author.

    `danger_sign` says that a check found a sign of danger, besides what the model thinks.
    """

    text: Text
    vector: Vectors
    verdict: Verdict
    self_harm: bool
    danger_sign: bool


class Moderator:
    """Judges messages; holds no memory of them."""

    def __init__(
        self,
        segmenter: Segmenter,
        encoder: StaticEncoder,
        checks: CheckBook,
        classifier: Classifier,
        thresholds: Mapping[str, float],
        model_version: str,
    ) -> None:
        self._segmenter = segmenter
        self._encoder = encoder
        self._checks = checks
        self._classifier = classifier
        self._thresholds = {label: float(thresholds[label]) for label in Label}
        self._self_harm = float(thresholds[SELF_HARM])
        self._version = model_version
        self.checks = (*checks.names, CLASSIFIER)

    def judge(self, messages: Sequence[Message], *, explain: bool = True) -> list[Reading]:
        """Judges each message by its own text; a quoted text is context and never guilt.

        Every check and model runs either way; without `explain` the verdicts carry no signals.
        """
        texts = [self._segmenter.read(m.text) for m in messages]
        found = [self._checks.find(text) for text in texts]
        vectors = self._encoder.encode(texts)
        quoted = [bool(m.quoted) for m in messages]
        judged = self._classifier.judge(texts, found, vectors, quoted)
        rumors = self._quoted_rumors(messages)
        return [
            Reading(
                text=texts[i],
                vector=vectors[i],
                verdict=self._verdict(texts[i], found[i], judged[i], rumors.get(i), explain=explain),
                self_harm=judged[i].self_harm >= self._self_harm,
                danger_sign=any(e.check in _DANGER for e in found[i]),
            )
            for i in range(len(messages))
        ]

    def _quoted_rumors(self, messages: Sequence[Message]) -> dict[int, float]:
        """How likely the text each message quotes is a rumor."""
        places = [i for i, m in enumerate(messages) if m.quoted]
        if not places:
            return {}
        texts = [self._segmenter.read(messages[i].quoted or "") for i in places]
        found = [self._checks.find(text) for text in texts]
        judged = self._classifier.judge(texts, found, self._encoder.encode(texts), [False] * len(texts))
        return {i: j.labels[Label.RUMOR] for i, j in zip(places, judged, strict=True)}

    def _verdict(
        self,
        text: Text,
        found: Sequence[Evidence],
        judged: Judgement,
        quoted_rumor: float | None,
        *,
        explain: bool,
    ) -> Verdict:
        ruling = rule(flag(judged.labels, self._thresholds))
        return Verdict(
            labels=judged.labels,
            flagged=ruling.flagged,
            stance=read_stance(judged.stances, ruling.flagged, quoted_rumor=quoted_rumor),
            action=ruling.action,
            member_action=ruling.member_action,
            signals=(*self._signals(text, found), *self._spans(text, ruling.flagged)) if explain else (),
            checks=self.checks,
            policy_version=POLICY_VERSION,
            model_version=self._version,
        )

    def _signals(self, text: Text, found: Sequence[Evidence]) -> list[Signal]:
        times = Counter(e.check for e in found)
        signals = []
        for evidence in found:
            check = CHECKS[evidence.check]
            weight = self._classifier.check_weight(check.name, check.label, times=times[check.name])
            if abs(weight) >= _FAINT:
                signals.append(self._signal(text, check.name, check.label, weight, evidence, check.why))
        return signals

    def _spans(self, text: Text, flagged: Sequence[Label]) -> list[Signal]:
        """Where the words are that made the models flag a harmful or dangerous message."""
        signals = []
        for label in flagged:
            if label not in HARMFUL and label is not Label.RISK:
                continue
            stretch = self._classifier.telling_span(text, label)
            if stretch is not None:
                start, end, weight = stretch
                evidence = Evidence(CLASSIFIER, start, end)
                why = f"the words that speak most for {label}"
                signals.append(self._signal(text, CLASSIFIER, label, weight, evidence, why))
        return signals

    @staticmethod
    def _signal(text: Text, check: str, label: Label, weight: float, evidence: Evidence, why: str) -> Signal:
        start, end = text.span(evidence.start, evidence.end)
        return Signal(check, label, round(weight, 3), start, end, text.raw[start:end], why)
