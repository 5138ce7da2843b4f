"""The GraphQL door: from bytes on the wire to a question the engine may be asked, and back.

Nothing is decided here about records.  A request that is no proper question is refused with a sentence; what
breaks inside is logged under the request's id, and only the id is shown.
"""

import asyncio
import re
import secrets
import time
from collections.abc import Awaitable, Callable, Sequence
from functools import lru_cache
from typing import Any, Literal, Protocol

import orjson
import structlog
from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect, Request, cookie_parser
from starlette.responses import Response
from starlette.types import Receive, Send
from starlette.types import Scope as Connection

from policies import Principal
from schema.limits import TooComplex

from .graphql_request import PLAIN, check_type, named_in, read_body, read_question
from .graphql_request import Refused as Refused
from .settings import LOOPBACK

GRAPHQL = "application/graphql-response+json"

_SANE_ID = re.compile(r"[A-Za-z0-9._:-]{1,64}")
_TOKEN = re.compile(r"[\x21-\x7e]{1,512}")
_log = structlog.get_logger("millpond.http")


class Asking(Request):
    """A request whose headers are found by one look; `Headers` goes through all of them for each."""

    @property
    def headers(self) -> Headers:
        if not hasattr(self, "_found"):
            self._found = _Found(raw=self.scope["headers"])
        return self._found


class _Found(Headers):
    """Headers by their names; the first of those that are there twice."""

    def __init__(self, raw: Any) -> None:
        super().__init__(raw=raw)
        self._first = {name: value.decode("latin-1") for name, value in reversed(raw)}

    def get(self, key: str, default: Any = None) -> Any:
        return self._first.get(key.lower().encode("latin-1"), default)


class Answer(Protocol):
    """What the engine gives back: the whole JSON, and how it came to be."""

    @property
    def body(self) -> bytes: ...
    @property
    def kind(self) -> str: ...
    @property
    def invalid(self) -> bool: ...


Secure = Literal["auto", "always", "never"]
Answering = Callable[[Any, str, dict[str, Any] | None, str | None], Awaitable[Answer]]
Again = Callable[[str, str, dict[str, Any] | None, str | None], Awaitable[Answer | None]]
Identify = Callable[[str, str | None, str | None], Awaitable[Principal | None]]
MakeScope = Callable[..., Any]


