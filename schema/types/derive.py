"""The object types derived from the models, with their pages.

Strawberry resolves the names in their annotations in `namespace`, so every derived type is added to that module.
All columns but id and version are nullable, because a policy line may hide any other field.
"""

from typing import Any

import strawberry

from models import ENTITIES, AuditEntry, Base

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
)
from . import namespace
from .columns import python_type
from .filters import derive_filter_and_order, filter_name
from .make import Annotations, new_type, python_name, stub
from .namespace import Node, PageInfo

PAGED = {"first": "Optional[int]", "after": "Optional[str]", "last": "Optional[int]", "before": "Optional[str]"}


def derive_types() -> None:
    """Make all types of KINDS with their pages, filters and orders."""
    for model in SHAPES:
        derive_filter_and_order(model)
    for kind in KINDS.values():
        _object(kind)
        name = kind.name
        new_type(f"{name}Edge", {"cursor": str, "node": name}, f"One {name} of a page.", strawberry.type)
        page = {"edges": f"List[{name}Edge]", "nodes": f"List[{name}]", "page_info": PageInfo, "total_count": int}
        new_type(
            f"{name}Connection", page, f"A page of a list of {name}.", strawberry.type, {"count_up_to": _count_up_to()}
        )


def _object(kind: Kind) -> None:
    annotations: Annotations = {"id": strawberry.ID} if "id" in kind.fields else {}
    members: Annotations = {}
    for name, shape in kind.fields.items():
        annotation, field = _member(name, shape)
        if field is None:
            annotations[python_name(name)] = annotation
        else:
            members[python_name(name)] = field
    new_type(
        kind.name,
        annotations,
        kind.doc or kind.model.__doc__ or "",
        strawberry.type,
        members,
        bases=(Node,) if "id" in kind.fields else (),
    )


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
    # Nullable, so that a stale cursor fails this list alone.
    doc = (
        "What the operation log says about this record, as far as you may see it, in pages; the newest first."
        if isinstance(shape, History)
        else ""
    )
    return None, _stub_field(name, {**list_arguments(target), "return": f"Optional[{name_of(target)}Connection]"}, doc)


def list_arguments(model: type[Base]) -> Annotations:
    """The arguments of a list: page, filter, order, and `search` where the model declares searched columns."""
    order = {"filter": f"Optional[{filter_name(model)}]", "order_by": f"Optional[List[{name_of(model)}Order]]"}
    search = {"search": "Optional[str]"} if getattr(model, "search", ()) else {}
    return {**PAGED, **order, **search}


def _stub_field(name: str, annotations: Annotations, doc: str, **defaults: Any) -> Any:
    return strawberry.field(resolver=stub(name, annotations, doc, **defaults), description=doc)


def _count_up_to() -> Any:
    doc = "The number of rows, counted no further than `limit`."
    return _stub_field("countUpTo", {"limit": int, "return": int}, doc, limit=1001)


def entity_types() -> list[Any]:
    return [getattr(namespace, name_of(model)) for model in ENTITIES]
