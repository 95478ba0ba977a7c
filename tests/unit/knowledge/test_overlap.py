"""What a text is read as, and what an index knows of it."""

from __future__ import annotations

from math import log

import numpy as np
import pytest

from ragcomm.knowledge.overlap import KINDS, Overlap, Reader, kind_of
from ragcomm.records import Text
from ragcomm.text.segment import Segmenter

SEGMENTER = Segmenter(["睡不着", "艾灸"])
READER = Reader(
    {"失眠": "symptom", "艾灸": "therapy", "茶": "food", "本草": "book"},
    {"睡不着": "失眠"},
    {"孕妇": ("person", "pregnant"), "怀孕": ("person", "pregnant"), "怎么": ("action", "how")},
    frozenset({"怎么", "的"}),
)


def marks(raw: str) -> set[str]:
    return set(READER.marks(SEGMENTER.read(raw)))


def text(raw: str) -> Text:
    return SEGMENTER.read(raw)


def test_a_text_is_read_as_pairs_words_terms_and_slots() -> None:
    assert marks("孕妇怎么艾灸") == {
        *("孕妇", "妇怎", "怎么", "么艾", "艾灸"),
        "word:孕妇",
        "therapy:艾灸",
        "person:pregnant",
        "action:how",
    }


def test_synonyms_are_one_word_and_words_of_a_slot_one_value() -> None:
    assert marks("失眠") & marks("睡不着") == {"symptom:失眠"}
    assert {m for m in marks("孕妇") if ":" in m} & {m for m in marks("怀孕") if ":" in m} == {"person:pregnant"}


def test_signs_stop_words_and_single_characters_of_the_domain_are_no_terms() -> None:
    assert marks("的！茶") == {"的!", "!茶", "word:茶"}
    assert marks("") == set()
    # A term of another kind than those that are compared is a word.
    assert "word:本草" in marks("本草")


@pytest.mark.parametrize(
    ("mark", "kind"), [("失眠", "pair"), ("word:失眠", "word"), ("a:", "pair"), ("food:茶", "food")]
)
def test_a_mark_tells_its_kind(mark: str, kind: str) -> None:
    assert KINDS[kind_of(mark)] == kind


@pytest.fixture
def overlap() -> Overlap:
    forms = [[text("失眠怎么办"), text("失眠")], [text("孕妇艾灸")]]
    return Overlap(READER, zip(forms, [text("艾灸"), text("怀孕")], strict=True))


def number(overlap: Overlap, mark: str) -> int:
    return overlap.marks.index(mark)


def test_an_entry_knows_in_how_many_wordings_a_mark_stands_and_whether_its_answer_has_it(overlap: Overlap) -> None:
    asked = [("失眠", 0), ("失眠", 1), ("therapy:艾灸", 0), ("therapy:艾灸", 1), ("person:pregnant", 1)]
    count, answered = overlap.look_up(
        np.array([number(overlap, mark) for mark, _ in asked]), np.array([entry for _, entry in asked])
    )
    assert count.tolist() == [2, 0, 0, 1, 1]
    assert answered.tolist() == [False, False, True, False, True]


def test_what_no_entry_has_goes_by_its_kind(overlap: Overlap) -> None:
    read = overlap.read([text("茶"), text("失眠")])
    unknown = len(overlap.marks)
    assert read.ids[: read.starts[1]].tolist() == [unknown + KINDS.index("word")]
    count, answered = overlap.look_up(read.ids[: read.starts[1]], np.array([0]))
    assert (count.tolist(), answered.tolist()) == ([0], [False])
    assert overlap.idf[unknown] == pytest.approx(log(3) + 0.2)
    assert overlap.kinds[unknown + 1] == 1


def test_the_core_is_what_many_wordings_share(overlap: Overlap) -> None:
    # Said once is not enough, however few wordings there are; pairs of characters never count.
    cores = [
        {overlap.marks[i] for i in overlap.cores.ids[start:end]}
        for start, end in zip(overlap.cores.starts, overlap.cores.starts[1:], strict=False)
    ]
    assert "symptom:失眠" in cores[0]
    assert all(kind_of(mark) for core in cores for mark in core)


def test_a_part_is_what_would_have_been_read_alone(overlap: Overlap) -> None:
    raws = ["失眠", "孕妇艾灸", "", "怎么"]
    whole = overlap.read([text(raw) for raw in raws])
    alone = overlap.read([text(raw) for raw in raws[1:3]])
    part = whole.part(slice(1, 3))
    assert part.starts.tolist() == alone.starts.tolist()
    assert part.ids.tolist() == alone.ids.tolist()
