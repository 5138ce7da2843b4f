"""Result workbooks: the rows of an import as their user gave them, each with its state and its reasons in front.

A job reads them part by part and writes the workbook outside of any transaction.  A process that ends leaves nothing that
counts: the next one begins the workbook anew.
"""

import os
import secrets
from collections.abc import Callable, Mapping, MutableMapping
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, BinaryIO, Protocol

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import ImportBatch, ImportRow
from models.choice_names import Said, in_language
from models.errors import ImportRowsGone, NotChecked, ResultGone, ResultNotReady
from models.export import ExportFormat
from models.import_batch import KEPT, ImportState, RowState
from models.sheet_cells import Cell

from ..exports.exports import MEDIA, Download
from ..jobs.kinds import Progress
from ..runtime.read_beside import as_they_are, read_beside
from ..runtime.scope import Scope
from .applying import counts
from .batches import allowed, log, own, reading_of
from .looking import ShownSheet
from .returned_rows import row_mark
from .row_states import STATE_WORDS


class Tone(StrEnum):
    """The colour of a row: wrong, good, or to be looked at."""

    RED = "red"
    GREEN = "green"
    AMBER = "amber"
    NONE = "none"


JOB = "write_results"
"""The kind of jobs that writes result workbooks."""
SETTLED = (ImportState.CHECKED, ImportState.DONE, ImportState.PARTLY, ImportState.UNDONE)
"""States in which rows have a result."""
AT_ONCE = 2_000
"""Maximum number of rows of one part."""
MOST_COMMENTED = 5_000
"""Maximum number of rows of a workbook whose wrong cells have comments; in larger ones the reasons stand in their column."""
RED = (RowState.BAD, RowState.FAILED)
GREEN = (RowState.GOOD, RowState.CREATED, RowState.UPDATED, RowState.SAME, RowState.UNDONE)
WARNED: Said = ("Good, look at it", "正确（请核对）")
STATE, REASON, NUMBER = ("Import status", "导入状态"), ("Reasons", "原因说明"), ("Row", "行号")
_TONES = {**dict.fromkeys(RED, Tone.RED), **dict.fromkeys(GREEN, Tone.GREEN), RowState.KEPT: Tone.AMBER}
_NAME: Said = (" - results", "（导入结果）")
_ROWS: Any = ImportRow.__table__
_BOOK, _DONE = "book", "at"


@dataclass(frozen=True)
class ResultSheet:
    """What a workbook is about.  `headings`: those of its user, by place.  `has_red`: whether only red rows are to be shown."""

    title: str
    front: tuple[str, str, str]
    headings: Mapping[int, str]
    about: Mapping[str, str]
    red_words: tuple[str, ...]
    has_red: bool
    has_comments: bool
    scratch: str


@dataclass(frozen=True)
class ResultRow:
    """One row.  `cells`: by place, corrections included.  `notes`: place -> what is wrong with its cell."""

    mark: str
    """Of the hidden column: by it the row is known when the workbook comes back."""
    number: int
    state: str
    tone: Tone
    reason: str
    cells: Mapping[int, Cell]
    notes: Mapping[int, str]


class ResultBook(Protocol):
    """A workbook that is filled row by row."""

    def add(self, row: ResultRow) -> None: ...
    def save(self, file: BinaryIO) -> None:
        """Write the whole file; nothing can be added afterwards."""
        ...


MakeBook = Callable[[ResultSheet], ResultBook]


@dataclass(frozen=True)
class Part:
    """What was written outside the transaction: so many rows up to this number; whether the file is finished."""

    position: int = 0
    rows: int = 0
    is_last: bool = False


def begin(scope: Scope, id: int) -> None:
    """Let a job write the result workbook of an import, in the language of the caller; the one before is given up.

    Raises NotFound, Forbidden, NotChecked before the rows have results, and ImportRowsGone where they are no longer kept.
    """
    with scope.write("user.imports") as db:
        row = own(scope, db, id)
        allowed(scope, row.target)
        if row.state not in SETTLED:
            raise NotChecked
        if db.execute(select(_ROWS.c.number).where(_ROWS.c.batch_id == row.id).limit(1)).first() is None:
            raise ImportRowsGone(days=KEPT.days)
        _give_up(scope, row)
        row.result, row.result_at = f"{row.file.partition('.')[0]}.{secrets.token_hex(4)}.xlsx", None
        scope.later(JOB, {"import": row.id, "file": row.result}, order_key=f"results:{row.id}")


def download(scope: Scope, id: int) -> Download:
    """The result workbook of an import, for its user alone.  Every download is logged.

    Raises NotFound, Forbidden, ResultNotReady, ResultGone.
    """
    with scope.write("user.download") as db:
        row = own(scope, db, id)
        allowed(scope, row.target)
        if row.result is None or row.result_at is None:
            raise ResultNotReady
        path = scope.backend.files.path(row.result)
        if not path.exists():
            raise ResultGone
        log(scope, db, row, {"rows": [None, row.rows]})
        name = f"{row.file_name.rpartition('.')[0] or row.file_name}{in_language(_NAME, scope.language)}.xlsx"
        return Download(row.result, name, MEDIA[ExportFormat.XLSX], path.stat().st_size)


