"""Compiled root fields: the query fields that one SQL statement answers, without a resolver."""

from collections.abc import Callable, Sequence
from typing import Any

from graphql import FieldNode

from models import Base
from resolvers.runtime.ids import BY_PREFIX

from .contract import query
from .plan.reader import CompileRoot
from .plan.selection import Operation
from .plan.shape import SHAPES, name_of
from .types.make import stub

Nodes = Sequence[FieldNode]

ROOTS: dict[str, CompileRoot] = {}
"""Query field -> its compiler."""
PARTLY_COMPILED: dict[str, Callable[[Operation, Nodes], CompileRoot | None]] = {}
"""Query field with a resolver -> its compiler, or None where the selection needs the resolver."""


def compiled_query(name: str, right: str, annotations: dict[str, Any], doc: str, compile: CompileRoot) -> None:
    """Declare a query field that `compile` answers; `annotations` are the types of its arguments and its `return`."""
    ROOTS[name] = compile
    query(right)(stub(name, annotations, doc))


def root_of(operation: Operation, nodes: Nodes) -> CompileRoot | None:
    """The compiler of a root field; None where it needs its resolver."""
    name = nodes[0].name.value
    choose = PARTLY_COMPILED.get(name)
    return choose(operation, nodes) if choose is not None else ROOTS.get(name)


def kind_at(name: str, arguments: dict[str, Any]) -> str:
    """The kind of the record for `node`, whose statement depends on it; empty for other fields."""
    model = model_of(arguments["id"]) if name == "node" else None
    return name_of(model) if model is not None else ""


def model_of(id: str) -> type[Base] | None:
    """The model that a global id belongs to by its prefix."""
    model = BY_PREFIX.get(id.partition("_")[0])
    return model if model in SHAPES else None
