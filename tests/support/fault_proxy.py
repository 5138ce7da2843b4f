"""A TCP proxy before PostgreSQL that swallows, delays, cuts and refuses, as networks do."""

import asyncio
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

from sqlalchemy.engine import make_url

Fault = Literal["none", "swallow", "swallow answers", "delay", "reset", "refuse"]
FAULTS: tuple[Fault, ...] = ("swallow", "swallow answers", "delay", "reset", "refuse")
DELAY_SECONDS = 0.3


class FaultProxy:
    """A proxy on a port of its own.  `fault` is what it does to every connection from now on.

    swallow: what either side sends is acknowledged and lost, as where a firewall has forgotten the connection;
    swallow answers: the same for the answers alone, so that changes are made and not heard of;  reset: every connection
    is cut;  refuse: new ones are cut too.
    """

    def __init__(self, url: str) -> None:
        self._upstream, self.fault = make_url(url), "none"
        self._loop = asyncio.new_event_loop()
        self._open: set[asyncio.StreamWriter] = set()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._server = asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result(10)

    @property
    def url(self) -> str:
        """The address of the database through the proxy."""
        port = self._server.sockets[0].getsockname()[1]
        at = self._upstream.set(host="127.0.0.1", port=port).difference_update_query(["host"])
        return at.render_as_string(hide_password=False)

    def set(self, fault: Fault) -> None:
        self.fault = fault
        if fault in ("reset", "refuse"):
            self._loop.call_soon_threadsafe(self._cut_all)

    def close(self) -> None:
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    async def _end(self) -> None:
        self._server.close()
        self._cut_all()
        running = asyncio.all_tasks() - {asyncio.current_task()}
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    async def _listen(self) -> asyncio.Server:
        return await asyncio.start_server(self._serve, "127.0.0.1", 0)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.fault == "refuse":
            return _cut(writer)
        try:
            further, back = await self._connect()
        except OSError:
            return _cut(writer)
        self._open |= {writer, back}
        await asyncio.gather(self._pump(reader, back, "asks"), self._pump(further, writer, "answers"))
        self._open -= {writer, back}
        return None

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        at = self._upstream
        host, port = str(at.query.get("host") or at.host), at.port or 5432
        if host.startswith("/"):
            return await asyncio.open_unix_connection(f"{host}/.s.PGSQL.{port}")
        return await asyncio.open_connection(host, port)

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, side: str) -> None:
        try:
            while data := await reader.read(65_536):
                if self.fault == "swallow" or (self.fault == "swallow answers" and side == "answers"):
                    continue
                if self.fault == "delay":
                    await asyncio.sleep(DELAY_SECONDS)
                writer.write(data)
                await writer.drain()
        except OSError:
            pass
        finally:
            writer.close()

    def _cut_all(self) -> None:
        for writer in self._open:
            _cut(writer)


def _cut(writer: asyncio.StreamWriter) -> None:
    peer = writer.get_extra_info("socket")
    if peer is not None and peer.family == socket.AF_INET:
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


@contextmanager
def fault_proxy(url: str) -> Iterator[FaultProxy]:
    proxy = FaultProxy(url)
    try:
        yield proxy
    finally:
        proxy.close()
