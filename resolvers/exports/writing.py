"""Writing an export, part by part: each part is one transaction, and what a process left unfinished is done again.

Beside the finished file an export has two others while it is written.  `.ids` holds the records in their order, found
once, so that none is written twice or lost whatever changes meanwhile.  `.rows` holds the cells that are read for good:
`export.written` says how many of its bytes count.  A process that takes over copies these into a file of its own, and
fills a new workbook from there; one that comes back later writes on in the old one, and its part is not taken.
"""

import json
import os
import secrets
from array import array
from collections.abc import Callable, Iterator, MutableMapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, BinaryIO, Protocol

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Export, SensitiveRead
from models.audit.entries import Changes
from models.choice_names import in_language
from models.errors import ExportGone, TooManyRecords
from models.export import KEPT, ExportFormat, ExportState
from models.sensitive_read import GUARDED

from ..jobs.kinds import Progress
from ..runtime.read_beside import as_they_are, read_beside
from ..runtime.scope import Scope
from . import reading
from .cells import Cell, packed, unpacked
from .exports import file_of, limit_of, log_export, module_of
from .kinds import ExportColumn, kind_of, known_columns
from .listing import read

SMALLEST, LARGEST = 500, 5_000
"""Minimum and maximum number of records of one part."""
_BOOK, _PART = "book", "part"


@dataclass(frozen=True)
class Sheet:
    """What a book is about: its title, its columns, who made it when, and where it may keep what is not finished."""

    title: str
    headings: Sequence[str]
    columns: Sequence[ExportColumn]
    format: ExportFormat
    maker: str
    at: datetime
    language: str
    scratch: str


class Book(Protocol):
    """A file that is filled row by row, in memory that does not grow."""

    rows: int

    def add(self, row: Sequence[Cell]) -> None:
        """Append one row."""
        ...

    def save(self, file: BinaryIO) -> None:
        """Write the whole file; nothing can be added afterwards."""
        ...


MakeBook = Callable[[Sheet], Book]


@dataclass(frozen=True)
class Part:
    """What was prepared outside the transaction: the count, some rows, or the finished file."""

    total: int | None = None
    found: str = ""
    ids: int = 0
    rows: int = 0
    written: int = 0
    part: str = ""
    size: int | None = None


def write_now(
    scope: Scope, id: int, make_book: MakeBook, told: Callable[[int, int | None], None] = lambda _done, _total: None
) -> None:
    """Write an export that no job writes, in this thread; `told` gets the records so far and all of them.

    Raises Refusal for what ends it.
    """
    memory: dict[str, Any] = {}
    position, total, more = 0, None, True
    while more:
        part = prepare(scope, id, position, LARGEST, memory, make_book)
        progress: Progress = scope.do(_take_alone, id, position, part)
        position, more, total = progress.position, progress.more, progress.total or total
        told(position, total)


def _take_alone(scope: Scope, id: int, position: int, part: Part) -> Progress:
    with scope.write("user.exports") as db:
        return take(scope, db, id, position, part)


# --- outside the transaction -----------------------------------------------------------------------------


def prepare(
    scope: Scope, id: int, position: int, size: int, memory: MutableMapping[str, Any], make_book: MakeBook
) -> Part:
    """Find the records, or read and write some of them, or finish the file, as far as `position` demands.

    Raises Refusal for what ends the export.
    """
    now = as_they_are(scope)
    row = now.do(_row, id)
    if row is None:
        return Part()
    if row.total is None:
        return _find(now, row)
    if position >= row.total:
        return Part(size=_finish(now, row, memory, make_book))
    return _add(now, row, position, max(SMALLEST, min(size, LARGEST)), memory, make_book)


def _row(scope: Scope, id: int) -> Any:
    """The columns of an export of the caller; None where it was deleted."""
    table: Any = Export.__table__
    asked = select(table).where(table.c.id == id, table.c.owner_id == scope.me)
    return scope.outer_transaction().execute(asked).first()


def _find(scope: Scope, row: Any) -> Part:
    """Write the ids of all records.  Raises TooManyRecords."""
    name = f"{row.file}.{secrets.token_hex(4)}.ids"
    with scope.backend.files.opened(name) as file:
        return Part(total=read_beside(scope, scope.backend.url, _write_ids, row, file, steadily=True), found=name)


def _write_ids(scope: Scope, db: Session, row: Any, file: BinaryIO) -> int:
    count, limit = 0, limit_of(db)
    for ids in reading.found(scope, db, kind_of(row.entity), read(row.listing)):
        count += len(ids)
        if limit is not None and count > limit:
            raise TooManyRecords(limit=f"{limit:,}")
        file.write(array("q", ids).tobytes())
    return count


def _add(
    scope: Scope, row: Any, position: int, size: int, memory: MutableMapping[str, Any], make_book: MakeBook
) -> Part:
    """Append the rows of some records to `.rows` and to the book."""
    book, files = _book(scope, row, memory, make_book), scope.backend.files
    ids = _ids(scope, row, position, size)
    model, listing = kind_of(row.entity), read(row.listing)
    found = read_beside(scope, scope.backend.url, reading.rows, model, listing, _columns(scope, row), ids)
    name = _own_part(scope, row, memory)
    with _whole(), files.opened(name, keep=row.written) as file:
        for cells in found:
            file.write(json.dumps(packed(cells), ensure_ascii=False, separators=(",", ":")).encode() + b"\n")
            book.add(cells)
        written = file.tell()
    return Part(ids=len(ids), rows=len(found), written=written, part=name)


