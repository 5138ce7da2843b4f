"""What doors show of an import: rows with their cells and problems, distinct wrong values, and applied rows beside records.

All cells are those of the caller's own file; what records hold is shown as far as the caller sees it.
"""

import random
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models import ImportBatch, ImportRow
from models.errors import Refusal
from models.import_batch import RowState
from models.sheet_cells import DATE, MOMENT, in_words

from ..exports import reading
from ..exports.cells import Cell as RecordCell
from ..exports.kinds import known_columns as record_columns
from ..exports.listing import Listing
from ..exports.reading import names_of
from ..records.dictionaries import words_of
from ..runtime.ids import camel
from ..runtime.scope import Scope
from ..runtime.stored_refusals import restored_refusal
from .fields import ImportField
from .import_notices import Notice as Notice
from .import_notices import notices as notices
from .mapping import fields_of
from .row_values import POINT_KINDS
from .targets import target_of

LARGEST_PAGE = 200
LARGEST_SAMPLE = 20
MOST_LOOKED_AT = 5_000
"""Maximum number of bad rows among which distinct wrong values are counted: everybody waits meanwhile, 0.06 s."""
_FEW = 1_000
APPLIED = (RowState.CREATED, RowState.UPDATED, RowState.SAME)
_OF_ITS_OWN_ROW = ("DUPLICATE", "DUPLICATE_FOUND", "DUPLICATE_REFUSED", "TAKEN_MEANWHILE", "SAME_AS_ROW")
"""Problems of a value that say nothing about the same value in other rows."""
_ROWS: Any = ImportRow.__table__


@dataclass(frozen=True)
class ShownCell:
    """One cell.  `field`: the key of the field that its column holds; None for a column that is left out."""

    place: int
    heading: str
    field: str | None
    text: str
    is_edited: bool


@dataclass(frozen=True)
class ShownProblem:
    """What is wrong with a row, or what it warns of, in the language of the caller.

    `field`, `place`: the field and the column to blame; None for the row as a whole.  `likely`: what was probably meant.
    """

    field: str | None
    place: int | None
    code: str
    sentence: str
    likely: tuple[str, ...] = ()


@dataclass(frozen=True)
class ShownRow:
    """One row.  `number`: that of Excel.  `record_id`: the record that it creates or changes, where that is known."""

    number: int
    state: RowState
    cells: tuple[ShownCell, ...]
    problems: tuple[ShownProblem, ...]
    warnings: tuple[ShownProblem, ...]
    record_id: int | None


@dataclass(frozen=True)
class WrongValue:
    """A value of a column that is wrong in so many rows, whatever else they hold."""

    place: int
    heading: str
    field: str
    text: str
    rows: int
    sentence: str
    likely: tuple[str, ...]


@dataclass(frozen=True)
class Sample:
    """An applied row beside its record.  `values`: (label of a field, as the sheet says, as the record says)."""

    row: ShownRow
    record_id: int
    label: str
    values: tuple[tuple[str, str, str], ...]


def rows(
    scope: Scope,
    db: Session,
    batch: ImportBatch,
    *,
    states: Collection[RowState] = (),
    after: int = 0,
    first: int = 50,
) -> list[ShownRow]:
    """The rows behind number `after` in the order of the sheet, at most LARGEST_PAGE; `states`: only those in them."""
    r = _ROWS.c
    asked = select(_ROWS).where(r.batch_id == batch.id, r.number > after)
    if states:
        asked = asked.where(r.state.in_([*states]))
    found = db.execute(asked.order_by(r.number).limit(max(0, min(first, LARGEST_PAGE)))).all()
    sheet = ShownSheet(scope, db, batch)
    return [sheet.shown(row) for row in found]


def wrong_values(scope: Scope, db: Session, batch: ImportBatch, *, first: int = 50) -> list[WrongValue]:
    """The distinct values that are wrong by themselves, those of most rows first, among the first MOST_LOOKED_AT bad rows."""
    sheet, r = ShownSheet(scope, db, batch), _ROWS.c
    counted: Counter[tuple[int, str]] = Counter()
    reasons: dict[tuple[int, str], Mapping[str, Any]] = {}
    asked = select(r.cells, r.edits, r.problems).where(r.batch_id == batch.id, r.state == RowState.BAD)
    for row in db.execute(asked.order_by(r.number).limit(MOST_LOOKED_AT)):
        for stored in row.problems or ():
            if stored["code"] not in _OF_ITS_OWN_ROW and (place := sheet.place_of(stored)) is not None:
                value = place, text_at(row, place).strip()
                counted[value] += 1
                reasons.setdefault(value, stored)
    most = counted.most_common()[: max(0, min(first, LARGEST_PAGE))]
    return [sheet.wrong(value, count, reasons[value]) for value, count in most]


def samples(scope: Scope, db: Session, batch: ImportBatch, n: int = 5) -> list[Sample]:
    """Applied rows chosen at random, always the same ones of an import, beside the records that the caller sees."""
    r = _ROWS.c
    chosen = _at_random(db, batch, max(0, min(n, LARGEST_SAMPLE)))
    found = db.execute(select(_ROWS).where(r.batch_id == batch.id, r.number.in_(chosen)).order_by(r.number)).all()
    return _beside_records(scope, db, batch, found)


