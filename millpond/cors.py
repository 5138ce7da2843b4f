"""Front ends on other origins (CORS): which may call, what they may send, and which may use the session cookie."""

from collections.abc import Iterable, Sequence

from starlette.requests import Request
from starlette.responses import Response

HEADERS = ("Authorization", "Content-Type", "X-Request-Id", "X-GraphQL-Cost", "X-View-As")
"""Headers that a listed front end may always send.  (Accept and Accept-Language need no permission.)"""


class Origins:
    """The listed front ends.  Those of `cookies` may use the session cookie, the others send a token of their own."""

    def __init__(
        self, listed: Iterable[str] = (), cookies: Iterable[str] = (), more_headers: Sequence[str] = ()
    ) -> None:
        self.listed, self.cookies = frozenset(listed), frozenset(cookies)
        self._headers = ", ".join(dict.fromkeys([*HEADERS, *more_headers]))

    def is_preflight(self, request: Request) -> bool:
        """Whether a browser asks what a listed front end may send."""
        asks = request.method == "OPTIONS" and "access-control-request-method" in request.headers
        return asks and self._allowed(request.headers.get("origin")) is not None

    def preflight(self, methods: str) -> Response:
        """The response to that: these methods, and the headers of the settings."""
        headers = {
            "access-control-allow-methods": methods,
            "access-control-allow-headers": self._headers,
            "access-control-max-age": "600",
        }
        return Response(status_code=204, headers=headers)

    def allow(self, request: Request, response: Response) -> Response:
        """The response, which a listed front end may read."""
        if not self.listed and not self.cookies:
            return response
        response.headers.add_vary_header("Origin")
        origin = request.headers.get("origin")
        if (allowed := self._allowed(origin)) is not None:
            response.headers["access-control-allow-origin"] = allowed
            response.headers["access-control-expose-headers"] = "X-Request-Id, ETag"
        if origin in self.cookies:
            response.headers["access-control-allow-credentials"] = "true"
        return response

    def _allowed(self, origin: str | None) -> str | None:
        if origin is None:
            return None
        is_listed = origin in self.listed or origin in self.cookies
        return origin if is_listed else "*" if "*" in self.listed else None
