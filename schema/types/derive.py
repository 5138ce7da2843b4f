"""The GraphQL types derived from the models: objects, pages, filters, orders.

Strawberry resolves the names in their annotations in `namespace`, so every derived type is added to that module.
All columns but id and version are nullable, because a policy line may hide any other field.
"""

import enum
from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal
from inspect import Parameter, Signature
from typing import Any, ForwardRef

import strawberry
from sqlalchemy import JSON, Boolean, Date, Enum, Integer
from sqlalchemy import Column as TableColumn

from models import ENTITIES, AuditEntry, Base
from models.base import Money, Utc, columns
from resolvers.reading.clauses import COMPUTED, orderable

from ..plan.shape import (
    KINDS,
    SHAPES,
    Column,
    Computed,
    Field,
    History,
    Kind,
    One,
    Parts,
    PolymorphicId,
    name_of,
    plural,
)
from . import namespace
from .namespace import Direction, Node, PageInfo

Made = dict[str, Any]


def python_type(column: TableColumn[Any]) -> Any:
    """The GraphQL type of a column's value, without its nullability."""
    if column.primary_key or column.foreign_keys:
        return strawberry.ID
    kind = column.type
    if isinstance(kind, Enum):
        return enum_of(kind.enum_class)
    for sql, python in (
        (Utc, datetime),
        (Date, date),
        (Money, Decimal),
        (Boolean, bool),
        (Integer, int),
        (JSON, list[str]),
    ):
        if isinstance(kind, sql):
            return python
    return str


def enum_of(kind: Any) -> Any:
    """The Strawberry enum for an enum of the models, made once."""
    if not hasattr(kind, "__strawberry_definition__"):
        strawberry.enum(kind, description=(kind.__doc__ or "").strip())
    return kind


def make(
    name: str,
    annotations: Mapping[str, Any],
    doc: str,
    how: Callable[..., Any],
    members: Mapping[str, Any] | None = None,
    *,
    bases: tuple[type, ...] = (),
) -> Any:
    """A Strawberry type with these annotations, added to `namespace` under its name."""
    made = type(
        name, bases, {"__annotations__": dict(annotations), "__module__": namespace.__name__, **(members or {})}
    )
    setattr(namespace, name, how(made, name=name, description=doc.strip()))
    return getattr(namespace, name)


def function(name: str, annotations: Mapping[str, Any], body: Callable[..., Any]) -> Callable[..., Any]:
    """`body` with a name and annotations for Strawberry: its arguments and `return`, types as objects or names."""
    body.__name__ = body.__qualname__ = name
    body.__module__, body.__annotations__ = namespace.__name__, dict(annotations)
    return body


def named(name: str) -> Any:
    """A derived type by its name, for annotations that are read before it exists."""
    return strawberry.lazy(namespace.__name__).resolve_forward_ref(ForwardRef(name))


def record_of(model: type[Base]) -> Any:
    """The GraphQL type of a field that holds a Pointer: null where the caller may not see the record."""
    return named(name_of(model)) | None


# --- objects ---------------------------------------------------------------------------------------------

PAGED = {"first": "Optional[int]", "after": "Optional[str]", "last": "Optional[int]", "before": "Optional[str]"}


def derive_types() -> None:
    """Make all types of KINDS with their pages, filters and orders."""
    for model in SHAPES:
        _filter_and_order(model)
    for kind in KINDS.values():
        _object(kind)
        name = kind.name
        make(f"{name}Edge", {"cursor": str, "node": name}, f"One {name} of a page.", strawberry.type)
        page = {"edges": f"List[{name}Edge]", "nodes": f"List[{name}]", "page_info": PageInfo, "total_count": int}
        make(
            f"{name}Connection", page, f"A page of a list of {name}.", strawberry.type, {"count_up_to": _count_up_to()}
        )


def _object(kind: Kind) -> None:
    annotations: Made = {"id": strawberry.ID}
    members: Made = {}
    for name, shape in kind.fields.items():
        annotation, field = _member(name, shape)
        if field is None:
            annotations[python_name(name)] = annotation
        else:
            members[python_name(name)] = field
    make(kind.name, annotations, kind.doc or kind.model.__doc__ or "", strawberry.type, members, bases=(Node,))