def _own_part(scope: Scope, row: Any, memory: MutableMapping[str, Any]) -> str:
    """The file with the rows of this process, which begins with those that another has written."""
    if _PART not in memory:
        name = f"{row.file}.{secrets.token_hex(4)}.rows"
        if row.written:
            with _whole():
                scope.backend.files.begin_with(name, row.part, row.written)
        memory[_PART] = name
    return str(memory[_PART])


def _finish(scope: Scope, row: Any, memory: MutableMapping[str, Any], make_book: MakeBook) -> int:
    """Write the finished file under its name; returns its size in bytes."""
    book = _book(scope, row, memory, make_book)
    del memory[_BOOK]
    return save(scope, row, book)


def save(scope: Scope, row: Any, book: Book) -> int:
    """Write the book of an export under the name of its file; returns its size in bytes."""
    files, part = scope.backend.files, f"{file_of(row)}.part"
    with files.opened(part) as file:
        book.save(file)
    os.replace(files.path(part), files.path(file_of(row)))
    return files.path(file_of(row)).stat().st_size


def sheet_of(scope: Scope, row: Any, columns: Sequence[ExportColumn]) -> Sheet:
    """What the book of an export is about."""
    return Sheet(
        title=row.title,
        headings=[in_language(column.said, row.language) for column in columns],
        columns=columns,
        format=row.format,
        maker=scope.person.name,
        at=row.created_at,
        language=row.language,
        scratch=str(scope.backend.files.scratch(row.file)),
    )


def _book(scope: Scope, row: Any, memory: MutableMapping[str, Any], make_book: MakeBook) -> Book:
    """The book with exactly the rows that count: the one of the part before, or one that is filled anew."""
    held: Book | None = memory.get(_BOOK)
    if held is not None and held.rows == row.done:
        return held
    book = make_book(sheet_of(scope, row, _columns(scope, row)))
    for cells in _rows_that_count(scope, row) if row.done else ():
        book.add(cells)
    memory[_BOOK] = book
    return book


def _columns(scope: Scope, row: Any) -> list[ExportColumn]:
    """The columns of the file.  One that its maker no longer sees in any record stays, and is empty from then on."""
    known = known_columns(scope, kind_of(row.entity))
    return [known[key] for key in row.columns if key in known]


def _rows_that_count(scope: Scope, row: Any) -> Iterator[list[Cell]]:
    with _whole(), scope.backend.files.path(row.part).open("rb") as file:
        for _ in range(row.done):
            yield unpacked(json.loads(file.readline()))


def _ids(scope: Scope, row: Any, position: int, size: int) -> list[int]:
    with _whole(), scope.backend.files.path(row.found).open("rb") as file:
        file.seek(position * 8)
        return list(array("q", file.read(size * 8)))


@contextmanager
def _whole() -> Iterator[None]:
    """Raises ExportGone in place of a missing or shortened file."""
    try:
        yield
    except (FileNotFoundError, json.JSONDecodeError):
        raise ExportGone from None


# --- in the transaction ----------------------------------------------------------------------------------


def take(scope: Scope, db: Session, id: int, position: int, part: Part) -> Progress:
    """Note a part that was prepared.  Raises Forbidden where the right to export was taken away meanwhile."""
    row = db.execute(
        select(Export).where(Export.id == id, Export.owner_id == scope.me).with_for_update()
    ).scalar_one_or_none()
    if row is None:
        return Progress(position, more=False)
    scope.allow("export", module_of(row))
    if part.total is not None:
        row.total, row.found, row.state = part.total, part.found, ExportState.RUNNING
        return Progress(0, total=part.total)
    if part.size is not None:
        _end(scope, row, part.size)
        return Progress(position, more=False)
    row.done, row.written, row.part, row.state = row.done + part.rows, part.written, part.part, ExportState.RUNNING
    return Progress(position + part.ids, done=part.ids)


def _end(scope: Scope, row: Export, size: int) -> None:
    """The file is finished: it is kept from now on, and the log says what is in it."""
    row.state, row.size, row.ended_at, row.expires_at = ExportState.DONE, size, scope.now(), scope.now() + KEPT
    with scope.write(f"{module_of(row)}.export") as db:
        about: Changes = {"filter": [None, row.said], "rows": [None, row.done], "format": [None, row.format.value]}
        log_export(scope, db, row, about)
        _note_read(scope, db, row)
    name, whole, files = row.file, file_of(row), scope.backend.files
    scope.after_commit(lambda: files.delete_all(name, but=whole))


def _note_read(scope: Scope, db: Session, row: Export) -> None:
    """Note that the maker has seen phones or e-mail addresses, if the file has columns of them."""
    entity = kind_of(row.entity).__tablename__
    if any(key.partition(".")[0] in GUARDED.get(entity, ()) for key in row.columns):
        seen = {"at": scope.now(), "reader_id": scope.person.id, "door": "export", "entity": entity}
        db.add(SensitiveRead(**seen, record_id=None, count=row.done))
