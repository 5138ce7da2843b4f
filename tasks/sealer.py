"""The sealer: lays seals over the operation log beside whatever else the process does, and anchors them."""

import asyncio
from functools import partial

import structlog
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from resolvers.audit.anchor import contradictions, newest_anchor
from resolvers.audit.seal import Horizon, is_due, seal
from resolvers.runtime.backend import Backend
from resolvers.runtime.seal_files import Anchor, SealFileError, SealKey
from resolvers.runtime.writer import Unit

from . import service

EVERY_SECONDS = 1.0
"""How long an entry waits for its seal, on PostgreSQL up to twice as long."""
_log = structlog.get_logger("millpond.sealer")


class _Told:
    """Logs a state that lasts once: when it begins, and when it is over."""

    def __init__(self) -> None:
        self.state: str | None = None

    def now(self, state: str | None, **more: str | None) -> None:
        if state is not None and state != self.state:
            _log.error(state, **more)
        self.state = state


@service
async def keep_sealed(backend: Backend) -> None:
    """Seal once a second what is settled, and anchor it, until cancelled.  Of several processes one seals at a time.

    A database that is away is asked again; it is mentioned in the log once, and when it is back.  So is a key that is
    missing, and a log that its anchor contradicts: the anchor then stays as it is.
    """
    horizon, is_away, told, anchored = Horizon(), False, _Told(), None
    while True:
        try:
            due, newest = await _look(backend)
            key = await asyncio.to_thread(backend.seal_files.newest_key) if due else None
            if due:
                await backend.writer.submit(partial(_seal, backend, horizon, key))
            if newest is not None and newest != anchored:
                problem = await _anchor(backend, newest)
                told.now("the operation log contradicts its anchor" if problem else None, problem=problem)
                anchored = newest
            if is_away:
                _log.info("the database is back, sealing goes on")
            is_away = False
        except SealFileError as failure:
            told.now(str(failure))
        except (SQLAlchemyError, OSError) as failure:
            if not is_away:
                _log.warning("sealing waits for the database", cause=type(failure).__name__)
            horizon, is_away = Horizon(), True
        await asyncio.sleep(EVERY_SECONDS)


async def _look(backend: Backend) -> tuple[bool, Anchor | None]:
    """Whether there is an entry without a seal, and the newest seal: asked on the reading side, which delays no writer."""

    def look(connection: Connection) -> tuple[bool, Anchor | None]:
        return is_due(connection), newest_anchor(connection)

    async with backend.read_engine.connect() as connection:
        return await connection.run_sync(look)


def _seal(backend: Backend, horizon: Horizon, key: SealKey | None, unit: Unit) -> int:
    """On the writer, among the use cases: a writer of its own would make them wait for the file."""
    return seal(unit.connection, backend.clock(), horizon, key)


async def _anchor(backend: Backend, newest: Anchor) -> str | None:
    """Write the newest seal to the anchor's file; returns what the log and the former anchor disagree about.

    A log that was cut off or written anew would else be anchored like any other.
    """
    former = await asyncio.to_thread(backend.seal_files.read_anchor)
    if former is not None:
        async with backend.read_engine.connect() as connection:
            for problem in await connection.run_sync(lambda at: list(contradictions(at, former))):
                return problem
    await asyncio.to_thread(backend.seal_files.write_anchor, newest)
    return None
