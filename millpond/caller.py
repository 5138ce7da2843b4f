"""The caller of a request: the token or session cookie, the request id, the address and the user agent."""

import re
import secrets
from collections.abc import Collection
from functools import lru_cache
from typing import Literal

from starlette.datastructures import Headers
from starlette.requests import HTTPConnection, Request, cookie_parser
from starlette.responses import Response
from starlette.types import Scope as Connection

from .graphql_request import Refused
from .settings import LOOPBACK

Secure = Literal["auto", "always", "never"]

_SANE_ID = re.compile(r"[A-Za-z0-9._:-]{1,64}")
_TOKEN = re.compile(r"[\x21-\x7e]{1,512}")


def bearer(headers: Headers) -> str | None:
    """The token of the Authorization header; None without one, "" for text that cannot be a token."""
    scheme, _, token = headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        return None
    token = token.strip()
    return token if _TOKEN.fullmatch(token) else ""


# -- the session cookie --------------------------------------------------------------------------------------


def cookie_name(scheme: str, host: str | None, secure: Secure) -> str:
    """The name of the session cookie: `__Host-` cookies need https, so plain http on loopback has its own name."""
    plain = secure == "never" or (secure == "auto" and scheme == "http" and host in LOOPBACK)
    return "millpond" if plain else "__Host-millpond"


def session_cookie(request: HTTPConnection, secure: Secure) -> str | None:
    name = cookie_name(_http_scheme(request), request.url.hostname, secure)
    for line in request.headers.getlist("cookie"):
        value = cookie_parser(line).get(name)
        if value is not None and _TOKEN.fullmatch(value):
            return value
    return None


def with_cookie(response: Response, request: Request, token: str, secure: Secure) -> Response:
    """The response with the session cookie, which ends with the browser; the session ends with its row."""
    name = cookie_name(request.url.scheme, request.url.hostname, secure)
    response.set_cookie(name, token, path="/", secure=name != "millpond", httponly=True, samesite="lax")
    return response


def without_cookie(response: Response, request: Request, secure: Secure) -> Response:
    """The response that makes the browser delete the session cookie."""
    name = cookie_name(request.url.scheme, request.url.hostname, secure)
    response.delete_cookie(name, path="/", secure=name != "millpond", httponly=True, samesite="lax")
    return response


def is_own_origin(socket: HTTPConnection, trusted: Collection[str] = ()) -> bool:
    """Whether a page of ours, or of a trusted origin, opens this WebSocket.

    Browsers name the origin of each, and send our cookie with any.
    """
    origin = socket.headers.get("origin")
    return origin in trusted or origin == f"{_http_scheme(socket)}://{socket.headers.get('host', '')}"


def _http_scheme(request: HTTPConnection) -> str:
    return {"ws": "http", "wss": "https"}.get(request.url.scheme, request.url.scheme)


def check_origin(request: Request, trusted: Collection[str] = ()) -> None:
    """Raise Refused for a request of another site with our cookie, unless it comes from a trusted origin.

    Bearer tokens need no check: no site can add one.
    """
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    if origin is not None and origin in trusted:
        return
    own = f"{request.url.scheme}://{request.headers.get('host', '')}"
    if site in ("same-origin", "none") or (site is None and origin == own):
        return
    raise Refused(403, "CROSS_SITE", "This request came from another site. Use a token instead of the cookie.")


# -- the request id, the address and the user agent ----------------------------------------------------------


def request_id(connection: Connection) -> str:
    """The id of the request, the same at every call: the client's if its form is sane, else a new one."""
    state = connection.setdefault("state", {})
    if "request_id" not in state:
        given = next((value.decode("latin-1") for name, value in connection["headers"] if name == b"x-request-id"), "")
        state["request_id"] = given if _SANE_ID.fullmatch(given) else secrets.token_hex(8)
    return str(state["request_id"])


def address_of(request: Request) -> str | None:
    """The address of the client, cut to the length of its column."""
    return request.client.host[:60] if request.client else None


def agent_of(request: Request) -> str | None:
    """The User-Agent header in printable ASCII."""
    agent = request.headers.get("user-agent")
    return agent and _printable(agent[:200])


@lru_cache(maxsize=1_000)
def _printable(agent: str) -> str:
    return re.sub(r"[^\x20-\x7e]", "?", agent)
