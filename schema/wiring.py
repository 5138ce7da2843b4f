"""Wiring: resolvers of the executor that take what the compiler has read, by response key, so that aliases work."""

import asyncio
from collections.abc import Callable
from typing import Any

from graphql import GraphQLEnumType, GraphQLObjectType, GraphQLSchema, get_named_type

from models import Base
from resolvers.runtime.ids import global_id

from .contract import Answered, Pointer, Siblings
from .plan.reader import place_of
from .plan.shape import KINDS, kind_of, plural
from .queries.stats import STATS_TYPES
from .types.computed import ROW_TYPES
from .types.payloads import PAYLOADS

Resolve = Callable[..., Any]


def wire(inner: GraphQLSchema) -> None:
    """Set the resolvers of compiled types, of payloads, and of fields that hold a Pointer."""
    connections = (f"{name}{end}" for name in KINDS for end in ("Connection", "Edge"))
    compiled = {*KINDS, *connections, "PageInfo", *ROW_TYPES, *STATS_TYPES}
    for name, kind in inner.type_map.items():
        if not isinstance(kind, GraphQLObjectType):
            continue
        if name in compiled:
            kind.is_type_of = None
            for field in kind.fields.values():
                field.resolve = _by_key(get_named_type(field.type))
        elif name in PAYLOADS:
            _wire_payload(kind, PAYLOADS[name])
        elif name not in ("Query", "Mutation", "Subscription"):
            for field in kind.fields.values():
                if get_named_type(field.type).name in (*KINDS, "Node"):
                    field.resolve = _pointed(field.resolve)
    for abstract in ("Node", "CustomValue"):
        kind_: Any = inner.type_map[abstract]
        kind_.resolve_type = lambda value, _info, _type: _type_of(value)


def _type_of(value: Any) -> str:
    """The GraphQL type of a compiled row, or of an object that a use case's field has made."""
    name: str = value["~type"] if isinstance(value, dict) else value.__strawberry_definition__.name
    return name


def _by_key(kind: Any) -> Resolve:
    if isinstance(kind, GraphQLEnumType):
        return lambda row, info, **_: _member(kind, _read_value(row, info))
    return lambda row, info, **_: _read_value(row, info)


def _read_value(row: Any, info: Any) -> Any:
    """The value under its response key.  Raises what its arguments were refused for."""
    value = row[info.path.key]
    info.context.reader.faults.check(value)
    return value


def _member(kind: GraphQLEnumType, value: str | None) -> Any:
    return None if value is None else kind.parse_value(value)


def _pointed(usual: Resolve | None) -> Resolve:
    """The resolver of a field that holds a Pointer, or a list of them: it reads the records with the fields selected here."""

    async def resolve(row: Any, info: Any, **_: Any) -> Any:
        pointer = usual(row, info) if usual else getattr(row, info.field_name)
        if isinstance(pointer, list):
            return [found for each in pointer if (found := await _record(each, info)) is not None]
        return None if pointer is None else await _record(pointer, info)

    return resolve


async def _record(pointer: Any, info: Any) -> Any:
    assert isinstance(pointer, Pointer), info.field_name
    siblings = pointer.siblings or Siblings(pointer.model, [pointer.id])
    row = next((row for row in await _read(siblings, info) if row["~id"] == pointer.id), None)
    return row and {**row, "~type": kind_of(pointer.model).name}


async def _read(siblings: Siblings, info: Any) -> list[dict[str, Any]]:
    """The visible ones among the siblings, read once for each selection."""
    place = place_of(info.field_nodes)
    if place not in siblings.read:
        reading = info.context.reader.records(kind_of(siblings.model), info.field_nodes, siblings.ids)
        siblings.read[place] = asyncio.ensure_future(reading)
    return await siblings.read[place]


def _wire_payload(kind: GraphQLObjectType, model: type[Base]) -> None:
    for name, field in kind.fields.items():
        if name == "ids":
            field.resolve = lambda answered, _info: [global_id(answered.model, x) for x in answered.ids]
        elif name == "problems":
            field.resolve = lambda answered, _info: answered.problems
        else:
            field.resolve = _several(model) if name == plural(model) else _single(model)


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
