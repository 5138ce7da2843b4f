"""Sign in, sign out, and change one's own password."""

from datetime import datetime

import strawberry

from models import ApiToken
from models.errors import Refusal
from resolvers.people import passwords
from resolvers.people import sign_in as sign_in_cases
from resolvers.runtime.ids import number_of

from ..contract import DonePayload, GraphQLInfo, done, mutation
from ..problems import Problem, problems_of


@strawberry.input(description="Who comes in.")
class SignInInput:
    login: str
    """The name to sign in with; case does not matter."""
    password: str
    """The password, or a one-time password."""


@strawberry.input(
    description="A new password for yourself.  Every other session of yours ends, and every token except those to keep."
)
class ChangePasswordInput:
    old: str
    """The password of now, or the one-time password."""
    new: str
    """The new one: 10 to 200 characters, not easily guessed."""
    keep_tokens: list[strawberry.ID] = strawberry.field(default_factory=list)
    """Tokens that go on."""


@strawberry.type(description="A token for the Authorization header, or why there is none.")
class SignInPayload:
    token: str | None = None
    """The token of the session for the header `Authorization: Bearer …`; null where it was refused."""
    expires_at: datetime | None = None
    """When the session ends by itself; use prolongs it up to a limit."""
    must_change_password: bool = False
    """Whether the password was for one use: until `changePassword` everything else is refused."""
    problems: list[Problem] = strawberry.field(default_factory=list)


@mutation("session.begin")
async def sign_in(info: GraphQLInfo, input: SignInInput) -> SignInPayload:
    """Begin a session with a name and a password; open to everybody.

    Refused with SIGN_IN_REFUSED, which does not say whether the name exists, and TOO_MANY_ATTEMPTS after several failures.
    """
    scope = info.context.scope
    try:
        session = await sign_in_cases.sign_in(scope, input.login, input.password)
    except Refusal as refusal:
        return SignInPayload(problems=problems_of([refusal], scope.language))
    must = session.principal.must_change_password
    return SignInPayload(token=session.token, expires_at=session.expires_at, must_change_password=must)


@mutation("session.end")
async def sign_out(info: GraphQLInfo) -> DonePayload:
    """End the session of this request; its token is worthless then."""
    scope = info.context.scope
    return await done(scope, sign_in_cases.sign_out, scope.token or "")


@mutation("session.password")
async def change_password(info: GraphQLInfo, input: ChangePasswordInput) -> DonePayload:
    """Set a new password for yourself.  Your other sessions end, and your tokens but those in `keepTokens`."""
    scope = info.context.scope
    try:
        kept = [number_of(ApiToken, id) for id in input.keep_tokens]
        await passwords.change_password(scope, input.old, input.new, kept)
    except Refusal as refusal:
        return DonePayload(problems=problems_of([refusal], scope.language))
    return DonePayload()
