"""Sign in, sign out, and change one's own password."""

from datetime import datetime

import strawberry

from models import ApiToken
from models.errors import Refusal
from resolvers.people import passwords
from resolvers.people import sign_in as sign_in_cases
from resolvers.runtime.ids import number_of

from ..contract import DonePayload, GraphQLInfo, Problem, done, mutation, problem_of


@strawberry.input(description="Who comes in.")
class SignInInput:
    login: str
    password: str


@strawberry.input(
    description="A new password for yourself.  Every other session of yours ends, and every token except those to keep."
)
class ChangePasswordInput:
    old: str
    new: str
    keep_tokens: list[strawberry.ID] = strawberry.field(default_factory=list)


@strawberry.type(description="A token for the Authorization header, or why there is none.")
class SignInPayload:
    token: str | None = None
    expires_at: datetime | None = None
    must_change_password: bool = False
    problems: list[Problem] = strawberry.field(default_factory=list)


@mutation("session.begin")
async def sign_in(info: GraphQLInfo, input: SignInInput) -> SignInPayload:
    """Open to everybody."""
    scope = info.context.scope
    try:
        session = await sign_in_cases.sign_in(scope, input.login, input.password)
    except Refusal as refusal:
        return SignInPayload(problems=[problem_of(refusal, scope.language)])
    must = session.principal.must_change_password
    return SignInPayload(token=session.token, expires_at=session.expires_at, must_change_password=must)


@mutation("session.end")
async def sign_out(info: GraphQLInfo) -> DonePayload:
    """Ends the session of this request."""
    scope = info.context.scope
    return await done(scope, sign_in_cases.sign_out, scope.token or "")


@mutation("session.password")
async def change_password(info: GraphQLInfo, input: ChangePasswordInput) -> DonePayload:
    """Asks for nothing: it is your own."""
    scope = info.context.scope
    try:
        kept = [number_of(ApiToken, id) for id in input.keep_tokens]
        await passwords.change_password(scope, input.old, input.new, kept)
    except Refusal as refusal:
        return DonePayload(problems=[problem_of(refusal, scope.language)])
    return DonePayload()
