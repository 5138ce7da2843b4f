"""Reading beside the requests: a job reads with the rights of this moment, on a connection that writes nothing.

A job runs on a thread without an event loop, so each reading has a loop and a connection of its own for as long as it
lasts.  It holds no lock, and a reading that asks for it sees one state of the database from beginning to end.
"""

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar

from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session

from models.database.engines import ReadSession, reading_engine
from policies import Principal, Snapshot

from .scope import Scope

T = TypeVar("T")


def as_they_are(scope: Scope) -> Scope:
    """The scope with the rights that its person has now, under the policy in force.  Raises NotSignedIn."""
    person, policy = scope.do(_looked_up)
    made = Scope(
        scope.backend, person, scope.door, request_id=scope.request_id, address=scope.address, agent=scope.agent
    ).allowing_one_time_password()
    made.policy = policy
    return made


def _looked_up(scope: Scope) -> tuple[Principal, Snapshot]:
    policy = scope.backend.follow_policy(scope.outer_transaction())
    return scope.person, policy


def read_beside(
    scope: Scope, url: str, reading: Callable[..., T], *args: Any, steadily: bool = False, **kwargs: Any
) -> T:
    """The result of `reading(scope, db, …)`; `steadily`: all its statements see the same state of the database."""

    async def run() -> T:
        engine = reading_engine(url, size=1)
        info = {"principal": scope.person, "policy": scope.policy, "sees_many": False}
        try:
            async with engine.connect() as connection:
                if steadily and scope.backend.dialect == "postgresql":
                    await connection.execution_options(isolation_level="REPEATABLE READ")
                async with AsyncSession(
                    connection, sync_session_class=ReadSession, expire_on_commit=False, info=info
                ) as db:
                    return await db.run_sync(_read)
        finally:
            await engine.dispose()

    def _read(session: Session) -> T:
        return reading(scope, session, *args, **kwargs)

    return asyncio.run(run())
