"""The argument `asOf` of the fields that show one record: a compiled row, with the values of a moment from the log."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Base, Contact, Customer, Entity, FollowUp, Opportunity
from models.errors import Validation
from resolvers.audit.as_of import AsOf, as_of, told_fields
from resolvers.reading.clauses import number_is
from resolvers.runtime.ids import camel, global_id, number_of
from resolvers.runtime.merged_records import merges, stays_as
from resolvers.runtime.scope import Scope

from .plan.selection import Fields
from .plan.shape import SHAPES, Column, Field, One, kind_of, name_of, singular
from .types.make import python_name
from .types.past_customs import past_values

PAST: dict[str, type[Entity]] = {singular(model): model for model in (Customer, Contact, Opportunity, FollowUp)}
"""Root field with the argument `asOf` -> the model of its record."""
CUSTOM = "custom"
"""The field with the custom fields of a record, which every type with the argument has."""
_ALWAYS = frozenset({"id", "version", "created_at", "created_by_id"})
"""Columns that a past record shows as they are now: they never change, or serve the next edit."""


async def past_row(info: Any, model: type[Entity], row: dict[str, Any], arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The compiled row of a visible record, with the values of the moment `asOf` in place of the present ones.

    The records that it refers to are those of then, as they are now.  Raises Validation for a selected field that the
    log does not tell.
    """
    reader = info.context.reader
    selected = reader.operation.subfields(name_of(model), info.field_nodes)
    _check_told(model, selected)
    id = await reader.scope.read(_id_of, model, arguments)
    past: AsOf = await reader.scope.read(as_of, model, id, arguments["asOf"])
    found = dict(row)
    for alias, nodes in selected.items():
        name = nodes[0].name.value
        shape = SHAPES[model].get(name)
        if name == CUSTOM:
            found[alias] = past_values(reader.scope.viewer, reader.operation, past, nodes)
        elif isinstance(shape, One):
            target = past[shape.key]
            rows = await reader.records(kind_of(shape.target), nodes, [target] if target else [])
            found[alias] = {**rows[0], "~type": kind_of(shape.target).name} if rows else None
        elif isinstance(shape, Column) and shape.column.key not in _ALWAYS:
            found[alias] = api_value(model, shape.column.key, past[shape.column.key])
        elif (key := _labelled(model, name)) is not None:
            found[alias] = next((it.name for it in past.values if it.key == key), None)
    return found


def _check_told(model: type[Entity], selected: Fields) -> None:
    for nodes in selected.values():
        name = nodes[0].name.value
        if name not in _past_fields(model) and name not in ("__typename", CUSTOM):
            raise Validation(
                f"The history does not tell {name} of a moment. Leave it out, or leave out asOf.",
                f"历史记录无法给出 {name} 在某一时间的值。请去掉该字段，或去掉 asOf 参数。",
                field="asOf",
            )


@cache
def _past_fields(model: type[Entity]) -> frozenset[str]:
    """The fields of a type that are known of a moment."""
    told = {*told_fields(model), *_ALWAYS}
    return frozenset(name for name, shape in SHAPES[model].items() if _key_of(model, name, shape) in told)


def _key_of(model: type[Entity], name: str, shape: Field) -> str | None:
    if isinstance(shape, Column):
        return shape.column.key
    return shape.key if isinstance(shape, One) else _labelled(model, name)


def _labelled(model: type[Entity], name: str) -> str | None:
    """The column whose label a field is: `stageLabel`."""
    key = python_name(name.removesuffix("Label"))
    return key if name.endswith("Label") and key in model.__table__.c else None


def _id_of(_scope: Scope, db: Session, model: type[Entity], arguments: Mapping[str, Any]) -> int:
    """The id of the record that the arguments name, or of the one that it became part of."""
    named: Any = model
    if (number := arguments.get("number")) is not None:
        asked = select(named.id).where(number_is(model, named, str(number)))
    else:
        id = number_of(model, str(arguments.get("id")))
        asked = select(named.id).where(named.id == (stays_as(model, id) if merges(model) else id))
    return db.execute(asked).scalars().first() or 0


def api_value(model: type[Base], key: str, value: Any) -> Any:
    """A value of the log as the API spells it: a global id for a foreign key."""
    shape = SHAPES[model].get(camel(key))
    if isinstance(shape, Column) and shape.target is not None and value is not None:
        return global_id(shape.target, value)
    return value
