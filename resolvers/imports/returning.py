"""Returning: the corrected result workbook, or the corrected original, continues the import that it came from.

A job reads the file in the child process.  Cells that differ become corrections of the same rows, rows that are new are added,
rows that are missing stay as they are.  Then the import is checked again.  A file of something else changes nothing.
"""

from collections.abc import Iterator, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session

from models import ImportBatch, ImportRow
from models.errors import ImportEnded, ImportRowsGone, NothingCorrected, OtherWorkbook, Refusal, RowsWritten
from models.import_batch import KEPT, ImportState, RowState
from models.sheet_cells import Cell

from ..jobs.kinds import Progress
from ..runtime.read_beside import as_they_are, read_beside
from ..runtime.scope import Scope
from .batches import CHECK, RETURN, Choices, allowed, are_rows_gone, choices_of, enqueue, locked, log, reading_of
from .judging import CORRECTABLE, rows_at, stage_again
from .matching import header_key, signature
from .returned_rows import Columns, Corrections, corrections
from .row_notes import note_rows
from .staging import Reader

OPEN = (ImportState.READ, ImportState.MAPPED, ImportState.CHECKED, ImportState.PARTLY)
"""States of imports that go on with a corrected file.  Of a PARTLY one the rows that stayed behind do."""
AT_ONCE = 300
"""Maximum number of rows that one transaction corrects."""
ROW_KEY = "row"
"""The mark of the hidden column of a result workbook; its other columns are marked by their places."""
_ROWS: Any = ImportRow.__table__
_EDITS, _ADDED, _LATE, _DONE = "edits", "added", "late", "done"


@dataclass(frozen=True)
class Part:
    """Some corrections, or why there are none."""

    edits: Mapping[int, Mapping[int, Cell]] = field(default_factory=dict)
    added: Mapping[int, Sequence[Cell]] = field(default_factory=dict)
    done: int = 0
    is_last: bool = False
    refusal: Refusal | None = None


def continue_with(scope: Scope, id: int, stored: str, file_hash: str) -> None:
    """Go on with a corrected file, which lies in the store under the name `stored`; a job takes its corrections over.

    What it refuses is the `error` of the import, which stays as it is.  `file_hash`: SHA-256.  Raises NotFound, Forbidden,
    ImportEnded, ImportRowsGone where its rows are no longer kept, and NothingCorrected for the very file that was imported.
    """
    with scope.write("user.imports") as db:
        row = locked(scope, db, id)
        allowed(scope, row.target)
        if row.state not in OPEN:
            raise ImportEnded
        if file_hash == row.file_hash:
            raise NothingCorrected
        last = db.execute(select(func.max(_ROWS.c.number)).where(_ROWS.c.batch_id == row.id)).scalar_one()
        if last is None or are_rows_gone(row, scope.now()):
            raise ImportRowsGone(days=KEPT.days)
        row.returned, row.error_code, row.error, row.error_zh = stored, None, None, None
        row.job_id = scope.later(
            RETURN, {"import": row.id, "file": stored, "after": last}, order_key=f"import:{row.id}"
        )
        log(scope, db, row, {"file": [None, row.file_name]})


# --- outside the transaction -----------------------------------------------------------------------------


def prepare(scope: Scope, id: int, stored: str, after: int, memory: MutableMapping[str, Any], reader: Reader) -> Part:
    """The next corrections.  A process that takes over compares anew, and finds what is not taken over yet."""
    if _EDITS not in memory:
        now = as_they_are(scope)
        try:
            found = read_beside(now, now.backend.url, _found, id, stored, after, reader)
        except Refusal as refusal:
            return Part(is_last=True, refusal=refusal)
        except FileNotFoundError:
            return Part(is_last=True)
        memory[_EDITS], memory[_ADDED], memory[_DONE] = iter(found.edits.items()), iter(found.added.items()), 0
    edits = dict(islice(memory[_EDITS], AT_ONCE))
    added = dict(islice(memory[_ADDED], AT_ONCE - len(edits)))
    memory[_DONE] += len(edits) + len(added)
    return Part(edits, added, memory[_DONE], is_last=len(edits) + len(added) < AT_ONCE)


def _found(scope: Scope, db: Session, id: int, stored: str, after: int, reader: Reader) -> Corrections:
    batch = db.get(ImportBatch, id)
    if batch is None or batch.owner_id != scope.me or batch.returned != stored:
        return Corrections()
    path, said = scope.backend.files.path(stored), batch.file_name
    overview = reader.inspect(path, said, Choices(hidden_rows=True))
    marks = overview.get("marks") or {"about": {}, "columns": {}}
    if marks["about"].get("kind") == "result":
        columns = _marked_columns(batch, marks)
        choices = Choices(sheet=overview["sheet"], header_row=overview["header_row"], hidden_rows=True)
    else:
        choices = choices_of(batch)
        columns = _same_columns(batch, reader.inspect(path, said, choices))
    return corrections(reader.rows(path, choices), columns, _KnownRows(db, id), first_new=after + 1)


