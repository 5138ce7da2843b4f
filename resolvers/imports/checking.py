"""The check of an import: what each staged row would come to now, by the very rules of single writes, without a change.

Rows are judged in chunks, in the order of the sheet, and a chunk together: of two rows with one number the second is bad.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import ImportBatch, ImportRow
from models.errors import Duplicate, DuplicateFound, DuplicateRefused, Refusal
from models.import_batch import ImportMode, ImportState, RowState

from ..bulk.many import check_many
from ..bulk.verdicts import Change, Row
from ..jobs.kinds import Progress
from ..runtime.ids import camel
from ..runtime.inputs import invalid
from ..runtime.scope import Scope
from .date_columns import DateOrder, Order, decide_dates
from .fields import FieldKind, ImportField
from .finding import find_existing
from .mapping import fields_of
from .references import resolve
from .row_notes import note_rows, problems_of
from .row_values import MappedColumn, RowValues, Sense, row_values
from .targets import Target, target_of
from .units import unit_of
from .vocabulary import vocabulary

CHUNK = 100
"""Maximum number of rows that are judged at once."""
_ROWS: Any = ImportRow.__table__
_TURNS = 4
"""Maximum number of wrong fields of a row that the rules of single writes name."""
DUPLICATES = (Duplicate, DuplicateFound, DuplicateRefused)
_JUDGED = (RowState.STAGED, RowState.GOOD, RowState.BAD)
_DATED = (FieldKind.DATE, FieldKind.TIME)


@dataclass
class Understood:
    """A staged row as the use cases take it: its inputs, the record that it changes, and what is wrong with it."""

    number: int
    values: RowValues
    fixed: frozenset[str] = frozenset()
    """Inputs that a change does not set: those that found the record, and those of new records alone."""
    record_id: int | None = None
    written_id: int | None = None
    """The record that it has become or changed, once it is applied."""

    @property
    def refusals(self) -> list[Refusal]:
        return [*self.values.refusals.values()]


def check(scope: Scope, db: Session, id: int, version: int) -> Progress:
    """Judge the next rows.  An import that was mapped anew meanwhile is left to its next check.

    A mapped import is judged as a whole, a checked one where cells were edited since.
    """
    batch = db.get(ImportBatch, id, with_for_update=True)
    if batch is None or batch.version != version or batch.state not in (ImportState.MAPPED, ImportState.CHECKED):
        return Progress(0, more=False)
    is_whole = batch.state is ImportState.MAPPED
    rows = next_rows(db, batch, _JUDGED, CHUNK) if is_whole else _edited(db, batch)
    found = judge(scope, db, batch, rows)
    if found and is_whole:
        batch.position = found[-1].number
    is_last = len(found) < CHUNK
    if is_last and is_whole:
        batch.state, batch.position = ImportState.CHECKED, 0
        is_last = not _edited(db, batch)
    bad = sum(1 for row in found if row.refusals)
    return Progress(batch.position, done=len(found) - bad, failed=bad, more=not is_last, total=batch.rows)


def judge(scope: Scope, db: Session, batch: ImportBatch, rows: Sequence[Any]) -> list[Understood]:
    """Note for each of these rows whether it is good now, or what is wrong with it.

    `rows`: (number, cells, edits), at most CHUNK, in the order of the sheet.
    """
    found = understood(scope, db, batch, rows)
    _ask_rules(scope, target_of(batch.target), [row for row in found if not row.refusals])
    _note(db, batch, found)
    return found


def rows_at(db: Session, batch: ImportBatch, numbers: Collection[int]) -> list[Any]:
    """These rows, in the order of the sheet: (number, cells, edits, state)."""
    r = _ROWS.c
    asked = select(r.number, r.cells, r.edits, r.state).where(r.batch_id == batch.id, r.number.in_(sorted(numbers)))
    return [*db.execute(asked.order_by(r.number))]


# --- shared with the application of rows -----------------------------------------------------------------


def next_rows(db: Session, batch: ImportBatch, states: Sequence[RowState], limit: int) -> list[Any]:
    """The rows behind the position of the import, in the order of the sheet: (number, cells, edits)."""
    r = _ROWS.c
    asked = select(r.number, r.cells, r.edits).where(r.batch_id == batch.id, r.number > batch.position)
    return [*db.execute(asked.where(r.state.in_(states)).order_by(r.number).limit(limit))]


def understood(scope: Scope, db: Session, batch: ImportBatch, rows: Sequence[Any]) -> list[Understood]:
    """The rows as inputs, with the records that they name and those that they change."""
    target = target_of(batch.target)
    columns = columns_of(scope, db, batch)
    sense = _sense(scope, db, columns)
    fixed = frozenset(
        {
            *(batch.options.get("key") or ()),
            *(x.field.input for x in columns if x.field.is_new_only or not x.field.is_written),
        }
    )
    found = [Understood(row.number, row_values(columns, row.cells, row.edits or {}, sense), fixed) for row in rows]
    given = batch.options.get("given") or {}
    for row in found:
        row.values.values.update(given)
    resolve(scope, db, [row.values for row in found])
    if batch.mode is not ImportMode.INSERT:
        _find(scope, db, batch, target, found)
    return found


def as_write(row: Understood) -> Row | Change:
    """What the bulk path takes: a new record, or the change of one."""
    values = row.values.values
    if row.record_id is None:
        return values
    return row.record_id, {key: value for key, value in values.items() if key not in row.fixed}


def columns_of(scope: Scope, db: Session, batch: ImportBatch) -> list[MappedColumn]:
    """The mapped columns of an import.  The order of dates of a column is decided once, from all of its cells."""
    fields = {each.key: each for each in fields_of(scope, db, target_of(batch.target))}
    mapped = [(int(place), fields[key]) for place, key in (batch.mapping or {}).items() if key in fields]
    orders = _date_orders(scope, db, batch, mapped)
    names = {column["index"]: column["name"] for column in (batch.overview or {}).get("columns", ())}
    return [
        MappedColumn(place, each, DateOrder(Order(orders.get(str(place), Order.YEAR_FIRST))), unit_of(names[place]))
        for place, each in mapped
    ]


# --- steps -----------------------------------------------------------------------------------------------


def _ask_rules(scope: Scope, target: Target, rows: Sequence[Understood]) -> None:
    """Ask the rules of single writes, which name one wrong field at a time: what they refuse is left out, then asked anew.

    Rows that are asked anew are not judged by what other rows bring, so their duplicates are left to a later check.
    """
    for turn in range(_TURNS):
        verdicts = check_many(scope, target.model, [as_write(row) for row in rows], action=target.right) if rows else []
        refused = [(row, each.refusal) for row, each in zip(rows, verdicts, strict=True) if each.refusal is not None]
        refused = [(row, why) for row, why in refused if not turn or not isinstance(why, DUPLICATES)]
        for row, refusal in refused:
            row.values.refusals.setdefault(refusal.field or "", refusal)
        rows = [row for row, refusal in refused if _leave_out(row, refusal)]


def _leave_out(row: Understood, refusal: Refusal) -> bool:
    """Take what is refused out of the values of a row; False where nothing would be left to ask about."""
    refused = next((key for key in row.values.values if refusal.field in (key, camel(key))), None)
    if refused is None or isinstance(refusal, DuplicateFound | DuplicateRefused):
        return False
    row.values.values = {key: value for key, value in row.values.values.items() if key != refused}
    return True


def _edited(db: Session, batch: ImportBatch) -> list[Any]:
    """The next rows that are to be judged again, wherever they stand."""
    r = _ROWS.c
    asked = select(r.number, r.cells, r.edits).where(r.batch_id == batch.id, r.state == RowState.STAGED)
    return [*db.execute(asked.order_by(r.number).limit(CHUNK))]


def _find(scope: Scope, db: Session, batch: ImportBatch, target: Target, rows: Sequence[Understood]) -> None:
    """Find the records that rows change; a row without one is new, or is refused where nothing may be new."""
    key = tuple(batch.options.get("key") or ())
    for row, there in zip(rows, find_existing(scope, db, target, key, [x.values for x in rows]), strict=True):
        if isinstance(there, Refusal):
            row.values.refusals[key[0]] = there
        elif there is not None:
            row.record_id = there
        elif batch.mode is ImportMode.UPDATE:
            row.values.refusals[key[0]] = _not_there(key)


def _not_there(key: Sequence[str]) -> Refusal:
    return invalid(key[0], "names no record that is there", "没有对应的已有记录")


def _sense(scope: Scope, db: Session, columns: Sequence[MappedColumn]) -> Sense:
    return Sense(ZoneInfo(scope.person.zone or "UTC"), vocabulary(scope, db, [column.field for column in columns]))


def _date_orders(
    scope: Scope, db: Session, batch: ImportBatch, mapped: Sequence[tuple[int, ImportField]]
) -> dict[str, str]:
    """Place -> order, chosen by the user or decided from all cells; kept with the import, so that all chunks read alike."""
    orders: dict[str, str] = dict(batch.options.get("dates") or {})
    places = [place for place, each in mapped if each.kind in _DATED and str(place) not in orders]
    if places:
        cells = [
            *db.execute(select(_ROWS.c.cells).where(_ROWS.c.batch_id == batch.id).order_by(_ROWS.c.number)).scalars()
        ]
        undecided: dict[str, str] = dict(batch.options.get("undecided") or {})
        for place in places:
            found = decide_dates((row[place] if place < len(row) else None for row in cells), scope.language)
            orders[str(place)] = found.order
            if not found.decided and found.example:
                undecided[str(place)] = found.example
        batch.options = {**batch.options, "dates": orders, "undecided": undecided}
    return orders


def _note(db: Session, batch: ImportBatch, rows: Sequence[Understood]) -> None:
    note_rows(
        db,
        batch,
        [
            {
                "number": row.number,
                "state": RowState.BAD if row.refusals else RowState.GOOD,
                "problems": problems_of(row.refusals),
                "record_id": row.record_id,
            }
            for row in rows
        ],
    )
