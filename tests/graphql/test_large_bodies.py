"""Bodies that are too large, over a real socket: the answer arrives before the connection ends, however they are sent."""

import asyncio
import json
from collections.abc import Iterator

import pytest

from millpond.graphql_request import BODY_BYTES
from tests.support.engines import at_length_on_postgresql
from tests.support.site import Site
from tests.support.world import World

HEAD = "POST /graphql HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
LARGE = 8 * BODY_BYTES
PIECE = b" " * 65_536


def with_length() -> Iterator[bytes]:
    yield f"{HEAD}Content-Length: {LARGE}\r\n\r\n".encode()
    yield from (PIECE for _ in range(LARGE // len(PIECE)))


def chunked() -> Iterator[bytes]:
    yield f"{HEAD}Transfer-Encoding: chunked\r\n\r\n".encode()
    for _ in range(LARGE // len(PIECE)):
        yield b"10000\r\n" + PIECE + b"\r\n"
    yield b"0\r\n\r\n"


SMALL = b'{"query": "{ __typename }"}'


async def answer(reader: asyncio.StreamReader) -> tuple[int, dict[str, str], bytes]:
    head = (await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 20)).decode()
    first, *lines = head.split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines if line)}
    return int(first.split()[1]), headers, await reader.readexactly(int(headers["content-length"]))


@at_length_on_postgresql
@pytest.mark.parametrize("send", [with_length, chunked])
def test_a_client_that_sends_everything_first_still_gets_the_sentence(world: World, send: object):
    site = Site(world)

    async def test() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", site.port)
        for piece in send():  # type: ignore[operator]  one of the two above
            writer.write(piece)
            await writer.drain()  # a server that had cut the connection would make this fail
        status, headers, body = await answer(reader)
        (error,) = json.loads(body)["errors"]
        assert (status, error["extensions"]["code"]) == (413, "TOO_LARGE")
        assert error["message"] == "The body is larger than 1024 KiB."
        assert headers["content-type"] == "application/json; charset=utf-8"

        writer.write(f"{HEAD}Content-Length: {len(SMALL)}\r\n\r\n".encode() + SMALL)  # the connection is good for more
        assert (await answer(reader))[::2] == (200, b'{"data":{"__typename":"Query"}}')
        writer.close()

    site.run(test)
