"""The GraphQL door: the ASGI endpoint that turns an HTTP request into a call of the engine, and its answer into HTTP.

It decides nothing about records.  A request that is no GraphQL request is refused with a sentence; an unexpected
exception goes to the log under the id of the request, and the client gets the id.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any, Protocol

from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Send
from starlette.types import Scope as Connection

from policies import Principal
from schema.limits import TooComplex

from .caller import Secure, address_of, agent_of, bearer, check_origin, request_id, session_cookie
from .graphql_request import Refused, check_type, read_body, read_graphql_request
from .responses import accepted, broke, error_response, invalid_status, json_response, preflight, refusal, timed_out


class IndexedRequest(Request):
    """A request with an index of its headers; Starlette's `Headers` searches all of them at every lookup."""

    @property
    def headers(self) -> Headers:
        if not hasattr(self, "_indexed"):
            self._indexed = _IndexedHeaders(raw=self.scope["headers"])
        return self._indexed


class _IndexedHeaders(Headers):
    """Headers by their names; the first of those that the request repeats."""

    def __init__(self, raw: Any) -> None:
        super().__init__(raw=raw)
        self._first = {name: value.decode("latin-1") for name, value in reversed(raw)}

    def get(self, key: str, default: Any = None) -> Any:
        return self._first.get(key.lower().encode("latin-1"), default)


class Answer(Protocol):
    """An answer of the engine: the whole JSON, how it was made, and whether the request was invalid."""

    @property
    def body(self) -> bytes: ...
    @property
    def kind(self) -> str: ...
    @property
    def invalid(self) -> bool: ...


AnswerRequest = Callable[[Any, str, dict[str, Any] | None, str | None], Awaitable[Answer]]
AnswerPrepared = Callable[[str, str, dict[str, Any] | None, str | None], Awaitable[Answer | None]]
Stream = Callable[[str, str, dict[str, Any] | None, str | None], AsyncIterator[bytes]]
Identify = Callable[[str, str | None, str | None], Awaitable[Principal | None]]
MakeScope = Callable[..., Any]


_UNBUFFERED = {"cache-control": "no-store", "x-accel-buffering": "no"}
"""Headers of a stream: no cache keeps it, and no proxy holds it back."""


class GraphQLDoor:
    """The ASGI endpoint of /graphql.

    `answer_prepared` is the engine's prepared path, which returns None where it cannot answer; `page` answers a
    browser's GET; `count` records how each answer was made, and its seconds.
    """

    def __init__(
        self,
        *,
        answer: AnswerRequest,
        answer_prepared: AnswerPrepared,
        identify: Identify,
        make_scope: MakeScope,
        page: Callable[[Principal | None], Response],
        cors_origins: Sequence[str] = (),
        secure_cookies: Secure = "auto",
        request_seconds: float = 10,
        stream: Stream | None = None,
        count: Callable[[str, float], None] = lambda _kind, _seconds: None,
    ) -> None:
        self.answer, self.answer_prepared, self.identify = answer, answer_prepared, identify
        self.make_scope, self.page = make_scope, page
        self.cors_origins, self.secure_cookies = frozenset(cors_origins), secure_cookies
        self.request_seconds, self.count, self.stream = request_seconds, count, stream

    async def __call__(self, connection: Connection, receive: Receive, send: Send) -> None:
        request = IndexedRequest(connection, receive)
        try:
            response = await self._respond(request)
        except ClientDisconnect:
            return
        self._allow_origin(request, response)
        await response(connection, receive, send)

    async def _respond(self, request: Request) -> Response:
        try:
            async with asyncio.timeout(self.request_seconds) as deadline:
                return await self._by_method(request)
        except Refused as refused:
            return refusal(refused, accepted(request.headers))
        except TooComplex as refused:
            media = accepted(request.headers)
            return error_response([refused.error()], invalid_status(media), media)
        except TimeoutError:
            if not deadline.expired():
                return self._broke(request)
            return refusal(timed_out(self.request_seconds), accepted(request.headers))
        except ClientDisconnect:
            raise
        except Exception:
            return self._broke(request)

    async def _by_method(self, request: Request) -> Response:
        if request.method == "OPTIONS" and self._is_preflight(request):
            return preflight()
        if request.method in ("GET", "HEAD") and "text/html" in request.headers.get("accept", ""):
            return self.page(await self._principal(request))
        if request.method != "POST":
            raise Refused(405, "METHOD_NOT_ALLOWED", "Send the query by POST.", allow="POST")
        return await self._post(request)

    async def _post(self, request: Request) -> Response:
        check_type(request.headers)
        read = read_graphql_request(await read_body(request))
        asked = read.query, read.variables, read.operation_name
        began = time.perf_counter()
        token = self._token(request)
        if self.stream is not None and token and "text/event-stream" in request.headers.get("accept", ""):
            return StreamingResponse(self.stream(token, *asked), media_type="text/event-stream", headers=_UNBUFFERED)
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
        return json_response(answer.body, invalid_status(media) if answer.invalid else 200, media)

    def _broke(self, request: Request) -> Response:
        return broke(request_id(request.scope), accepted(request.headers))

    # -- the caller --------------------------------------------------------------------------------------

    def _token(self, request: Request) -> str | None:
        """The token of the header ("" for text that cannot be one), else of the session cookie, else None.

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
        """The owner of the token or cookie.  An unknown token is refused; an unknown cookie counts as none."""
        token = self._token(request)
        principal = await self.identify(token, address_of(request), agent_of(request)) if token else None
        if principal is None and bearer(request.headers) is not None:
            sentence = "This token is unknown, ended or revoked. Sign in again."
            raise Refused(401, "NOT_SIGNED_IN", sentence, www_authenticate="Bearer")
        return principal

    # -- front ends on other origins (CORS) --------------------------------------------------------------

    def _is_preflight(self, request: Request) -> bool:
        asks = "access-control-request-method" in request.headers
        return asks and self._allowed(request.headers.get("origin")) is not None

    def _allowed(self, origin: str | None) -> str | None:
        if origin is None:
            return None
        return origin if origin in self.cors_origins else "*" if "*" in self.cors_origins else None

    def _allow_origin(self, request: Request, response: Response) -> None:
        """Let a listed front end read the answer, without credentials, because it sends a token of its own."""
        if not self.cors_origins:
            return
        response.headers.add_vary_header("Origin")
        allowed = self._allowed(request.headers.get("origin"))
        if allowed is not None:
            response.headers["access-control-allow-origin"] = allowed
            response.headers["access-control-expose-headers"] = "X-Request-Id"
