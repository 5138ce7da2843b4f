"""The hub: one reader of the events of a database per process, and all who wait for them.

The row in `event` is the message, written in the transaction of what it tells; changes of records are read from the
operation log.  Between processes only "look again" is said: SQLite shows a commit in `data_version`, PostgreSQL sends NOTIFY
(`runtime/waker.py`).
"""

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from cachetools import LRUCache
from sqlalchemy.engine import make_url

from ..runtime.backend import Backend
from ..runtime.waker import CHANNEL
from .listeners import ANY_COMMIT, Change, Listeners
from .pool_changes import Situation, situation
from .tail import Row, Tail

LOOK_SECONDS = 0.05
"""Minimum time between two readings: what is committed meanwhile is read at once."""
DEAF_SECONDS = 1.0
"""Time after which PostgreSQL is asked although nothing was said."""
MOST_SITUATIONS = 200
"""Maximum number of readings that are kept for others who ask the same."""
RECORD = "record:"
"""Begins the topic of a record, `record:customer:12`, whose changes are those of the operation log."""

Fetch = Callable[[str, Sequence[Any]], Awaitable[Sequence[Row]]]


class Hub:
    """Tells listeners what was committed, in this process and in others."""

    def __init__(self, backend: Backend) -> None:
        self.backend, self.listeners = backend, Listeners()
        self._events: Tail | None = None
        self._entries: Tail | None = None
        self._situations: LRUCache[Any, asyncio.Future[Situation]] = LRUCache(MOST_SITUATIONS)
        self.readings = 0
        """The number of times that events were read: what was read of records since the last one is as new."""

    async def pool_situation(self, pool_id: int, ids: Sequence[int]) -> Situation:
        """How a pool and these customers are, read once for all who ask since the last event."""
        key = (self.readings, pool_id, *ids)
        found = self._situations.get(key)
        if found is None:
            found = self._situations[key] = asyncio.ensure_future(self._situation(pool_id, ids))
        return await asyncio.shield(found)

    async def _situation(self, pool_id: int, ids: Sequence[int]) -> Situation:
        async with self.backend.read_engine.connect() as connection:
            return await connection.run_sync(situation, pool_id, ids, self.backend.clock())

    @property
    def _is_sqlite(self) -> bool:
        return self.backend.dialect == "sqlite"

    async def run(self) -> None:
        """Until cancelled.  It may be begun again after a failure, and then tells what happened meanwhile."""
        await (self._look() if self._is_sqlite else self._hear())

    async def _look(self) -> None:
        connection = sqlite3.connect(make_url(self.backend.url).database or "", isolation_level=None)
        connection.execute("PRAGMA query_only = on")

        async def fetch(sql: str, values: Sequence[Any]) -> Sequence[Row]:
            return connection.execute(sql, values).fetchall()

        seen = None
        try:
            while True:
                version = connection.execute("PRAGMA data_version").fetchone()
                if version != seen:
                    await self._read(fetch)
                    seen = version
                await asyncio.sleep(LOOK_SECONDS)
        finally:
            connection.close()

    async def _hear(self) -> None:
        opened = await self.backend.read_engine.raw_connection()
        driver: Any = opened.driver_connection
        opened.detach()
        woken = asyncio.Event()

        async def fetch(sql: str, values: Sequence[Any]) -> Sequence[Row]:
            return [tuple(row) for row in await driver.fetch(sql, *values)]

        try:
            await driver.add_listener(CHANNEL, lambda *_: woken.set())
            while True:
                woken.clear()
                await self._read(fetch)
                try:
                    await asyncio.wait_for(woken.wait(), DEAF_SECONDS)
                except TimeoutError:
                    continue
                await asyncio.sleep(LOOK_SECONDS)
        finally:
            await driver.close()

    async def _read(self, fetch: Fetch) -> None:
        """Tell listeners of all that was committed since the last reading; the first one only finds out where it is."""
        self.readings += 1
        if self._events is None or self._entries is None:
            self._events, self._entries = await self._tail(fetch, _EVENT), await self._tail(fetch, _ENTRY)
            return
        for _, topic, record_id in await self._fresh(fetch, self._events, _EVENTS):
            self.listeners.tell(Change(topic, record_id))
        if not self._is_sqlite or self.listeners.wants(RECORD):
            for _, entity, record_id in await self._fresh(fetch, self._entries, _ENTRIES):
                self.listeners.tell(Change(f"{RECORD}{entity}:{record_id}", record_id))
        else:
            self._entries = await self._tail(fetch, _ENTRY)
        self.listeners.tell(Change(ANY_COMMIT, None))

    async def _tail(self, fetch: Fetch, newest: str) -> Tail:
        return Tail((await fetch(newest, ()))[0][0], has_gaps=not self._is_sqlite)

    async def _fresh(self, fetch: Fetch, tail: Tail, sql: str) -> list[Row]:
        if self._is_sqlite:
            return tail.take(await fetch(sql.format("id > ?"), (tail.last,)))
        return tail.take(await fetch(sql.format("id > $1 OR id = ANY($2::int[])"), (tail.last, tail.missing)))


_EVENT, _ENTRY = "SELECT coalesce(max(id), 0) FROM event", "SELECT coalesce(max(id), 0) FROM audit_entry"
_EVENTS = "SELECT id, topic, record_id FROM event WHERE {0} ORDER BY id"
_ENTRIES = "SELECT id, entity, record_id FROM audit_entry WHERE ({0}) AND outcome = 'OK' ORDER BY id"
