"""The schema: everything derived and everything written by hand, put together once."""

from collections.abc import Callable
from functools import cache
from typing import Any

import strawberry
from graphql import GraphQLEnumType, GraphQLObjectType, GraphQLSchema, get_named_type
from strawberry.schema.config import StrawberryConfig

import resolvers
from models import Base
from resolvers.runtime.ids import global_id

from .contract import DECLARED, Answered
from .mutations import records as mutations
from .plan.shape import KINDS, derive_shapes, kind_of
from .plan.shape import plural as plural_of
from .queries import me, policy
from .queries import records as roots
from .queries.me import Pointer
from .types import computed, derive, namespace
from .types.scalars import SCALARS

Resolve = Callable[..., Any]


@cache
def schema() -> strawberry.Schema:
    """The one schema.  Raises RuntimeError naming a root field that declares no right."""
    resolvers.load()
    derive_shapes()
    computed.add()
    derive.derive_types()
    compiled, changes = roots.derive_queries(), mutations.derive_mutations()
    others, entrances = me.derive_others()
    rights, drafts = policy.derive_policies()
    made = strawberry.Schema(
        query=_root("Query", compiled | others | rights),
        mutation=_root("Mutation", entrances | changes | drafts),
        types=derive.entity_types(),
        config=StrawberryConfig(scalar_map=SCALARS),
    )
    wire(graphql_of(made))
    check_declared(graphql_of(made))
    return made


def graphql_of(made: strawberry.Schema) -> GraphQLSchema:
    """The graphql-core schema inside; the one place that knows where Strawberry keeps it."""
    inner: GraphQLSchema = made._schema  # noqa: SLF001  no public way to it
    return inner


def sdl() -> str:
    """The text of `schema.graphql`."""
    return schema().as_str() + "\n"


def check_declared(inner: GraphQLSchema) -> None:
    """Every root field says what right it asks for, or nothing is served."""
    for root in (inner.query_type, inner.mutation_type):
        for name in root.fields if root else ():
            if name not in DECLARED:
                raise RuntimeError(f"the field {name} declares no (module, action)")


def _root(name: str, fields: dict[str, Any]) -> Any:
    return strawberry.type(
        type(name, (), {"__annotations__": {}, "__module__": namespace.__name__, **fields}), name=name
    )


# --- resolvers of what the compiler has read -------------------------------------------------------------


def wire(inner: GraphQLSchema) -> None:
    """Let the executor take compiled rows as they are: by response key, so that aliases work."""
    compiled = {
        *KINDS,
        *(f"{name}{end}" for name in KINDS for end in ("Connection", "Edge")),
        "PageInfo",
        "AuditChange",
    }
    payloads = mutations.payload_types()
    for name, kind in inner.type_map.items():
        if not isinstance(kind, GraphQLObjectType):
            continue
        if name in compiled:
            kind.is_type_of = None
            for field in kind.fields.values():
                field.resolve = _by_key(get_named_type(field.type))
        elif name in payloads:
            _wire_payload(kind, payloads[name])
        elif name not in ("Query", "Mutation"):
            for field in kind.fields.values():
                if get_named_type(field.type).name in KINDS:
                    field.resolve = _pointed(field.resolve)
    node: Any = inner.type_map["Node"]
    node.resolve_type = lambda value, _info, _type: value["~type"]


def _by_key(kind: Any) -> Resolve:
    if isinstance(kind, GraphQLEnumType):
        return lambda row, info, **_: _member(kind, row[info.path.key])
    return lambda row, info, **_: row[info.path.key]


def _member(kind: GraphQLEnumType, word: str | None) -> Any:
    return None if word is None else kind.parse_value(word)


def _pointed(usual: Resolve | None) -> Resolve:
    """A field that holds a Pointer: read the record it points to for the selection made here."""

    async def resolve(row: Any, info: Any, **_: Any) -> Any:
        pointer = usual(row, info) if usual else getattr(row, info.field_name)
        if pointer is None:
            return None
        assert isinstance(pointer, Pointer), info.field_name
        found = await info.context.reader.records(kind_of(pointer.model), info.field_nodes, [pointer.id])
        return found[0] if found else None

    return resolve


def _wire_payload(kind: GraphQLObjectType, model: type[Base]) -> None:
    for name, field in kind.fields.items():
        if name == "ids":
            field.resolve = lambda answered, _info: [global_id(answered.model, x) for x in answered.ids]
        elif name == "problems":
            field.resolve = lambda answered, _info: answered.problems
        else:
            field.resolve = _several(model) if name == plural_of(model) else _single(model)


def _several(model: type[Base]) -> Resolve:
    async def resolve(answered: Answered, info: Any) -> Any:
        return await info.context.reader.records(kind_of(model), info.field_nodes, answered.ids)

    return resolve


def _single(model: type[Base]) -> Resolve:
    several = _several(model)

    async def resolve(answered: Answered, info: Any) -> Any:
        found = await several(answered, info)
        return found[0] if found else None

    return resolve
