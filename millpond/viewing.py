"""View as another user over HTTP: the header that carries the token of `startViewAs`, beside the caller's own token."""

from typing import Any

from starlette.requests import Request

from policies import Principal
from resolvers.people.view_as import viewed_principal

from .graphql_request import Refused
from .responses import prefers_stream

VIEW_AS = "x-view-as"
"""The header.  A request with it is read as that user sees it, and changes nothing."""


def view_token(request: Request) -> str | None:
    """The token of the header; None without one.  Raises Refused for a stream, because subscriptions are one's own."""
    token = request.headers.get(VIEW_AS)
    if token is not None and prefers_stream(request.headers):
        raise Refused(400, "BAD_REQUEST", "A subscription is your own: leave out X-View-As.")
    return token


async def viewed(scope: Any, token: str) -> Principal:
    """The user as whom the caller views.  Raises Refused for a view that has ended, or is somebody else's."""
    principal: Principal | None = await scope.read(viewed_principal, token)
    if principal is None:
        raise Refused(403, "VIEW_ENDED", "You no longer view as another user. Begin anew, or leave out X-View-As.")
    return principal