def _member(name: str, shape: Field) -> tuple[Any, Any]:
    """(annotation, None) for a plain field, (None, field) for one with arguments or a description."""
    if isinstance(shape, Column):
        kind = python_type(shape.column)
        return (kind if shape.column.key in ("id", "version") else kind | None), None
    if isinstance(shape, PolymorphicId):
        return strawberry.ID | None, None
    if isinstance(shape, One):
        return f"Optional[{name_of(shape.target)}]", None
    if isinstance(shape, Parts):
        return f"List[{name_of(shape.target)}]", None
    if isinstance(shape, Computed):
        return None, _stub_field(name, {**shape.arguments, "return": shape.annotation}, shape.doc)
    target = AuditEntry if isinstance(shape, History) else shape.target
    doc = "What the operation log says about this record." if isinstance(shape, History) else f"Its {plural(target)}."
    return None, _stub_field(name, {**list_arguments(target), "return": f"{name_of(target)}Connection"}, doc)


def list_arguments(model: type[Base]) -> Made:
    """The arguments of a list: page, filter, order, and `search` where the model declares searched columns."""
    order = {"filter": f"Optional[{filter_name(model)}]", "order_by": f"Optional[List[{name_of(model)}Order]]"}
    search = {"search": "Optional[str]"} if getattr(model, "search", ()) else {}
    return {**PAGED, **order, **search}


def filter_name(model: type[Base]) -> str:
    return "AuditFilter" if model is AuditEntry else f"{name_of(model)}Filter"


def stub(name: str, annotations: Made, doc: str, **defaults: Any) -> Callable[..., Any]:
    """The signature of a field that the compiler answers; it is never called."""

    def signature(**_: Any) -> Any:
        raise RuntimeError("answered by the compiler")

    parameters = [_parameter(x, kind, defaults) for x, kind in annotations.items() if x != "return"]
    signature.__signature__ = Signature(parameters, return_annotation=annotations["return"])  # type: ignore[attr-defined]  # what inspect, and so Strawberry, reads
    signature.__doc__ = doc
    return function(python_name(name), annotations, signature)


def _stub_field(name: str, annotations: Made, doc: str, **defaults: Any) -> Any:
    return strawberry.field(resolver=stub(name, annotations, doc, **defaults), description=doc)


def _parameter(name: str, kind: Any, defaults: Made) -> Parameter:
    default = defaults.get(name, strawberry.UNSET if "Optional" in str(kind) else Parameter.empty)
    return Parameter(name, Parameter.KEYWORD_ONLY, default=default, annotation=kind)


def _count_up_to() -> Any:
    doc = "The number of rows, counted no further than `limit`."
    return _stub_field("countUpTo", {"limit": int, "return": int}, doc, limit=1001)


# --- filters and orders ----------------------------------------------------------------------------------

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


def _filter_and_order(model: type[Base]) -> None:
    name = name_of(model)
    fields: Made = {}
    for key, kind in filterable(model):
        fields[key] = f"Optional[{_operators(kind)}]"
    own = filter_name(model)
    whole = {"and_": f"Optional[List[{own}]]", "or_": f"Optional[List[{own}]]", "not_": f"Optional[{own}]"}
    named = {x: strawberry.field(name=x.rstrip("_"), default=strawberry.UNSET) for x in whole}
    unset = dict.fromkeys(fields, strawberry.UNSET)
    make(
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
    make(
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
        make(name, annotations, "All that is given must hold.", strawberry.input, members)
    return name


def entity_types() -> list[Any]:
    return [getattr(namespace, name_of(model)) for model in ENTITIES]


def python_name(name: str) -> str:
    """`ownerId` -> `owner_id`: the column key and the Python name that Strawberry turns into a GraphQL name."""
    return "".join(f"_{c.lower()}" if c.isupper() else c for c in name)
