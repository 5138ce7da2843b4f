"""Registration: all modules of the package are imported, and a declaration that is no part of the schema stops the start."""

from collections.abc import Iterator, Sequence
from importlib import import_module
from pkgutil import walk_packages
from types import ModuleType

from graphql import GraphQLSchema
from strawberry.types.base import has_object_definition
from strawberry.types.field import StrawberryField

import schema
from models.declaration import Misdeclared

from .contract import MUTATIONS, QUERIES, SUBSCRIPTIONS, file_of
from .types import namespace


def load() -> list[ModuleType]:
    """All modules of this package, imported, so that every `@query`, `@mutation` and `@derived` counts.

    Raises Misdeclared for the first field of a module that has no right, and so is no root field.
    """
    modules = [import_module(found.name) for found in walk_packages(schema.__path__, f"{schema.__name__}.")]
    declared = {id(field) for field in (*QUERIES.values(), *MUTATIONS.values(), *SUBSCRIPTIONS.values())}
    for module in modules:
        for name, value in vars(module).items():
            if isinstance(value, StrawberryField) and id(value) not in declared:
                raise Misdeclared(
                    f"{file_of(module.__name__)}: the field {name} declares no right: "
                    'write @query("module.action") or @mutation("module.action") of schema.contract'
                )
    return modules


def check(inner: GraphQLSchema, modules: Sequence[ModuleType]) -> None:
    """Raise Misdeclared for the first type of a module that the schema does not use.

    `namespace` holds the derived types, some of which no field uses.
    """
    used = set(_types_of(inner))
    for module in modules:
        for name, value in vars(module).items():
            is_declared = isinstance(value, type) and value.__module__ == module.__name__ != namespace.__name__
            if is_declared and has_object_definition(value) and value not in used:
                raise Misdeclared(
                    f"{file_of(module.__name__)}: the type {name} is no part of the schema, because no field uses it; "
                    "a root field is a function with @query or @mutation of schema.contract"
                )


def _types_of(inner: GraphQLSchema) -> Iterator[object]:
    """The Python classes of the objects, interfaces and inputs in a schema."""
    for kind in inner.type_map.values():
        definition = kind.extensions.get("strawberry-definition")
        if definition is not None and has_object_definition(getattr(definition, "origin", None)):
            yield definition.origin
