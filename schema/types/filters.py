"""The filters and orders of lists, derived from the models."""

import enum
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import strawberry
from sqlalchemy import JSON

from models import AuditEntry, Base
from models.base import columns
from resolvers.reading.clauses import COMPUTED
from resolvers.reading.order import orderable

from ..plan.shape import SHAPES, Column, PolymorphicId, name_of, plural
from . import namespace
from .columns import python_type
from .make import Annotations, new_type
from .namespace import Direction

_COMPARE = ("eq", "ne", "in", "gt", "gte", "lt", "lte", "is_null")
_TEXT = ("eq", "ne", "in", "contains", "starts_with", "ends_with", "is_null")
OPERATORS: dict[Any, tuple[str, tuple[str, ...]]] = {
    strawberry.ID: ("IDFilter", ("eq", "ne", "in", "is_null")),
    str: ("StringFilter", _TEXT),
    int: ("IntFilter", _COMPARE),
    Decimal: ("DecimalFilter", _COMPARE),
    datetime: ("DateTimeFilter", _COMPARE),
    date: ("DateFilter", _COMPARE),
    bool: ("BooleanFilter", ("eq", "is_null")),
}


def filter_name(model: type[Base]) -> str:
    return "AuditFilter" if model is AuditEntry else f"{name_of(model)}Filter"


def derive_filter_and_order(model: type[Base]) -> None:
    name = name_of(model)
    fields: Annotations = {}
    for key, kind in filterable(model):
        fields[key] = f"Optional[{_operators(kind)}]"
    own = filter_name(model)
    whole = {"and_": f"Optional[List[{own}]]", "or_": f"Optional[List[{own}]]", "not_": f"Optional[{own}]"}
    named = {x: strawberry.field(name=x.rstrip("_"), default=strawberry.UNSET) for x in whole}
    unset = dict.fromkeys(fields, strawberry.UNSET)
    new_type(
        own,
        fields | whole,
        f"Which {plural(model)}: all that is given must hold.",
        strawberry.input,
        unset | named,
    )
    keys = {key.upper(): key for key in orderable_keys(model)}
    order_field: Any = enum.Enum(f"{name}OrderField", keys, module=namespace.__name__)  # type: ignore[misc]  # named after the model
    setattr(
        namespace,
        f"{name}OrderField",
        strawberry.enum(order_field, description=f"By what {plural(model)} can be ordered."),
    )
    steps = {"field": f"{name}OrderField", "direction": Direction}
    new_type(
        f"{name}Order",
        steps,
        f"One step of an order of {plural(model)}.",
        strawberry.input,
        {"direction": Direction.ASC},
    )


def filterable(model: type[Base]) -> list[tuple[str, Any]]:
    """(key, type) of each field that a list of the model may be filtered by.

    An audit entry has no filter on its labels and values, because their redaction is decided row by row.
    """
    shown = {shape.column.key for shape in SHAPES[model].values() if isinstance(shape, Column)}
    found = [(c.key, python_type(c)) for c in columns(model) if c.key in shown and not isinstance(c.type, JSON)]
    found += [(x.column.key, strawberry.ID) for x in SHAPES[model].values() if isinstance(x, PolymorphicId)]
    computed = [(key, bool) for owner, key in COMPUTED if owner is model]
    return [*found, *computed]


def orderable_keys(model: type[Base]) -> list[str]:
    shown = {shape.column.key for shape in SHAPES[model].values() if isinstance(shape, Column)}
    return ["id", *(key for key in orderable(model) if key in shown and key != "id")]


def _operators(kind: Any) -> str:
    """The name of the input with the operators for values of this type, made once."""
    name, operators = OPERATORS.get(kind) or (f"{kind.__name__}Filter", ("eq", "ne", "in", "is_null"))
    if not hasattr(namespace, name):
        types = {"in": list[kind] | None, "is_null": bool | None}
        annotations = {f"{x}_" if x == "in" else x: types.get(x, kind | None) for x in operators}
        members = {
            x: strawberry.field(name="in", default=strawberry.UNSET) if x == "in_" else strawberry.UNSET
            for x in annotations
        }
        new_type(name, annotations, "All that is given must hold.", strawberry.input, members)
    return name
