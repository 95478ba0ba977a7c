"""Reading the corpora: every line checked, every error with its file and line.

A corpus is written by people and read by programs; a line that cannot be used is an error at once
(`corpora/faq/entries.jsonl:17: ...`), never a silent gap. Splits hang on the hash of an id or a text, so
that they stay as they are when lines are added.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from ragcomm.errors import CorpusError
from ragcomm.records import Entry, Label, Source, Stance

# One in seven messages and one in five alternates are kept for the final figures.
MESSAGE_TEST_SHARE = 1 / 7
# Where the entries of each answerer are.
ENTRY_FILES = {"answers": "faq/entries.jsonl", "debunks": "claims/entries.jsonl"}
FORM_TEST_SHARE = 1 / 5
# One in ten alternates calibrates: neither trained on nor part of the final figures.
FORM_DEV_SHARE = 1 / 10


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelledMessage:
    """A line of corpora/moderation: a message and what an editor says of it."""

    id: str
    text: str
    labels: frozenset[Label]
    kind: str
    stance: Stance | None = None
    quoted: str | None = None
    hard: bool = False
    disguised: bool = False
    spans: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class NearMiss:
    """A question no entry answers: what it resembles (None: nothing) and what kind it is."""

    id: str
    text: str
    resembles: str | None
    kind: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A question by another hand than the alternates', with the entry that answers it."""

    id: str
    entry_id: str
    difficulty: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StanceLine:
    """How a member speaks of a known claim without spreading it."""

    id: str
    claim_id: str
    text: str
    stance: Stance


@dataclass(frozen=True, slots=True, kw_only=True)
class Synonyms:
    """Ways to say the same thing, in one sense; `ambiguous` are those that also mean something else."""

    id: str
    sense: str
    type: str
    words: tuple[str, ...]
    ambiguous: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class SafetyRow:
    """A row of a safety table: one name, or two that do not go together, each with its other names.

    `verified_by` is None until a pharmacist has signed: such a row may warn, never permit, and its numbers are
    shown to nobody.
    """

    id: str
    names: tuple[str, ...]
    others: tuple[str, ...]
    source: str
    verified_by: str | None


def hash_share(key: str) -> float:
    """A number in [0, 1) that depends on nothing but `key`."""
    return int.from_bytes(hashlib.sha256(key.encode()).digest()[:6], "big") / 2**48


def is_test_message(message_id: str) -> bool:
    """Whether a labelled message belongs to the test split."""
    return hash_share(message_id) < MESSAGE_TEST_SHARE


def form_split(text: str) -> str:
    """The split of an alternate wording or a question: "test", "dev" or "train"."""
    share = hash_share(text)
    if share < FORM_TEST_SHARE:
        return "test"
    return "dev" if share < FORM_TEST_SHARE + FORM_DEV_SHARE else "train"


def training_forms(entry: Entry) -> list[str]:
    """The question itself and the alternates of the train split."""
    return [entry.question, *(f for f in entry.forms[1:] if form_split(f) == "train")]


def question_split(question_id: str) -> str:
    """The split of a question written apart from the alternates: half "dev", half "test"."""
    return "dev" if hash_share(question_id) < 0.5 else "test"


