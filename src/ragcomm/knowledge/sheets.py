"""Entries as sheets, CSV or XLSX: one row an entry, the items of a list on lines of their own in its cell.

A cell that a spreadsheet could take for a formula is written with an apostrophe before it, and read back exactly.
"""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date, datetime
from typing import Any

from ragcomm.errors import InvalidInput
from ragcomm.knowledge.exchange import FIELDS, LISTS, Reading, Rejected, Row, from_lines, read_rows, to_lines, to_row
from ragcomm.records import Entry

# Apostrophes before such a sign count too, so that those of a text are not taken for ours.
_RISKY = re.compile(r"'*[=+\-@\t\r＝＋－＠]")
_ESCAPES = {"\\": "\\\\", "\r": "\\r"}
_LIST_ESCAPES = {**_ESCAPES, "\n": "\\n", "|": "\\p"}
_PLAIN = {written: plain for plain, written in _LIST_ESCAPES.items()}
_ESCAPED = re.compile(r"\\[\\rnp]")
# More than any programme takes into a cell; what is longer would be cut silently.
_MOST_IN_CELL = 32_767
# A sheet of ten thousand entries unpacks to a tenth of that.
_MOST_UNPACKED = 256 * 1024 * 1024
_BOM = "\ufeff"


def to_csv(entries: Iterable[Entry]) -> bytes:
    """Every field quoted, UTF-8 with the mark by which spreadsheets know it."""
    out = io.StringIO(newline="")
    out.write(_BOM)
    csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\r\n").writerows(_table(entries))
    return out.getvalue().encode()


def from_csv(kind: str, content: bytes) -> Reading:
    """Reads a CSV whose first row names the columns.

    Raises:
        InvalidInput: it is no CSV in UTF-8, or a column is unknown.
    """
    try:
        text = content.decode("utf-8-sig")
        rows = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    except (UnicodeDecodeError, csv.Error) as error:
        raise _unreadable(str(error), "CSV in UTF-8") from error
    return _read(kind, rows)


def to_xlsx(entries: Iterable[Entry]) -> bytes:
    """A workbook of one sheet; every cell is a text."""
    from openpyxl import Workbook
    from openpyxl.cell import WriteOnlyCell

    book = Workbook(write_only=True)
    sheet = book.create_sheet("entries")
    for row in _table(entries):
        cells = [WriteOnlyCell(sheet, value) for value in row]
        for cell in cells:
            cell.data_type = "s"
        sheet.append(cells)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def from_xlsx(kind: str, content: bytes) -> Reading:
    """Reads the first sheet of a workbook whose first row names the columns; formulas are never computed.

    Raises:
        InvalidInput: it is no workbook, unpacks to too much, or a column is unknown.
    """
    from openpyxl import load_workbook

    try:
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            unpacked = sum(part.file_size for part in packed.infolist())
        if unpacked > _MOST_UNPACKED:
            raise _unreadable(f"{unpacked} bytes unpacked", f"at most {_MOST_UNPACKED}")
        book = load_workbook(io.BytesIO(content), read_only=True)
        rows = [[_cell_text(value) for value in row] for row in book.worksheets[0].iter_rows(values_only=True)]
        book.close()
    except InvalidInput:
        raise
    # A damaged workbook fails in as many ways as it has parts.
    except Exception as error:
        raise _unreadable(type(error).__name__, "an XLSX workbook") from error
    return _read(kind, rows)


# Content to entries, entries to content, by format.
READERS: dict[str, Callable[[str, bytes], Reading]] = {"jsonl": from_lines, "csv": from_csv, "xlsx": from_xlsx}
WRITERS: dict[str, Callable[[Iterable[Entry]], bytes]] = {"jsonl": to_lines, "csv": to_csv, "xlsx": to_xlsx}
MEDIA_TYPES = {
    "jsonl": "application/x-ndjson",
    "csv": "text/csv",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


def _table(entries: Iterable[Entry]) -> Iterator[list[str]]:
    yield list(FIELDS)
    for entry in entries:
        row = to_row(entry)
        cells = [_guarded(_written(name, row.get(name))) for name in FIELDS]
        for name, cell in zip(FIELDS, cells, strict=True):
            if len(cell) > _MOST_IN_CELL:
                seen = f"{name!r} of {entry.id} with {len(cell)} characters"
                raise InvalidInput(seen=seen, expected=f"at most {_MOST_IN_CELL} in a cell", where="sheet")
        yield cells


def _written(name: str, value: Any) -> str:
    if value is None:
        return ""
    if name == "sources":
        return "\n".join("|".join(_escaped(str(s[f])) for f in ("title", "issuer", "year")) for s in value)
    if name in LISTS:
        return "\n".join(map(_escaped, value))
    return re.sub(r"[\\\r]", lambda met: _ESCAPES[met[0]], value)


def _escaped(item: str) -> str:
    return re.sub(r"[\\\r\n|]", lambda met: _LIST_ESCAPES[met[0]], item)


def _guarded(cell: str) -> str:
    return f"'{cell}" if _RISKY.match(cell) else cell


def _bared(cell: str) -> str:
    return cell[1:] if cell.startswith("'") and _RISKY.match(cell) else cell


def _plain(text: str) -> str:
    return _ESCAPED.sub(lambda met: _PLAIN[met[0]], text)


def _read(kind: str, rows: Sequence[Sequence[str]]) -> Reading:
    if not rows:
        return Reading((), ())
    columns = [cell.strip() for cell in rows[0]]
    while columns and not columns[-1]:
        columns.pop()
    unknown = [name for name in columns if name not in FIELDS]
    if unknown or len(set(columns)) < len(columns):
        raise _unreadable(f"the columns {', '.join(columns)[:200]}", f"each at most once of {', '.join(FIELDS)}")
    good: list[tuple[str, Row]] = []
    rejected: list[Rejected] = []
    for number, cells in enumerate(rows[1:], 2):
        if not any(cells):
            continue
        try:
            good.append((f"row {number}", _row(columns, cells)))
        except ValueError as error:
            rejected.append(Rejected(f"row {number}", str(error)))
    return read_rows(kind, good, rejected)


def _row(columns: Sequence[str], cells: Sequence[str]) -> Row:
    if any(cells[len(columns) :]):
        raise ValueError(f"saw {len(cells)} cells, expected {len(columns)}")
    return {name: _value(name, _bared(cell)) for name, cell in zip(columns, cells, strict=False) if cell}


def _value(name: str, cell: str) -> Any:
    if name == "sources":
        return [_source(line) for line in cell.split("\n") if line.strip()]
    if name in LISTS:
        return [_plain(line) for line in cell.split("\n") if line.strip()]
    return _plain(cell)


def _source(line: str) -> dict[str, Any]:
    parts = [_plain(part) for part in line.split("|")]
    if len(parts) != 3 or not re.fullmatch(r"-?\d{1,9}", parts[2].strip(), re.ASCII):
        raise ValueError(f"saw the source {line[:60]!r}, expected title|issuer|year")
    return {"title": parts[0], "issuer": parts[1], "year": int(parts[2])}


def _cell_text(value: object) -> str:
    """What a cell of a workbook shows: days as they are written here, whole numbers without a point."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.date().isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def _unreadable(seen: str, expected: str) -> InvalidInput:
    return InvalidInput(seen=seen, expected=expected, where="file")
