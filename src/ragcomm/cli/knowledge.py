"""Entries on the command line: looked over, exchanged as files, published, gone back to.

A running service takes over what is published here within seconds.
"""

from __future__ import annotations

import getpass
import json
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ragcomm.errors import InvalidInput, RagcommError, Refused
from ragcomm.knowledge.categories import KINDS
from ragcomm.knowledge.exchange import Reading, compare
from ragcomm.knowledge.lint import Flaw, Level, Rules, lint
from ragcomm.knowledge.publication import Edition, Plan, compose, plan, shipped_edition
from ragcomm.knowledge.sheets import READERS, WRITERS
from ragcomm.settings import Settings

if TYPE_CHECKING:
    from ragcomm.storage.entries import EntryStore


def publish(note: str, only: Sequence[str] | None, accept: Sequence[str], *, dry_run: bool) -> None:
    """Publishes the drafts that are ready, once every entry is found by its own question."""
    settings = Settings()
    store = _store(settings)
    today = datetime.now(UTC).date()
    base = _edition(store, settings, store.current())
    try:
        made = plan(base, store.drafts(), Rules.read(settings.corpora), today=today, only=only, accept=accept)
        _try(settings, made)
    except Refused as refused:
        for reason in refused.reasons:
            print(f"{reason['where']}: {reason['message']}", file=sys.stderr)
        raise
    told: dict[str, Any] = {"version": None, "base": base.version}
    if not dry_run:
        told["version"] = store.publish(made, publisher=_who(), note=note, now=datetime.now(UTC)).version
    told["published"] = [draft.entry_id for draft in made.taken]
    told["waiting"] = [draft.entry_id for draft in made.waiting]
    _print(told)


def rollback(version: int, note: str) -> None:
    """Goes back to an earlier version; 0 are the shipped entries."""
    store = _store(Settings())
    store.roll_back(version, by=_who(), note=note, now=datetime.now(UTC))
    _print({"version": version})


def versions() -> None:
    """Prints every version, newest first, one a line."""
    store = _store(Settings())
    current = store.current()
    for version in store.versions():
        _print(
            {
                "version": version.version,
                "base": version.base,
                "current": version.version == current,
                "published_at": version.published_at.isoformat(),
                "publisher": version.publisher,
                "note": version.note,
                "digest": version.digest,
                "sizes": version.sizes,
            }
        )
    _print({"version": 0, "current": current == 0, "note": "the shipped entries"})


def import_entries(kind: str, file: str, form: str | None, *, apply: bool) -> None:
    """Prints what a file would change, one line a change; `apply` writes it as drafts. Rejected rows fail."""
    settings = Settings()
    store = _store(settings)
    content = _content(file)
    read: Reading = READERS[_format(file, form)](_known(kind), content)
    there = compose(_edition(store, settings, store.current()).entries[kind], store.drafts(kind))
    diff = compare(there, read)
    for entry_id in diff.added:
        _print({"entry_id": entry_id, "change": "added"})
    for change in diff.changed:
        told = {"field": change.field, "before": change.before, "after": change.after}
        _print({"entry_id": change.entry_id, "change": "changed", **told})
    for row in diff.rejected:
        _print({"where": row.where, "change": "rejected", "reason": row.reason})
    if apply:
        touched = {*diff.added, *(change.entry_id for change in diff.changed)}
        wanted = [entry for entry in read.entries if entry.id in touched]
        store.put_all(kind, wanted, author=_who(), now=datetime.now(UTC))
    if diff.rejected:
        first = diff.rejected[0]
        raise RagcommError(f"{len(diff.rejected)} rows were rejected; first, {first.where}: {first.reason}")


def export_entries(kind: str, file: str, form: str | None, *, drafts: bool) -> None:
    """Writes the published entries; with `drafts`, as they would be once all drafts are published."""
    settings = Settings()
    store = _store(settings)
    published = _edition(store, settings, store.current()).entries[_known(kind)]
    entries = compose(published, store.drafts(kind) if drafts else [])
    content = WRITERS[_format(file, form)](entries)
    if file == "-":
        sys.stdout.buffer.write(content)
        return
    try:
        Path(file).write_bytes(content)
    except OSError as error:
        raise InvalidInput(seen=str(error.strerror), expected="a file that can be written", where=file) from error
    _print({"kind": kind, "entries": len(entries), "file": file})


def lint_entries(kind: str | None, *, whole: bool) -> None:
    """Prints what is wrong with the drafts, or with all there is, one flaw a line; an error fails."""
    settings = Settings()
    store = _store(settings)
    edition = _edition(store, settings, store.current())
    rules, today = Rules.read(settings.corpora), datetime.now(UTC).date()
    errors = 0
    for each in [_known(kind)] if kind else KINDS:
        drafts = store.drafts(each)
        only = None if whole else {draft.entry_id for draft in drafts}
        for flaw in lint(each, compose(edition.entries[each], drafts), rules, today=today, only=only):
            errors += flaw.level is Level.ERROR
            _print(_flaw(flaw))
    if errors:
        raise RagcommError(f"{errors} errors in the entries")


def _flaw(flaw: Flaw) -> dict[str, Any]:
    told = {"entry_id": flaw.entry_id, "rule": flaw.rule, "level": flaw.level}
    return {**told, "other_id": flaw.other_id, "what": flaw.what}


def _try(settings: Settings, made: Plan) -> None:
    """Builds the searches that are to come and asks them every entry's own question.

    Raises:
        Refused: one of them finds another entry first.
    """
    from ragcomm.assembly import build_answerers, build_workshop
    from ragcomm.knowledge.golden import failures

    shop = build_workshop(settings.corpora, settings.models, settings.segmenter)
    served = build_answerers(shop, made.base)
    built = build_answerers(shop, Edition(-1, made.entries), like=served)
    missed = [
        entry_id
        for new, now in zip(built, served, strict=True)
        if new is not now
        for entry_id in failures(new, shop.text.segmenter, shop.encoder, served=now)
    ]
    if missed:
        reasons = [{"where": m, "message": "its own question finds another entry first"} for m in missed]
        raise Refused(f"{len(missed)} entries are not found by their own question", reasons)


def _edition(store: EntryStore, settings: Settings, number: int) -> Edition:
    return store.edition(number) if number else shipped_edition(settings.corpora)


def _store(settings: Settings) -> EntryStore:
    from ragcomm.storage.database import migrate, open_database
    from ragcomm.storage.entries import EntryStore as Store

    engine = open_database(settings.database_url)
    migrate(engine)
    return Store(engine)


def _who() -> str:
    """Whoever runs the command: a person of this machine, never the holder of a key."""
    return f"cli:{getpass.getuser()}"[:64]


def _known(kind: str) -> str:
    if kind not in KINDS:
        raise InvalidInput(seen=kind, expected=" or ".join(KINDS), where="KIND")
    return kind


def _format(file: str, form: str | None) -> str:
    """The given format, or the one that the file's name ends with."""
    chosen = form or (Path(file).suffix[1:].lower() if file != "-" else "jsonl")
    if chosen not in READERS:
        raise InvalidInput(seen=chosen or "no ending", expected=", ".join(READERS), where="--format")
    return chosen


def _content(file: str) -> bytes:
    if file == "-":
        return sys.stdin.buffer.read()
    try:
        return Path(file).read_bytes()
    except OSError as error:
        raise InvalidInput(seen=str(error.strerror), expected="a readable file", where=file) from error


def _print(told: dict[str, Any]) -> None:
    print(json.dumps(told, ensure_ascii=False))
