"""Corrections of an import before it is confirmed: cells, one wrong value in all rows, and rows that are left out.

What was corrected is judged again at once where it is little, else by a job.  Everything is done under the lock of the
import, so a check that is running meanwhile judges what was corrected, before or after.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from sqlalchemy import Text, cast, func, or_, select
from sqlalchemy.orm import Session

from models import Dictionary, DictionaryItem, ImportBatch, ImportRow
from models.errors import ImportEnded, RowsWritten, Validation
from models.import_batch import ImportState, RowState
from models.sheet_cells import ERROR, FORMULA, LOST, in_words, kind
from models.text import fold

from ..jobs.kinds import Progress
from ..records import create_update
from ..runtime.inputs import paragraphs
from ..runtime.scope import Scope
from . import judging
from .batches import CHECK, FIXES, allowed, enqueue, locked
from .checking import CHUNK, Memory, columns_of
from .fields import ImportField
from .file_duplicates import touched_by
from .judging import AT_ONCE, CORRECTABLE, judge, later_rows, rows_at, stage_again
from .looking import text_at
from .row_notes import note_rows
from .vocabulary import vocabulary

LONGEST_CELL = 32_767
"""Maximum number of characters that Excel keeps in a cell."""
LOOKED_AT, FIXED_AT_ONCE = 10_000, 2_000
"""Numbers of rows among which a wrong value is fixed at once, and by each chunk of a check."""
LARGEST_SKIP = 1_000
"""Maximum number of rows of one call that leaves out rows."""
_OPEN = (ImportState.READ, ImportState.MAPPED, ImportState.CHECKED)
_CHECKING = (ImportState.MAPPED, ImportState.CHECKED)
_ROWS: Any = ImportRow.__table__


@dataclass(frozen=True)
class Fix:
    """`right` stands where a column reads `wrong`, in the rows behind number `after`."""

    place: int
    wrong: str
    right: str
    after: int = 0


Edits = Mapping[int, str | None]
"""Place of a column -> what is written into the cell instead; None: as it was read."""


def edit_row(scope: Scope, id: int, number: int, cells: Edits) -> None:
    """Write into cells of one row, which is judged again at once.  A row that is left out stays so.

    Raises NotFound, Forbidden, ImportEnded, RowsWritten where it is a record by now, and Validation for a row or a column that
    is not there and a text too long.
    """
    with scope.write("user.imports") as db:
        edit_rows(scope, db, opened(scope, db, id), {number: cells})


def edit_rows(scope: Scope, db: Session, batch: ImportBatch, edits: Mapping[int, Edits]) -> None:
    """The same for many rows of an import that the caller has `opened`: number of the row -> its edits."""
    for cells in edits.values():
        _check_places(batch, cells)
    typed = {number: {place: _typed(cell) for place, cell in cells.items()} for number, cells in edits.items()}
    touched: list[int] = []
    for part in _parts(sorted(typed)):
        found = _correctable(db, batch, part)
        touched += _write(db, batch, [(row, typed[row.number]) for row in found])
    judge_again(scope, db, batch, touched)


def fix_value(scope: Scope, id: int, place: int, wrong: str, right: str, *, learn: bool = False) -> int:
    """Write `right` into every cell of a column that reads `wrong`, but not in rows that are records by now.

    Returns the number of rows up to number LOOKED_AT; those behind it follow in the check, before they are judged.  `learn`:
    the dictionary of the column knows `wrong` as another word for `right` from now on.  Raises what `edit_row` raises,
    Forbidden for a caller who may not edit that dictionary, and Validation where `right` is no word of it.
    """
    with scope.write("user.imports") as db:
        batch = opened(scope, db, id)
        _check_places(batch, {place: right})
        fix = Fix(place, wrong.strip(), _typed(right) or "")
        if learn:
            _learn(scope, db, _field_at(scope, db, batch, place), fix.wrong, fix.right)
        numbers, touched = _fixed(db, batch, fix, LOOKED_AT)
        if _is_longer(db, batch, LOOKED_AT):
            _note_fixes(batch, [*_fixes(batch), replace(fix, after=LOOKED_AT)])
            stage_again(db, batch, touched)
            if batch.state is ImportState.CHECKED:
                enqueue(scope, batch, CHECK)
        else:
            judge_again(scope, db, batch, touched)
        return len(numbers)


def check(scope: Scope, db: Session, id: int, version: int, memory: Memory | None = None) -> Progress:
    """Fix values in the next rows where some are to be fixed yet, else judge the next rows."""
    batch = db.get(ImportBatch, id, with_for_update=True)
    fixes = _fixes(batch) if batch is not None and batch.version == version and batch.state in _CHECKING else []
    if batch is None or not fixes:
        return judging.check(scope, db, id, version, memory)
    end = fixes[0].after + FIXED_AT_ONCE
    stage_again(db, batch, _fixed(db, batch, fixes[0], end)[1])
    _note_fixes(batch, [*([replace(fixes[0], after=end)] if _is_longer(db, batch, end) else []), *fixes[1:]])
    return Progress(batch.position)


def skip_rows(scope: Scope, id: int, numbers: Sequence[int], *, skipped: bool = True) -> int:
    """Leave rows out, or take them back, which judges them again; returns how many rows that changed.

    Raises NotFound, Forbidden, ImportEnded, RowsWritten where one is a record by now, and Validation for a row that is not
    there and for more than LARGEST_SKIP.
    """
    if len(numbers) > LARGEST_SKIP:
        raise Validation(f"At most {LARGEST_SKIP} rows at once.", f"一次最多 {LARGEST_SKIP} 行。", field="numbers")
    with scope.write("user.imports") as db:
        batch = opened(scope, db, id)
        found = _correctable(db, batch, numbers)
        changed = [row.number for row in found if (row.state == RowState.SKIPPED) is not skipped]
        if skipped:
            stage_again(db, batch, changed, RowState.SKIPPED)
            changed_too = touched_by(db, batch, [], changed)
        judge_again(scope, db, batch, changed_too if skipped else changed)
        return len(changed)


# --- shared with the return of corrected workbooks -------------------------------------------------------


def opened(scope: Scope, db: Session, id: int) -> ImportBatch:
    """An import of the caller that may be corrected, locked.  Raises NotFound, Forbidden, ImportEnded, Validation."""
    batch = locked(scope, db, id)
    allowed(scope, batch.target)
    if batch.state is ImportState.UPLOADED:
        raise Validation("The file is still being read.", "文件仍在读取中，请稍候。")
    if batch.state not in _OPEN:
        raise ImportEnded
    return batch


def judge_again(scope: Scope, db: Session, batch: ImportBatch, numbers: Sequence[int]) -> None:
    """Judge these rows of a checked import: at once if a chunk holds them, else by a job.

    While it is being checked, or not mapped yet, its check will find them.
    """
    stage_again(db, batch, numbers)
    left, count = [*numbers], 0
    while left and batch.state is ImportState.CHECKED:
        count += len(left)
        if count > CHUNK:
            enqueue(scope, batch, CHECK)
            return
        left = later_rows(db, batch, judge(scope, db, batch, rows_at(db, batch, left)))
        stage_again(db, batch, left)


# --- steps -----------------------------------------------------------------------------------------------


def _check_places(batch: ImportBatch, cells: Edits) -> None:
    known = {column["index"] for column in (batch.overview or {}).get("columns", ())}
    if not {*cells} <= known:
        raise Validation("The sheet has no such column.", "表格中没有该列。", field="cells")


def _correctable(db: Session, batch: ImportBatch, numbers: Sequence[int]) -> list[Any]:
    """These rows, all of which are there and no records yet."""
    found = rows_at(db, batch, numbers)
    if missing := sorted({*numbers} - {row.number for row in found}):
        raise _no_such_row(missing[0])
    if written := sum(row.state not in CORRECTABLE for row in found):
        raise RowsWritten(count=written)
    return found


def _no_such_row(number: int) -> Validation:
    return Validation(f"The sheet has no row {number}.", f"表格中没有第 {number} 行。", field="number")


def _typed(cell: str | None) -> str | None:
    """A typed text as a cell keeps it; "" for a cell that is emptied."""
    return None if cell is None else paragraphs(cell, "text", LONGEST_CELL) or ""


def _write(db: Session, batch: ImportBatch, edits: Sequence[tuple[Any, Edits]]) -> list[int]:
    """Write edits into rows; returns the numbers of those that are not left out."""
    noted = []
    for row, cells in edits:
        kept = dict(row.edits or {})
        for place, cell in cells.items():
            if cell is None or _is_as_read(row, place, cell):
                kept.pop(str(place), None)
            else:
                kept[str(place)] = cell
        noted.append({"number": row.number, "edits": kept or None})
    note_rows(db, batch, noted)
    return [row.number for row, _ in edits if row.state != RowState.SKIPPED]


def _is_as_read(row: Any, place: int, cell: str) -> bool:
    """Whether a typed text says what the sheet says, and the sheet says it all."""
    read = row.cells[place] if place < len(row.cells) else None
    return kind(read) not in (LOST, ERROR, FORMULA) and in_words(read) == cell


def _parts(numbers: Sequence[int]) -> Iterator[Sequence[int]]:
    return (numbers[start : start + AT_ONCE] for start in range(0, len(numbers), AT_ONCE))


def _field_at(scope: Scope, db: Session, batch: ImportBatch, place: int) -> ImportField | None:
    return next((column.field for column in columns_of(scope, db, batch) if column.place == place), None)


def _fixed(db: Session, batch: ImportBatch, fix: Fix, end: int) -> tuple[list[int], list[int]]:
    """Fix a value in the rows up to number `end`; returns their numbers, and those that are not left out."""
    numbers, touched = [row.number for row in _reading(db, batch, fix, end)], list[int]()
    for part in _parts(numbers):
        touched += _write(db, batch, [(row, {fix.place: fix.right}) for row in rows_at(db, batch, part)])
    return numbers, touched


def _reading(db: Session, batch: ImportBatch, fix: Fix, end: int) -> Iterator[Any]:
    """The rows whose cell reads so, edits included."""
    r, said = _ROWS.c, fix.wrong
    cell = cast(r.cells.op("->>")(fix.place), Text)
    asked = select(r.number, r.cells, r.edits).where(r.batch_id == batch.id, r.state.in_(CORRECTABLE))
    asked = asked.where(r.number > fix.after, r.number <= end)
    if said and not any(c.isdigit() for c in said) and fold(said) not in ("true", "false"):  # numbers look otherwise
        is_edited = func.coalesce(cast(r.edits, Text), "null") != "null"
        asked = asked.where(or_(cell.contains(said, autoescape=True), cell.startswith("["), is_edited))
    for row in db.execute(asked.order_by(r.number)):
        if text_at(row, fix.place).strip() == said:
            yield row


def _is_longer(db: Session, batch: ImportBatch, end: int) -> bool:
    """Whether the import has rows behind number `end`."""
    behind = select(_ROWS.c.number).where(_ROWS.c.batch_id == batch.id, _ROWS.c.number > end)
    return db.execute(behind.limit(1)).first() is not None


def _fixes(batch: ImportBatch) -> list[Fix]:
    return [Fix(**each) for each in batch.options.get(FIXES) or ()]


def _note_fixes(batch: ImportBatch, fixes: Sequence[Fix]) -> None:
    others = {key: value for key, value in batch.options.items() if key != FIXES}
    batch.options = {**others, **({FIXES: [asdict(each) for each in fixes]} if fixes else {})}


def _learn(scope: Scope, db: Session, which: ImportField | None, said: str, right: str) -> None:
    """Make a word another name of the dictionary word `right`, and of no other."""
    if which is None or which.dictionary is None or not said:
        raise Validation("Only words of a dictionary can be remembered.", "只能记住数据字典中的词。", field="learn")
    meant = vocabulary(scope, db, [which])[which.dictionary].get(fold(right), ())
    if len(meant) != 1:
        raise Validation(
            f"“{right[:40]}” is no word of this dictionary.", f"“{right[:40]}”不是该数据字典中的词。", field="right"
        )
    of_dictionary = select(Dictionary.id).where(Dictionary.code == which.dictionary, Dictionary.deleted_at.is_(None))
    items = select(DictionaryItem).where(DictionaryItem.dictionary_id.in_(of_dictionary))
    for item in db.execute(items.where(DictionaryItem.deleted_at.is_(None))).scalars().all():
        others = [alias for alias in item.aliases if fold(alias) != fold(said)]
        aliases = [*others, said] if item.key == meant[0] else others
        if sorted(map(fold, aliases)) != sorted(map(fold, item.aliases)):
            create_update.update(scope, DictionaryItem, item.id, {"aliases": aliases})