def state_counts(_scope: Scope, db: Session, batches: Collection[ImportBatch]) -> Mapping[int, Mapping[RowState, int]]:
    """Id of each import -> how many of its rows are, or were, in each state.  One statement."""
    r, found = _ROWS.c, dict[int, dict[RowState, int]]()
    for batch in batches:
        kept = batch.options.get("counts") or {}
        found[batch.id] = {RowState(state): count for state, count in kept.items()}
    ids = [batch.id for batch in batches if "counts" not in batch.options]
    asked = select(r.batch_id, r.state, func.count()).where(r.batch_id.in_(ids)).group_by(r.batch_id, r.state)
    for id, state, count in db.execute(asked):
        found[id][RowState(state)] = count
    return found


def text_at(row: Any, place: int) -> str:
    """What a cell of a stored row says, with its edit."""
    edited = (row.edits or {}).get(str(place))
    if edited is not None:
        return str(edited)
    return in_words(row.cells[place]) if place < len(row.cells) else ""


# --- steps -----------------------------------------------------------------------------------------------


def _at_random(db: Session, batch: ImportBatch, n: int) -> list[int]:
    """The numbers of up to `n` applied rows.  Of very many, the ones at or behind random numbers, without reading all."""
    r, dice = _ROWS.c, random.Random(batch.id)  # noqa: S311  no secret
    asked = select(r.number).where(r.batch_id == batch.id, r.state.in_(APPLIED)).order_by(r.number)
    numbers = [*db.execute(asked.limit(_FEW)).scalars()]
    if len(numbers) < _FEW:
        return dice.sample(numbers, min(n, len(numbers)))
    last = db.execute(select(func.max(r.number)).where(r.batch_id == batch.id)).scalar_one()
    tried = (dice.randint(numbers[0], last) for _ in range(n))
    found = {db.execute(asked.where(r.number >= number).limit(1)).scalar() for number in tried}
    return [number for number in found if number is not None]


class ShownSheet:
    """The columns of an import, and what its stored problems are about."""

    def __init__(self, scope: Scope, db: Session, batch: ImportBatch) -> None:
        self.language = scope.language
        self.fields = {each.key: each for each in fields_of(scope, db, target_of(batch.target))}
        self.mapping = {int(place): key for place, key in (batch.mapping or {}).items()}
        self.headings: dict[int, str] = {x["index"]: x["name"] for x in (batch.overview or {}).get("columns", ())}
        self._places: dict[str, int] = {}
        for place, key in self.mapping.items():
            for name in _names_of(key, self.fields.get(key)):
                self._places.setdefault(name, place)
        self._words = words_of(scope, db, {x.dictionary for x in self.fields.values() if x.dictionary})

    def shown(self, row: Any) -> ShownRow:
        edits = row.edits or {}
        cells = tuple(
            ShownCell(place, heading, self.mapping.get(place), text_at(row, place), str(place) in edits)
            for place, heading in self.headings.items()
        )
        problems = tuple(self.problem(stored) for stored in row.problems or ())
        warnings = tuple(self.problem(stored) for stored in row.warnings or ())
        return ShownRow(row.number, RowState(row.state), cells, problems, warnings, row.record_id)

    def place_of(self, stored: Mapping[str, Any]) -> int | None:
        return self._places.get(stored["field"] or "")

    def problem(self, stored: Mapping[str, Any]) -> ShownProblem:
        refusal, place = restored_refusal(stored), self.place_of(stored)
        field = None if place is None else self.mapping[place]
        return ShownProblem(field, place, refusal.code(), refusal.say(self.language), self._likely(refusal, field))

    def wrong(self, value: tuple[int, str], count: int, stored: Mapping[str, Any]) -> WrongValue:
        (place, said), told = value, self.problem(stored)
        return WrongValue(
            place, self.headings.get(place, ""), self.mapping[place], said, count, told.sentence, told.likely
        )

    def _likely(self, refusal: Refusal, field: str | None) -> tuple[str, ...]:
        """The labels of the words that a refusal suggests."""
        which = self.fields.get(field or "")
        known = self._words.get(which.dictionary or "", {}) if which else {}
        return tuple(known[key].label for key in refusal.params.get("suggestions", ()) if key in known)


def _names_of(key: str, field: ImportField | None) -> list[str]:
    """What refusals call a field: its key, or the input that it fills."""
    return [name for each in (key, field.input if field else key) for name in (each, camel(each))]


def _beside_records(scope: Scope, db: Session, batch: ImportBatch, found: Sequence[Any]) -> list[Sample]:
    sheet, model = ShownSheet(scope, db, batch), target_of(batch.target).model
    known = record_columns(scope, model)
    pairs = [(place, sheet.fields[key]) for place, key in sheet.mapping.items() if key in sheet.fields]
    named = [(place, field, known[key]) for place, field in pairs if (key := _record_key(field)) in known]
    columns = [column for _, _, column in named]
    titles = names_of(scope, db, model, [row.record_id for row in found if row.record_id])
    made = []
    for row in found:
        for cells in reading.rows(scope, db, model, Listing(), columns, [row.record_id or 0], right="view"):
            beside = [
                (field.say(scope.language), text_at(row, place), _said(value))
                for (place, field, _), value in zip(named, cells, strict=True)
            ]
            made.append(Sample(sheet.shown(row), row.record_id, titles.get(row.record_id, ""), tuple(beside)))
    return made


def _record_key(field: ImportField) -> str:
    """The column of a record that shows what a field has set."""
    return field.input if field.input != "points" else f"points.{POINT_KINDS[field.key].value.lower()}"


def _said(value: RecordCell) -> str:
    if isinstance(value, datetime):
        return in_words([MOMENT, value.replace(microsecond=0).isoformat()])
    if isinstance(value, date):
        return in_words([DATE, value.isoformat()])
    return "" if value is None else f"{value:f}" if isinstance(value, Decimal) else str(value)
