"""The write probe: proves from time to time that the database takes a commit, through the queue that all writes use.

It is asked by health checks, which may come from anywhere, so it writes at most once in EVERY_SECONDS.
"""

import asyncio
import time
from contextlib import suppress

import structlog
from sqlalchemy import text

from .writer import Unit, Writer

_log = structlog.get_logger("millpond.writer")
EVERY_SECONDS = 5.0
WAITED_SECONDS = 1.0
"""Time for which a caller waits for a write that is under way."""


class WriteProbe:
    """The write probe of one process."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        self._succeeded = time.monotonic() - EVERY_SECONDS  # so that the first caller has one tried
        self._running: asyncio.Task[None] | None = None

    async def age(self) -> float:
        """Seconds since the last write that succeeded, or since the start of the process."""
        if self._age() >= EVERY_SECONDS or self._running is not None:
            if self._running is None or self._running.done():
                self._running = asyncio.create_task(self._write())
            with suppress(TimeoutError):
                await asyncio.wait_for(asyncio.shield(self._running), WAITED_SECONDS)
        return self._age()

    def _age(self) -> float:
        return time.monotonic() - self._succeeded

    async def _write(self) -> None:
        try:
            await self._writer.submit(self._commit_something)
            self._succeeded = time.monotonic()
        except Exception:  # noqa: BLE001  what it was is of no use to a health check, which sees the age
            _log.warning("the database takes no writes", exc_info=True)
        finally:
            self._running = None

    def _commit_something(self, unit: Unit) -> None:
        """What has to be written to disk and changes nothing: a transaction id, or a number in the head of the file."""
        if not self._writer.is_sqlite:
            unit.connection.execute(text("SELECT pg_current_xact_id()"))
            return
        version = unit.connection.exec_driver_sql("PRAGMA user_version").scalar_one()
        unit.connection.exec_driver_sql(f"PRAGMA user_version = {version}")
