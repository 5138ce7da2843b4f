"""The query `signInLog`: attempts to sign in."""

from collections.abc import Sequence
from datetime import datetime

import strawberry

from models import User
from models.credentials import SignInAttempt as Attempt
from models.errors import Forbidden
from resolvers.people import sign_in_throttle
from resolvers.runtime.ids import global_id, number_of
from resolvers.runtime.scope import Scope

from ..contract import GraphQLInfo, Pointer, query
from ..nodes import node
from ..types.make import record_of
from ..types.namespace import Node


@strawberry.type(description="One try to sign in.")
class SignInAttempt(Node):
    id: strawberry.ID
    at: datetime
    """When it was tried."""
    login: str
    """The name that was typed."""
    user: Pointer | None = strawberry.field(graphql_type=record_of(User))
    """The user of that name; null where there is none, or they are out of your sight."""
    address: str | None
    """The network address from which it came."""
    ok: bool
    """Whether the password was right."""


@query("session.view")
async def sign_in_log(
    info: GraphQLInfo, login: str | None = None, before: strawberry.ID | None = None, first: int = 50
) -> list[SignInAttempt]:
    """Tries to sign in, the newest first: everybody's for who may see them, else your own; `before` is an id."""
    last = number_of(Attempt, before) if before is not None else None
    attempts = await info.context.scope.read(sign_in_throttle.sign_in_log, login=login, before=last, first=first)
    return [_attempt(row) for row in attempts]


@node(Attempt)
async def _nodes(scope: Scope, ids: Sequence[int]) -> dict[int, SignInAttempt]:
    try:
        found = await scope.read(sign_in_throttle.sign_in_log, ids=ids, first=len(ids))
    except Forbidden:
        return {}
    return {row.id: _attempt(row) for row in found}


def _attempt(row: Attempt) -> SignInAttempt:
    return SignInAttempt(
        id=strawberry.ID(global_id(Attempt, row.id)),
        at=row.at,
        login=row.login,
        user=Pointer(User, row.user_id) if row.user_id is not None else None,
        address=row.address,
        ok=row.ok,
    )
