"""Staged rows as the use cases take them: their inputs, and the records that they name and that they change."""

import time
from collections.abc import Iterator, Mapping, MutableMapping, Sequence
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Text, cast, select
from sqlalchemy.orm import Session

from models import ImportBatch, ImportRow
from models.errors import Refusal
from models.import_batch import ImportMode, RowState

from ..runtime.inputs import invalid
from ..runtime.read_beside import as_they_are, read_beside
from ..runtime.record_lookup import lock_rows
from ..runtime.scope import Scope
from .date_columns import DateOrder, Order, decide_dates
from .fields import FieldKind, ImportField
from .finding import find_existing
from .mapping import fields_of
from .new_customers import settle_missing
from .overwriting import changes, overwriting_of
from .references import KnownRecords, resolve
from .row_values import MappedColumn, Sense, row_values
from .targets import Target, target_of
from .units import unit_of
from .vocabulary import vocabulary
from .writing import Understood

CHUNK = 100
"""Maximum number of rows that are judged at once."""
AT_ONCE = 10_000
"""Maximum number of cells that are in memory together while a column of dates is looked through."""
_ROWS: Any = ImportRow.__table__
FRESH_SECONDS = 1.0
"""How long a job goes by the columns, words and records that it has read, which users may change meanwhile."""
Memory = MutableMapping[str, Any]
_READING, _DATES = "reading", "dates"
_DATED = (FieldKind.DATE, FieldKind.TIME)


def prepare(scope: Scope, id: int, memory: Memory) -> None:
    """Decide the orders of dates, which reads every row, while nobody waits."""
    if _DATES not in memory:
        now = as_they_are(scope)
        memory[_DATES] = read_beside(now, now.backend.url, _decided, id)


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
        columns = columns_of(scope, db, batch, memory)
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


def columns_of(scope: Scope, db: Session, batch: ImportBatch, memory: Memory | None = None) -> list[MappedColumn]:
    """The mapped columns of an import.  The order of dates of a column is decided once, from all of its cells."""
    mapped = _mapped(scope, db, batch)
    orders = _date_orders(scope, db, batch, mapped, (memory or {}).get(_DATES) or {})
    names = {column["index"]: column["name"] for column in (batch.overview or {}).get("columns", ())}
    return [
        MappedColumn(place, each, DateOrder(Order(orders.get(str(place), Order.YEAR_FIRST))), unit_of(names[place]))
        for place, each in mapped
    ]


# --- steps -----------------------------------------------------------------------------------------------


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


def _mapped(scope: Scope, db: Session, batch: ImportBatch) -> list[tuple[int, ImportField]]:
    fields = {each.key: each for each in fields_of(scope, db, target_of(batch.target))}
    return [(int(place), fields[key]) for place, key in (batch.mapping or {}).items() if key in fields]


def _decided(scope: Scope, db: Session, id: int) -> Mapping[int, DateOrder]:
    """Place -> the order of each column of dates whose order is not known yet."""
    batch = db.get(ImportBatch, id)
    if batch is None or batch.owner_id != scope.me:
        return {}
    known, mapped = batch.options.get("dates") or {}, _mapped(scope, db, batch)
    places = [place for place, each in mapped if each.kind in _DATED and str(place) not in known]
    return {place: decide_dates(_texts_at(db, batch, place), scope.language) for place in places}


def _date_orders(
    scope: Scope,
    db: Session,
    batch: ImportBatch,
    mapped: Sequence[tuple[int, ImportField]],
    decided: Mapping[int, DateOrder],
) -> dict[str, str]:
    """Place -> order, chosen by the user or decided from all cells; kept with the import, so that all chunks read alike."""
    orders: dict[str, str] = dict(batch.options.get("dates") or {})
    places = [place for place, each in mapped if each.kind in _DATED and str(place) not in orders]
    if places:
        undecided: dict[str, str] = dict(batch.options.get("undecided") or {})
        for place in places:
            found = decided.get(place) or decide_dates(_texts_at(db, batch, place), scope.language)
            orders[str(place)] = found.order
            if not found.decided and found.example:
                undecided[str(place)] = found.example
        batch.options = {**batch.options, "dates": orders, "undecided": undecided}
    return orders


def _texts_at(db: Session, batch: ImportBatch, place: int) -> Iterator[str]:
    """What the cells of one column say, in the order of the sheet; of a cell that is no text something that is no date."""
    r, after = _ROWS.c, -1
    asked = select(r.number, cast(r.cells.op("->>")(place), Text)).where(r.batch_id == batch.id).order_by(r.number)
    while some := db.execute(asked.where(r.number > after).limit(AT_ONCE)).all():
        yield from (said for _, said in some if said is not None)
        after = some[-1].number
