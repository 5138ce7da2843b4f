"""Staging: rows of a file are laid down in the database, in chunks, exactly once whatever process is killed meanwhile.

The file is read outside of any transaction.  `position` of the import is the number of the last row that lies in the database,
so a process that takes over reads on behind it.
"""

from collections.abc import Iterator, MutableMapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, Protocol

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from models import ImportBatch, ImportRow
from models.errors import Refusal
from models.import_batch import ImportState, RowState

from ..jobs.kinds import Progress
from ..runtime.scope import Scope
from .batches import Choices, choices_of
from .dropping import drop_rows, has_rows
from .matching import signature

SMALLEST = 200
"""Minimum number of rows of one chunk."""
_ROWS = "rows"
StagedRow = tuple[int, Sequence[Any]]
"""(number in the sheet, cells)."""


class Reader(Protocol):
    """Reads files, in a process of its own."""

    def inspect(self, path: Path, name: str, choices: Choices) -> dict[str, Any]:
        """What the file holds, as JSON.  Raises a refusal of `models/sheet_errors.py`."""
        ...

    def rows(self, path: Path, choices: Choices) -> Iterator[StagedRow]:
        """The rows below the headings, in their order.  Raises the same."""
        ...


@dataclass(frozen=True)
class Part:
    """What was read for one chunk: what the file holds, some rows, or why it is refused."""

    overview: dict[str, Any] | None = None
    rows: list[StagedRow] = field(default_factory=list)
    is_last: bool = False
    is_dropping: bool = False
    """Whether nothing was read yet, because rows of another reading are still there."""
    refusal: Refusal | None = None


def prepare(scope: Scope, id: int, version: int, size: int, memory: MutableMapping[str, Any], reader: Reader) -> Part:
    """Read the next rows of a file, outside of the transaction."""
    row, has_others = scope.do(_current, id, version)
    if row is None:
        return Part(is_last=True)
    if has_others:
        return Part(is_dropping=True)
    try:
        return _next(scope, row, max(size, SMALLEST), memory, reader)
    except Refusal as refusal:
        _close(memory)
        return Part(is_last=True, refusal=refusal)


def take(scope: Scope, db: Session, id: int, version: int, part: Part) -> Progress:
    """Lay the rows down.  A part of a file that is read in another way by now is dropped."""
    row = db.get(ImportBatch, id, with_for_update=True)
    if row is None or row.version != version or row.state is not ImportState.UPLOADED:
        return Progress(0, more=False)
    if part.is_dropping:
        drop_rows(db, row)
        return Progress(0)
    if part.refusal is not None:
        _refuse(scope, row, part.refusal)
        return Progress(row.position, failed=1, more=False)
    if part.overview is not None:
        row.overview = part.overview
        row.signature = signature(str(column["header"]) for column in part.overview["columns"])
    fresh = [each for each in part.rows if each[0] > row.position]
    if fresh:
        staged = {"batch_id": id, "state": RowState.STAGED, "edits": None, "problems": None, "before": None}
        db.connection().execute(
            insert(ImportRow.__table__),  # type: ignore[arg-type]  # a table, as all are
            [{**staged, "number": number, "cells": list(cells)} for number, cells in fresh],
        )
        row.rows, row.position = row.rows + len(fresh), fresh[-1][0]
    if part.is_last:
        row.state = ImportState.READ
    total = (row.overview or {}).get("rows")
    return Progress(row.position, done=len(fresh), more=not part.is_last, total=total)


# --- steps -----------------------------------------------------------------------------------------------


def _current(scope: Scope, id: int, version: int) -> tuple[Any, bool]:
    """The columns of the import, None where it is not to be read; and whether rows of another reading are still there."""
    table: Any = ImportBatch.__table__
    asked = select(table).where(table.c.id == id, table.c.version == version, table.c.state == ImportState.UPLOADED)
    row = scope.outer_transaction().execute(asked).first()
    return row, row is not None and row.overview is None and has_rows(scope.outer_transaction(), id)


def _next(scope: Scope, row: Any, size: int, memory: MutableMapping[str, Any], reader: Reader) -> Part:
    path, choices = scope.backend.files.path(row.file), choices_of(row)
    overview = reader.inspect(path, row.file_name, choices) if row.overview is None else None
    if _ROWS not in memory:
        memory[_ROWS] = reader.rows(path, choices)
    found = list(islice((each for each in memory[_ROWS] if each[0] > row.position), size))
    is_last = len(found) < size
    if is_last:
        _close(memory)
    return Part(overview, found, is_last)


def _close(memory: MutableMapping[str, Any]) -> None:
    rows = memory.pop(_ROWS, None)
    if rows is not None and hasattr(rows, "close"):
        rows.close()


def _refuse(scope: Scope, row: ImportBatch, refusal: Refusal) -> None:
    row.state, row.ended_at = ImportState.FAILED, scope.now()
    row.error_code, row.error, row.error_zh = refusal.code(), refusal.say("en")[:400], refusal.say("zh")[:400]