class GraphQLDoor:
    """The ASGI endpoint of /graphql.

    `answer_prepared` answers what the same key has asked before, or gives None; `page` answers a browser that comes to look;
    `count` is told of every answer how it came to be.
    """

    def __init__(
        self,
        *,
        answer: Answering,
        answer_prepared: Again,
        identify: Identify,
        make_scope: MakeScope,
        page: Callable[[Principal | None], Response],
        cors_origins: Sequence[str] = (),
        secure_cookies: Secure = "auto",
        request_seconds: float = 10,
        count: Callable[[str, float], None] = lambda _kind, _seconds: None,
    ) -> None:
        self.answer, self.answer_prepared, self.identify = answer, answer_prepared, identify
        self.make_scope, self.page = make_scope, page
        self.cors_origins, self.secure_cookies = frozenset(cors_origins), secure_cookies
        self.request_seconds, self.count = request_seconds, count

    async def __call__(self, connection: Connection, receive: Receive, send: Send) -> None:
        request = Asking(connection, receive)
        try:
            response = await self._respond(request)
        except ClientDisconnect:
            return
        self._allow_origin(request, response)
        await response(connection, receive, send)

    async def _respond(self, request: Request) -> Response:
        try:
            async with asyncio.timeout(self.request_seconds) as patience:
                return await self._by_method(request)
        except Refused as refused:
            return refusal(refused, accepted(request.headers))
        except TooComplex as refused:
            return _errors([refused.error()], _bad_request(request), accepted(request.headers))
        except TimeoutError:
            if not patience.expired():
                return self._broke(request)
            return refusal(_took_too_long(self.request_seconds), accepted(request.headers))
        except ClientDisconnect:
            raise
        except Exception:
            return self._broke(request)

    async def _by_method(self, request: Request) -> Response:
        if request.method == "OPTIONS" and self._is_preflight(request):
            return _preflight()
        if request.method in ("GET", "HEAD") and "text/html" in request.headers.get("accept", ""):
            return self.page(await self._principal(request))
        if request.method != "POST":
            raise Refused(405, "METHOD_NOT_ALLOWED", "Send the query by POST.", allow="POST")
        return await self._post(request)

    async def _post(self, request: Request) -> Response:
        check_type(request.headers)
        question = read_question(await read_body(request))
        asked = question.query, question.variables, question.operation_name
        began = time.perf_counter()
        token = self._key(request)
        answer = await self.answer_prepared(token, *asked) if token else None
        if answer is None:
            scope = self.make_scope(
                await self._principal(request),
                door="graphql",
                request_id=request_id(request.scope),
                address=address_of(request),
                agent=agent_of(request),
                token=token,
            )
            began = time.perf_counter()
            answer = await self.answer(scope, *asked)
        self.count(answer.kind, time.perf_counter() - began)
        media = accepted(request.headers)
        status = 400 if answer.invalid and media == GRAPHQL else 200
        return _json(answer.body, status, media)

    def _broke(self, request: Request) -> Response:
        return broke(request_id(request.scope), accepted(request.headers))

    # -- who ---------------------------------------------------------------------------------------------

    def _key(self, request: Request) -> str | None:
        """What the caller shows: the token of the header, "" for one that none looks like, else the cookie, else None.

        Raises Refused where another site sends the cookie.
        """
        token = bearer(request.headers)
        if token is not None:
            return token
        cookie = session_cookie(request, self.secure_cookies)
        if cookie is not None and request.method not in ("GET", "HEAD"):
            check_origin(request)
        return cookie

    async def _principal(self, request: Request) -> Principal | None:
        """Whom the token or the cookie belongs to.  A wrong token is refused, a stale cookie is nobody."""
        key = self._key(request)
        principal = await self.identify(key, address_of(request), agent_of(request)) if key else None
        if principal is None and bearer(request.headers) is not None:
            sentence = "This token is unknown, ended or revoked. Sign in again."
            raise Refused(401, "NOT_SIGNED_IN", sentence, www_authenticate="Bearer")
        return principal

    # -- foreign front ends ------------------------------------------------------------------------------

    def _is_preflight(self, request: Request) -> bool:
        asks = "access-control-request-method" in request.headers
        return asks and self._allowed(request.headers.get("origin")) is not None

    def _allowed(self, origin: str | None) -> str | None:
        if origin is None:
            return None
        return origin if origin in self.cors_origins else "*" if "*" in self.cors_origins else None

    def _allow_origin(self, request: Request, response: Response) -> None:
        """Let a listed front end read the answer.  Never with credentials: it brings a token of its own."""
        if not self.cors_origins:
            return
        response.headers.add_vary_header("Origin")
        allowed = self._allowed(request.headers.get("origin"))
        if allowed is not None:
            response.headers["access-control-allow-origin"] = allowed
            response.headers["access-control-expose-headers"] = "X-Request-Id"


# -- who is calling ------------------------------------------------------------------------------------------


def bearer(headers: Headers) -> str | None:
    """The token of the Authorization header; None without one, "" for one that no token looks like."""
    scheme, _, token = headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        return None
    token = token.strip()
    return token if _TOKEN.fullmatch(token) else ""


def cookie_name(scheme: str, host: str | None, secure: Secure) -> str:
    """What the session cookie is called: `__Host-` ones exist over https only, plain loopback has its own."""
    plain = secure == "never" or (secure == "auto" and scheme == "http" and host in LOOPBACK)
    return "millpond" if plain else "__Host-millpond"


def session_cookie(request: Request, secure: Secure) -> str | None:
    name = cookie_name(request.url.scheme, request.url.hostname, secure)
    for line in request.headers.getlist("cookie"):
        value = cookie_parser(line).get(name)
        if value is not None and _TOKEN.fullmatch(value):
            return value
    return None


def check_origin(request: Request) -> None:
    """Refuse what another site sends with our cookie.  A bearer token needs no guard: no site can add one."""
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    own = f"{request.url.scheme}://{request.headers.get('host', '')}"
    if site in ("same-origin", "none") or (site is None and origin == own):
        return
    raise Refused(403, "CROSS_SITE", "This request came from another site. Use a token instead of the cookie.")


