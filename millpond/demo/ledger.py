"""Bulk insert of rows in chunks, and of their log entries in the order of time.

The flush listener that logs every other change would take an hour for the largest demo.  So the entries are made here,
by the same function, and the invariants are checked afterwards.
"""

import heapq
from collections import Counter, defaultdict
from collections.abc import Mapping
from datetime import datetime
from typing import Any, cast

from sqlalchemy import Connection, Table, func, insert, select, text

from models import AuditEntry, Base, Entity
from models.audit.entries import SILENT, Changes, Signature, entry, plain
from models.database.compiled import CompiledStatement, compile_statement
from models.keys import with_keys

_ORDER = {table.name: place for place, table in enumerate(Base.metadata.sorted_tables)}
"""Table -> its place in an order in which every row comes after the rows that it refers to."""


class Ledger:
    """Collects rows and log entries for one connection; `write` inserts those that are due."""

    def __init__(self, connection: Connection, signature: Signature) -> None:
        self.connection, self.signature = connection, signature
        self.rows: dict[type[Base], list[dict[str, Any]]] = defaultdict(list)
        self.counts: Counter[type[Base]] = Counter()
        self._next: dict[type[Base], int] = {}
        self._entries: list[tuple[datetime, int, dict[str, Any]]] = []
        self._noted = 0
        self._inserts: dict[type[Base], CompiledStatement] = {}

    def add(self, model: type[Base], row: dict[str, Any]) -> int:
        """Collect a row for the next `write`; returns its id.  Every row of a model has the same keys."""
        if "id" not in row:
            row["id"] = self.next_id(model)
        self.rows[model].append(row)
        self.counts[model] += 1
        return int(row["id"])

    def next_id(self, model: type[Base]) -> int:
        """The next free id of a table."""
        if model not in self._next:
            self._next[model] = self.connection.execute(select(func.max(model.__table__.c.id))).scalar() or 0
        self._next[model] += 1
        return self._next[model]

    def note(
        self,
        at: datetime,
        action: str,
        model: type[Entity],
        row: Mapping[str, Any],
        changes: Changes,
        behalf_id: int | None,
        reason: str | None = None,
    ) -> None:
        """Collect a log entry: the demo's system principal acted on behalf of a user, at that time."""
        mine = self.signature
        signature = Signature(
            mine.actor_id, mine.actor_name, mine.door, mine.request_id, mine.batch_id, action, behalf_id, reason
        )
        made = entry(signature, at, model.__tablename__, row["id"], changes, label=str(row[model.named_by])[:200])
        self._noted += 1
        heapq.heappush(self._entries, (at, self._noted, made))

    def write(self, until: datetime | None = None) -> None:
        """Insert the collected rows, and the entries before `until` (all entries without it)."""
        for model in sorted(self.rows, key=lambda model: _ORDER[model.__tablename__]):
            self._insert(model, self.rows[model])
        self.rows.clear()
        due = []
        while self._entries and (until is None or self._entries[0][0] < until):
            due.append(heapq.heappop(self._entries)[2])
        if due:
            self._insert(AuditEntry, due)

    def close(self) -> None:
        """Insert everything that is left, and set PostgreSQL's sequences to the ids used."""
        self.write()
        if self.connection.dialect.name == "postgresql":
            for model, last in self._next.items():
                sequence = {"table": model.__tablename__, "last": last}
                self.connection.execute(text("SELECT setval(pg_get_serial_sequence(:table, 'id'), :last)"), sequence)

    def _insert(self, model: type[Base], rows: list[dict[str, Any]]) -> None:
        rows = [with_keys(model, row) for row in rows]
        if model not in self._inserts:  # compiled once: SQLAlchemy would do some of that again for every row
            insert_ = insert(cast("Table", model.__table__)).inline()
            self._inserts[model] = compile_statement(insert_, self.connection.dialect, list(rows[0]))
        statement = self._inserts[model]
        self.connection.exec_driver_sql(statement.text, [statement.values(row) for row in rows])


def born(row: Mapping[str, Any]) -> Changes:
    """The changes that the log records for a new row: every value that is not None."""
    return {key: [None, plain(value)] for key, value in row.items() if value is not None and key not in SILENT}


def changed(row: dict[str, Any], new: Mapping[str, Any]) -> Changes:
    """Put the new values into `row`; returns the changes for the log."""
    pairs = {key: [plain(row[key]), plain(value)] for key, value in new.items()}
    row.update(new)
    return {key: pair for key, pair in pairs.items() if pair[0] != pair[1]}
