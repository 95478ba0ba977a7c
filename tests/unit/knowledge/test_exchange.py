"""Entries survive every format, whatever they say, and what is wrong with a row is said where it is."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ragcomm.corpora import load_entries
from ragcomm.errors import InvalidInput
from ragcomm.knowledge.exchange import (
    Change,
    Diff,
    Reading,
    Rejected,
    compare,
    from_lines,
    from_row,
    stable_id,
    to_lines,
    to_row,
)
from ragcomm.knowledge.sheets import READERS, WRITERS, from_csv, from_xlsx, to_csv, to_xlsx
from ragcomm.records import Entry, Source
from ragcomm.settings import shipped_folder

TEA = Entry(
    id="faq.tea.rose",
    question="玫瑰花茶怎么喝？",
    answer="三五朵，热水泡。",
    forms=("玫瑰花茶怎么喝？", "玫瑰茶咋泡", "rose tea?"),
    category="diet",
    review_status="editorial",
    reviewed_on="2026-01-02",
    expires_on="2027-01-02",
    sources=(Source("《茶经》", "陆羽", 760), Source("a|b\\c\nd", "", -5)),
    audience=("adult",),
    seasons=("春", "夏"),
    tier="基础",
)

# Everything that may stand in a text: signs that start a formula, line ends, our own escapes.
words = st.text(
    st.one_of(
        st.sampled_from("=+-@\t\r\n'\\|,\"＝ rnp0"),
        st.characters(exclude_categories=("Cc", "Cs"), exclude_characters="\ufffe\uffff"),
    ),
    min_size=1,
    max_size=12,
).filter(str.strip)  # fmt: skip
maybe = st.one_of(st.just(""), words)
lists = st.lists(words, max_size=3).map(tuple)
sources = st.lists(st.builds(Source, words, maybe, st.integers(-9999, 9999)), max_size=2).map(tuple)


@st.composite
def entries(draw: st.DrawFn) -> Entry:
    question = draw(words)
    return Entry(
        id="faq." + draw(st.from_regex(r"[a-z0-9_]{1,8}", fullmatch=True)),
        question=question,
        answer=draw(words),
        forms=tuple(dict.fromkeys([question, *draw(lists)])),
        category=draw(words),
        review_status=draw(words),
        reviewed_on=draw(st.one_of(st.just(""), st.dates().map(str))),
        expires_on=draw(st.one_of(st.just(""), st.dates().map(str))),
        sources=draw(sources),
        audience=draw(lists),
        exclusions=draw(lists),
        constitutions=draw(lists),
        tier=draw(maybe),
        seasons=draw(lists),
        instead=draw(maybe),
    )


@pytest.mark.parametrize("form", ["jsonl", "csv", "xlsx"])
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(written=st.lists(entries(), max_size=3, unique_by=lambda e: e.id))
def test_what_is_written_is_read_back_exactly(form: str, written: list[Entry]) -> None:
    assert READERS[form]("faq", WRITERS[form](written)) == Reading(tuple(written), ())


@pytest.mark.parametrize("form", ["jsonl", "csv", "xlsx"])
@pytest.mark.parametrize("kind", ["faq", "claims"])
def test_the_shipped_entries_survive_every_format(form: str, kind: str) -> None:
    shipped = load_entries(shipped_folder("corpora") / kind / "entries.jsonl")
    assert READERS[form](kind, WRITERS[form](shipped)) == Reading(tuple(shipped), ())


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "＝", "'=", "''@"])
def test_no_cell_begins_like_a_formula_and_its_text_comes_back(start: str) -> None:
    risky = replace(TEA, answer=f"{start}cmd|'/c calc'!A1", forms=(TEA.question, f"{start}1+1"))
    rows = list(csv.reader(io.StringIO(to_csv([risky]).decode("utf-8-sig"), newline="")))
    cells = dict(zip(rows[0], rows[1], strict=True))
    assert [cells[name][0] in "=+-@\t\r＝" for name in ("answer", "alternates")] == [False, False]
    if start != "\r":
        assert cells["answer"] == f"'{start}cmd|'/c calc'!A1"
    assert from_csv("faq", to_csv([risky])).entries == (risky,)
    assert from_xlsx("faq", to_xlsx([risky])).entries == (risky,)


def test_an_honest_apostrophe_is_left_alone() -> None:
    assert b'"\'twas"' in to_csv([replace(TEA, answer="'twas")])
    assert from_csv("faq", to_csv([replace(TEA, answer="'twas")])).entries[0].answer == "'twas"


def test_a_workbook_holds_texts_and_no_formula() -> None:
    from openpyxl import load_workbook

    book = load_workbook(io.BytesIO(to_xlsx([replace(TEA, answer="=1+1", tier="#N/A")])))
    assert {cell.data_type for row in book.worksheets[0].iter_rows() for cell in row} <= {"s", "n", "inlineStr"}
    assert [c.value for c in book.worksheets[0]["E"]] == ["answer", "'=1+1"]


def test_a_sheet_made_by_hand_may_hold_days_numbers_and_fewer_columns() -> None:
    from datetime import datetime

    from openpyxl import Workbook

    book = Workbook()
    book.active.append(["question", "answer", "category", "reviewed_on", "tier", "sources", None])
    book.active.append(["几点睡？", "十一点前。", "symptom", datetime(2026, 3, 4), 2, "书|社|2020", None])
    book.active.append([None] * 7)
    out = io.BytesIO()
    book.save(out)
    (entry,) = from_xlsx("faq", out.getvalue()).entries
    assert (entry.id, entry.reviewed_on, entry.tier) == (stable_id("faq", "几点睡"), "2026-03-04", "2")
    assert entry.sources == (Source("书", "社", 2020),)
    assert (entry.review_status, entry.expires_on) == ("editorial", "")


def test_an_id_that_was_not_given_hangs_on_what_the_question_says() -> None:
    assert stable_id("faq", "几点 睡？") == stable_id("faq", "幾點睡")
    assert stable_id("faq", "几点睡") != stable_id("faq", "几点起")
    assert stable_id("claims", "？？").startswith("claim.new.")


def row(**changed: Any) -> dict[str, Any]:
    return {**to_row(TEA), "sources": [{"title": "书", "issuer": "社", "year": 2020}], **changed}


@pytest.mark.parametrize(
    ("changed", "seen"),
    [
        ({"anwser": "x"}, "the field 'anwser'"),
        ({"question": "  "}, "'question' empty"),
        ({"answer": 5}, "'answer' as int"),
        ({"answer": "a\x00b"}, "U+0000 in 'answer'"),
        ({"alternates": ["\ud800"]}, "U+D800 in 'alternates'"),
        ({"alternates": "玫瑰"}, "'alternates' as '玫瑰'"),
        ({"alternates": [" "]}, "'alternates' as"),
        ({"id": "claim.tea.rose"}, "the id 'claim.tea.rose'"),
        ({"id": "faq.Tea"}, "the id 'faq.Tea'"),
        ({"reviewed_on": "2026-13-01"}, "'reviewed_on' as '2026-13-01'"),
        ({"expires_on": "20270101"}, "'expires_on' as '20270101'"),
        ({"verdict": "false"}, "the verdict 'false'"),
        ({"sources": [{"title": "书"}]}, "sources as"),
        ({"sources": [{"title": "书", "issuer": "社", "year": "2020"}]}, "sources as"),
        ({"sources": 7}, "sources as"),
        ({"answer": "长" * 20_001}, "'answer' with 20001 characters"),
    ],
)
def test_a_row_that_is_no_entry_is_refused_with_what_was_seen(changed: dict[str, Any], seen: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        from_row("faq", row(**changed), "line 7")
    assert (refused.value.seen.startswith(seen), refused.value.where) == (True, "line 7")


def test_a_claim_needs_a_verdict() -> None:
    claim = row(id="claim.tea.rose")
    with pytest.raises(InvalidInput, match="expected one of false, misleading, unproven, true"):
        from_row("claims", claim, "line 1")
    assert from_row("claims", {**claim, "verdict": "true"}, "line 1").verdict == "true"


def test_bad_lines_are_rejected_where_they_are_and_the_good_ones_read() -> None:
    good = json.dumps(row()).encode()
    lines = [b"\xef\xbb\xbf" + good, b"", b"not json", b"[1]", b"\xff", good, json.dumps(row(id="x")).encode()]
    read = from_lines("faq", b"\n".join(lines))
    assert [e.id for e in read.entries] == ["faq.tea.rose"]
    # What is no row at all comes first, then what is no entry.
    assert [r.where for r in read.rejected] == ["line 3", "line 4", "line 5", "line 6", "line 7"]
    assert read.rejected[1] == Rejected("line 4", "saw list, expected an object")
    assert read.rejected[3].reason == "saw faq.tea.rose twice, expected each id once"


def test_rows_of_a_sheet_are_rejected_where_they_are() -> None:
    sheet = "id,question,answer,category,sources\nfaq.a,问,答,diet,书|社|二〇\nfaq.b,,答,diet,\nfaq.c,问,答,diet,,x\n"
    read = from_csv("faq", sheet.encode())
    assert read.entries == ()
    assert sorted((r.where, r.reason.split(",")[0]) for r in read.rejected) == [
        ("row 2", "saw the source '书|社|二〇'"),
        ("row 3", "saw 'question' empty"),
        ("row 4", "saw 6 cells"),
    ]


@pytest.mark.parametrize(
    ("form", "content"),
    [
        ("csv", b"\xff\xfe"),
        ("csv", b'id,question\n"open'),
        ("csv", "问题,答案\n".encode()),
        ("csv", b"id,id\n"),
        ("xlsx", b"no workbook"),
        ("xlsx", b"PK\x03\x04"),
    ],
)
def test_a_file_of_another_kind_is_refused(form: str, content: bytes) -> None:
    with pytest.raises(InvalidInput) as refused:
        READERS[form]("faq", content)
    assert refused.value.where == "file"


def test_a_workbook_that_unpacks_to_too_much_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ragcomm.knowledge.sheets._MOST_UNPACKED", 1000)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("xl/workbook.xml", b"0" * 5000)
    with pytest.raises(InvalidInput, match="5000 bytes unpacked"):
        from_xlsx("faq", out.getvalue())


def test_nothing_is_cut_to_fit_a_cell() -> None:
    long = replace(TEA, forms=(TEA.question, *(f"{i}" * 6000 for i in range(1, 7))))
    with pytest.raises(InvalidInput, match="with 36005 characters"):
        to_csv([long])
    assert from_lines("faq", to_lines([long])).entries == (long,)


def test_an_empty_file_holds_nothing() -> None:
    assert [READERS[form]("faq", b"") for form in ("jsonl", "csv")] == [Reading((), ())] * 2


def test_a_comparison_tells_what_would_be_added_changed_and_rejected() -> None:
    changed = replace(TEA, answer="两朵。", tier="")
    new = replace(TEA, id="faq.tea.new")
    same = replace(TEA, id="faq.tea.same")
    gone = replace(TEA, id="faq.tea.gone")
    rejected = (Rejected("line 9", "why"),)
    assert compare([TEA, same, gone], Reading((changed, new, same), rejected)) == Diff(
        added=("faq.tea.new",),
        changed=(
            Change("faq.tea.rose", "answer", "三五朵，热水泡。", "两朵。"),
            Change("faq.tea.rose", "tier", "基础", None),
        ),
        unchanged=("faq.tea.same",),
        rejected=rejected,
    )
