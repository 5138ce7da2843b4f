"""Shapes: the fields of each GraphQL type as the compiler reads them, that is columns, expressions and relations.

All shapes are derived from the models; `schema/types/computed.py` adds the fields that are neither column nor key.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from graphql import FieldNode
from sqlalchemy import Column as TableColumn
from sqlalchemy import inspect

from models import (
    ENTITIES,
    AuditEntry,
    Base,
    CustomerStagePeriod,
    OpportunityStagePeriod,
    OwnershipPeriod,
    User,
)
from models.base import column_of, columns
from resolvers.reading.condition_fields import HIDDEN
from resolvers.reading.condition_fields import plural as plural
from resolvers.runtime.ids import camel
from resolvers.runtime.viewer import Viewer

from .dialect import Dialect, Value
from .selection import Operation


class Expressions(Protocol):
    """The parts of the compiler that a computed field uses."""

    viewer: Viewer
    dialect: Dialect
    operation: Operation
    is_executed: bool

    def array_of(self, item: Value, order: Value, rows: Any) -> Value: ...


@dataclass(frozen=True)
class Column:
    """A column; a foreign key becomes the global id of its target."""

    column: TableColumn[Any]
    target: type[Base] | None = None


@dataclass(frozen=True)
class Computed:
    """An SQL expression that returns JSON, built from the compiler, the row, the arguments and the selections.

    `annotation` is its GraphQL type, `arguments` maps the name of each argument to its GraphQL type.
    """

    sql: Callable[[Expressions, Any, Mapping[str, Any], Sequence[FieldNode]], Value]
    annotation: Any
    doc: str
    arguments: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class One:
    """The record that a foreign key of the row points to."""

    key: str
    target: type[Base]


@dataclass(frozen=True)
class Many:
    """The records whose foreign key points to the row, in pages."""

    key: str
    target: type[Base]


@dataclass(frozen=True)
class Parts:
    """The parts of the row, which have no lists of their own: all of them, in their order."""

    key: str
    target: type[Base]
    order: str


@dataclass(frozen=True)
class History:
    """The entries of the operation log about the row, in pages."""


@dataclass(frozen=True)
class PolymorphicId:
    """The id of a record in a table that another column of the row names; it becomes a global id."""

    column: TableColumn[Any]
    kind: str
    """Key of the column that names the table."""
    targets: Mapping[str, type[Base]]


Field = Column | Computed | One | Many | Parts | History | PolymorphicId


@dataclass(frozen=True)
class Kind:
    """A GraphQL type that is read from a table: its fields, and the clause for its rows.

    `visible` is the clause for the rows that the viewer may see as this type; None stands for the right to view.
    """

    name: str
    model: type[Base]
    fields: dict[str, Field]
    visible: Callable[[Viewer, Any], Value] | None = None
    doc: str = ""

    def rows(self, viewer: Viewer, e: Any) -> Value:
        return self.visible(viewer, e) if self.visible is not None else viewer.rows(self.model, e)


KINDS: dict[str, Kind] = {}
"""All types that are read from a table, by their GraphQL names."""
SHAPES: dict[type[Base], dict[str, Field]] = {}
"""Model -> the fields of the type that shows its whole records."""


def kind_of(model: type[Base]) -> Kind:
    return KINDS[model.__name__]


def belongs_to(model: type[Base], whole: type[Base]) -> bool:
    """Whether a record of `model` is visible through one of `whole`."""
    return bool(model.visible_through) and inspect(model).relationships[model.visible_through].mapper.class_ is whole


def name_of(model: type[Base]) -> str:
    return model.__name__


def singular(model: type[Base]) -> str:
    return model.__name__[0].lower() + model.__name__[1:]


TIMES: tuple[type[Base], ...] = (OwnershipPeriod, CustomerStagePeriod, OpportunityStagePeriod)
"""The times that a record spent with an owner or in a stage."""


def derive_shapes() -> None:
    """Fill KINDS and SHAPES from the models.  `schema.build` calls it once."""
    parts = {r.mapper.class_ for model in ENTITIES for r in inspect(model).relationships if r.uselist}
    readable: list[type[Base]] = [*ENTITIES, *sorted(parts, key=name_of), *TIMES, AuditEntry]
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
            order = "position" if "position" in relation.mapper.columns else "id"
            yield relation.key, Parts(str(theirs.key), relation.mapper.class_, order)
    for child in ENTITIES:
        key = f"{_snake(model)}_id"
        if key in child.__table__.c and target_of(column_of(child, key)) is model:
            yield plural(child), Many(key, child)
    if model in ENTITIES:
        yield "history", History()


def target_of(column: TableColumn[Any]) -> type[Base] | None:
    """The model that a foreign key points to; None for another column, or where the API does not show the model."""
    table = next((key.column.table for key in column.foreign_keys), None)
    return next((model for model in SHAPES if model.__table__ is table), None)


def _snake(model: type[Base]) -> str:
    return "user" if model is User else model.__tablename__
