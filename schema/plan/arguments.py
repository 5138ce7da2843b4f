"""Arguments of a list in the form of `resolvers/reading/matching.py`: column keys for names, numbers for global ids."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from models import Base
from models.errors import Validation
from policies import Principal
from resolvers.reading import conditions
from resolvers.reading.conditions import Asker
from resolvers.runtime.ids import number_of

from .shape import SHAPES, PolymorphicId

MAX_STEPS = 10
"""Maximum number of steps of an order; a cursor compares each step with all before it."""


def filter_of(model: type[Base], given: Mapping[str, Any], person: Principal) -> dict[str, Any]:
    """A filter tree by column keys.  An id of another kind matches no record, as an unknown id does."""
    return conditions.filter_of(model, given, Asker.of(person, person.now), _other)


def _other(model: type[Base], name: str, wanted: Any) -> dict[str, Any] | None:
    """The condition on an id that may be of several kinds of records."""
    shape = SHAPES[model].get(name)
    return _polymorphic(shape, wanted) if isinstance(shape, PolymorphicId) else None


def _polymorphic(shape: PolymorphicId, wanted: Mapping[str, Any]) -> dict[str, Any]:
    """The conditions on a polymorphic id: each id compares the number and the column that names the table."""
    parts: list[dict[str, Any]] = []
    for operator, given in wanted.items():
        if given is None:
            continue
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
    return [(_name(step["field"]), _name(step.get("direction", "ASC")) == "DESC") for step in given or ()]


def _name(member: Any) -> str:
    """The value of an enum member, which arrives as text where the executor has not coerced it."""
    return str(getattr(member, "value", member))
