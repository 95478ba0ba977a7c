"""Every line is used or refused with its place, and splits stay where they are."""

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ragcomm.corpora import (
    CUE_FILES,
    LabelledMessage,
    NearMiss,
    Question,
    StanceLine,
    Synonyms,
    form_split,
    hash_share,
    is_test_message,
    load_cues,
    load_entries,
    load_messages,
    load_near_misses,
    load_questions,
    load_slots,
    load_stances,
    load_stop_words,
    load_synonyms,
    load_terms,
    load_variants,
    question_split,
)
from ragcomm.errors import CorpusError
from ragcomm.records import Label, Source, Stance
from ragcomm.settings import shipped_folder

MESSAGE = {"id": "m1", "text": "加微信买药", "labels": ["spam"], "kind": "ad"}
ENTRY = {
    "id": "faq.a",
    "question": "失眠怎么办",
    "answer": "早睡。",
    "category": "sleep",
    "review_status": "editorial",
    "reviewed_on": "2026-01-01",
    "expires_on": "2027-01-01",
}
PLACES = {
    "messages": "moderation/messages.jsonl",
    "entries": "faq/entries.jsonl",
    "near_misses": "faq/near_misses.jsonl",
    "questions": "faq/questions.jsonl",
    "terms": "lexicon/terms.jsonl",
    "cues": "lexicon/cues.jsonl",
    "variants": "lexicon/variants.jsonl",
    "slots": "lexicon/slots.jsonl",
}
LOAD: dict[str, Callable[[Path], Any]] = {
    "messages": load_messages,
    "entries": lambda corpora: load_entries(corpora / PLACES["entries"]),
    "near_misses": load_near_misses,
    "questions": load_questions,
    "terms": load_terms,
    "cues": load_cues,
    "variants": load_variants,
    "slots": load_slots,
}


def write(corpora: Path, what: str, *rows: object) -> Path:
    path = corpora / PLACES[what]
    path.parent.mkdir(parents=True, exist_ok=True)
    if what == "cues":
        for name in CUE_FILES[1:]:
            (corpora / name).touch()
    lines = [row if isinstance(row, str) else json.dumps(row, ensure_ascii=False) for row in rows]
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return corpora


def test_a_message_is_read_whole(tmp_path: Path) -> None:
    row = {**MESSAGE, "labels": ["spam", "rumor"], "stance": "assert", "quoted": "上文", "hard": True}
    row |= {"disguised": True, "spans": [[0, 3], [3, 5]]}
    assert load_messages(write(tmp_path, "messages", MESSAGE, "", row)) == [
        LabelledMessage(id="m1", text="加微信买药", labels=frozenset({Label.SPAM}), kind="ad"),
        LabelledMessage(
            id="m1",
            text="加微信买药",
            labels=frozenset({Label.SPAM, Label.RUMOR}),
            kind="ad",
            stance=Stance.ASSERT,
            quoted="上文",
            hard=True,
            disguised=True,
            spans=((0, 3), (3, 5)),
        ),
    ]


def test_the_forms_of_an_entry_start_with_its_question_and_name_each_once(tmp_path: Path) -> None:
    source = {"title": "指南", "issuer": "学会", "year": 2023}
    row = {**ENTRY, "alternates": ["睡不着", "失眠怎么办", "睡不着", "夜里醒"], "sources": [source], "verdict": "false"}
    (entry,) = LOAD["entries"](write(tmp_path, "entries", row))
    assert entry.forms == ("失眠怎么办", "睡不着", "夜里醒")
    assert entry.sources == (Source("指南", "学会", 2023),)
    assert (entry.verdict, entry.tier, entry.audience) == ("false", "", ())


def test_questions_and_near_misses_are_read_whole(tmp_path: Path) -> None:
    write(tmp_path, "questions", {"id": "q1", "entry_id": "faq.a", "difficulty": "far", "text": "睡不好"})
    assert load_questions(tmp_path) == [Question(id="q1", entry_id="faq.a", difficulty="far", text="睡不好")]
    write(tmp_path, "near_misses", {"id": "n1", "text": "猫失眠", "resembles": None, "kind": "pets"})
    assert load_near_misses(tmp_path) == [NearMiss(id="n1", text="猫失眠", resembles=None, kind="pets")]


