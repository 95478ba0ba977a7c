"""The judge's shelf: made ready aside, swapped in one step, swapped back, never half."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from typing import Any

from ragcomm.records import Decision, Entry, Finding, Match
from ragcomm_api.frames import unpack
from ragcomm_api.judging import answers
from ragcomm_api.shelf import Shelf, edition_of


class Answers:
    """A service that knows one answer to everything."""

    def __init__(self, answer: str) -> None:
        self.answer = answer

    def ask(self, text: str, *, limit: int = 3) -> Finding:
        if text == "bad":
            raise ValueError(text)
        found = Entry(
            id="faq.x",
            question=text,
            answer="same" if text == "same" else self.answer,
            forms=(text,),
            category="world",
            review_status="editorial",
            reviewed_on="",
            expires_on="",
        )
        return Finding(
            decision=Decision.ANSWER, confidence=1.0, reason="", matches=(Match(found, 1.0),), index_version=self.answer
        )

    def run(self, messages: Sequence[Any]) -> list[Any]:
        return []


def build(_served: Any, entries: Mapping[str, str]) -> tuple[Any, list[str]]:
    if entries["faq"] == "broken":
        raise ValueError("no entries")
    return Answers(entries["faq"]), ["faq.missed"] if entries["faq"] == "weak" else []


def shelf(make: Any = build) -> Shelf:
    return Shelf(Answers("old"), 0, make)  # type: ignore[arg-type]


def ask(on: Shelf, kind: str, **rest: Any) -> Any:
    return unpack(on.reply({"ask": kind, **rest}))[0]


def stage(on: Shelf, faq: str, token: str = "t") -> list[Any]:
    assert ask(on, "stage", token=token, entries={"faq": faq}) == []
    for _ in range(500):
        if (state := ask(on, "staged", token=token))[0] != "building":
            return list(state)
        time.sleep(0.01)
    raise AssertionError("never ready")


def test_what_is_staged_is_used_only_once_it_is_swapped_and_goes_back_at_once() -> None:
    on = shelf()
    assert stage(on, "new") == ["ready", [], ""]
    assert (on.service.ask("q").index_version, on.version) == ("old", 0)
    assert ask(on, "swap", version=1, token="t") == [True]
    assert (on.service.ask("q").index_version, on.version) == ("new", 1)
    for number, name in ((0, "old"), (1, "new"), (1, "new"), (0, "old")):
        assert ask(on, "swap", version=number, token=None) == [True]
        assert (on.service.ask("q").index_version, on.version) == (name, number)


def test_what_is_not_at_hand_is_not_swapped() -> None:
    on = shelf()
    assert ask(on, "swap", version=3, token=None) == [False]
    assert ask(on, "swap", version=3, token="unknown") == [False]
    assert ask(on, "staged", token="unknown") == ["gone", [], ""]
    assert (on.version, on.service.ask("q").index_version) == (0, "old")


def test_the_present_answers_while_the_next_is_made() -> None:
    gate = threading.Event()

    def slow(served: Any, entries: Mapping[str, str]) -> tuple[Any, list[str]]:
        gate.wait(10)
        return build(served, entries)

    on = shelf(slow)
    assert ask(on, "stage", token="t", entries={"faq": "new"}) == []
    assert ask(on, "staged", token="t") == ["building", [], ""]
    assert ask(on, "swap", version=1, token="t") == [False]
    assert "LookupError" in ask(on, "compare", token="t", texts=["q"])["error"]
    assert on.service.ask("q").index_version == "old"
    gate.set()


def test_what_its_golden_queries_miss_and_what_breaks_is_told() -> None:
    on = shelf()
    assert stage(on, "weak") == ["ready", ["faq.missed"], ""]
    assert stage(on, "broken") == ["failed", [], "ValueError: no entries"]
    assert ask(on, "swap", version=1, token="t") == [False]
    assert on.version == 0


def test_a_later_staging_takes_the_place_of_an_earlier_one() -> None:
    on = shelf()
    stage(on, "one", "a")
    stage(on, "two", "b")
    assert ask(on, "swap", version=1, token="a") == [False]
    assert ask(on, "swap", version=1, token="b") == [True]
    assert on.service.ask("q").index_version == "two"


def test_only_what_would_be_answered_differently_is_told() -> None:
    on = shelf()
    stage(on, "new")
    told = ask(on, "compare", token="t", texts=["same", "q"])
    assert told == [[1, ["answer", "faq.x", "old"], ["answer", "faq.x", "new"]]]
    assert ask(on, "compare", token="t", texts=["bad"]) == {"error": "ValueError"}


def test_questions_before_a_swap_get_the_old_and_those_behind_it_the_new() -> None:
    on = shelf()
    stage(on, "new")
    asked = [
        {"ask": "answers", "text": "q", "limit": 1},
        {"ask": "swap", "version": 1, "token": "t"},
        {"ask": "answers", "text": "q", "limit": 1},
    ]
    first, swapped, second = (unpack(reply) for reply in answers(on, asked))
    assert (b'"old"' in first[1][0], swapped[0], b'"new"' in second[1][0]) == (True, [True], True)


def test_an_edition_is_sent_as_lines() -> None:
    line = '{"id": "faq.a", "category": "c", "question": "q", "answer": "a"}\n'
    edition = edition_of(3, {"faq": line, "claims": ""})
    assert (edition.version, [e.id for e in edition.entries["faq"]], edition.entries["claims"]) == (3, ["faq.a"], ())