def read_jsonl(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yields ("file:line", object) for every line that is not blank.

    Raises:
        CorpusError: the file is missing, or a line is not a JSON object.
    """
    try:
        lines = path.read_text(encoding="utf-8").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise CorpusError(seen=str(error), expected="a readable file in UTF-8", where=str(path)) from error
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        where = f"{path.parent.name}/{path.name}:{number}"
        try:
            row = json.loads(line)
        except ValueError as error:
            raise CorpusError(seen=str(error), expected="JSON", where=where) from error
        if not isinstance(row, dict):
            raise CorpusError(seen=type(row).__name__, expected="an object", where=where)
        yield where, row


def load_messages(corpora: Path) -> list[LabelledMessage]:
    """Every labelled message of corpora/moderation/messages.jsonl."""
    return _load(corpora, "moderation/messages.jsonl", _message)


def load_traps(corpora: Path) -> list[LabelledMessage]:
    """Innocent lines that naive lists flag (corpora/moderation/traps.jsonl); none is ever trained on."""
    return _load(corpora, "moderation/traps.jsonl", _message)


def load_stances(corpora: Path) -> list[StanceLine]:
    """Every line of corpora/claims/stances.jsonl."""
    return _load(corpora, "claims/stances.jsonl", _stance_line)


def load_synonyms(corpora: Path) -> list[Synonyms]:
    """Every group of corpora/lexicon/synonyms.jsonl."""
    return _load(corpora, "lexicon/synonyms.jsonl", _synonyms)


def load_entries(path: Path) -> list[Entry]:
    """The entries of a file of FAQ answers or claims; `forms` starts with the question itself."""
    entries = [_entry(where, row) for where, row in read_jsonl(path)]
    ids = [entry.id for entry in entries]
    if len(set(ids)) < len(ids):
        twice = next(i for i in ids if ids.count(i) > 1)
        raise CorpusError(seen=f"{twice} twice", expected="each id once", where=path.name)
    return entries


def load_near_misses(corpora: Path) -> list[NearMiss]:
    """Every line of corpora/faq/near_misses.jsonl."""
    return _load(corpora, "faq/near_misses.jsonl", _near_miss)


def load_questions(corpora: Path) -> list[Question]:
    """Every line of corpora/faq/questions.jsonl."""
    return _load(corpora, "faq/questions.jsonl", _question)


def load_stop_words(corpora: Path) -> frozenset[str]:
    """Words that carry no content of a question (corpora/lexicon/stop_words.jsonl)."""
    rows = read_jsonl(corpora / "lexicon/stop_words.jsonl")
    return frozenset(word for where, row in rows for word in _texts(where, row, "words", needed=True))


def load_terms(corpora: Path) -> dict[str, str]:
    """Domain terms and their aliases (corpora/lexicon/terms.jsonl): term to type."""
    types: dict[str, str] = {}
    for where, row in read_jsonl(corpora / "lexicon/terms.jsonl"):
        for term in (_text(where, row, "term"), *_texts(where, row, "aliases")):
            types.setdefault(term, _text(where, row, "type"))
    return types


def load_advertising(corpora: Path) -> dict[str, str]:
    """Words that advertising law forbids or restricts (corpora/lexicon/advertising.jsonl): word to article."""
    return {
        word: _text(where, row, "article")
        for where, row in read_jsonl(corpora / "lexicon/advertising.jsonl")
        for word in (_text(where, row, "term"), *_texts(where, row, "variants"))
    }


def load_incompatible(corpora: Path) -> list[SafetyRow]:
    """Every pair of herbs that do not go together (corpora/safety/incompatible.jsonl)."""
    return _load(corpora, "safety/incompatible.jsonl", _safety_row)


CUE_FILES = ("lexicon/cues.jsonl", "lexicon/insults.jsonl", "lexicon/red_flags.jsonl")


def load_cues(corpora: Path) -> dict[str, str]:
    """Words that speak for a check (the files of `CUE_FILES`): term to the check's name."""
    cues: dict[str, str] = {}
    for where, row in (line for name in CUE_FILES for line in read_jsonl(corpora / name)):
        check = _text(where, row, "check")
        for term in _texts(where, row, "terms", needed=True):
            if term in cues:
                raise CorpusError(seen=f"{term} in {cues[term]} and {check}", expected="once", where=where)
            cues[term] = check
    return cues


def load_variants(corpora: Path) -> dict[str, str]:
    """Characters written in place of another (corpora/lexicon/variants.jsonl): variant to canonical."""
    return {
        variant: _text(where, row, "character")
        for where, row in read_jsonl(corpora / "lexicon/variants.jsonl")
        for variant in _texts(where, row, "variants", needed=True)
    }


def load_slots(corpora: Path) -> dict[str, tuple[str, str]]:
    """Words that say whom a question is about, what it asks, when and where (corpora/lexicon/slots.jsonl).

    Each with its slot and value (孕妇: person, pregnant).
    """
    slots: dict[str, tuple[str, str]] = {}
    for where, row in read_jsonl(corpora / "lexicon/slots.jsonl"):
        means = (_text(where, row, "slot"), _text(where, row, "value"))
        for word in _texts(where, row, "words", needed=True):
            if slots.setdefault(word, means) != means:
                raise CorpusError(seen=f"{word} as {slots[word]} and {means}", expected="one meaning", where=where)
    return slots


Row = TypeVar("Row")


def _load(corpora: Path, name: str, parse: Callable[[str, Mapping[str, Any]], Row]) -> list[Row]:
    return [parse(where, row) for where, row in read_jsonl(corpora / name)]


def _near_miss(where: str, row: Mapping[str, Any]) -> NearMiss:
    return NearMiss(
        id=_text(where, row, "id"),
        text=_text(where, row, "text"),
        resembles=row.get("resembles"),
        kind=_text(where, row, "kind"),
    )


def _question(where: str, row: Mapping[str, Any]) -> Question:
    return Question(
        id=_text(where, row, "id"),
        entry_id=_text(where, row, "entry_id"),
        difficulty=_text(where, row, "difficulty"),
        text=_text(where, row, "text"),
    )


def _text(where: str, row: Mapping[str, Any], name: str) -> str:
    value = row.get(name)
    if not isinstance(value, str) or not value.strip():
        raise CorpusError(seen=repr(value), expected=f"{name!r} as a text", where=where)
    return value


def _texts(where: str, row: Mapping[str, Any], name: str, *, needed: bool = False) -> tuple[str, ...]:
    """The texts of a list; an absent one is empty unless it is `needed`."""
    values = row.get(name, None if needed else [])
    if not isinstance(values, list) or not all(isinstance(v, str) and v.strip() for v in values):
        raise CorpusError(seen=repr(values)[:80], expected=f"{name!r} as a list of texts", where=where)
    return tuple(values)


def _stance_line(where: str, row: Mapping[str, Any]) -> StanceLine:
    try:
        stance = Stance(row["stance"])
    except (KeyError, ValueError) as error:
        raise CorpusError(seen=repr(error), expected="a stance of the label guide", where=where) from error
    return StanceLine(
        id=_text(where, row, "id"),
        claim_id=_text(where, row, "claim_id"),
        text=_text(where, row, "text"),
        stance=stance,
    )


def _synonyms(where: str, row: Mapping[str, Any]) -> Synonyms:
    words = _texts(where, row, "words", needed=True)
    counters = row.get("counter", [])
    try:
        ambiguous = frozenset(c["word"] for c in ([counters] if isinstance(counters, dict) else counters) if c["not"])
    except (KeyError, TypeError) as error:
        raise CorpusError(seen=repr(counters)[:80], expected="counter with word and not", where=where) from error
    if len(words) < 2 or len(set(words)) < len(words) or not ambiguous <= set(words):
        raise CorpusError(
            seen=repr(words)[:80], expected="two different words or more, counters among them", where=where
        )
    return Synonyms(
        id=_text(where, row, "id"),
        sense=_text(where, row, "sense"),
        type=_text(where, row, "type"),
        words=words,
        ambiguous=ambiguous,
    )


def _safety_row(where: str, row: Mapping[str, Any]) -> SafetyRow:
    if "verified_by" not in row or not isinstance(row["verified_by"], str | None):
        raise CorpusError(seen=repr(row.get("verified_by")), expected="verified_by, null or a name", where=where)
    if "a" in row:
        sides = [(_text(where, row[side], "name"), *_texts(where, row[side], "names", needed=True)) for side in "ab"]
        name = _text(where, row, "id")
    else:
        name = _text(where, row, "name")
        sides = [(name, *_texts(where, row, "aliases", needed=True)), ()]
    return SafetyRow(
        id=name,
        names=tuple(dict.fromkeys(sides[0])),
        others=tuple(dict.fromkeys(sides[1])),
        source=_text(where, row, "source"),
        verified_by=row["verified_by"],
    )


def _message(where: str, row: Mapping[str, Any]) -> LabelledMessage:
    text = _text(where, row, "text")
    try:
        labels = frozenset(map(Label, row["labels"]))
        stance = Stance(row["stance"]) if row.get("stance") else None
        spans = tuple((int(start), int(end)) for start, end in row.get("spans", ()))
    except (KeyError, TypeError, ValueError) as error:
        expected = "labels and stance of the label guide, spans as pairs of places"
        raise CorpusError(seen=repr(error), expected=expected, where=where) from error
    if not all(0 <= start < end <= len(text) for start, end in spans):
        raise CorpusError(seen=repr(spans), expected="spans inside the text", where=where)
    return LabelledMessage(
        id=_text(where, row, "id"),
        text=text,
        labels=labels,
        kind=_text(where, row, "kind"),
        stance=stance,
        quoted=row.get("quoted"),
        hard=bool(row.get("hard")),
        disguised=bool(row.get("disguised")),
        spans=spans,
    )


def _entry(where: str, row: Mapping[str, Any]) -> Entry:
    question = _text(where, row, "question")
    return Entry(
        id=_text(where, row, "id"),
        question=question,
        answer=_text(where, row, "answer"),
        forms=tuple(dict.fromkeys([question, *_texts(where, row, "alternates")])),
        category=_text(where, row, "category"),
        review_status=_text(where, row, "review_status"),
        reviewed_on=_text(where, row, "reviewed_on"),
        expires_on=_text(where, row, "expires_on"),
        sources=_sources(where, row),
        verdict=row.get("verdict"),
        audience=_texts(where, row, "audience"),
        exclusions=_texts(where, row, "exclusions"),
        constitutions=_texts(where, row, "constitutions"),
        tier=row.get("tier", ""),
        seasons=_texts(where, row, "seasons"),
        instead=row.get("instead", ""),
    )


def _sources(where: str, row: Mapping[str, Any]) -> tuple[Source, ...]:
    try:
        return tuple(Source(s["title"], s["issuer"], int(s["year"])) for s in row.get("sources", ()))
    except (KeyError, TypeError, ValueError) as error:
        expected = "sources with title, issuer and year"
        raise CorpusError(seen=repr(error), expected=expected, where=where) from error


# How each line of a file is read; what `check_corpora` goes through line by line.
PARSERS: Mapping[str, Callable[[str, Mapping[str, Any]], Any]] = {
    "faq/entries.jsonl": _entry,
    "faq/near_misses.jsonl": _near_miss,
    "faq/questions.jsonl": _question,
    "claims/entries.jsonl": _entry,
    "claims/stances.jsonl": _stance_line,
    "moderation/messages.jsonl": _message,
    "moderation/traps.jsonl": _message,
    "lexicon/synonyms.jsonl": _synonyms,
    **{
        f"safety/{name}.jsonl": _safety_row
        for name in (
            "incompatible",
            "interactions",
            "pregnancy",
            "pregnancy_points",
            "toxic_herbs",
            "food_and_medicine",
        )
    },
}
