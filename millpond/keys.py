"""The session token of the panel in its cookie, which GraphiQL shares."""

from starlette.requests import Request
from starlette.responses import Response

from .caller import Secure, address_of, agent_of, request_id, session_cookie, with_cookie, without_cookie


class CookieKeys:
    """Reads and writes the panel's session token in the session cookie."""

    def __init__(self, secure: Secure) -> None:
        self.secure = secure

    def read(self, request: Request) -> str | None:
        return session_cookie(request, self.secure)

    def write(self, response: Response, request: Request, token: str | None) -> Response:
        """The response with the token in the cookie; without a token the browser deletes the cookie."""
        if token is None:
            return without_cookie(response, request, self.secure)
        return with_cookie(response, request, token, self.secure)

    def origin(self, request: Request) -> tuple[str | None, str | None]:
        """(address, agent) of the request, for the list of sessions and the sign-in log."""
        return address_of(request), agent_of(request)

    def request_id(self, request: Request) -> str:
        return request_id(request.scope)
