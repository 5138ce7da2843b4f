"""The GraphQL door: the ASGI endpoint that turns an HTTP request into a call of the engine, and its answer into HTTP.

It decides nothing about records.  A request that is no GraphQL request is refused with a sentence; an unexpected
exception goes to the log under the id of the request, and the client gets the id.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, Protocol

from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Send
from starlette.types import Scope as Connection

from policies import Principal
from resolvers.runtime.languages import accepted_language
from schema.answers import NotSafe, with_extensions
from schema.limits import TooComplex
from schema.persisted_queries import PersistedQueries

from .caller import Secure, address_of, agent_of, bearer, check_origin, request_id, session_cookie
from .compression import compress
from .cors import Origins
from .graphql_request import (
    GraphQLRequest,
    Refused,
    check_type,
    is_query_by_address,
    read_address,
    read_body,
    read_graphql_request,
)
from .responses import (
    STREAM,
    accepted,
    broke,
    error_response,
    invalid_status,
    json_response,
    kept_response,
    prefers_stream,
    refusal,
    timed_out,
)
from .viewing import view_token, viewed


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
    """An answer of the engine (`schema.answers.Answer`)."""

    @property
    def body(self) -> bytes: ...
    @property
    def kind(self) -> str: ...
    @property
    def invalid(self) -> bool: ...
    @property
    def is_stranger(self) -> bool: ...
    @property
    def may_hold_secrets(self) -> bool: ...


class AnswerRequest(Protocol):
    """Answers one request.  With `is_safe` it changes nothing, and raises NotSafe for a mutation."""

    async def __call__(
        self,
        scope: Any,
        query: str,
        variables: dict[str, Any] | None,
        operation_name: str | None,
        /,
        *,
        is_safe: bool = False,
    ) -> Answer: ...


Costs = Callable[[str, dict[str, Any] | None], dict[str, Any]]
"""What a text costs with these variables.  Raises TooComplex, GraphQLError."""
AnswerPrepared = Callable[[str, str, dict[str, Any] | None, str | None], Awaitable[Answer | None]]
Stream = Callable[..., AsyncIterator[bytes]]
"""Like AnswerRequest, of a token, as server-sent events; with `is_safe` it refuses a mutation."""
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
        origins: Origins | None = None,
        secure_cookies: Secure = "auto",
        request_seconds: float = 10,
        stream: Stream | None = None,
        costs: Costs | None = None,
        count: Callable[[str, float], None] = lambda _kind, _seconds: None,
    ) -> None:
        self.answer, self.answer_prepared, self.identify = answer, answer_prepared, identify
        self.make_scope, self.page = make_scope, page
        self.origins, self.secure_cookies = origins or Origins(), secure_cookies
        self.request_seconds, self.count, self.stream, self.costs = request_seconds, count, stream, costs
        self.persisted = PersistedQueries()

    async def __call__(self, connection: Connection, receive: Receive, send: Send) -> None:
        request = IndexedRequest(connection, receive)
        try:
            response = await self._respond(request)
        except ClientDisconnect:
            return
        self.origins.allow(request, response)
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
        if self.origins.is_preflight(request):
            return self.origins.preflight("GET, POST")
        if request.method in ("GET", "HEAD"):
            if _is_for_people(request):
                return self.page(await self._principal(request))
            return await self._get(request)
        if request.method != "POST":
            raise Refused(405, "METHOD_NOT_ALLOWED", "Send the query by POST, or by GET.", allow="GET, POST")
        return await self._post(request)

    async def _get(self, request: Request) -> Response:
        """A query in the address; it changes nothing, whoever has made the browser send it."""
        if not is_query_by_address(request):
            raise Refused(400, "BAD_REQUEST", 'The address lacks the parameter "query".')
        try:
            return await self._answered(request, read_address(request), is_safe=True)
        except NotSafe:
            raise Refused(405, "METHOD_NOT_ALLOWED", "Send a mutation by POST.", allow="POST") from None

    async def _post(self, request: Request) -> Response:
        check_type(request.headers)
        return await self._answered(request, read_graphql_request(await read_body(request)))

    async def _answered(self, request: Request, read: GraphQLRequest, *, is_safe: bool = False) -> Response:
        asked = self._text(read), read.variables, read.operation_name
        began = time.perf_counter()
        token = self._token(request)
        looking = view_token(request)
        if self.stream is not None and token and await self._wants_stream(request):
            return StreamingResponse(
                self.stream(token, *asked, is_safe=is_safe), media_type=STREAM, headers=_UNBUFFERED
            )
        answer = await self.answer_prepared(token, *asked) if token and looking is None else None
        is_known = answer is not None
        if answer is None:
            principal = await self._principal(request)
            is_known = principal is not None
            if looking is not None and principal is not None and not principal.must_change_password:
                principal = await viewed(self._scope(request, principal, token), looking)
            scope = self._scope(request, principal, token)
            began = time.perf_counter()
            answer = await self.answer(scope, *asked, is_safe=is_safe)
        if read.hash and read.query and is_known and not answer.invalid:  # callers who are not signed in fill no cache
            self.persisted.keep(read.hash, read.query)
        self.count(answer.kind, time.perf_counter() - began)
        return await self._shown(request, read, answer, asked, is_safe=is_safe)

    def _scope(self, request: Request, principal: Principal | None, token: str | None) -> Any:
        """The scope of a request of this principal."""
        return self.make_scope(
            principal,
            door="graphql",
            request_id=request_id(request.scope),
            address=address_of(request),
            agent=agent_of(request),
            token=token,
            language=accepted_language(None, request.headers.get("accept-language", "")),
        )

    async def _wants_stream(self, request: Request) -> bool:
        """Whether a caller who is signed in asks for server-sent events; others get the 401 of every other request."""
        return prefers_stream(request.headers) and await self._principal(request) is not None

    async def _shown(
        self, request: Request, read: GraphQLRequest, answer: Answer, asked: tuple[Any, ...], *, is_safe: bool
    ) -> Response:
        """The response with this answer."""
        media, body = accepted(request.headers), answer.body
        if answer.is_stranger:
            return _please_sign_in(json_response(body, 401, media))
        if (read.wants_cost or "x-graphql-cost" in request.headers) and self.costs is not None and not answer.invalid:
            body = with_extensions(body, {"cost": self.costs(asked[0], asked[1])})
        if is_safe and not answer.invalid:
            response = kept_response(body, media, request.headers)
        else:
            response = json_response(body, invalid_status(media) if answer.invalid else 200, media)
        if not answer.may_hold_secrets:
            await compress(response, request.headers)
        return response

    def _text(self, read: GraphQLRequest) -> str:
        """The text of the query.  Raises Refused for a persisted one that this process does not have."""
        found = read.query if read.query is not None else self.persisted.find(read.hash or "")
        if found is None:
            raise Refused(200, "PERSISTED_QUERY_NOT_FOUND", "PersistedQueryNotFound")
        return found

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
        if cookie is not None and not _is_for_people(request):
            check_origin(request, self.origins.cookies)
        return cookie

    async def _principal(self, request: Request) -> Principal | None:
        """The owner of the token or cookie.  An unknown token is refused; an unknown cookie counts as none."""
        token = self._token(request)
        principal = await self.identify(token, address_of(request), agent_of(request)) if token else None
        if principal is None and bearer(request.headers) is not None:
            sentence = "This token is unknown, ended or revoked. Sign in again."
            raise Refused(401, "UNAUTHENTICATED", sentence, www_authenticate="Bearer")
        return principal


def _is_for_people(request: Request) -> bool:
    """Whether a browser opens the address, which shows GraphiQL, and answers no query."""
    return request.method in ("GET", "HEAD") and "text/html" in request.headers.get("accept", "")


def _please_sign_in(response: Response) -> Response:
    response.headers["www-authenticate"] = "Bearer"
    return response
