"""The house: engines, the policy in force, the writer, and who somebody is.  One per process."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection, select, text
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker
from sqlalchemy.orm import Session

from models import Base, PolicyRevision, utcnow
from models.audit import UNWALLED
from models.db import ReadSession, is_sqlite, reading_engine, writing_engine
from policies import Principal, Snapshot, system

from . import identity
from .scope import Scope
from .writer import Writer


class House:
    """Everything that use cases stand on.  `start` before the first request, `close` at the end."""

    def __init__(self, url: str, *, clock: Callable[[], datetime] = utcnow, threads: int = 8) -> None:
        self.url, self.clock = url, clock
        self.dialect = "sqlite" if is_sqlite(url) else "postgresql"
        self.writer = Writer(writing_engine(url, size=threads), threads)
        self.read_engine = reading_engine(url)
        self.sessions = async_sessionmaker(
            self.read_engine, class_=AsyncSession, sync_session_class=ReadSession, expire_on_commit=False
        )
        self.policy = Snapshot("")
        self._tasks: set[asyncio.Task[object]] = set()

    # -- life --------------------------------------------------------------------------------------------

    async def start(self) -> None:
        async with self.read_engine.connect() as connection:
            await connection.run_sync(self.refresh_policy)

    def open(self) -> "House":
        """`start` for the command line and tests."""
        with self.writer.engine.connect() as connection:
            self.refresh_policy(connection)
        return self

    async def close(self) -> None:
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=5)
        await asyncio.to_thread(self.writer.close)
        await self.read_engine.dispose()

    async def ready(self) -> bool:
        """Whether the database answers."""
        async with self.read_engine.connect() as connection:
            return (await connection.execute(text("SELECT 1"))).scalar_one() == 1

    # -- policy ------------------------------------------------------------------------------------------

    def refresh_policy(self, connection: Connection) -> None:
        """Take over the newest revision.  One that cannot be a policy is not taken: the last good one stays."""
        newest = select(PolicyRevision.number, PolicyRevision.text).order_by(PolicyRevision.number.desc()).limit(1)
        found = connection.execute(newest).first()
        if found is not None and found.number != self.policy.revision:
            self.policy = Snapshot(found.text, found.number)

    # -- people ------------------------------------------------------------------------------------------

    async def principal_of(self, token: str, address: str | None = None, agent: str | None = None) -> Principal | None:
        """Whom a session or API token belongs to; None when it is unknown, ended, revoked or its person inactive."""
        now = self.clock()
        async with self.read_engine.connect() as connection:
            found = await connection.run_sync(identity.by_token, token, now)
            if found is None:
                return None
            if found.revision != self.policy.revision:
                await connection.run_sync(self.refresh_policy)
        if found.stale:
            self._later(self.writer.submit(lambda unit: identity.seen(unit.connection, found, now)))
        return found.principal

    def person(self, login: str) -> Principal:
        """The person with this login, for the command line and tests.  Raises NotFound."""
        with self.writer.engine.connect() as connection:
            return identity.by_login(connection, login, self.clock())

    def may_see(self, db: Session, user_id: int, model: type[Base], id: int) -> bool:
        """Whether somebody else may view a record: asked before it is given to him."""
        principal = identity.by_id(db.connection(), user_id, self.clock())
        statement = select(model.__table__.c.id).where(
            model.__table__.c.id == id, self.policy.where(principal, "view", model, model.__table__.c)
        )
        return db.execute(statement, execution_options=UNWALLED).first() is not None

    def scope(self, principal: Principal | None, door: str, **request: str | None) -> Scope:
        return Scope(self, principal, door, **request)  # type: ignore[arg-type]

    def system(self, name: str) -> Scope:
        """A scope of the house itself: `system:demo`.  It acts under policy lines like everybody."""
        return Scope(self, replace(system(name, self.clock())), "system")

    def _later(self, future: "asyncio.Future[object]") -> None:
        async def wait() -> object:
            return await future

        task = asyncio.ensure_future(wait())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
