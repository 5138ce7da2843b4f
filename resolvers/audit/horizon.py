"""The horizon of the operation log: up to which entry nothing can appear any more, so that readers miss nothing.

SQLite has one writer, so every committed entry is settled.  On PostgreSQL an entry may become visible after one with a
higher id.  Whoever writes entries has a transaction number before the first id (`models/audit/append_only.py`), so the
ids drawn until now are settled once every transaction that has a number by now has ended: a few milliseconds.
"""

import asyncio
import time

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from ..runtime.scope import Scope

PATIENCE = 1.0
"""Seconds to wait for transactions that run; after that, what is settled has to be asked for again."""
_NEWEST = text("SELECT coalesce(max(id), 0) FROM audit_entry")
_DRAWN = text("SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM audit_entry_id_seq")
_NEXT = text("SELECT pg_snapshot_xmax(pg_current_snapshot())::text")
_OLDEST = text("SELECT pg_snapshot_xmin(pg_current_snapshot())::text")


async def settled(scope: Scope, patience: float = PATIENCE) -> int | None:
    """The id up to which all entries are visible to statements from now on; None while a transaction takes too long."""
    async with scope.backend.read_engine.connect() as connection:
        if scope.backend.dialect == "sqlite":
            return await _number(connection, _NEWEST)
        # First the ids, then a transaction number: every transaction that drew one of these ids has a lower number.
        drawn = await _number(connection, _DRAWN)
        await connection.rollback()  # each question takes a snapshot of its own
        following, until = await _number(connection, _NEXT), time.monotonic() + patience
        pause = 0.002
        while True:
            await connection.rollback()
            if await _number(connection, _OLDEST) >= following:
                return drawn
            if time.monotonic() > until:
                return None
            await asyncio.sleep(pause)
            pause = min(0.05, pause * 2)


async def _number(connection: AsyncConnection, question: object) -> int:
    return int((await connection.execute(question)).scalar_one())  # type: ignore[call-overload]  # a text
