"""Requests that are too large or too slow, sent to a serving process without a proxy before it."""

import socket
import threading
import time
from collections.abc import Iterator

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from millpond.body_limit import BESIDES_BYTES, BODY_BYTES, FORM_BYTES, BodyLimitMiddleware
from millpond.http_protocol import HEAD_BYTES, BoundedProtocol

PATIENCE_SECONDS = 10
"""Time after which a client gives up."""


class _Impatient(BoundedProtocol):
    head_seconds, body_seconds, file_seconds, rest_seconds = 0.4, 0.6, 1.6, 0.5


async def _length(request: Request) -> PlainTextResponse:
    return PlainTextResponse(str(len(await request.body())))


async def _refused(_: Request) -> PlainTextResponse:
    """An answer to a file of which nothing is read."""
    return PlainTextResponse("too large", 413)


FILE_BYTES = BODY_BYTES
UPLOADS = ("/files", "/admin/imports/new", "/admin/imports/imp_3/workbook")
ROUTES = [
    *(Route(path, _length, methods=["GET", "POST"]) for path in ("/", "/admin/customer/create", *UPLOADS[:2])),
    Route(UPLOADS[2], _refused, methods=["POST"]),
]


@pytest.fixture(scope="module")
def address() -> Iterator[tuple[str, int]]:
    app = Starlette(routes=ROUTES, middleware=[Middleware(BodyLimitMiddleware, file_bytes=FILE_BYTES)])
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, http=_Impatient, log_config=None, lifespan="off", ws="none"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield listener.getsockname()[:2]
    server.should_exit = True
    thread.join(10)
    listener.close()


def send(address: tuple[str, int], *parts: bytes, pause: float = 0) -> tuple[bytes, float]:
    """(all that comes back until the server closes, seconds)."""
    began = time.monotonic()
    with socket.create_connection(address, timeout=PATIENCE_SECONDS) as peer:
        try:
            for part in parts:
                peer.sendall(part)
                time.sleep(pause)
        except OSError:
            pass  # the server has closed already
        received = b""
        try:
            while data := peer.recv(65_536):
                received += data
        except OSError:
            pass
    return received, time.monotonic() - began


HEAD = b"POST / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n"


def test_a_request_of_ordinary_size_is_answered(address: tuple[str, int]) -> None:
    head = HEAD + b"cookie: " + b"c" * (HEAD_BYTES - 1_000) + b"\r\ncontent-length: 5\r\n\r\n"
    received, _ = send(address, head, b"he", b"llo", pause=0.05)

    assert received.startswith(b"HTTP/1.1 200")
    assert received.endswith(b"5")