def test_lexicons_map_every_alias_cue_and_variant(tmp_path: Path) -> None:
    write(
        tmp_path,
        "terms",
        {"term": "麻黄", "type": "herb", "aliases": ["麻黄草"]},
        {"term": "麻黄草", "type": "weed"},
    )
    assert load_terms(tmp_path) == {"麻黄": "herb", "麻黄草": "herb"}
    write(tmp_path, "cues", {"check": "sale", "terms": ["包邮", "现货"]}, {"check": "solicitation", "terms": ["私我"]})
    assert load_cues(tmp_path) == {"包邮": "sale", "现货": "sale", "私我": "solicitation"}
    write(tmp_path, "variants", {"character": "微", "variants": ["薇", "威"]}, {"character": "信", "variants": ["芯"]})
    assert load_variants(tmp_path) == {"薇": "微", "威": "微", "芯": "信"}
    write(tmp_path, "slots", {"slot": "person", "value": "child", "words": ["娃", "孩子"]})
    assert load_slots(tmp_path) == {"娃": ("person", "child"), "孩子": ("person", "child")}


def test_only_a_line_feed_ends_a_line(tmp_path: Path) -> None:
    (message,) = load_messages(write(tmp_path, "messages", {**MESSAGE, "text": "一\u2028二\u0085三"}))
    assert message.text == "一\u2028二\u0085三"


@pytest.mark.parametrize(
    ("what", "bad", "told"),
    [
        ("messages", "{", "expected JSON"),
        ("messages", "[1]", "saw list, expected an object"),
        ("messages", {**MESSAGE, "text": "  "}, "expected 'text' as a text"),
        ("messages", {**MESSAGE, "id": 7}, "saw 7, expected 'id' as a text"),
        ("messages", {**MESSAGE, "labels": ["nonsense"]}, "'nonsense' is not a valid Label"),
        ("messages", {**MESSAGE, "labels": "spam"}, "is not a valid Label"),
        ("messages", {k: v for k, v in MESSAGE.items() if k != "labels"}, "expected labels and stance"),
        ("messages", {**MESSAGE, "stance": "shout"}, "'shout' is not a valid Stance"),
        ("messages", {**MESSAGE, "spans": [[0, 6]]}, "expected spans inside the text"),
        ("messages", {**MESSAGE, "spans": [[2, 2]]}, "expected spans inside the text"),
        ("messages", {**MESSAGE, "spans": [[-1, 2]]}, "expected spans inside the text"),
        ("messages", {k: v for k, v in MESSAGE.items() if k != "kind"}, "saw None, expected 'kind'"),
        ("entries", {**ENTRY, "answer": ""}, "expected 'answer' as a text"),
        ("entries", {k: v for k, v in ENTRY.items() if k != "expires_on"}, "expected 'expires_on' as a text"),
        ("near_misses", {"id": "n", "text": "猫", "resembles": None}, "expected 'kind' as a text"),
        ("questions", {"id": "q", "text": "猫", "difficulty": "far"}, "expected 'entry_id' as a text"),
        ("terms", {"term": "麻黄"}, "expected 'type' as a text"),
        ("cues", {"terms": ["包邮"]}, "expected 'check' as a text"),
        ("variants", {"variants": ["薇"]}, "expected 'character' as a text"),
        ("slots", {"slot": "person", "words": ["娃"]}, "expected 'value' as a text"),
        ("slots", {"slot": "person", "value": "elder", "words": ["孩子"]}, "expected one meaning"),
    ],
)
def test_a_bad_line_is_told_with_file_and_line(tmp_path: Path, what: str, bad: object, told: str) -> None:
    good = {
        "messages": MESSAGE,
        "entries": ENTRY,
        "near_misses": {"id": "n0", "text": "狗", "resembles": None, "kind": "pets"},
        "questions": {"id": "q0", "entry_id": "faq.a", "difficulty": "far", "text": "狗"},
        "terms": {"term": "桂枝", "type": "herb"},
        "cues": {"check": "sale", "terms": ["现货"]},
        "variants": {"character": "信", "variants": ["芯"]},
        "slots": {"slot": "person", "value": "child", "words": ["孩子"]},
    }[what]
    with pytest.raises(CorpusError) as refused:
        LOAD[what](write(tmp_path, what, good, "", bad))
    assert refused.value.where == f"{PLACES[what]}:3"
    assert str(refused.value).startswith(f"{PLACES[what]}:3: saw ")
    assert told in str(refused.value)


