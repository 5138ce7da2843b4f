"""The check of an import: what each staged row would come to now, by the very rules of single writes, without a change.

Rows are judged in chunks, in the order of the sheet, and a chunk together: of two rows with one number the second is bad.
"""

import time
from collections.abc import Collection, Mapping, MutableMapping, Sequence
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import ImportBatch, ImportRow
from models.errors import Refusal
from models.import_batch import ImportMode, ImportState, RowState

from ..jobs.kinds import Progress
from ..runtime.inputs import invalid
from ..runtime.record_lookup import lock_rows
from ..runtime.scope import Scope
from .date_columns import DateOrder, Order, decide_dates
from .fields import FieldKind, ImportField
from .finding import find_existing
from .mapping import fields_of
from .new_customers import settle_missing
from .overwriting import changes, overwriting_of
from .references import KnownRecords, resolve
from .row_notes import note_rows, problems_of
from .row_values import MappedColumn, Sense, row_values
from .targets import Target, target_of
from .units import unit_of
from .vocabulary import vocabulary
from .writing import Understood, ask_rules

CHUNK = 100
"""Maximum number of rows that are judged at once."""
_ROWS: Any = ImportRow.__table__
_JUDGED = (RowState.STAGED, RowState.GOOD, RowState.BAD)
FRESH_SECONDS = 1.0
"""How long a job goes by the columns, words and records that it has read, which users may change meanwhile."""
Memory = MutableMapping[str, Any]
_READING = "reading"
_DATED = (FieldKind.DATE, FieldKind.TIME)


def check(scope: Scope, db: Session, id: int, version: int, memory: Memory | None = None) -> Progress:
    """Judge the next rows.  An import that was mapped anew meanwhile is left to its next check.

    A mapped import is judged as a whole, a checked one where cells were edited since.  `memory` is what the job keeps from
    chunk to chunk.
    """
    batch = db.get(ImportBatch, id, with_for_update=True)
    if batch is None or batch.version != version or batch.state not in (ImportState.MAPPED, ImportState.CHECKED):
        return Progress(0, more=False)
    is_whole = batch.state is ImportState.MAPPED
    rows = next_rows(db, batch, _JUDGED, CHUNK) if is_whole else _edited(db, batch)
    found = judge(scope, db, batch, rows, memory)
    if found and is_whole:
        batch.position = found[-1].number
    is_last = len(found) < CHUNK
    if is_last and is_whole:
        batch.state, batch.position = ImportState.CHECKED, 0
        is_last = not _edited(db, batch)
    bad = sum(1 for row in found if row.refusals)
    return Progress(batch.position, done=len(found) - bad, failed=bad, more=not is_last, total=batch.rows)


def judge(
    scope: Scope, db: Session, batch: ImportBatch, rows: Sequence[Any], memory: Memory | None = None
) -> list[Understood]:
    """Note for each of these rows whether it is good now, or what is wrong with it.

    `rows`: (number, cells, edits), at most CHUNK, in the order of the sheet.
    """
    found = understood(scope, db, batch, rows, memory)
    good = [row for row in found if not row.refusals]
    ask_rules(scope, target_of(batch.target), good, batch.options.get("reason"))
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


def understood(
    scope: Scope,
    db: Session,
    batch: ImportBatch,
    rows: Sequence[Any],
    memory: Memory | None = None,
    *,
    is_applied: bool = False,
) -> list[Understood]:
    """The rows as inputs, with the records that they name and those that they change.

    `is_applied`: locks the records first, so that what is read of them stays until they are changed.
    """
    target = target_of(batch.target)
    columns, sense, known = _reading(scope, db, batch, {} if memory is None else memory)
    found = [Understood(row.number, row_values(columns, row.cells, row.edits or {}, sense)) for row in rows]
    given = batch.options.get("given") or {}
    for row in found:
        row.values.values.update(given)
    resolve(scope, db, [row.values for row in found], known)
    are_created = bool(batch.options.get("creates_customers"))
    settle_missing(scope, [row.values for row in found], are_created=are_created)
    if batch.mode is not ImportMode.INSERT:
        _find(scope, db, batch, target, found)
        if is_applied and scope.backend.dialect == "postgresql":
            lock_rows(db, target.model, sorted({row.record_id for row in found if row.record_id is not None}))
        set_changes(scope, db, target, batch.options, columns, found)
    return found


def _reading(
    scope: Scope, db: Session, batch: ImportBatch, memory: Memory
) -> tuple[list[MappedColumn], Sense, KnownRecords]:
    """The columns, how cells are understood, and the records of small tables.  A job looks at them again after a second."""
    kept = memory.get(_READING)
    now = time.monotonic()
    if kept is None or kept[0] != batch.version or kept[1] is not scope.policy or kept[2] < now:
        columns = columns_of(scope, db, batch)
        kept = batch.version, scope.policy, now + FRESH_SECONDS, columns, _sense(scope, db, columns), {}
        memory[_READING] = kept
    return kept[3], kept[4], kept[5]


def set_changes(
    scope: Scope,
    db: Session,
    target: Target,
    options: Mapping[str, Any],
    columns: Sequence[MappedColumn],
    rows: Sequence[Understood],
) -> None:
    """Decide what the rows set of the records that they have found."""
    updates = [row for row in rows if row.record_id is not None]
    found = changes(
        scope, db, target.model, overwriting_of(options, columns), [(x.record_id or 0, x.values) for x in updates]
    )
    for row, change in zip(updates, found, strict=True):
        row.changes = change


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
