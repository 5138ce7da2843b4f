"""Subscriptions over the network: graphql-transport-ws on a WebSocket, and server-sent events.

The protocol is Strawberry's handler, over our own streams and never over its views, which would go past limits, cached
documents and compiler.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Collection, Mapping
from datetime import timedelta
from typing import Any, cast

import orjson
import strawberry
from graphql import GraphQLError
from starlette.websockets import WebSocket, WebSocketDisconnect
from strawberry.exceptions import ConnectionRejectionError
from strawberry.http.exceptions import NonJsonMessageReceived, NonTextMessageReceived, WebSocketDisconnected
from strawberry.subscriptions.protocols.graphql_transport_ws.handlers import BaseGraphQLTransportWSHandler
from strawberry.types import ExecutionResult
from strawberry.types.execution import PreExecutionError

from models.errors import NotSignedIn
from resolvers.runtime.backend import Backend
from schema.live import Ended, Live, identified

from .caller import Secure, bearer, is_own_origin, session_cookie

PROTOCOL = "graphql-transport-ws"
INIT_SECONDS = timedelta(seconds=10)
"""Time in which a client has to say who it is."""
MOST_OPERATIONS, MOST_SOCKETS = 20, 600
"""Maximum number of operations of one connection, and of connections of one process."""
KEEP_ALIVE_SECONDS = 15.0
"""Time without an event after which a comment is sent, so that no proxy takes the stream for dead."""
_SIGNED_OUT = 4403


class LiveDoor:
    """The WebSocket of /graphql, and the streams of its POST."""

    def __init__(
        self, backend: Backend, live: Live, secure_cookies: Secure = "auto", cookie_origins: Collection[str] = ()
    ) -> None:
        """`cookie_origins`: whose pages may use the cookie, beside our own."""
        self.backend, self.live, self.secure_cookies = backend, live, secure_cookies
        self.cookie_origins = frozenset(cookie_origins)
        self.sockets = 0

    async def socket(self, socket: WebSocket) -> None:
        """One connection.  Its token is that of the header, of the cookie from our own pages, or of its first message."""
        if PROTOCOL not in socket.scope.get("subprotocols", ()):
            await socket.close(4406, "Subprotocol not acceptable")
            return
        cookie = session_cookie(socket, self.secure_cookies)
        if cookie is not None and not is_own_origin(socket, self.cookie_origins):
            await socket.close(_SIGNED_OUT, "Cross-site")
            return
        if self.sockets >= MOST_SOCKETS:
            await socket.close(1013, "Try again later")
            return
        self.sockets += 1
        try:
            await socket.accept(subprotocol=PROTOCOL)
            connection = _Connection(self, socket, bearer(socket.headers) or cookie or "")
            handler: Any = BaseGraphQLTransportWSHandler(
                cast("Any", connection),  # as a view
                cast("Any", connection),  # as a socket
                connection,  # as a context
                None,
                cast("Any", connection),  # as a schema
                INIT_SECONDS,
                MOST_OPERATIONS,
            )
            await handler.handle()
        finally:
            self.sockets -= 1
            self.live.hub.listeners.note_ended()

    async def events(
        self,
        token: str,
        query: str,
        variables: Mapping[str, Any] | None,
        operation_name: str | None,
        *,
        is_safe: bool = False,
    ) -> AsyncIterator[bytes]:
        """The answers to one operation as server-sent events: `next` for each, `complete` after the last.

        `is_safe`: it came by GET, and changes nothing.
        """
        identify = identified(self.backend, token)
        stream = self.live.stream(identify, query, variables, operation_name, is_safe=is_safe)
        async for answer in kept_alive(stream):
            yield b": here\n\n" if answer is None else b"event: next\ndata: " + orjson.dumps(answer) + b"\n\n"
        yield b"event: complete\ndata: \n\n"


async def kept_alive(stream: AsyncGenerator[dict[str, Any], None]) -> AsyncIterator[dict[str, Any] | None]:
    """The answers of a stream, and None where KEEP_ALIVE_SECONDS pass without one."""
    following: asyncio.Future[Any] = asyncio.ensure_future(anext(stream))
    try:
        while True:
            done, _ = await asyncio.wait([following], timeout=KEEP_ALIVE_SECONDS)
            if not done:
                yield None
                continue
            try:
                answer = following.result()
            except (StopAsyncIteration, Ended):
                return
            yield answer
            following = asyncio.ensure_future(anext(stream))
    finally:
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)
        await stream.aclose()


class _Connection:
    """What the handler of the protocol takes for a view, a schema, a context and a socket."""

    def __init__(self, door: LiveDoor, socket: WebSocket, token: str) -> None:
        self.door, self.socket, self.token = door, socket, token
        self.connection_params: dict[str, Any] = {}
        self.is_closed = False

    # -- as a view ---------------------------------------------------------------------------------------

    async def on_ws_connect(self, _context: object) -> object:
        given = self.connection_params.get("authorization") or self.connection_params.get("Authorization")
        if isinstance(given, str):
            self.token = given.removeprefix("Bearer ").strip()[:512]
        principal = await self.door.backend.principal_of(self.token) if self.token else None
        if principal is None:
            raise ConnectionRejectionError
        return strawberry.UNSET

    # -- as a schema -------------------------------------------------------------------------------------

    async def stream(
        self, query: str, *, variable_values: dict[str, Any] | None = None, operation_name: str | None = None, **_: Any
    ) -> AsyncGenerator[Any, None]:
        return self._results(query, variable_values, operation_name)

    async def _results(
        self, query: str, variables: dict[str, Any] | None, operation_name: str | None
    ) -> AsyncGenerator[Any, None]:
        identify = identified(self.door.backend, self.token)
        stream = self.door.live.stream(identify, query, variables, operation_name)
        try:
            async for answer in stream:
                yield _result(answer)
        except Ended:
            await self.close(_SIGNED_OUT, "Forbidden")
        finally:
            await stream.aclose()

    # -- as a socket -------------------------------------------------------------------------------------

    async def iter_json(self, *, ignore_parsing_errors: bool = False) -> AsyncGenerator[object, None]:
        try:
            while not self.is_closed:
                try:
                    yield await self.socket.receive_json()
                except (ValueError, KeyError) as failure:
                    if not ignore_parsing_errors:
                        kind = NonJsonMessageReceived if isinstance(failure, ValueError) else NonTextMessageReceived
                        raise kind from failure
        except (WebSocketDisconnect, RuntimeError):
            return

    async def send_json(self, message: Mapping[str, object]) -> None:
        try:
            await self.socket.send_text(orjson.dumps(message, default=_plain).decode())
        except (WebSocketDisconnect, RuntimeError) as failure:
            raise WebSocketDisconnected from failure

    async def close(self, code: int, reason: str) -> None:
        """Close the connection; where the caller is not signed in, with the code of every other door as the reason."""
        if not self.is_closed:
            self.is_closed = True
            await self.socket.close(code, NotSignedIn.code() if code == _SIGNED_OUT else reason)


def _result(answer: dict[str, Any]) -> ExecutionResult:
    """An answer as the handler takes it; one without data was refused before anything was read."""
    given = [GraphQLError(x["message"], extensions=x.get("extensions")) for x in answer.get("errors", ())]
    if "data" not in answer:
        return PreExecutionError(data=None, errors=given)
    return ExecutionResult(data=answer["data"], errors=given or None)


def _plain(value: object) -> object:
    raise TypeError(f"no JSON: {value!r}")
