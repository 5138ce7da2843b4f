"""Arguments of a list in the form of `resolvers/reading/matching.py`: column keys for names, numbers for global ids."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from models import Base
from models.custom_field import PREFIX
from models.errors import Validation
from resolvers.reading import conditions
from resolvers.reading.condition_check import refuse_null
from resolvers.reading.condition_fields import ConditionField, Kind
from resolvers.reading.conditions import Asker
from resolvers.reading.provenance import untraced
from resolvers.runtime.custom_fields import visible_book
from resolvers.runtime.ids import camel, number_of
from resolvers.runtime.viewer import Viewer

from ..closed_lists import Closed, closed_of
from .shape import SHAPES, Column, PolymorphicId

MAX_STEPS = 10
"""Maximum number of steps of an order; a cursor compares each step with all before it."""


def filter_of(model: type[Base], given: Mapping[str, Any], viewer: Viewer) -> dict[str, Any]:
    """A filter tree by column keys.  An id of another kind matches no record, as an unknown id does.

    Raises Validation for a custom field that is not there for the viewer.
    """
    book = visible_book(viewer.policy, viewer.person)
    return conditions.filter_of(model, given, Asker.of(viewer.person, viewer.person.now, book), _other)


def _other(model: type[Base], name: str, wanted: Any) -> dict[str, Any] | None:
    """The condition on an id that may be of several kinds of records, or on a column that holds a closed list."""
    shape = SHAPES[model].get(name)
    if isinstance(shape, Column) and (closed := closed_of(shape.column)) is not None:
        return _closed(closed, shape.column.key, wanted)
    return _polymorphic(shape, wanted) if isinstance(shape, PolymorphicId) else None


def _closed(closed: Closed, key: str, wanted: Mapping[str, Any]) -> dict[str, Any]:
    """The condition on a closed list, by what the column holds.  The members decide the statement: there are few."""

    def text(given: Any) -> Any:
        return [text(x) for x in given] if isinstance(given, list) else closed.text_of(untraced(given))

    given = {name: operand for name, operand in wanted.items() if operand is not None}
    return {
        key: {"is_null" if name == "isNull" else name: x if name == "isNull" else text(x) for name, x in given.items()}
    }


def _polymorphic(shape: PolymorphicId, wanted: Mapping[str, Any]) -> dict[str, Any]:
    """The conditions on a polymorphic id: each id compares the number and the column that names the table."""
    parts: list[dict[str, Any]] = []
    for operator, given in wanted.items():
        if given is None:
            refuse_null(ConditionField(camel(shape.column.key), shape.column.key, Kind.RECORD), operator, "filter")
        if operator == "isNull":
            parts.append({shape.column.key: {"is_null": given}})
            continue
        ids = given if isinstance(given, list) else [given]
        one_of = {"or": list(_one_of(shape, ids))}
        parts.append({"not": one_of} if operator == "ne" else one_of)
    return {"and": parts}


def _one_of(shape: PolymorphicId, ids: Sequence[str]) -> Iterator[dict[str, Any]]:
    """One condition for each table that the ids name; an id of none names no record."""
    for table, target in shape.targets.items():
        numbers = [number for text in ids if (number := number_of(target, text))]
        if numbers:
            yield {shape.column.key: {"in": numbers}, shape.kind: {"eq": table}}


def orders_of(given: Sequence[Mapping[str, Any]] | None) -> list[tuple[str, bool]]:
    """The steps of an order as (column key, is descending).  Raises Validation for too many."""
    if len(given or ()) > MAX_STEPS:
        raise Validation(f"An order has at most {MAX_STEPS} steps.", f"排序最多 {MAX_STEPS} 个字段。", field="orderBy")
    return [(_key(step), _name(step.get("direction", "ASC")) == "DESC") for step in given or ()]


def _key(step: Mapping[str, Any]) -> str:
    """The column or custom field of a step.  The key decides the statement, so it is no parameter of it."""
    field, custom = step.get("field"), step.get("custom")
    if (field is None) is (custom is None):
        raise Validation(
            "A step of an order names a field or a custom field.",
            "排序须指定一个字段或一个自定义字段。",
            field="orderBy",
        )
    return f"{PREFIX}{untraced(custom)}" if custom is not None else _name(field)


def _name(member: Any) -> str:
    """The value of an enum member, which arrives as text where the executor has not coerced it."""
    return str(getattr(member, "value", member))