def request_id(connection: Connection) -> str:
    """The id of this request, the same at every call: the caller's if that is sane, else a new one."""
    state = connection.setdefault("state", {})
    if "request_id" not in state:
        given = next((value.decode("latin-1") for name, value in connection["headers"] if name == b"x-request-id"), "")
        state["request_id"] = given if _SANE_ID.fullmatch(given) else secrets.token_hex(8)
    return str(state["request_id"])


def address_of(request: Request) -> str | None:
    """Where a request comes from, cut to what can be stored."""
    return request.client.host[:60] if request.client else None


def agent_of(request: Request) -> str | None:
    """What the caller says he is, in plain characters."""
    return _plain_agent(request.headers.get("user-agent"))


@lru_cache(maxsize=1_000)
def _plain_agent(agent: str | None) -> str | None:
    return agent and re.sub(r"[^\x20-\x7e]", "?", agent[:200])


# -- answering -----------------------------------------------------------------------------------------------


def accepted(headers: Headers) -> str:
    """The media type to answer in: GraphQL's own for those who like it at least as well as plain JSON."""
    return _preferred(headers.get("accept", ""))


@lru_cache(maxsize=100)
def _preferred(accept: str) -> str:
    wanted = dict.fromkeys((GRAPHQL, PLAIN), 0.0)
    for part in accept.split(","):
        media, _, parameters = part.partition(";")
        if (media := media.strip().lower()) in wanted:
            wanted[media] = max(wanted[media], _quality(dict(named_in(parameters)).get("q", "1")))
    return GRAPHQL if wanted[GRAPHQL] and wanted[GRAPHQL] >= wanted[PLAIN] else PLAIN


def _quality(text: str) -> float:
    return min(1.0, float(text)) if re.fullmatch(r"\d(\.\d{0,3})?", text) else 0.0


def refusal(refused: Refused, media: str = PLAIN) -> Response:
    error = {"message": refused.sentence, "extensions": {"code": refused.code}}
    response = _errors([error], refused.status, media)
    response.headers.update(refused.headers)
    return response


def broke(id: str, media: str = PLAIN) -> Response:
    """For the exception being handled: everything into the log, its id to the caller."""
    _log.exception("something went wrong", request_id=id)
    error = {"message": f"Something went wrong (id {id})", "extensions": {"code": "INTERNAL"}}
    return _errors([error], 500, media)


def with_cookie(response: Response, request: Request, token: str, secure: Secure) -> Response:
    """The response with the session cookie, which ends with the browser; the session ends with its row."""
    name = cookie_name(request.url.scheme, request.url.hostname, secure)
    response.set_cookie(name, token, path="/", secure=name != "millpond", httponly=True, samesite="lax")
    return response


def without_cookie(response: Response, request: Request, secure: Secure) -> Response:
    """The response that makes the browser forget the session cookie."""
    name = cookie_name(request.url.scheme, request.url.hostname, secure)
    response.delete_cookie(name, path="/", secure=name != "millpond", httponly=True, samesite="lax")
    return response


def _errors(errors: list[dict[str, Any]], status: int, media: str) -> Response:
    return _json(orjson.dumps({"errors": errors}), status, media)


def _json(body: bytes, status: int, media: str) -> Response:
    headers = {"cache-control": "no-store", "content-type": f"{media}; charset=utf-8"}
    return Response(body, status, headers)


def _preflight() -> Response:
    return Response(
        status_code=204,
        headers={
            "access-control-allow-methods": "POST",
            "access-control-allow-headers": "Authorization, Content-Type, X-Request-Id",
            "access-control-max-age": "600",
        },
    )


def _bad_request(request: Request) -> int:
    return 400 if accepted(request.headers) == GRAPHQL else 200


def _took_too_long(seconds: float) -> Refused:
    sentence = f"This took longer than {seconds:g} seconds and was stopped."
    return Refused(503, "TIMEOUT", f"{sentence} A change may have been made: look before you repeat it.")
