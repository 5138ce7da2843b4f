"""CSRF protection of the panel: a request that another site sends with our cookie is refused.

Browsers say where a request comes from, so forms need no token.  A bearer token needs no protection, because no other
site can add one; GraphQL checks the origin of cookies itself (`http.py`).
"""

from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Send
from starlette.types import Scope as Connection

from admin.kit.routes import BASE

from .caller import Secure, session_cookie

_SAFE = {"GET", "HEAD", "OPTIONS"}
SENTENCE = "This request came from another site. 此请求来自其他网站。"


class CsrfMiddleware:
    """Answers 403 to a request that changes something in the panel and does not come from the panel itself."""

    def __init__(self, app: ASGIApp, secure_cookies: Secure = "auto") -> None:
        self.app, self.secure_cookies = app, secure_cookies

    async def __call__(self, connection: Connection, receive: Receive, send: Send) -> None:
        if connection["type"] == "http" and self._is_foreign(Request(connection)):
            await PlainTextResponse(SENTENCE, 403)(connection, receive, send)
            return
        await self.app(connection, receive, send)

    def _is_foreign(self, request: Request) -> bool:
        if request.method in _SAFE or not _is_ours(request.scope):
            return False
        site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
        if site is not None:
            return site not in ("same-origin", "none")
        if origin is not None:
            return origin != f"{request.url.scheme}://{request.headers.get('host', '')}"
        # Every current browser sends one of both headers; a program without a session may sign in.
        return session_cookie(request, self.secure_cookies) is not None


def _is_ours(connection: Connection) -> bool:
    return connection["type"] == "http" and str(connection["path"]).startswith(f"{BASE}/")