def test_a_connection_serves_one_request_after_another(address: tuple[str, int]) -> None:
    with socket.create_connection(address, timeout=5) as peer:
        for n in range(3):
            peer.sendall(b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 20000\r\n\r\n" + b"x" * 20_000)
            received = b""
            while not received.endswith(b"20000"):
                received += peer.recv(65_536)
            assert received.startswith(b"HTTP/1.1 200"), n
            time.sleep(0.5)  # longer than a head may take: an idle connection is no slow one


@pytest.mark.parametrize(
    "parts",
    [
        [b"GET /?" + b"a" * HEAD_BYTES + b" HTTP/1.1\r\nhost: x\r\n\r\n"],
        [HEAD + b"".join(b"x-%d: y\r\n" % n for n in range(10_000)) + b"\r\n"],
        [HEAD + b"cookie: " + b"c" * HEAD_BYTES + b"\r\n\r\n"],
        [HEAD + b"cookie: ", *[b"c" * 8_000] * 40],
        [b"GET /?", *[b"a" * 8_000] * 40],
    ],
)
def test_a_head_that_is_too_large_is_refused_wherever_it_grows(address: tuple[str, int], parts: list[bytes]) -> None:
    received, _ = send(address, *parts)

    assert received.startswith(b"HTTP/1.1 431")
    assert b"The headers are larger than 32 KiB." in received


def test_a_head_or_a_body_that_comes_too_slowly_is_given_up(address: tuple[str, int]) -> None:
    silent, after_silence = send(address)
    slow_head, _ = send(address, *[bytes([byte]) for byte in HEAD], pause=0.05)
    slow_body, _ = send(address, HEAD + b"content-length: 100\r\n\r\n", *[b"x"] * 20, pause=0.05)

    assert silent == b""
    assert after_silence < PATIENCE_SECONDS  # the server has closed, not this client
    assert slow_head.startswith(b"HTTP/1.1 408")
    assert slow_body.startswith(b"HTTP/1.1 408")


@pytest.mark.parametrize("announced", [True, False])
def test_a_body_that_is_too_large_is_refused_while_it_arrives(address: tuple[str, int], *, announced: bool) -> None:
    size = BODY_BYTES + 100_000
    if announced:
        head, body = b"content-length: %d\r\n\r\n" % size, [b"x" * size]
    else:
        head, body = b"transfer-encoding: chunked\r\n\r\n", [b"10000\r\n" + b"x" * 0x10000 + b"\r\n"] * 34
    received, _ = send(address, HEAD + head, *body)

    assert received.startswith(b"HTTP/1.1 413") or received == b""  # a client that still sends may miss the answer
    assert b"200" not in received[:20]


def head_for(path: str, length: int) -> bytes:
    return b"POST %b HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: %d\r\n\r\n" % (path.encode(), length)


@pytest.mark.parametrize(
    ("path", "limit"),
    [
        ("/", BODY_BYTES),
        ("/admin/customer/create", FORM_BYTES),
        ("/files", FILE_BYTES + BESIDES_BYTES),
        ("/admin/imports/new", FILE_BYTES + BESIDES_BYTES),
    ],
)
def test_the_limit_of_a_body_is_that_of_its_address(address: tuple[str, int], path: str, limit: int) -> None:
    taken, _ = send(address, head_for(path, limit), b"x" * limit)
    refused, _ = send(address, head_for(path, limit + 1), b"x" * (limit + 1))

    assert taken.startswith(b"HTTP/1.1 200")
    assert taken.endswith(str(limit).encode())
    assert refused.startswith(b"HTTP/1.1 413") or refused == b""  # a client that still sends may miss the answer


def test_a_file_may_take_longer_than_other_bodies_and_is_given_up_in_the_end(address: tuple[str, int]) -> None:
    slow, _ = send(address, head_for("/files", 20), *[b"x"] * 20, pause=0.05)
    endless, _ = send(address, head_for("/files", 100), *[b"x"] * 50, pause=0.05)

    assert slow.startswith(b"HTTP/1.1 200")
    assert endless.startswith(b"HTTP/1.1 408")


def test_the_answer_to_a_file_that_is_refused_unread_reaches_a_client_that_sends_all_of_it(
    address: tuple[str, int],
) -> None:
    head = b"POST /admin/imports/imp_3/workbook HTTP/1.1\r\nhost: x\r\ncontent-length: %d\r\n\r\n"
    with socket.create_connection(address, timeout=PATIENCE_SECONDS) as peer:
        peer.sendall(head % (8 << 20) + b"x" * (8 << 20))
        assert peer.recv(65_536).startswith(b"HTTP/1.1 413")
        peer.sendall(b"POST / HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 2\r\n\r\nhi")
        assert peer.recv(65_536).startswith(b"HTTP/1.1 200")


def test_the_rest_of_a_refused_file_is_not_awaited_for_ever(address: tuple[str, int]) -> None:
    head = b"POST /admin/imports/imp_3/workbook HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n"
    received, seconds = send(address, head)

    assert received.startswith(b"HTTP/1.1 413")
    assert received.count(b"HTTP/1.1") == 1  # no second answer to one request
    assert seconds < PATIENCE_SECONDS
