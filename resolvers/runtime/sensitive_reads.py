"""Sensitive reads of a process: noted in memory as they happen, and written in a batch beside the reading."""

import asyncio
import contextlib
import threading
from collections.abc import Callable
from datetime import date, datetime
from typing import Any

from sqlalchemy import insert

from models import SensitiveRead

from .writer import Unit, Writer

SECONDS = 5.0
"""How long a read waits for its batch at most."""
MOST_WAITING = 100_000
"""Maximum number of reads that wait while nothing can be written; the oldest are given up first."""
_Seen = tuple[int, str, str, int, date]
_READS: Any = SensitiveRead.__table__


class SensitiveReads:
    """What users have seen and is not written yet.  A record that a user sees again on a day is noted once."""

    def __init__(self, writer: Callable[[], Writer]) -> None:
        self._writer, self._lock = writer, threading.Lock()
        self._waiting: list[dict[str, Any]] = []
        self._seen: set[_Seen] = set()
        self._day: date | None = None

    def note(self, reader_id: int, door: str, entity: str, record_id: int, now: datetime) -> None:
        """A user sees sensitive fields of a record."""
        with self._lock:
            if self._day != now.date():
                self._day = now.date()
                self._seen.clear()
            if (key := (reader_id, door, entity, record_id, now.date())) in self._seen:
                return
            self._seen.add(key)
            row = {"at": now, "reader_id": reader_id, "door": door, "entity": entity, "record_id": record_id}
            self._waiting.append({**row, "count": 1})

    async def flush(self) -> None:
        """Write what waits, in one transaction.  What could not be written waits on."""
        with self._lock:
            rows, self._waiting = self._waiting, []
        if not rows:
            return

        def write(unit: Unit) -> None:
            unit.is_used = True
            unit.connection.execute(insert(_READS), rows)

        try:
            await self._writer().submit(write)
        except BaseException:
            with self._lock:
                self._waiting = [*rows, *self._waiting][-MOST_WAITING:]
            raise

    async def run(self) -> None:
        """Write every SECONDS, and once more at the end."""
        try:
            while True:
                await asyncio.sleep(SECONDS)
                with contextlib.suppress(Exception):  # they wait for the next batch
                    await self.flush()
        finally:
            await self.flush()
