"""Enqueueing: the job of a use case, written in its open transaction, so that it exists exactly if the change does."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, insert, select

from models.database.prepared import Prepared
from models.job import Job, JobState

CHANNEL = "millpond_job"
"""The channel on which PostgreSQL tells idle workers of a new job, when its transaction is committed."""
_JOBS: Any = Job.__table__
FRESH: Mapping[str, Any] = {
    "state": JobState.WAITING,
    "turn": 0,
    "position": 0,
    "done": 0,
    "failed": 0,
    "tries": 0,
    "stopping": False,
}
"""The columns of a job that no worker has taken yet."""
_GIVEN = ("kind", "order_key", "arguments", "actor_id", "due_at", "total", "created_at")
_ADD = Prepared(insert(_JOBS).returning(_JOBS.c.id), [*_GIVEN, *FRESH])
_WAKE = Prepared(select(func.pg_notify(CHANNEL, "")))


def enqueue(
    connection: Connection,
    actor_id: int | None,
    now: datetime,
    kind: str,
    arguments: Mapping[str, Any],
    *,
    order_key: str | None = None,
    due_at: datetime | None = None,
    total: int | None = None,
) -> int:
    """The id of a new job of this kind, which runs with the rights of the actor, not before `due_at`.

    `order_key`: jobs with the same key run one after the other.  `total`: how many records it is about, where that is
    known.
    """
    row = {"kind": kind, "order_key": order_key, "arguments": dict(arguments), "actor_id": actor_id, "total": total}
    added = _ADD.rows(connection, **row, due_at=due_at or now, created_at=now, **FRESH)
    wake(connection)
    return int(added[0][0])


def wake(connection: Connection) -> None:
    """Tell idle workers, once this transaction is committed.  On SQLite they see the commit itself."""
    if connection.dialect.name == "postgresql":
        _WAKE.rows(connection)
