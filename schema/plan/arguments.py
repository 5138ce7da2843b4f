"""Arguments of a list in the form of `resolvers/reading/clauses.py`: column keys for names, numbers for global ids."""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from models import Base
from models.errors import Validation
from resolvers.reading.provenance import map_traced
from resolvers.runtime.ids import number_of

from .shape import SHAPES, Column, PolymorphicId

MAX_STEPS = 10
"""Maximum number of steps of an order; a cursor compares each step with all before it."""
_OPERATORS = {"isNull": "is_null", "startsWith": "starts_with", "endsWith": "ends_with"}


def filter_of(model: type[Base], given: Mapping[str, Any]) -> dict[str, Any]:
    """A filter tree by column keys.  An id of another kind matches no record, as an unknown id does."""
    tree: dict[str, Any] = {}
    for name, wanted in given.items():
        if wanted is None:
            continue
        if name in ("and", "or"):
            tree.setdefault(name, []).extend(filter_of(model, part) for part in wanted)
        elif name == "not":
            tree[name] = filter_of(model, wanted)
        else:
            shape = SHAPES[model].get(name)
            if isinstance(shape, PolymorphicId):
                tree.setdefault("and", []).append(_polymorphic(shape, wanted))
                continue
            key = shape.column.key if isinstance(shape, Column) else name
            tree[key] = {_OPERATORS.get(op, op): _operand(model, shape, op, x) for op, x in wanted.items()}
    return tree


def _operand(model: type[Base], shape: Any, operator: str, given: Any) -> Any:
    if not isinstance(shape, Column) or given is None or operator == "isNull":
        return given
    if shape.target is None and not shape.column.primary_key:
        return given
    target = shape.target or model
    number = partial(number_of, target)
    return [map_traced(x, number) for x in given] if isinstance(given, list) else map_traced(given, number)


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
