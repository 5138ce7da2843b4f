"""Accounts of others: one-time passwords, unlocking, ending sessions, and viewing as another user."""

from datetime import datetime

import strawberry

from models import SignInSession, User
from models.errors import Refusal
from resolvers.people import passwords, sessions, sign_in_throttle, view_as
from resolvers.runtime.ids import number_of

from ..contract import DonePayload, GraphQLInfo, done, mutation
from ..problems import Problem, problems_of


@strawberry.input(description="The user whose account it is about.")
class AccountInput:
    user_id: strawberry.ID


@strawberry.input(description="WhoseRecords sessions end: those in `ids`, or all where it is left out.")
class EndSessionsInput:
    user_id: strawberry.ID | None = None
    """The user; without it you yourself."""
    ids: list[strawberry.ID] | None = None
    """Sessions of that user; one that has ended, or is somebody else's, refuses them all. Without it every session but this one."""


@strawberry.input(description="The session of `startViewAs` that ends.")
class StopViewAsInput:
    token: str
    """What `startViewAs` has returned."""


@strawberry.type(description="A password for one use, or why there is none.")
class OneTimePasswordPayload:
    secret: str | None = None
    """The password, shown this once: it cannot be asked for again, only replaced. The user has to change it at the next sign-in."""
    problems: list[Problem] = strawberry.field(default_factory=list)


@strawberry.type(description="How many sessions were ended, or why none was.")
class EndSessionsPayload:
    ended: int = 0
    """Number of sessions that were in force and are not any more."""
    problems: list[Problem] = strawberry.field(default_factory=list)


@strawberry.type(description="The token by which you see what another user sees, or why there is none.")
class ViewAsPayload:
    token: str | None = None
    """The token, shown this once. Send it in the header `X-View-As` beside your own token; it opens nothing by itself."""
    expires_at: datetime | None = None
    """When it ends at the latest, half an hour after its beginning."""
    problems: list[Problem] = strawberry.field(default_factory=list)


@mutation("user.password", of=passwords.give_one_time_password)
async def give_one_time_password(info: GraphQLInfo, input: AccountInput) -> OneTimePasswordPayload:
    scope = info.context.scope
    try:
        secret = await passwords.give_one_time_password(scope, number_of(User, input.user_id))
    except Refusal as refusal:
        return OneTimePasswordPayload(problems=problems_of([refusal], scope.language))
    return OneTimePasswordPayload(secret=secret)


@mutation("user.edit")
async def unlock_account(info: GraphQLInfo, input: AccountInput) -> DonePayload:
    """Make the wrong passwords so far not count for a user, who may try again at once.

    Problems: NOT_FOUND, FORBIDDEN, IN_BIN, VALIDATION (no password yet).
    """
    return await done(info.context.scope, sign_in_throttle.unlock_account, number_of(User, input.user_id))


@mutation("session.end", of=sessions.end_sessions)
async def end_sessions(info: GraphQLInfo, input: EndSessionsInput) -> EndSessionsPayload:
    scope = info.context.scope
    ids = None if input.ids is None else [number_of(SignInSession, id) for id in input.ids]
    user = number_of(User, input.user_id) if input.user_id is not None else scope.me
    try:
        return EndSessionsPayload(ended=await scope.run(sessions.end_sessions, user, ids))
    except Refusal as refusal:
        return EndSessionsPayload(problems=problems_of([refusal], scope.language))


@mutation("user.view_as")
async def start_view_as(info: GraphQLInfo, input: AccountInput) -> ViewAsPayload:
    """See what another user sees, for half an hour at most, and change nothing; it is logged, and the user is told.

    Problems: NOT_FOUND, FORBIDDEN, VALIDATION (yourself, an inactive user), BEYOND_CEILING for a user with rights that you
    may not grant.
    """
    scope = info.context.scope
    try:
        made = await scope.run(view_as.open_view, number_of(User, input.user_id))
    except Refusal as refusal:
        return ViewAsPayload(problems=problems_of([refusal], scope.language))
    return ViewAsPayload(token=made.token, expires_at=made.expires_at)


@mutation("session.end")
async def stop_view_as(info: GraphQLInfo, input: StopViewAsInput) -> DonePayload:
    """End a session of `startViewAs` before its time; one that has ended is no problem."""
    return await done(info.context.scope, view_as.stop_viewing_as, input.token)
