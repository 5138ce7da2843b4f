"""The load generator of `read_path.py`: sixteen connections with one request in flight each, in a process of its own.

Server and load share the machine, so an expensive load slows the fastest server most.  This one writes prepared bytes,
reads status and length of a response, and searches all of it for `"errors"`.  A request costs it some 25 us of CPU
where responses arrive together, and 65 us where they arrive one by one, every 340 us (wrk there: 45 us at the same
rate); it reports the actual cost.  It returns when every response has arrived, so nothing is in flight when the next
server is measured.

    with Load() as load:
        taken = load(address, requests, seconds)
"""

import asyncio
import gc
import itertools
import multiprocessing
import random
import re
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from typing import cast
from urllib.parse import urlsplit

import uvloop

CONNECTIONS = 16
PATIENCE = 60  # seconds that an answer may take before the round is given up
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)\r\n", re.IGNORECASE)


@dataclass
class Taken:
    """The result of one load: milliseconds of each response, duration in seconds, and CPU seconds of the load itself."""

    milliseconds: list[float] = field(default_factory=list)
    seconds: float = 0
    cpu: float = 0


class Load:
    """A process that sends requests; it serves several loads."""

    def __enter__(self) -> "Load":
        self._process = ProcessPoolExecutor(1, multiprocessing.get_context("spawn"))
        return self

    def __exit__(self, *_: object) -> None:
        self._process.shutdown()

    def __call__(self, address: str, requests: Sequence[bytes], seconds: float, *, once: bool = False) -> Taken:
        """The result of keeping every connection busy for `seconds`.  Raises AssertionError at the first bad response.

        Requests repeat in random order.  With `once` each is sent once, in the given order, every sixteenth by the same
        connection; the load may then end earlier.
        """
        return self._process.submit(_loaded, str(address), requests, seconds, once).result()


class Connection(asyncio.Protocol):
    """A connection that sends one request after the other until the time is up."""

    def __init__(self, requests: Iterator[bytes], until: float, milliseconds: list[float]) -> None:
        self.done = asyncio.get_running_loop().create_future()
        self._requests, self._until, self._milliseconds = requests, until, milliseconds
        self._missing = 0  # bytes of the response that have not arrived; 0 while its head is incomplete
        self._head = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._ask()

    def data_received(self, data: bytes) -> None:
        if b'"errors"' in data:
            return self._fail(data)
        if self._missing:
            self._missing -= len(data)
        else:
            data = self._head + data
            end = data.find(b"\r\n\r\n")
            if end < 0:
                self._head = data
                return None
            length = _LENGTH.search(data, 0, end + 2)
            if length is None or not data.startswith(b"HTTP/1.1 200 "):
                return self._fail(data)
            self._head = b""
            self._missing = end + 4 + int(length[1]) - len(data)
        if self._missing:
            return None
        now = time.perf_counter()
        self._milliseconds.append((now - self._began) * 1000)
        if now < self._until:
            self._ask()
        else:
            self._end()
        return None

    def connection_lost(self, error: Exception | None) -> None:
        if not self.done.done():
            self._fail(b"the server hung up")

    def _ask(self) -> None:
        request = next(self._requests, None)
        if request is None:
            return self._end()
        self._began = time.perf_counter()
        self._transport.write(request)
        return None

    def _end(self) -> None:
        self.done.set_result(None)
        self._transport.close()

    def _fail(self, answer: bytes) -> None:
        if not self.done.done():
            self.done.set_exception(AssertionError(answer[:600].decode(errors="replace")))
        self._transport.close()


def _loaded(address: str, requests: Sequence[bytes], seconds: float, once: bool) -> Taken:
    gc.disable()
    try:
        return uvloop.run(_keep_busy(address, requests, seconds, once))
    finally:
        gc.enable()


async def _keep_busy(address: str, requests: Sequence[bytes], seconds: float, once: bool) -> Taken:
    host, _, port = urlsplit(address).netloc.partition(":")
    loop = asyncio.get_running_loop()
    taken = Taken()
    if once:
        lots = [iter(requests[n::CONNECTIONS]) for n in range(CONNECTIONS)]
    else:
        lots = [itertools.cycle(random.Random(n).sample(requests, len(requests))) for n in range(CONNECTIONS)]
    connections = []
    cpu, began = time.process_time(), time.perf_counter()
    for lot in lots:
        connection = Connection(lot, began + seconds, taken.milliseconds)
        await loop.create_connection(lambda it=connection: it, host, int(port))  # type: ignore[misc]
        connections.append(connection)
    async with asyncio.timeout(seconds + PATIENCE):
        await asyncio.gather(*(connection.done for connection in connections))
    taken.seconds, taken.cpu = time.perf_counter() - began, time.process_time() - cpu
    return taken
