"""The HTTP protocol of a connection: uvicorn's, with limits on the size of a head and on the time that head and body take.

A proxy before the process has such limits, too.  Without one, a client that sends its head byte by byte, or never ends
it, would hold memory and a connection for ever.
"""

import asyncio
from http import HTTPStatus
from typing import Any

import orjson
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from .body_limit import is_upload

HEAD_BYTES = 32 * 1024
"""Maximum size of request line and headers together; a filtered list of the panel has an address of some 2 KiB."""
HEAD_SECONDS, BODY_SECONDS, FILE_SECONDS = 10, 30, 600
"""Time from the first byte (of a new connection: from its start) to the end of the head, and from there to that of the body,
or of a body with a file: 100 MiB over a line of 1.5 Mbit/s."""
REST_SECONDS = 120
"""Time for which the rest of a file is thrown away that was refused before it was here; a browser shows the answer after it."""
_SENTENCES = {
    408: f"The request did not arrive in time: {HEAD_SECONDS} seconds for the head, {BODY_SECONDS} for the body, "
    f"{FILE_SECONDS} for one with a file.",
    431: f"The headers are larger than {HEAD_BYTES >> 10} KiB.",
}


class _HeadTooLarge(Exception):
    """Ends the parsing of a request whose head is too large."""


class BoundedProtocol(HttpToolsProtocol):
    """A connection that is closed with a sentence where a request is too large or too slow."""

    head_seconds: float = HEAD_SECONDS
    body_seconds: float = BODY_SECONDS
    file_seconds: float = FILE_SECONDS
    rest_seconds: float = REST_SECONDS

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        super().connection_made(transport)
        self._is_head, self._size, self._is_refused = True, 0, False
        self._completed, self._is_upload = 0, False
        self._timer: asyncio.TimerHandle | None = None
        self._expect_within(self.head_seconds)

    def connection_lost(self, exc: Exception | None) -> None:
        self._expect_within(None)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._is_refused:
            return
        if self._is_head and self._timer is None:
            self._expect_within(self.head_seconds)
        completed = self._completed
        super().data_received(data)
        if self._is_head and self._completed == completed and not self._is_refused:
            self._size += len(data)  # what the parser still holds; what it has told of is counted below, too
            if self._size > 2 * HEAD_BYTES:
                self._refuse(431)

    def handle_websocket_upgrade(self) -> None:
        """The connection is a WebSocket from now on, whose time is not limited here."""
        self._expect_within(None)
        super().handle_websocket_upgrade()

    def on_message_begin(self) -> None:
        self._size = 0
        super().on_message_begin()

    def on_url(self, url: bytes) -> None:
        self._count(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        self._count(len(name) + len(value))
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        self._is_head = False
        super().on_headers_complete()
        self._is_upload = is_upload(self.scope.get("path", ""))
        self._expect_within(self.file_seconds if self._is_upload else self.body_seconds)

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if not self._is_head and self._is_upload:
            self._expect_within(self.rest_seconds)

    def on_message_complete(self) -> None:
        self._is_head, self._size = True, 0
        self._completed += 1
        self._expect_within(None)
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        """The answer to what the parser could not read; that of a head too large was sent before."""
        if not self._is_refused:
            super().send_400_response(msg)

    def _count(self, size: int) -> None:
        self._size += size
        if self._size > HEAD_BYTES:
            self._refuse(431)
            raise _HeadTooLarge

    def _expect_within(self, seconds: float | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = None if seconds is None else self.loop.call_later(seconds, self._refuse, 408)

    def _refuse(self, status: int) -> None:
        """Answer and close.  Nothing is answered where a response has begun, or to a connection that has sent nothing."""
        self._is_refused = True
        self._expect_within(None)
        if self.transport.is_closing():
            return
        cycle: Any = self.cycle  # None before the first request
        has_begun = cycle and cycle.response_started and not (cycle.response_complete and self._is_head)
        if not has_begun and (self._size or not self._is_head):
            self.transport.write(_answer(status))
        self.transport.close()


def _answer(status: int) -> bytes:
    known = HTTPStatus(status)
    error: dict[str, Any] = {"message": _SENTENCES[status], "extensions": {"code": known.name}}
    body = orjson.dumps({"errors": [error]})
    head = f"HTTP/1.1 {status} {known.phrase}\r\ncontent-type: application/json; charset=utf-8\r\nconnection: close\r\n"
    return f"{head}cache-control: no-store\r\ncontent-length: {len(body)}\r\n\r\n".encode() + body
