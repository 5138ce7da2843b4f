"""A hub over the small world, and subscribers whose answers a test takes one by one."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from typing import Any

from resolvers.live.hub import Hub
from resolvers.people.sign_in import open_session
from resolvers.runtime.scope import Scope
from resolvers.runtime.waker import Waker
from schema.engine import Engine
from schema.live import Ended, Identify, Live, identified
from tests.support.world import World

SOON = 10.0
"""Seconds within which an answer has to come; it comes within a fraction of one."""
QUIET = 0.4
"""Seconds in which nothing comes."""


class Subscribers:
    """Runs the hub while a test talks to it.  Use cases run on a thread, as in a server."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.hub = Hub(world.backend)
        world.backend.writer.waker = Waker(world.backend.url if world.backend.dialect == "postgresql" else None)
        self.live = Live(Engine(world.backend), self.hub)

    def run(self, test: Callable[[], Any]) -> None:
        """Run an async test beside the hub."""

        async def beside() -> None:
            running = asyncio.ensure_future(self.hub.run())
            try:
                while not self.hub.readings:  # noqa: ASYNC110  the hub counts and says nothing
                    await asyncio.sleep(0.01)
                await test()
            finally:
                running.cancel()
                await asyncio.gather(running, return_exceptions=True)

        self.world.run(beside())

    def token(self, login: str) -> str:
        with self.world.backend.writer.engine.begin() as connection:
            entrances = self.world.backend.entrances
            return open_session(connection, self.world.ids[login], self.world.clock.now, entrances, None, None).token

    async def subscribe(self, login: str, query: str, token: str = "", **variables: Any) -> "Subscription":
        """A subscription that listens already."""
        before = len(self.hub.listeners)
        identify = identified(self.world.backend, token or self.token(login))
        made = Subscription(self.live, identify, query, variables)
        for _ in range(500):
            if len(self.hub.listeners) > before or made.answers.qsize():
                break
            await asyncio.sleep(0.01)
        return made

    async def do(self, login: str, use_case: Callable[..., Any], *arguments: Any) -> Any:
        """Run a use case as a user, and return when it is committed."""
        scope: Scope = self.world.scope(login) if login != "system" else self.world.system
        return await scope.run(use_case, *arguments)


class Subscription:
    """The answers to one subscription, as they come; None after the last one."""

    def __init__(self, live: Live, identify: Identify, query: str, variables: dict[str, Any]) -> None:
        self.answers: asyncio.Queue[dict[str, Any] | None] = asyncio.Queue()
        self.was_ended = False
        self._task = asyncio.ensure_future(self._take(live.stream(identify, query, variables, None)))

    async def _take(self, stream: AsyncGenerator[dict[str, Any], None]) -> None:
        try:
            async for answer in stream:
                self.answers.put_nowait(answer)
        except Ended:
            self.was_ended = True
        finally:
            await stream.aclose()
            self.answers.put_nowait(None)

    async def next(self) -> dict[str, Any] | None:
        return await asyncio.wait_for(self.answers.get(), SOON)

    async def data(self) -> Any:
        """The one field of the next answer."""
        answer = await self.next()
        assert answer is not None
        assert "errors" not in answer, answer
        (field,) = answer["data"].values()
        return field

    async def code(self) -> str:
        """The code of the next answer, which is a refusal, and the last one."""
        answer = await self.next()
        assert answer is not None
        code: str = answer["errors"][0]["extensions"]["code"]
        assert await self.next() is None
        return code

    async def is_quiet(self) -> bool:
        """Whether nothing comes for a while."""
        await asyncio.sleep(QUIET)
        return self.answers.empty()

    async def close(self) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
