"""The life of entries in a database: drafts with a second person, versions that stay, one of them in use."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import Engine, insert, text, update
from sqlalchemy.exc import IntegrityError

from ragcomm.errors import RagcommError, Refused, SamePerson, Stale, UnknownEntry
from ragcomm.knowledge.lint import Rules
from ragcomm.knowledge.publication import Draft, Edition, Plan, State, plan
from ragcomm.records import Entry, Source
from ragcomm.safety.herbs import HerbConflicts
from ragcomm.safety.statements import any_of
from ragcomm.storage.entries import EntryStore, Move
from ragcomm.storage.messages import StoredMessage, Write, write_all
from ragcomm.storage.questions import last_questions
from ragcomm.storage.tables import entry_drafts, knowledge_versions

NOW = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)
LATER = NOW + timedelta(minutes=5)
RULES = Rules(any_of([]), any_of([]), HerbConflicts([]))


def entry(name: str, question: str, answer: str = "说得清楚而且够长。" * 10, category: str = "diet") -> Entry:
    return Entry(
        id=name,
        question=question,
        answer=answer,
        forms=(question, f"{question}呀呀"),
        category=category,
        review_status="editorial",
        reviewed_on="2026-01-01",
        expires_on="2027-01-01",
        sources=(Source("书", "社", 2020),),
        verdict="true" if name.startswith("claim") else None,
    )


A, B, C = entry("faq.a", "甲乙丙？"), entry("faq.b", "子丑寅？"), entry("claim.c", "天地玄黄。")
SHIPPED = Edition(0, {"faq": (A, B), "claims": (C,)})


@pytest.fixture
def store(engine: Engine) -> EntryStore:
    return EntryStore(engine)


def planned(store: EntryStore, base: Edition = SHIPPED, **more: object) -> Plan:
    return plan(base, store.drafts(), RULES, today=date(2026, 3, 1), **more)  # type: ignore[arg-type]


def publish(store: EntryStore, base: Edition = SHIPPED, note: str = "") -> Edition:
    made = store.publish(planned(store, base), publisher="key-9", note=note, now=LATER)
    return store.edition(made.version)


def test_a_draft_is_kept_as_it_was_written(store: EntryStore) -> None:
    new = entry("faq.a", "甲乙丙丁？")
    draft = store.put("faq", "faq.a", new, author="key-1", now=NOW)
    assert draft == Draft(kind="faq", entry_id="faq.a", entry=new, revision=1, author="key-1", drafted_at=NOW)
    assert (store.draft("faq", "faq.a"), store.drafts(), store.drafts("claims")) == (draft, [draft], [])


def test_writing_again_counts_and_voids_the_review(store: EntryStore) -> None:
    store.put("faq", "faq.a", A, author="key-1", now=NOW)
    store.review("faq", "faq.a", revision=1, reviewer="key-2", approve=True, note="gut", now=LATER)
    approved = store.draft("faq", "faq.a")
    assert (approved.state, approved.reviewer, approved.reviewed_at, approved.note) == (
        State.APPROVED,
        "key-2",
        LATER,
        "gut",
    )
    again = store.put("faq", "faq.a", B, author="key-2", now=LATER)
    assert store.draft("faq", "faq.a") == again
    assert (again.revision, again.state, again.reviewer) == (2, State.OPEN, None)


def test_whoever_wrote_a_draft_does_not_review_it(store: EntryStore) -> None:
    store.put("faq", "faq.a", A, author="key-1", now=NOW)
    with pytest.raises(SamePerson):
        store.review("faq", "faq.a", revision=1, reviewer="key-1", approve=True, note="", now=LATER)
    assert store.draft("faq", "faq.a").state is State.OPEN


def test_the_database_itself_knows_no_reviewer_who_is_the_author(store: EntryStore, engine: Engine) -> None:
    store.put("faq", "faq.a", A, author="key-1", now=NOW)
    with pytest.raises(IntegrityError), engine.begin() as connection:
        connection.execute(update(entry_drafts).values(reviewer="key-1"))


def test_a_review_is_of_one_writing_only(store: EntryStore) -> None:
    store.put("faq", "faq.a", A, author="key-1", now=NOW)
    store.put("faq", "faq.a", B, author="key-1", now=NOW)
    with pytest.raises(Stale):
        store.review("faq", "faq.a", revision=1, reviewer="key-2", approve=True, note="", now=LATER)


def test_a_stale_writing_is_refused(store: EntryStore) -> None:
    store.put("faq", "faq.a", A, author="key-1", now=NOW, revision=0)
    for stale in (0, 2):
        with pytest.raises(Stale):
            store.put("faq", "faq.a", B, author="key-2", now=NOW, revision=stale)
    store.put("faq", "faq.a", B, author="key-2", now=NOW, revision=1)
    assert store.draft("faq", "faq.a").entry == B


def test_a_draft_is_thrown_away_once(store: EntryStore) -> None:
    store.put("faq", "faq.a", A, author="key-1", now=NOW)
    with pytest.raises(Stale):
        store.discard("faq", "faq.a", revision=2)
    store.discard("faq", "faq.a", revision=1)
    with pytest.raises(UnknownEntry, match=r"faq\.a"):
        store.discard("faq", "faq.a")
    with pytest.raises(UnknownEntry):
        store.draft("faq", "faq.a")


def test_many_drafts_are_written_together(store: EntryStore) -> None:
    store.put("faq", "faq.b", A, author="key-1", now=NOW)
    store.put_all("faq", [A, B], author="key-2", now=LATER)
    assert [(d.entry_id, d.revision, d.author) for d in store.drafts()] == [
        ("faq.a", 1, "key-2"),
        ("faq.b", 2, "key-2"),
    ]


def test_before_any_publish_the_shipped_entries_are_in_use(store: EntryStore) -> None:
    assert (store.current(), store.versions(), store.moves(9)) == (0, [], [])


def test_a_publish_is_numbered_dated_signed_and_whole(store: EntryStore) -> None:
    new = entry("faq.a", "甲乙丙丁？")
    store.put("faq", "faq.a", new, author="key-1", now=NOW)
    store.put("claims", "claim.d", entry("claim.d", "日月盈昃。"), author="key-1", now=NOW)
    edition = publish(store, note="first")
    (version,) = store.versions()
    assert (version.version, version.base, version.published_at, version.publisher, version.note, version.sizes) == (
        1,
        0,
        LATER,
        "key-9",
        "first",
        {"faq": 2, "claims": 2},
    )
    assert len(version.digest) == 64
    assert edition == Edition(1, {"faq": (new, B), "claims": (C, entry("claim.d", "日月盈昃。"))})
    assert (store.current(), store.drafts()) == (1, [])
    assert store.moves(9) == [Move(version=1, action="publish", moved_by="key-9", moved_at=LATER, note="first")]


def test_a_draft_without_an_entry_takes_the_published_one_away(store: EntryStore) -> None:
    store.put("faq", "faq.a", None, author="key-1", now=NOW)
    assert publish(store).entries["faq"] == (B,)


def test_going_back_and_publishing_again_keeps_every_version(store: EntryStore) -> None:
    for question in ("一二三？", "四五六？"):
        base = store.edition(store.current()) if store.current() else SHIPPED
        store.put("faq", "faq.n", entry("faq.n", question), author="key-1", now=NOW)
        publish(store, base)
    store.roll_back(1, by="key-3", note="worse", now=LATER)
    assert store.current() == 1
    store.put("faq", "faq.a", None, author="key-1", now=NOW)
    assert publish(store, store.edition(1)).version == 3
    assert [(v.version, v.base) for v in store.versions()] == [(3, 1), (2, 1), (1, 0)]
    assert [(m.version, m.action) for m in store.moves(3)] == [(3, "publish"), (1, "rollback"), (2, "publish")]
    assert [e.question for e in store.edition(2).entries["faq"]][-1] == "四五六？"
    store.roll_back(0, by="key-3", note="", now=LATER)
    assert store.current() == 0


def test_nobody_goes_back_to_what_never_was(store: EntryStore) -> None:
    with pytest.raises(UnknownEntry, match="version 7"):
        store.roll_back(7, by="key-3", note="", now=LATER)
    with pytest.raises(UnknownEntry):
        store.edition(1)
    assert store.moves(9) == []


def test_a_plan_is_void_once_another_version_is_in_use(store: EntryStore) -> None:
    store.put("faq", "faq.a", None, author="key-1", now=NOW)
    stale = planned(store)
    publish(store)
    with pytest.raises(Stale):
        store.publish(stale, publisher="key-9", note="", now=LATER)
    assert [v.version for v in store.versions()] == [1]


@pytest.mark.parametrize("meanwhile", ["written", "rejected", "discarded"])
def test_a_plan_is_void_once_a_draft_of_it_has_changed(store: EntryStore, meanwhile: str) -> None:
    store.put("faq", "faq.a", None, author="key-1", now=NOW)
    made = planned(store)
    if meanwhile == "written":
        store.put("faq", "faq.a", B, author="key-1", now=NOW)
    elif meanwhile == "rejected":
        store.review("faq", "faq.a", revision=1, reviewer="key-2", approve=False, note="", now=NOW)
    else:
        store.discard("faq", "faq.a")
    with pytest.raises(Stale):
        store.publish(made, publisher="key-9", note="", now=LATER)
    assert (store.current(), store.versions()) == (0, [])


def test_a_medical_draft_waits_for_a_second_person(store: EntryStore) -> None:
    store.put("faq", "faq.h", entry("faq.h", "当归怎么用？", category="herb"), author="key-1", now=NOW)
    with pytest.raises(Refused) as refused:
        planned(store)
    assert refused.value.reasons == [{"where": "faq.h", "message": "it waits for a second person"}]
    store.review("faq", "faq.h", revision=1, reviewer="key-2", approve=True, note="", now=LATER)
    assert publish(store).find("faq", "faq.h") is not None


def test_a_version_number_is_given_once(store: EntryStore, engine: Engine) -> None:
    store.put("faq", "faq.a", None, author="key-1", now=NOW)
    publish(store)
    with engine.connect() as connection:
        row = dict(connection.execute(text("SELECT * FROM knowledge_versions")).mappings().one())
    with pytest.raises(IntegrityError), engine.begin() as connection:
        connection.execute(insert(knowledge_versions).values({**row, "published_at": NOW}))


def test_a_version_that_is_no_longer_what_was_published_is_refused(store: EntryStore, engine: Engine) -> None:
    store.put("faq", "faq.a", None, author="key-1", now=NOW)
    publish(store)
    with engine.begin() as connection:
        connection.execute(update(knowledge_versions).values(faq=knowledge_versions.c.claims))
    with pytest.raises(RagcommError, match="its digest is another"):
        store.edition(1)
    with engine.begin() as connection:
        connection.execute(update(knowledge_versions).values(faq=b"junk"))
    with pytest.raises(RagcommError, match="version 1 is damaged"):
        store.edition(1)


def test_the_last_questions_are_found_newest_first(
    engine: Engine, row: Callable[..., StoredMessage], write: Callable[..., Write]
) -> None:
    from dataclasses import replace

    def asked(name: str, minute: int, flagged: str, group: str = "g1") -> StoredMessage:
        when = NOW + timedelta(minutes=minute)
        return replace(row(name, f"{name}?", group_id=group), flagged=flagged, received_at=when)

    rows = [asked("a", 1, "question"), asked("b", 3, "rumor question", "g2"), asked("c", 2, "spam"), asked("d", 4, "")]
    with engine.begin() as connection:
        write_all(connection, [write(*rows)])
    assert [(q.message_id, q.text) for q in last_questions(engine, 9)] == [("b", "b?"), ("a", "a?")]
    assert [q.message_id for q in last_questions(engine, 1)] == ["b"]
    assert [q.message_id for q in last_questions(engine, 9, ["g1", "g3"])] == ["a"]


def test_kinds_are_kept_apart(store: EntryStore) -> None:
    both: Mapping[str, Entry] = {"faq": A, "claims": C}
    for kind, each in both.items():
        store.put(kind, each.id, each, author="key-1", now=NOW)
    assert [d.entry_id for d in store.drafts("claims")] == ["claim.c"]