# --- outside the transaction -----------------------------------------------------------------------------


def prepare(scope: Scope, id: int, file: str, position: int, memory: MutableMapping[str, Any], make: MakeBook) -> Part:
    """Write the next rows behind `position`, or the finished file.  A process that has no book begins it anew."""
    now = as_they_are(scope)
    if memory.get(_BOOK) is None:
        about: ResultSheet | None = read_beside(now, now.backend.url, _sheet, id, file)
        if about is None:
            return Part(position, is_last=True)
        memory[_BOOK], memory[_DONE] = make(about), 0
    written = 0
    while True:
        rows: list[ResultRow] = read_beside(now, now.backend.url, _rows, id, memory[_DONE])
        for row in rows:
            memory[_BOOK].add(row)
        if rows:
            memory[_DONE] = rows[-1].number
        written += sum(1 for row in rows if row.number > position)
        if memory[_DONE] > position or len(rows) < AT_ONCE:
            break
    if len(rows) < AT_ONCE:
        _save(now, file, memory)
    return Part(memory[_DONE], written, is_last=len(rows) < AT_ONCE)


def _sheet(scope: Scope, db: Session, id: int, file: str) -> ResultSheet | None:
    """What the workbook is about; None where another one is wanted by now."""
    row = db.get(ImportBatch, id)
    if row is None or row.owner_id != scope.me or row.result != file:
        return None
    known = counts(db, row)
    return ResultSheet(
        title=in_language(("Results", "导入结果"), scope.language),
        front=(_said(scope, STATE), _said(scope, REASON), _said(scope, NUMBER)),
        headings={each["index"]: each["name"] for each in (row.overview or {}).get("columns", ())},
        about={"kind": "result", "target": row.target, "import": str(row.id), "reading": reading_of(row)},
        red_words=tuple(_said(scope, STATE_WORDS[state]) for state in RED),
        has_red=any(known.get(state) for state in RED),
        has_comments=row.rows <= MOST_COMMENTED,
        scratch=str(scope.backend.files.scratch(row.file.partition(".")[0])),
    )


def _rows(scope: Scope, db: Session, id: int, after: int) -> list[ResultRow]:
    batch = db.get(ImportBatch, id)
    if batch is None or batch.owner_id != scope.me:
        return []
    r = _ROWS.c
    asked = select(r.number, r.state, r.cells, r.edits, r.problems, r.warnings).where(
        r.batch_id == id, r.number > after
    )
    sheet = ShownSheet(scope, db, batch)
    return [_row(scope, sheet, row) for row in db.execute(asked.order_by(r.number).limit(AT_ONCE))]


def _row(scope: Scope, sheet: ShownSheet, row: Any) -> ResultRow:
    state = RowState(row.state)
    problems = [sheet.problem(stored) for stored in row.problems or ()]
    warnings = [sheet.problem(stored) for stored in row.warnings or ()] if state is RowState.GOOD else []
    notes: dict[int, str] = {}
    for each in problems:
        if each.place is not None:
            notes[each.place] = f"{notes[each.place]}\n{each.sentence}" if each.place in notes else each.sentence
    return ResultRow(
        mark=row_mark(row.number, row.cells, row.edits),
        number=row.number,
        state=_said(scope, WARNED if warnings else STATE_WORDS[state]),
        tone=Tone.AMBER if warnings else _TONES.get(state, Tone.NONE),
        reason="\n".join(dict.fromkeys(each.sentence for each in (*problems, *warnings))),
        cells=dict(enumerate(row.cells)) | {int(place): cell for place, cell in (row.edits or {}).items()},
        notes=notes,
    )


def _save(scope: Scope, file: str, memory: MutableMapping[str, Any]) -> None:
    files, part = scope.backend.files, f"{file.removesuffix('.xlsx')}.part"
    with files.opened(part) as opened:
        memory.pop(_BOOK).save(opened)
    os.replace(files.path(part), files.path(file))


def _said(scope: Scope, said: Said) -> str:
    return in_language(said, scope.language)


# --- in the transaction ----------------------------------------------------------------------------------


def take(scope: Scope, db: Session, id: int, file: str, part: Part) -> Progress:
    """Note a part.  A workbook is deleted where another one is wanted by now, or none."""
    row = db.get(ImportBatch, id, with_for_update=True)
    if row is None or row.owner_id != scope.me or row.result != file or row.state is ImportState.CANCELLED:
        _delete(scope, file)
        return Progress(part.position, more=False)
    if part.is_last:
        row.result_at = scope.now()
    return Progress(part.position, done=part.rows, more=not part.is_last, total=row.rows)


def _give_up(scope: Scope, row: ImportBatch) -> None:
    if row.result is not None:
        _delete(scope, row.result)


def _delete(scope: Scope, file: str) -> None:
    path = scope.backend.files.path(file)

    def gone() -> None:
        with suppress(OSError):
            path.unlink(missing_ok=True)

    scope.after_commit(gone)
