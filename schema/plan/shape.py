"""What a GraphQL type is made of, as far as the compiler needs to know: columns, expressions, relations.

Everything here is derived from the models; `schema/types/computed.py` adds by hand what is no column and no key.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sqlalchemy import Column as TableColumn
from sqlalchemy import ColumnElement, inspect

from models import ENTITIES, AuditEntry, Base, OwnershipPeriod, User
from models.base import column_of, columns
from resolvers.records.field_rights import HIDDEN
from resolvers.runtime.ids import camel

if TYPE_CHECKING:
    from graphql import FieldNode

    from resolvers.runtime.viewer import Viewer

    from .compile import Compiler

Value = ColumnElement[Any]


@dataclass(frozen=True)
class Column:
    """A column; a foreign key is shown as the global id of what it points to."""

    column: TableColumn[Any]
    target: type[Base] | None = None


@dataclass(frozen=True)
class Computed:
    """An SQL expression, ready as JSON: made of the compiler, the row, the arguments and what is selected below.

    `annotation` is its type in GraphQL, `arguments` those of its arguments.
    """

    sql: "Callable[[Compiler, Any, Mapping[str, Any], Sequence[FieldNode]], Value]"
    annotation: Any
    doc: str
    arguments: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class One:
    """The record that a foreign key of this row points to."""

    key: str
    target: type[Base]


@dataclass(frozen=True)
class Many:
    """The records whose foreign key points to this row, page by page."""

    key: str
    target: type[Base]


@dataclass(frozen=True)
class Whole:
    """The rows that belong to this one and have no life of their own, all of them in their order."""

    key: str
    target: type[Base]
    order: str


@dataclass(frozen=True)
class Log:
    """What the operation log says about this row, page by page."""


@dataclass(frozen=True)
class AnyId:
    """A number that points into the table which another column of the row names; shown as a global id."""

    column: TableColumn[Any]
    kind: str
    targets: Mapping[str, type[Base]]


Field = Column | Computed | One | Many | Whole | Log | AnyId


@dataclass(frozen=True)
class Kind:
    """A GraphQL type that is read from a table: its fields, and which rows of the table are of its kind.

    `sight` says which rows may be seen as such; None is the right to view.
    """

    name: str
    model: type[Base]
    fields: dict[str, Field]
    sight: "Callable[[Viewer, Any], Value] | None" = None
    doc: str = ""

    def rows(self, viewer: "Viewer", e: Any) -> Value:
        return self.sight(viewer, e) if self.sight is not None else viewer.rows(self.model, e)


KINDS: dict[str, Kind] = {}
"""Every such type by its name."""
SHAPES: dict[type[Base], dict[str, Field]] = {}
"""The fields of the type that a model has for whoever may view it."""


def kind_of(model: type[Base]) -> Kind:
    return KINDS[model.__name__]


def belongs_to(model: type[Base], whole: type[Base]) -> bool:
    """Whether records of `model` belong to one of `whole`, which then decides who may see them."""
    return bool(model.visible_through) and inspect(model).relationships[model.visible_through].mapper.class_ is whole


def name_of(model: type[Base]) -> str:
    return model.__name__


def plural(model: type[Base]) -> str:
    """The field name of a list: `customers`, `opportunities`, `auditEntries`."""
    name = model.__name__[0].lower() + model.__name__[1:]
    return re.sub(r"y$", "ies", name) if name.endswith("y") else f"{name}s"


def singular(model: type[Base]) -> str:
    return model.__name__[0].lower() + model.__name__[1:]


def derive_shapes() -> None:
    """Fill KINDS and SHAPES from the models.  Called once, before the schema is made."""
    parts = {r.mapper.class_ for model in ENTITIES for r in inspect(model).relationships if r.uselist}
    readable: list[type[Base]] = [*ENTITIES, *sorted(parts, key=name_of), OwnershipPeriod, AuditEntry]
    for model in readable:
        SHAPES[model] = {}
        KINDS[name_of(model)] = Kind(name_of(model), model, SHAPES[model])
    for model in readable:
        SHAPES[model].update(_fields(model))


def _fields(model: type[Base]) -> Iterator[tuple[str, Field]]:
    yield "id", Column(column_of(model, "id"))
    for column in columns(model):
        if column.key in HIDDEN or column.key == "id":
            continue
        target = target_of(column)
        yield camel(column.key), Column(column, target)
        if target is not None:
            yield camel(column.key.removesuffix("_id")), One(column.key, target)
    for relation in inspect(model).relationships:
        if relation.uselist:
            (_, theirs), *_ = relation.local_remote_pairs or ()
            yield relation.key, Whole(str(theirs.key), relation.mapper.class_, "position")
    for child in ENTITIES:
        key = f"{_snake(model)}_id"
        if key in child.__table__.c and target_of(column_of(child, key)) is model:
            yield plural(child), Many(key, child)
    if model in ENTITIES:
        yield "history", Log()


def target_of(column: TableColumn[Any]) -> type[Base] | None:
    """The model that a foreign key points to, None for another column or one that nobody reads."""
    table = next((key.column.table for key in column.foreign_keys), None)
    return next((model for model in SHAPES if model.__table__ is table), None)


def _snake(model: type[Base]) -> str:
    return "user" if model is User else model.__tablename__
