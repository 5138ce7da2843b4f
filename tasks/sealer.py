"""The sealer: lays seals over the operation log beside whatever else the process does."""

import asyncio
from functools import partial

import structlog
from sqlalchemy.exc import SQLAlchemyError

from resolvers.audit.seal import Horizon, is_due, seal
from resolvers.runtime.backend import Backend
from resolvers.runtime.writer import Unit

from . import job

EVERY_SECONDS = 1.0
"""How long an entry waits for its seal, on PostgreSQL up to twice as long."""
_log = structlog.get_logger("millpond.sealer")


@job
async def keep_sealed(backend: Backend) -> None:
    """Seal once a second what is settled, until cancelled.  Of several processes one seals at a time.

    A database that is away is asked again; it is mentioned in the log once, and when it is back.
    """
    horizon, is_away = Horizon(), False
    while True:
        try:
            if await _is_due(backend):
                await backend.writer.submit(partial(_seal, backend, horizon))
            if is_away:
                _log.info("the database is back, sealing goes on")
            is_away = False
        except (SQLAlchemyError, OSError) as failure:
            if not is_away:
                _log.warning("sealing waits for the database", cause=type(failure).__name__)
            horizon, is_away = Horizon(), True
        await asyncio.sleep(EVERY_SECONDS)


async def _is_due(backend: Backend) -> bool:
    """Whether there is an entry without a seal: asked on the reading side, which delays no writer."""
    async with backend.read_engine.connect() as connection:
        return await connection.run_sync(is_due)


def _seal(backend: Backend, horizon: Horizon, unit: Unit) -> int:
    """On the writer, among the use cases: a writer of its own would make them wait for the file."""
    return seal(unit.connection, backend.clock(), horizon)
