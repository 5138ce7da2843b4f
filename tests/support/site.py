"""The application over the small world on a real socket, in the loop of the world."""

import asyncio
import socket
from collections.abc import Callable
from typing import Any

import uvicorn

from admin.screens import screens
from millpond.http_protocol import BoundedProtocol
from millpond.settings import Settings
from millpond.web import application
from resolvers.live.hub import Hub
from resolvers.runtime.waker import Waker
from tests.support.world import World

STOPPED = 30.0
"""Seconds within which every connection has ended after the signal to stop."""


class Site:
    """Serves while a test talks to it."""

    def __init__(self, world: World) -> None:
        self._panels = {view: vars(view).get("_admin_ref") for view in screens()}  # sqladmin notes the last one
        self.world, self.app = world, application(world.backend, Settings())
        self.hub: Hub = self.app.state.hub
        self.port = 0

    def run(self, test: Callable[[], Any]) -> None:
        backend = self.world.backend
        backend.writer.waker = Waker(backend.url if backend.dialect == "postgresql" else None)
        try:
            self.world.run(self._serve(test))
        finally:
            for view, belongs in self._panels.items():
                if belongs is not None:
                    view._admin_ref = belongs  # type: ignore[attr-defined]  # every screen belongs to its panel again

    async def _serve(self, test: Callable[[], Any]) -> None:
        config = uvicorn.Config(
            self.app, lifespan="off", log_config=None, ws="websockets-sansio", http=BoundedProtocol, access_log=False
        )
        config.load()
        server = uvicorn.Server(config)
        server.lifespan = config.lifespan_class(config)
        listener = socket.socket()
        listener.bind(("127.0.0.1", 0))
        self.port = listener.getsockname()[1]
        await server.startup(sockets=[listener])
        hearing = asyncio.ensure_future(self.hub.run())
        try:
            while not self.hub.readings:  # noqa: ASYNC110  the hub counts and says nothing
                await asyncio.sleep(0.01)
            await test()
        finally:
            self.hub.listeners.close()
            await asyncio.wait_for(server.shutdown(sockets=[listener]), STOPPED)
            hearing.cancel()
            await asyncio.gather(hearing, return_exceptions=True)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"
