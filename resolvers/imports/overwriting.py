"""What the update of a record sets: by the choice of its user for each field, by its empty cells, and by what is stored.

Phones and addresses are chosen by their kind: those of a kind that the sheet says nothing about stay.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Contact, Entity
from models.contact import PointKind, key_of
from models.import_batch import Overwrite

from ..customers.contacts import Point, points_of
from ..runtime.scope import Scope
from .row_values import POINT_KINDS, MappedColumn, RowValues

_POINTS = "points"
_MOST_CAREFUL = (Overwrite.NEVER, Overwrite.IF_EMPTY, Overwrite.ALWAYS)


@dataclass(frozen=True)
class Overwriting:
    """The choices of an import.  `how`: key of a field -> what an update does with it.  `key`: what finds the record."""

    columns: Sequence[MappedColumn]
    how: Mapping[str, Overwrite] = field(default_factory=dict)
    clears: bool = False
    key: Collection[str] = ()

    def of(self, fields: Collection[str]) -> Overwrite:
        """What is done with an input that these fields stand for: the most careful of their choices."""
        chosen = {self.how.get(each, Overwrite.ALWAYS) for each in fields}
        return next(each for each in _MOST_CAREFUL if each in chosen)


def overwriting_of(options: Mapping[str, Any], columns: Sequence[MappedColumn]) -> Overwriting:
    """The choices that are kept with an import."""
    how = {key: Overwrite(each) for key, each in (options.get("overwrite") or {}).items()}
    return Overwriting(columns, how, bool(options.get("clears")), tuple(options.get("key") or ()))


def changes(
    scope: Scope, db: Session, model: type[Entity], chosen: Overwriting, rows: Sequence[tuple[int, RowValues]]
) -> list[dict[str, Any]]:
    """For each (record, row) the inputs that its update sets.  At most two queries.

    An input that is only to be filled is compared with what the caller sees of the record: one that is hidden from them
    stays among the inputs, so that the rights on the field refuse it, as they do in a form.
    """
    inputs = _inputs(chosen)
    careful = [key for key, fields in inputs.items() if key in model.__table__.c and _is_careful(chosen, fields)]
    stored = _stored(scope, db, model, careful, [id for id, _ in rows]) if careful else {}
    found = [_change(chosen, inputs, stored.get(id, {}), row) for id, row in rows]
    if model is Contact:
        _add_points(scope, db, chosen, rows, found)
    return found


# --- one row ---------------------------------------------------------------------------------------------


def _inputs(chosen: Overwriting) -> Mapping[str, list[str]]:
    """Each input that an update may set -> the fields of its columns.  What found the record, and phones, are not there."""
    found: dict[str, list[str]] = defaultdict(list)
    for column in chosen.columns:
        which = column.field
        if which.is_written and not which.is_new_only and which.input not in {*chosen.key, _POINTS}:
            found[which.input].append(which.key)
    return found


def _is_careful(chosen: Overwriting, fields: Collection[str]) -> bool:
    return chosen.of(fields) is Overwrite.IF_EMPTY


def _change(
    chosen: Overwriting, inputs: Mapping[str, list[str]], stored: Mapping[str, Any], row: RowValues
) -> dict[str, Any]:
    found = {}
    for key, fields in inputs.items():
        how = chosen.of(fields)
        if key in row.values:
            if how is Overwrite.ALWAYS or (how is Overwrite.IF_EMPTY and _is_empty(stored.get(key))):
                found[key] = row.values[key]
        elif chosen.clears and how is Overwrite.ALWAYS and row.blank.issuperset(fields):
            found[key] = None
    return found


def _is_empty(value: Any) -> bool:
    return value is None or value in ("", [])


def _stored(
    scope: Scope, db: Session, model: type[Entity], keys: Sequence[str], ids: Collection[int]
) -> dict[int, dict[str, Any]]:
    """Record -> its values as far as the caller sees them."""
    seen = [scope.viewer.value(model, model, key) for key in keys]
    asked = select(model.id, *seen).where(model.id.in_(sorted({*ids})))
    return {id: dict(zip(keys, values, strict=True)) for id, *values in db.execute(asked)}


# --- phones and addresses --------------------------------------------------------------------------------


def _add_points(
    scope: Scope, db: Session, chosen: Overwriting, rows: Sequence[tuple[int, RowValues]], found: list[dict[str, Any]]
) -> None:
    fields: dict[PointKind, list[str]] = defaultdict(list)
    for column in chosen.columns:
        if column.field.input == _POINTS:
            fields[POINT_KINDS[column.field.key]].append(column.field.key)
    there = points_of(scope, db, [id for id, _ in rows]) if fields else {}
    for (id, row), change in zip(rows, found, strict=True):
        old = there.get(id, [])
        new = [*_points(chosen, fields, old, row)]
        if _in_kinds(new) != _in_kinds(old):
            change[_POINTS] = [{"kind": kind, "value": value} for kind, value in new]


def _points(
    chosen: Overwriting, fields: Mapping[PointKind, list[str]], old: Sequence[Point], row: RowValues
) -> Iterator[Point]:
    """The phones and addresses after the change, kind by kind in their old order."""
    said = [Point(each["kind"], each["value"]) for each in row.values.get(_POINTS) or ()]
    for kind in dict.fromkeys(point.kind for point in (*old, *said)):
        mine, told = ([point for point in each if point.kind == kind] for each in (old, said))
        known = {key_of(kind, point.value): point for point in mine}
        told = [known.get(key_of(kind, point.value), point) for point in told]
        how = chosen.of(fields.get(kind, ())) if kind in fields else Overwrite.NEVER
        if how is Overwrite.NEVER or (how is Overwrite.IF_EMPTY and mine):
            yield from mine
        elif told:
            yield from dict.fromkeys((*told, *mine)) if _finds(chosen.key, kind) else told
        elif not (chosen.clears and how is Overwrite.ALWAYS and row.blank.issuperset(fields[kind])):
            yield from mine


def _in_kinds(points: Sequence[Point]) -> list[Point]:
    """The points kind by kind, each kind in its order, which is all that matters of it."""
    return sorted(points, key=lambda point: point.kind)


def _finds(key: Collection[str], kind: PointKind) -> bool:
    """Whether the record was found by one of its phones or addresses of this kind, of which it may have more."""
    return kind.lower() in key