@pytest.mark.parametrize(
    ("what", "bad"),
    [
        ("messages", {**MESSAGE, "labels": None}),
        ("messages", {**MESSAGE, "spans": [[0]]}),
        ("messages", {**MESSAGE, "spans": [["a", 1]]}),
        ("entries", {**ENTRY, "alternates": "睡不着"}),  # becomes three forms of one character each
        ("entries", {**ENTRY, "alternates": [1]}),
        ("entries", {**ENTRY, "alternates": [""]}),
        ("entries", {**ENTRY, "alternates": None}),
        ("entries", {**ENTRY, "sources": [{"title": "指南"}]}),
        ("entries", {**ENTRY, "sources": [{"title": "指南", "issuer": "学会", "year": "soon"}]}),
        ("variants", {"character": "微"}),
        ("terms", {"term": "麻黄", "type": "herb", "aliases": None}),
    ],
)
def test_a_bad_part_of_a_line_is_told_with_file_and_line(tmp_path: Path, what: str, bad: object) -> None:
    with pytest.raises(CorpusError, match=rf"{PLACES[what]}:1: "):
        LOAD[what](write(tmp_path, what, bad))


def test_a_file_in_another_encoding_is_told(tmp_path: Path) -> None:
    write(tmp_path, "messages", MESSAGE)
    (tmp_path / PLACES["messages"]).write_bytes("加微信".encode("gb18030"))
    with pytest.raises(CorpusError, match=r"messages\.jsonl"):
        load_messages(tmp_path)


@pytest.mark.parametrize("what", sorted(LOAD))
def test_a_missing_file_is_told_by_its_path(tmp_path: Path, what: str) -> None:
    with pytest.raises(CorpusError) as refused:
        LOAD[what](tmp_path)
    assert refused.value.where == str(tmp_path / PLACES[what])
    assert refused.value.expected == "a readable file in UTF-8"


def test_an_entry_id_occurs_once(tmp_path: Path) -> None:
    other = {**ENTRY, "id": "faq.b"}
    with pytest.raises(CorpusError, match=r"saw faq\.b twice, expected each id once"):
        LOAD["entries"](write(tmp_path, "entries", ENTRY, other, {**other, "question": "失眠"}))


def test_a_cue_belongs_to_one_check(tmp_path: Path) -> None:
    write(tmp_path, "cues", {"check": "sale", "terms": ["包邮"]}, {"check": "ad", "terms": ["现货", "包邮"]})
    with pytest.raises(CorpusError, match=r"lexicon/cues\.jsonl:2: saw 包邮 in sale and ad, expected once"):
        load_cues(tmp_path)


def test_a_share_is_the_start_of_the_digest() -> None:
    # sha256("abc") starts with ba7816bf8f01 (FIPS 180-4).
    assert hash_share("abc") == 0xBA7816BF8F01 / 2**48


def test_splits_stay_where_they_were() -> None:
    # Written down once: whoever moves a line from one split to another spoils every figure so far.
    assert {i for i in range(12) if is_test_message(f"m{i}")} == {10, 3, 4, 7}
    splits = [form_split(f"失眠{i}") for i in range(12)]
    assert splits == [
        "test",
        "train",
        "train",
        "train",
        "train",
        "train",
        "test",
        "train",
        "train",
        "dev",
        "train",
        "train",
    ]
    assert [question_split(f"q{i}") for i in range(8)] == ["dev", "test", "test", "dev", "dev", "dev", "dev", "dev"]


