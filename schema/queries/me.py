"""The query `me`: who the caller is, their limits, their sessions and tokens."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import strawberry
from graphql import FieldNode

from models import ApiToken, Pool, SignInSession, User
from resolvers.ownership.quota import Quota as QuotaUsed
from resolvers.people import tokens
from resolvers.pool.my_limits import my_limits
from resolvers.runtime.ids import global_id

from ..contract import GraphQLInfo, Pointer, query
from ..plan.compile import Compiler
from ..plan.dialect import Value, name_literal
from ..plan.reader import CompileRoot
from ..plan.selection import Operation
from ..plan.shape import kind_of
from ..roots import PARTLY_COMPILED
from ..types.make import record_of


@strawberry.type(description="One limit on claiming: how much of it is used, when it starts again.")
class Quota:
    pool: Pointer = strawberry.field(graphql_type=record_of(Pool))
    period: str
    used: int
    limit: int
    resets_at: datetime


@strawberry.type(description="How many customers you hold, and may hold.")
class Capacity:
    held: int
    limit: int | None


@strawberry.type(description="A session or an API token of yours.")
class Key:
    id: strawberry.ID
    name: str | None
    hint: str | None
    created_at: datetime
    seen_at: datetime | None
    expires_at: datetime | None


@strawberry.type(description="Who you are and where you stand.")
class Me:
    user: Pointer = strawberry.field(graphql_type=record_of(User))
    quotas: list[Quota]
    capacity: Capacity
    sessions: list[Key]
    tokens: list[Key]


@query("session.view")
async def me(info: GraphQLInfo) -> Me | None:
    """Who you are; null for somebody not signed in."""
    scope = info.context.scope
    if scope.principal is None:
        return None
    limits = await scope.read(my_limits)
    return Me(
        user=Pointer(User, scope.me),
        quotas=[_quota(pool, used) for pool, used in limits.quotas],
        capacity=Capacity(held=limits.capacity.held, limit=limits.capacity.limit),
        sessions=[_key(x) for x in await scope.read(tokens.keys_of, SignInSession)],
        tokens=[_key(x) for x in await scope.read(tokens.keys_of, ApiToken)],
    )


def _quota(pool: int, used: QuotaUsed) -> Quota:
    return Quota(pool=Pointer(Pool, pool), period=used.kind, used=used.used, limit=used.limit, resets_at=used.resets_at)


def _key(row: ApiToken | SignInSession) -> Key:
    named = {name: getattr(row, name, None) for name in ("name", "hint", "seen_at", "expires_at")}
    return Key(id=strawberry.ID(global_id(type(row), row.id)), created_at=row.created_at, **named)


# --- compiled where only the user is selected ------------------------------------------------------------


def _choose(operation: Operation, nodes: Sequence[FieldNode]) -> CompileRoot | None:
    """The compiler of `me` where the selection holds the user and no figures, which need Python."""
    selected = {group[0].name.value for group in operation.subfields("Me", nodes).values()}
    return _compile if selected <= {"user", "__typename"} else None


def _compile(compiler: Compiler, nodes: Sequence[FieldNode], _arguments: Mapping[str, Any]) -> Value:
    mine = compiler.viewer.person.id
    pairs: list[tuple[str, Value]] = []
    for alias, group in compiler.operation.subfields("Me", nodes).items():
        if group[0].name.value == "__typename":
            pairs.append((alias, name_literal("Me")))
        else:
            pairs.append((alias, compiler.record(kind_of(User), group, lambda c: c.id == mine)))
    return compiler.dialect.pairs(pairs)


PARTLY_COMPILED["me"] = _choose
