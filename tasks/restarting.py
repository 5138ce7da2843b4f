"""Work that goes on after an exception, in a worker and in a web process."""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

RESTART_SECONDS = 5
_log = structlog.get_logger("millpond")


async def restarting(work: Callable[[], Awaitable[None]]) -> None:
    """Run a coroutine until it returns or is cancelled; an exception is logged, and the coroutine starts again."""
    while True:
        try:
            return await work()
        except Exception:  # noqa: BLE001  logged, and begun again
            _log.exception("background work broke", work=getattr(work, "__qualname__", repr(work)))
            await asyncio.sleep(RESTART_SECONDS)
