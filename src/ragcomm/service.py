"""The spine: what happens to one message, in order. It only calls the rooms."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ragcomm.knowledge.answerer import Answerer
from ragcomm.knowledge.corrections import posted_text, text_sha256
from ragcomm.knowledge.gaps import Described, describe
from ragcomm.knowledge.gate import Gate
from ragcomm.knowledge.overlap import Reader
from ragcomm.moderation.moderator import Moderator, Reading
from ragcomm.records import (
    HARMFUL,
    Action,
    Decision,
    Entry,
    Finding,
    Label,
    Message,
    Outcome,
    Reply,
    Stance,
    Verdict,
    Visibility,
)
from ragcomm.text.encode import StaticEncoder
from ragcomm.text.segment import Segmenter

# What an operator has to fill in before an answer about the community's own rules may be posted.
_VARIABLE = re.compile(r"\{\w+\}")
ASSISTANT = "【智能助手】"
PROPOSAL = "【待确认】"
# A message is flagged as risk long before danger is likely; below this, a vetted answer to the very question calms it.
_FAINT_BELOW = 0.5
DISCLAIMER = "以上为健康科普，不构成诊断或治疗建议；如有不适请及时就医，紧急情况拨打120。"
EMERGENCY = (
    "听起来可能是急症，请不要等待：现在就拨打120，说清地址和症状，让病人侧卧、保持呼吸通畅，"
    "不要喂水喂药，也不要放血拍打；若是误食中毒，把包装带去医院。管理员已收到提醒。"
)
SELF_HARM = (
    "谢谢你愿意说出来，你现在一定很难受。请先别一个人待着，找一位信任的人陪在身边；"
    "全国心理援助热线12356可以随时打，如果已经伤到自己或吃了药，请马上拨打120。我们的管理员会尽快私下联系你。"
)


@dataclass(frozen=True, slots=True)
class Judged:
    """A reading that still waits for what knowledge has to say."""

    message: Message
    reading: Reading


class Service:
    """Judges messages and finds what to answer; remembers nothing."""

    def __init__(
        self,
        moderator: Moderator,
        answers: Answerer,
        debunks: Answerer,
        gate: Gate,
        segmenter: Segmenter,
        encoder: StaticEncoder,
        reader: Reader,
    ) -> None:
        self._moderator = moderator
        self._answers = answers
        self._debunks = debunks
        self._gate = gate
        self._segmenter = segmenter
        self._encoder = encoder
        self._reader = reader

    def with_answerers(self, answers: Answerer, debunks: Answerer) -> Service:
        """The same service over other entries; this one stays as it is."""
        return Service(self._moderator, answers, debunks, self._gate, self._segmenter, self._encoder, self._reader)

    def judge(self, messages: Sequence[Message], *, explain: bool = True) -> list[Judged]:
        """The verdicts alone, in order; cheap enough for an event loop when they are few."""
        readings = self._moderator.judge(messages, explain=explain)
        return [Judged(m, r) for m, r in zip(messages, readings, strict=True)]

    @staticmethod
    def needs_search(judged: Judged) -> bool:
        """Whether knowledge is asked: for a harmless question, and for a health claim of any stance."""
        verdict = judged.reading.verdict
        if Label.RISK in verdict.flagged and Label.RUMOR not in verdict.flagged:
            return _is_faint(judged.reading)
        return _is_open_question(verdict) or _carries_claim(verdict)

    def complete(self, judged: Sequence[Judged]) -> list[Outcome]:
        """Adds answer, debunk and reply to verdicts; never answers over an emergency."""
        searched = [j for j in judged if self.needs_search(j)]
        answers = self._found(self._answers, [j for j in searched if _is_open_question(j.reading.verdict)])
        debunks = self._found(self._debunks, [j for j in searched if _carries_claim(j.reading.verdict)])
        return [_outcome(_calmed(j, answers.get(id(j))), answers.get(id(j)), debunks.get(id(j))) for j in judged]

    def _found(self, answerer: Answerer, judged: Sequence[Judged]) -> dict[int, Finding]:
        """The finding for each, by the identity of the judged."""
        if not judged:
            return {}
        vectors = np.stack([j.reading.vector for j in judged])
        texts = [j.reading.text for j in judged]
        findings = map(self._gate.release, texts, answerer.search(texts, vectors))
        return dict(zip(map(id, judged), findings, strict=True))

    def run(self, messages: Sequence[Message], *, explain: bool = True) -> list[Outcome]:
        """Verdict, answer, debunk and reply of each message, in order; signals only to explain."""
        return self.complete(self.judge(messages, explain=explain))

    def sizes(self) -> dict[str, int]:
        """How many entries can be found: answers and debunks."""
        return {"answers": len(self._answers.entries), "debunks": len(self._debunks.entries)}

    @property
    def answerers(self) -> tuple[Answerer, Answerer]:
        """What searches the answers and the debunks."""
        return self._answers, self._debunks

    def ask(self, question: str, *, limit: int = 3) -> Finding:
        """Searches the FAQ for a text, whatever the text is."""
        return self._search(self._answers, question, limit)

    def debunk(self, claim: str, *, limit: int = 3) -> Finding:
        """Searches the claims for a text, whatever the text is."""
        return self._search(self._debunks, claim, limit)

    def describe(self, questions: Sequence[str]) -> Described:
        """What questions are compared by when unanswered ones are gathered."""
        return describe(questions, self._segmenter, self._reader, self._encoder)

    def entry(self, entry_id: str) -> Entry | None:
        """The entry that is served under this id now, an answer or a debunk."""
        entries = (*self._answers.entries, *self._debunks.entries)
        return next((entry for entry in entries if entry.id == entry_id), None)

    def _search(self, answerer: Answerer, raw: str, limit: int) -> Finding:
        text = self._segmenter.read(raw)
        return self._gate.release(text, answerer.search([text], self._encoder.encode([text]), limit=limit)[0])


def _outcome(judged: Judged, answer: Finding | None, debunk: Finding | None) -> Outcome:
    if Label.RISK in judged.reading.verdict.flagged and Label.RUMOR not in judged.reading.verdict.flagged:
        answer = debunk = None
    verdict = _with_knowledge(judged.reading.verdict, answer, debunk)
    return Outcome(
        message=judged.message,
        verdict=verdict,
        answer=answer,
        debunk=debunk,
        reply=_reply(verdict, answer, debunk, self_harm=judged.reading.self_harm),
    )


def _calmed(judged: Judged, answer: Finding | None) -> Judged:
    """A faint suspicion goes where one vetted entry, which says when to see a doctor, answers the question."""
    reading = judged.reading
    sure = answer is not None and (answer.decision is Decision.ANSWER or answer.for_moderators)
    if not sure or not _is_faint(reading):
        return judged
    verdict = replace(reading.verdict, flagged=(Label.QUESTION,), action=Action.ALLOW)
    return Judged(judged.message, replace(reading, verdict=verdict))


def _is_faint(reading: Reading) -> bool:
    """Whether danger is only suspected in what may be a plain question (“便秘怎么办”): no check saw a sign of it."""
    verdict = reading.verdict
    unlikely = verdict.labels[Label.RISK] < _FAINT_BELOW and not reading.self_harm and not reading.danger_sign
    return unlikely and verdict.flagged == (Label.QUESTION, Label.RISK)


def _is_open_question(verdict: Verdict) -> bool:
    return Label.QUESTION in verdict.flagged and not HARMFUL & set(verdict.flagged)


def _carries_claim(verdict: Verdict) -> bool:
    return Label.RUMOR in verdict.flagged or verdict.stance in (Stance.ASSERT, Stance.ASK)


def _with_knowledge(verdict: Verdict, answer: Finding | None, debunk: Finding | None) -> Verdict:
    """The action that knowledge changes: a found answer, a known claim that is true or unproven."""
    if debunk is not None and (debunk.decision is Decision.ANSWER or debunk.for_moderators):
        known = debunk.matches[0].entry.verdict
        if Label.RUMOR in verdict.flagged and known in ("true", "unproven"):
            flagged = verdict.flagged
            if known == "true":
                flagged = tuple(label for label in flagged if label is not Label.RUMOR)
            if not set(flagged) & (HARMFUL - {Label.RUMOR} | {Label.RISK}):
                # Who is right is not held, even where the note has to wait for a person.
                return replace(verdict, flagged=flagged, action=Action.ALLOW if debunk.for_moderators else Action.NOTE)
            return replace(verdict, flagged=flagged)
        if verdict.action is Action.ALLOW and not debunk.for_moderators:
            asked = verdict.stance is Stance.ASK
            return replace(verdict, action=Action.ANSWER if asked else Action.NOTE)
    if _can_be_posted(answer) and verdict.action is Action.ALLOW:
        return replace(verdict, action=Action.ANSWER)
    return verdict


def _reply(verdict: Verdict, answer: Finding | None, debunk: Finding | None, *, self_harm: bool) -> Reply | None:
    if Label.RISK in verdict.flagged:
        # Self-harm is never spoken of in the group.
        if self_harm:
            return _fixed(SELF_HARM, Visibility.PRIVATE, "help.self_harm")
        return _fixed(EMERGENCY, Visibility.GROUP, "help.emergency")
    found = [finding for finding in (debunk, answer) if finding is not None]
    for finding in found:
        if _can_be_posted(finding):
            return _answered(finding, ASSISTANT, Visibility.GROUP)
    for finding in found:
        if finding.for_moderators:
            return _answered(finding, f"{PROPOSAL}（{finding.reason}）", Visibility.MODERATORS)
    return None


def _answered(finding: Finding, heading: str, visibility: Visibility) -> Reply:
    entry = finding.matches[0].entry
    text = posted_text(entry)
    return Reply(
        text=f"{heading}{text}\n{DISCLAIMER}",
        visibility=visibility,
        content_id=entry.id,
        review_status=entry.review_status,
        text_sha256=text_sha256(text),
    )


def _can_be_posted(finding: Finding | None) -> bool:
    """Whether a found entry is sure enough, and complete: `{checkin_points}` waits for the operator's number."""
    if finding is None or finding.decision is not Decision.ANSWER:
        return False
    return not _VARIABLE.search(finding.matches[0].entry.answer)


def _fixed(text: str, visibility: Visibility, content_id: str) -> Reply:
    return Reply(
        text=ASSISTANT + text,
        visibility=visibility,
        content_id=content_id,
        review_status="editorial",
    )
