"""The query `sessions`: where a user is signed in."""

from datetime import datetime

import strawberry

from models import SignInSession, User
from resolvers.people import sessions as sessions_cases
from resolvers.runtime.ids import global_id, number_of

from ..contract import GraphQLInfo, query


@strawberry.type(description="A session of a user that is in force. Its token is never shown again.")
class UserSession:
    session_id: strawberry.ID
    """The id, for `endSessions`: `ses_…`."""
    created_at: datetime
    """When the user signed in."""
    seen_at: datetime
    """When it was used last, to five minutes."""
    expires_at: datetime
    """When it ends, however much it is used. Without use it ends earlier."""
    address: str | None
    """The network address from which the user signed in."""
    agent: str | None
    """What the browser or program called itself then: the header `User-Agent`."""
    is_this: bool
    """Whether this request came by it."""


@query("session.view")
async def sessions(
    info: GraphQLInfo, user_id: strawberry.ID | None = None, before: strawberry.ID | None = None, first: int = 50
) -> list[UserSession]:
    """Sessions in force, the newest first: your own, or those of a user whom you may edit."""
    user = number_of(User, user_id) if user_id is not None else None
    last = number_of(SignInSession, before) if before is not None else None
    found = await info.context.scope.read(sessions_cases.sessions_of, user, before=last, first=first)
    return [_session(each) for each in found]


def _session(row: sessions_cases.OpenSession) -> UserSession:
    return UserSession(
        session_id=strawberry.ID(global_id(SignInSession, row.id)),
        created_at=row.created_at,
        seen_at=row.seen_at,
        expires_at=row.expires_at,
        address=row.address,
        agent=row.agent,
        is_this=row.is_this,
    )
