"""A use case run without the panel and rolled back: its answer, its denials and the rows that it would leave."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, func, select
from sqlalchemy.engine import make_url

import models
from models import AuditEntry, Base, errors
from models.audit.entries import Outcome as Logged
from models.errors import Refusal
from resolvers.runtime.batch import Outcome
from resolvers.runtime.scope import Scope
from resolvers.runtime.writer import Unit, attempt_in
from tests.support.world import World

Rows = dict[str, Any]
"""Table -> its rows."""


@dataclass
class DryRun:
    """The answer of a use case, the denials that it would log, and the rows that it would leave."""

    answer: Any
    denied: list[tuple[Any, ...]]
    rows: Rows

    @property
    def ids(self) -> list[int]:
        """The records that it would change."""
        if isinstance(self.answer, Refusal):
            return []
        return self.answer.ids if isinstance(self.answer, Outcome) else [getattr(self.answer, "id", 0)]


def is_in_reach(world: World, login: str, use_case: Callable[[Scope], Any], *beyond: type[Refusal]) -> bool:
    """Whether this user may try: the use case does it, or refuses it for another reason than right or state.

    `beyond`: further refusals that no other input would avoid.
    """
    scope = world.scope(login, "panel")
    with world.backend.writer.engine.connect() as connection:
        transaction, unit = connection.begin(), Unit(connection)
        answer, error = attempt_in(unit, scope._bound(use_case))
        transaction.rollback()
    assert error is None or isinstance(error, Refusal), repr(error)
    problems = [error] if error is not None else answer.problems if isinstance(answer, Outcome) else []
    return not any(isinstance(problem, (*OUT_OF_REACH, *beyond)) for problem in problems)


OUT_OF_REACH = (
    errors.NotFound,
    errors.Forbidden,
    errors.Locked,
    errors.BeyondCeiling,
    errors.AlreadyInPool,
    errors.NotInPool,
    errors.AlreadyClaimed,
    errors.NotPending,
    errors.NotRejected,
    errors.NotLocked,
    errors.NotDeleted,
    errors.InBin,
)
"""Refusals for lack of rights, or because the record is not in the state for it: nothing that a button leads to."""


def dry_run(world: World, login: str, use_case: Callable[[Scope], Any]) -> DryRun:
    """Run a use case as this user, read the rows, and roll back."""
    scope = world.scope(login, "panel")
    with world.backend.writer.engine.connect() as connection:
        transaction, unit = connection.begin(), Unit(connection)
        answer, error = attempt_in(unit, scope._bound(use_case))
        after = _rows(connection)
        transaction.rollback()
    assert error is None or isinstance(error, Refusal), repr(error)
    denied = [(row["action"], row["entity"], row["record_id"]) for row in unit.denied]
    return DryRun(error or answer, denied, after)


def current_rows(world: World) -> Rows:
    """Every row of every table but the log and the keys, without random values."""
    with world.backend.writer.engine.connect() as connection:
        return _rows(connection)


def _rows(connection: Connection) -> Rows:
    """Read past SQLAlchemy's types, because the sweep does it thousands of times."""
    driver: Any = connection.connection.driver_connection
    return {name: driver.execute(query).fetchall() for name, query in _QUERIES.items()}


_ASIDE, _RANDOM = ("audit_entry", "audit_seal", "sign_in_session"), ("delete_batch_id", "edition", "password_hash")
_QUERIES = {
    table.name: "SELECT {} FROM {} ORDER BY {}".format(
        ", ".join(f'"{column.name}"' for column in table.columns if column.name not in _RANDOM),
        table.name,
        ", ".join(f'"{column.name}"' for column in table.primary_key.columns),
    )
    for table in Base.metadata.sorted_tables
    if table.name not in _ASIDE
}


def assert_same(world: World, found: Rows, wanted: Rows, what: Any) -> None:
    """Compare rows; on PostgreSQL their number, because a rolled back insert has used up its id."""
    for table in wanted:
        if world.backend.dialect == "sqlite":
            assert found[table] == wanted[table], (what, table)
        else:
            assert len(found[table]) == len(wanted[table]), (what, table)


def all_rows(world: World) -> Rows:
    """Every row of every table, the log included; of sessions all but the time of their last use."""
    sessions = [{**row, "seen_at": None} for row in world.rows(models.SignInSession)]
    return {**world.everything(), "audit_entry": world.log(), "sign_in_session": sessions}


def denied_since(world: World, mark: int) -> list[tuple[Any, ...]]:
    rows = world.rows(AuditEntry, AuditEntry.id > mark, AuditEntry.outcome == Logged.DENIED)
    return [(row["action"], row["entity"], row["record_id"]) for row in rows]


def newest_entry(world: World) -> int:
    with world.backend.writer.engine.connect() as connection:
        return connection.execute(select(func.max(AuditEntry.id))).scalar_one()


@contextmanager
def put_back(world: World) -> Iterator[Callable[[], None]]:
    """Yields a function that undoes every change since; on PostgreSQL it does nothing."""
    path = make_url(world.backend.url).database or ""
    if world.backend.dialect != "sqlite":
        yield lambda: None
        return
    with closing(sqlite3.connect(":memory:")) as kept, closing(sqlite3.connect(path)) as live:
        live.execute("PRAGMA synchronous=off")
        live.backup(kept)
        yield lambda: kept.backup(live)
