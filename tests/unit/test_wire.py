"""What a stored response says about its question, and how a reply is taken out of one."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from ragcomm.knowledge.manners import Reason, Withheld
from ragcomm.records import Decision, Message, Silence
from ragcomm_api.wire import outcome_document, silence, without_reply

NEAREST = {"entry_id": "faq.a", "confidence": 0.3}
REPLY = {"text": "…", "visibility": "moderators"}


def response(decision: str | None, *, matches: tuple[Any, ...] = (NEAREST,), **more: Any) -> bytes:
    answer = decision and {"decision": decision, "matches": matches}
    return orjson.dumps({"answer": answer, "debunk": None, "reply": None, **more})


@pytest.mark.parametrize("decision", ["abstain", "confirm"])
def test_a_question_without_an_answer_is_a_silence_with_the_nearest_entry(decision: str) -> None:
    assert silence(response(decision)) == Silence(Decision(decision), "faq.a", 0.3)
    assert silence(response(decision, matches=())) == Silence(Decision(decision), None, 0.0)


@pytest.mark.parametrize(
    "stored",
    [
        response(None),
        response("answer"),
        # Proposed to the moderators, or answered by a debunk.
        response("confirm", reply=REPLY),
        # The debunk that answers it was kept back.
        response("abstain", withheld={"reason": "cooldown"}),
    ],
)
def test_whatever_was_answered_proposed_or_kept_back_is_no_silence(stored: bytes) -> None:
    assert silence(stored) is None


def test_a_message_cannot_pretend_not_to_have_been_searched() -> None:
    words = 'x "answer":null y'
    document = orjson.loads(response("abstain")) | {"message": {"text": words}}
    assert silence(orjson.dumps(document)) is not None


def test_only_the_action_is_changed_where_a_reply_is_withheld_not_a_word_of_a_member() -> None:
    words = '"action":"answer"'
    judgement = orjson.dumps({"verdict": {"signals": [{"text": words}], "action": "answer"}, "answer": None})
    changed = orjson.loads(without_reply(judgement, "answer"))
    assert changed["verdict"] == {"signals": [{"text": words}], "action": "allow"}


def test_a_document_names_the_message_the_reply_belongs_under() -> None:
    message = Message(text="问", id='m"1', group_id="g1")
    withheld = Withheld(Reason.COOLDOWN, "faq.a", "m0")
    answered = orjson.loads(outcome_document(message, b'{"answer":1}', b'{"text":"t"}', None, "r1"))
    assert (answered["reply"], answered["withheld"], answered["review_id"]) == (
        {"reply_to": 'm"1', "text": "t"},
        None,
        "r1",
    )
    kept = orjson.loads(outcome_document(message, b'{"answer":1}', None, withheld, None))
    assert (kept["reply"], kept["answer"], kept["review_id"]) == (None, 1, None)
    assert kept["withheld"] == {"reason": "cooldown", "entry_id": "faq.a", "message_id": "m0"}
