"""The query `me`: who the caller is, their limits, their sessions and tokens."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import strawberry
from graphql import FieldNode
from sqlalchemy import Integer, String, bindparam, cast, literal_column

from models import ApiToken, Pool, SignInSession, User
from resolvers.access.my_rights import rights_of_caller
from resolvers.ownership.quota import Quota as QuotaUsed
from resolvers.people import tokens
from resolvers.pool.my_limits import my_limits
from resolvers.runtime.ids import ME, global_id
from resolvers.runtime.scope import Scope

from ..closed_lists import Action, EntityName, QuotaPeriod, model_of_entity
from ..contract import GraphQLInfo, Pointer, query
from ..nodes import node
from ..plan.compile import Compiler
from ..plan.dialect import Value, name_literal
from ..plan.reader import CompileRoot
from ..plan.selection import Operation
from ..plan.shape import kind_of
from ..roots import PARTLY_COMPILED
from ..types.enums import EntityNameType
from ..types.make import enum_of, record_of
from ..types.namespace import Node

ActionType: Any = enum_of(Action)


@strawberry.type(description="One limit on claiming: how much of it is used, when it starts again.")
class Quota:
    pool: Pointer = strawberry.field(graphql_type=record_of(Pool))
    """The pool from which is claimed; null where it is out of your sight."""
    period: enum_of(QuotaPeriod)  # type: ignore[valid-type]  # made from a closed list
    """`day` or `week`, in the time zone of the organisation."""
    used: int
    """Number of customers that you have claimed in it."""
    limit: int
    """Number of customers that you may claim in it."""
    resets_at: datetime
    """When the next period begins."""


@strawberry.type(description="How many customers you hold, and may hold.")
class Capacity:
    held: int
    """Number of customers that you own, without those in the recycle bin."""
    limit: int | None
    """Number of customers that you may own; null is no limit."""


@strawberry.type(description="A session or an API token of yours.")
class Key(Node):
    id: strawberry.ID
    name: str | None
    """What you have called the token; null for a session."""
    hint: str | None
    """The beginning of the token, to tell it from others; null for a session."""
    created_at: datetime
    """When it began."""
    seen_at: datetime | None
    """When it was used last, to a few minutes; null for never."""
    expires_at: datetime | None
    """When it ends by itself; null for a token without an end."""


@strawberry.type(description="What you may do to records of one kind, as your roles say it.")
class Permission:
    entity: EntityNameType
    """The kind of records."""
    actions: list[ActionType] = strawberry.field(
        description="What you may do to some of them. Whether to this one, `allowed` of the record says."
    )


@strawberry.type(description="Who you are and where you stand.")
class Me(Node):
    id: strawberry.ID = strawberry.field(description="An id of yourself as the caller; `node` answers it to you alone.")
    user: Pointer = strawberry.field(graphql_type=record_of(User))
    """Your own record."""
    quotas: list[Quota]
    """What you have claimed and may claim, for each pool and period with a limit."""
    capacity: Capacity
    """How many customers you hold and may hold."""
    sessions: list[Key]
    """Your sessions in force, the newest first."""
    tokens: list[Key]
    """Your tokens in force, the newest first."""

    @strawberry.field(
        description="What you may do, for every kind of records or for these; kinds without a right are left out."
    )  # type: ignore[untyped-decorator]  # Strawberry's overloads
    async def permissions(self, info: GraphQLInfo, entities: list[EntityNameType] | None = None) -> list[Permission]:
        found = await rights_of_caller(info.context.scope)
        wanted = EntityName if entities is None else entities
        said = {x: [Action(name) for name in found.get(model_of_entity(x) or str(x.value), ())] for x in wanted}
        return [Permission(entity=x, actions=actions) for x, actions in said.items() if actions]


@query("session.view")
async def me(info: GraphQLInfo) -> Me | None:
    """Who you are; null for somebody not signed in."""
    scope = info.context.scope
    return await _me(scope) if scope.principal is not None else None


async def _me(scope: Scope) -> Me:
    limits = await scope.read(my_limits)
    return Me(
        id=strawberry.ID(f"{ME}_{scope.me}"),
        user=Pointer(User, scope.me),
        quotas=[_quota(pool, used) for pool, used in limits.quotas],
        capacity=Capacity(held=limits.capacity.held, limit=limits.capacity.limit),
        sessions=[_key(x) for x in await scope.read(tokens.keys_of, SignInSession)],
        tokens=[_key(x) for x in await scope.read(tokens.keys_of, ApiToken)],
    )


@node(ME)
async def _me_as_node(scope: Scope, ids: Sequence[int]) -> dict[int, Me]:
    return {scope.me: await _me(scope)} if scope.me in ids else {}


@node(SignInSession)
async def _sessions(scope: Scope, ids: Sequence[int]) -> dict[int, Key]:
    return {x.id: _key(x) for x in await scope.read(tokens.keys_of, SignInSession) if x.id in ids}


@node(ApiToken)
async def _tokens(scope: Scope, ids: Sequence[int]) -> dict[int, Key]:
    return {x.id: _key(x) for x in await scope.read(tokens.keys_of, ApiToken) if x.id in ids}


def _quota(pool: int, used: QuotaUsed) -> Quota:
    return Quota(
        pool=Pointer(Pool, pool),
        period=QuotaPeriod(used.kind),
        used=used.used,
        limit=used.limit,
        resets_at=used.resets_at,
    )


def _key(row: ApiToken | SignInSession) -> Key:
    named = {name: getattr(row, name, None) for name in ("name", "hint", "seen_at", "expires_at")}
    return Key(id=strawberry.ID(global_id(type(row), row.id)), created_at=row.created_at, **named)


# --- compiled where only the user is selected ------------------------------------------------------------


def _choose(operation: Operation, nodes: Sequence[FieldNode]) -> CompileRoot | None:
    """The compiler of `me` where the selection holds the user and no figures, which need Python."""
    selected = {group[0].name.value for group in operation.subfields("Me", nodes).values()}
    return _compile if selected <= {"id", "user", "__typename"} else None


def _compile(compiler: Compiler, nodes: Sequence[FieldNode], _arguments: Mapping[str, Any]) -> Value:
    mine = compiler.viewer.person.id
    pairs: list[tuple[str, Value]] = []
    for alias, group in compiler.operation.subfields("Me", nodes).items():
        if group[0].name.value == "__typename":
            pairs.append((alias, name_literal("Me")))
        elif group[0].name.value == "id":
            pairs.append(
                (alias, literal_column(f"'{ME}_'", String).concat(cast(bindparam(None, mine, Integer), String)))
            )
        else:
            pairs.append((alias, compiler.record(kind_of(User), group, lambda c: c.id == mine)))
    return compiler.dialect.pairs(pairs)


PARTLY_COMPILED["me"] = _choose
