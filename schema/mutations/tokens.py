"""One's own API tokens and sessions: create and revoke them."""

from datetime import datetime

import strawberry

from models import ApiToken, SignInSession
from models.errors import Refusal
from resolvers.people import tokens
from resolvers.runtime.ids import global_id, number_of

from ..contract import DonePayload, GraphQLInfo, done, mutation
from ..problems import Problem, problems_of


@strawberry.input(description="A key for a program, which acts with your rights.  It asks for your password.")
class CreateTokenInput:
    name: str
    """What it is for, to tell it from others."""
    password: str
    """Your password, because a token lasts longer than a session."""
    expires_at: datetime | None = None
    """When it ends; null for a token without an end."""


@strawberry.input(description="One of your own sessions or tokens.")
class KeyInput:
    id: strawberry.ID


@strawberry.type(description="A new key, readable this once.")
class CreateTokenPayload:
    token_id: strawberry.ID | None = None
    """The id of the token, for `revokeToken`: `tok_…`."""
    token: str | None = None
    """The token for the header `Authorization: Bearer …`; it is shown this once."""
    problems: list[Problem] = strawberry.field(default_factory=list)


@mutation("session.token")
async def create_token(info: GraphQLInfo, input: CreateTokenInput) -> CreateTokenPayload:
    """Make a token for a program, which acts with your rights.  It is shown this once, and asks for your password."""
    scope = info.context.scope
    try:
        made = await tokens.create_own_token(scope, input.password, input.name, input.expires_at)
    except Refusal as refusal:
        return CreateTokenPayload(problems=problems_of([refusal], scope.language))
    return CreateTokenPayload(token_id=strawberry.ID(global_id(ApiToken, made.id)), token=made.token)


@mutation("session.end")
async def revoke_token(info: GraphQLInfo, input: KeyInput) -> DonePayload:
    """End a token of yours; programs that use it are refused at once."""
    return await done(info.context.scope, tokens.revoke_token, number_of(ApiToken, input.id))


@mutation("session.end")
async def revoke_session(info: GraphQLInfo, input: KeyInput) -> DonePayload:
    """End a session of yours; whoever uses it is signed out at once."""
    return await done(info.context.scope, tokens.revoke_session, number_of(SignInSession, input.id))
