"""The query `signInLog`: attempts to sign in."""

from datetime import datetime

import strawberry

from models import User
from models.credentials import SignInAttempt as Attempt
from resolvers.people import sign_in_throttle
from resolvers.runtime.ids import global_id, number_of

from ..contract import GraphQLInfo, Pointer, query
from ..types.make import record_of


@strawberry.type(description="One try to sign in.")
class SignInAttempt:
    id: strawberry.ID
    at: datetime
    login: str
    user: Pointer | None = strawberry.field(graphql_type=record_of(User))
    address: str | None
    ok: bool


@query("session.view")
async def sign_in_log(
    info: GraphQLInfo, login: str | None = None, before: strawberry.ID | None = None, first: int = 50
) -> list[SignInAttempt]:
    """Tries to sign in, the newest first: everybody's for who may see them, else your own; `before` is an id."""
    last = number_of(Attempt, before) if before is not None else None
    attempts = await info.context.scope.read(sign_in_throttle.sign_in_log, login=login, before=last, first=first)
    return [_attempt(row) for row in attempts]


def _attempt(row: Attempt) -> SignInAttempt:
    return SignInAttempt(
        id=strawberry.ID(global_id(Attempt, row.id)),
        at=row.at,
        login=row.login,
        user=Pointer(User, row.user_id) if row.user_id is not None else None,
        address=row.address,
        ok=row.ok,
    )