def test_splits_have_their_shares() -> None:
    keys = [f"key {i}" for i in range(7000)]
    assert sum(map(is_test_message, keys)) == pytest.approx(1000, abs=100)
    forms = Counter(map(form_split, keys))
    assert forms["test"] == pytest.approx(1400, abs=120)
    assert forms["dev"] == pytest.approx(700, abs=90)
    assert set(forms) == {"test", "dev", "train"}
    assert Counter(map(question_split, keys))["dev"] == pytest.approx(3500, abs=150)


def test_what_ships_can_be_read_and_refers_to_what_exists() -> None:
    corpora = shipped_folder("corpora")
    entries = {entry.id for entry in LOAD["entries"](corpora)}
    claims = {entry.id for entry in load_entries(corpora / "claims/entries.jsonl")}
    assert not entries & claims
    assert {question.entry_id for question in load_questions(corpora)} <= entries
    assert {miss.resembles for miss in load_near_misses(corpora)} - {None} <= entries | claims
    ids = Counter(message.id for message in load_messages(corpora))
    assert [name for name, times in ids.items() if times > 1] == []
    assert load_terms(corpora)["麻黄"] == "herb"
    assert load_variants(corpora)["薇"] == "微"
    assert load_cues(corpora)["包邮"] == "sale"


def test_stances_and_synonyms_are_read_whole(tmp_path: Path) -> None:
    for name, row in {
        "claims/stances.jsonl": {"id": "s1", "claim_id": "claim.a", "text": "别信", "stance": "deny"},
        "lexicon/synonyms.jsonl": {
            "id": "y1",
            "sense": "腹泻",
            "type": "symptom",
            "words": ["拉肚子", "腹泻", "跑肚"],
            "counter": {"word": "跑肚", "not": "跑步的肚子"},
        },
        "lexicon/stop_words.jsonl": {"kind": "particles", "words": ["的", "了"]},
    }.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(json.dumps(row, ensure_ascii=False), encoding="utf-8")
    assert load_stances(tmp_path) == [StanceLine(id="s1", claim_id="claim.a", text="别信", stance=Stance.DENY)]
    assert load_synonyms(tmp_path) == [
        Synonyms(
            id="y1",
            sense="腹泻",
            type="symptom",
            words=("拉肚子", "腹泻", "跑肚"),
            ambiguous=frozenset({"跑肚"}),
        )
    ]
    assert load_stop_words(tmp_path) == {"的", "了"}


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ({"words": ["一"]}, "two different words"),
        ({"words": ["一", "一"]}, "two different words"),
        ({"words": ["一", "二"], "counter": {"word": "三", "not": "四"}}, "counters among them"),
        ({"words": ["一", "二"], "counter": {"word": "一"}}, "counter with word and not"),
    ],
)
def test_a_group_of_synonyms_that_says_nothing_is_refused(tmp_path: Path, row: dict[str, Any], expected: str) -> None:
    (tmp_path / "lexicon").mkdir()
    whole = {"id": "y", "sense": "s", "type": "other", **row}
    (tmp_path / "lexicon/synonyms.jsonl").write_text(json.dumps(whole, ensure_ascii=False), encoding="utf-8")
    with pytest.raises(CorpusError, match=expected):
        load_synonyms(tmp_path)


def test_a_stance_outside_the_guide_is_refused(tmp_path: Path) -> None:
    (tmp_path / "claims").mkdir()
    row = {"id": "s", "claim_id": "c", "text": "哦", "stance": "shrug"}
    (tmp_path / "claims/stances.jsonl").write_text(json.dumps(row), encoding="utf-8")
    with pytest.raises(CorpusError, match="stance of the label guide"):
        load_stances(tmp_path)
