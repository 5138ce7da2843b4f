"""The schema: the types derived from the models, and the root fields of all capabilities."""

from functools import cache
from typing import Any

import strawberry
from graphql import GraphQLSchema
from strawberry.schema.config import StrawberryConfig
from strawberry.tools import create_type
from strawberry.types.field import StrawberryField

import resolvers

from .contract import DERIVATIONS, MUTATIONS, QUERIES, SUBSCRIPTIONS
from .describing import describe
from .plan.shape import derive_shapes
from .registration import check, load
from .types import computed, derive
from .types.payloads import derive_payloads
from .types.scalars import SCALARS
from .wiring import wire


@cache
def schema() -> strawberry.Schema:
    """The one schema.  Raises Misdeclared naming a field or type that is declared and not part of it."""
    resolvers.load()
    modules = load()
    derive_shapes()
    computed.add()
    derive.derive_types()
    derive_payloads()
    by_hand = {*QUERIES, *MUTATIONS, *SUBSCRIPTIONS}
    for declare_fields in DERIVATIONS:
        declare_fields()
    made = strawberry.Schema(
        query=_root("Query", QUERIES, by_hand),
        mutation=_root("Mutation", MUTATIONS, by_hand),
        subscription=_root("Subscription", SUBSCRIPTIONS, by_hand),
        types=derive.entity_types(),
        config=StrawberryConfig(scalar_map=SCALARS),
    )
    check(graphql_of(made), modules)
    wire(graphql_of(made))
    describe(graphql_of(made))
    return made


def _root(name: str, fields: dict[str, StrawberryField], by_hand: set[str]) -> Any:
    """A root type: the derived fields in the order of the models, then the others by name.

    So the SDL stays the same when a field moves to another file.
    """
    derived = [field for name, field in fields.items() if name not in by_hand]
    return create_type(name, [*derived, *(fields[x] for x in sorted(by_hand & fields.keys()))])


def graphql_of(made: strawberry.Schema) -> GraphQLSchema:
    """The schema of graphql-core inside Strawberry's; the only use of that private attribute."""
    inner: GraphQLSchema = made._schema  # noqa: SLF001  Strawberry has no public access to it
    return inner


def sdl() -> str:
    """The text of `schema.graphql`."""
    return schema().as_str() + "\n"