def _marked_columns(batch: ImportBatch, marks: Mapping[str, Any]) -> Columns:
    if marks["about"].get("import") != str(batch.id):
        raise OtherWorkbook(why="it is the result workbook of another import", why_zh="它是另一次导入的结果表")
    if marks["about"].get("reading", reading_of(batch)) != reading_of(batch):
        raise OtherWorkbook(
            why="it was made before the file was read in another way", why_zh="它生成于文件按另一种方式重新读取之前"
        )
    numbers = marks["columns"].get(ROW_KEY)
    if numbers is None:
        raise OtherWorkbook(
            why="its hidden column with the numbers of rows is missing", why_zh="其中隐藏的行号列已丢失"
        )
    places = {place: int(key) for key, place in marks["columns"].items() if key.isdigit()}
    return Columns(places, numbers)


def _same_columns(batch: ImportBatch, overview: Mapping[str, Any]) -> Columns:
    """Columns of the original by their headings, in whatever order they are now."""
    if signature(str(column["header"]) for column in overview["columns"]) != batch.signature:
        raise OtherWorkbook(
            why="its headings are others than those of the file that was imported", why_zh="表头与所导入的文件不同"
        )
    places = {header_key(each["name"]): each["index"] for each in (batch.overview or {}).get("columns", ())}
    named = [(each["index"], header_key(each["name"])) for each in overview["columns"]]
    return Columns({index: places[key] for index, key in named if key in places})


class _KnownRows:
    """The staged rows of an import, as far as they are asked for."""

    def __init__(self, db: Session, id: int) -> None:
        self.db, self.id = db, id

    def at(self, numbers: Sequence[int]) -> Mapping[int, Any]:
        wanted = _asked(self.id).where(_ROWS.c.number.in_(sorted({*numbers})))
        return {row.number: row for row in self.db.execute(wanted)}

    def all(self) -> Iterator[Any]:
        after = -1
        while found := [*self.db.execute(_asked(self.id).where(_ROWS.c.number > after).limit(2_000))]:
            yield from found
            after = found[-1].number


def _asked(id: int) -> Any:
    r = _ROWS.c
    return select(r.number, r.cells, r.edits, r.state).where(r.batch_id == id).order_by(r.number)


# --- in the transaction ----------------------------------------------------------------------------------


def take(scope: Scope, db: Session, id: int, stored: str, part: Part, memory: MutableMapping[str, Any]) -> Progress:
    """Take corrections over.  Those of a file that is no longer wanted are dropped."""
    row = db.get(ImportBatch, id, with_for_update=True)
    if row is None or row.owner_id != scope.me or row.returned != stored or row.state not in OPEN:
        _drop(scope, stored)
        return Progress(part.done, more=False)
    memory[_LATE] = memory.get(_LATE, 0) + _correct(db, row, part.edits)
    row.rows += _add(db, row, part.added)
    if part.is_last:
        _finish(scope, db, row, part, memory[_LATE])
    return Progress(part.done, done=len(part.edits) + len(part.added), more=not part.is_last)


def _finish(scope: Scope, db: Session, row: ImportBatch, part: Part, late: int) -> None:
    _drop(scope, row.returned or "")
    row.returned = None
    told = part.refusal or (RowsWritten(count=late) if late else None)
    if told is None and not part.done:
        told = NothingCorrected()
    if told is not None:
        row.error_code, row.error, row.error_zh = told.code(), told.say("en")[:400], told.say("zh")[:400]
    if part.done > late and row.mapping:
        row.state, row.position, row.ended_at, row.version = ImportState.MAPPED, 0, None, row.version + 1
        enqueue(scope, row, CHECK)
        log(scope, db, row, {"rows": [None, part.done - late]})


def _correct(db: Session, batch: ImportBatch, edits: Mapping[int, Mapping[int, Cell]]) -> int:
    """Write edits into rows; returns how many of them have been written as records already."""
    found = rows_at(db, batch, edits) if edits else []
    rows = [row for row in found if row.state in CORRECTABLE]
    note_rows(db, batch, [{"number": row.number, "edits": _edited(row.edits, edits[row.number])} for row in rows])
    stage_again(db, batch, [row.number for row in rows if row.state != RowState.SKIPPED])
    return len(found) - len(rows)


def _edited(kept: Mapping[str, Any] | None, cells: Mapping[int, Cell]) -> dict[str, Any] | None:
    """The edits of a row with these; None takes one back."""
    changed = {**(kept or {}), **{str(place): cell for place, cell in cells.items()}}
    return {place: cell for place, cell in changed.items() if cell is not None} or None


def _add(db: Session, batch: ImportBatch, added: Mapping[int, Sequence[Cell]]) -> int:
    """Stage new rows; returns how many.  One that a lost process has staged already is left alone."""
    there = select(_ROWS.c.number).where(_ROWS.c.batch_id == batch.id, _ROWS.c.number.in_(sorted(added)))
    known = {*db.execute(there).scalars()} if added else set()
    fresh = {number: cells for number, cells in added.items() if number not in known}
    if fresh:
        staged = {"batch_id": batch.id, "state": RowState.STAGED, "edits": None, "problems": None, "before": None}
        rows = [{**staged, "number": number, "cells": [*cells]} for number, cells in fresh.items()]
        db.connection().execute(insert(_ROWS), rows)
    return len(fresh)


def _drop(scope: Scope, stored: str) -> None:
    name, files = stored.partition(".")[0], scope.backend.files
    scope.after_commit(lambda: files.delete_all(name))
