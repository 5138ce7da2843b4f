"""One's own API tokens and sessions: create and revoke them."""

from datetime import datetime

import strawberry

from models import ApiToken, SignInSession
from models.errors import Refusal
from resolvers.people import tokens
from resolvers.runtime.ids import global_id, number_of

from ..contract import DonePayload, GraphQLInfo, Problem, done, mutation, problem_of


@strawberry.input(description="A key for a program, which acts with your rights.  It asks for your password.")
class CreateTokenInput:
    name: str
    password: str
    expires_at: datetime | None = None


@strawberry.input(description="One of your own sessions or tokens.")
class KeyInput:
    id: strawberry.ID


@strawberry.type(description="A new key, readable this once.")
class CreateTokenPayload:
    id: strawberry.ID | None = None
    token: str | None = None
    problems: list[Problem] = strawberry.field(default_factory=list)


@mutation("session.token")
async def create_token(info: GraphQLInfo, input: CreateTokenInput) -> CreateTokenPayload:
    """Asks for nothing: it is your own."""
    scope = info.context.scope
    try:
        made = await tokens.create_own_token(scope, input.password, input.name, input.expires_at)
    except Refusal as refusal:
        return CreateTokenPayload(problems=[problem_of(refusal, scope.language)])
    return CreateTokenPayload(id=strawberry.ID(global_id(ApiToken, made.id)), token=made.token)


@mutation("session.end")
async def revoke_token(info: GraphQLInfo, input: KeyInput) -> DonePayload:
    """Asks for nothing: it is your own."""
    return await done(info.context.scope, tokens.revoke_token, number_of(ApiToken, input.id))


@mutation("session.end")
async def revoke_session(info: GraphQLInfo, input: KeyInput) -> DonePayload:
    """Asks for nothing: it is your own."""
    return await done(info.context.scope, tokens.revoke_session, number_of(SignInSession, input.id))
