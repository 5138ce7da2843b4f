"""Triggers that keep the operation log append-only, which no table definition can say.

One change of an entry is let through: its values become blank, and nothing else changes.  The verification finds every
blank entry that no erasure names (`resolvers/audit/verification.py`).
"""

from typing import Any

from sqlalchemy import Table, event

from ..base import Base

TABLES = ("audit_entry", "audit_seal")
"""The tables whose rows are written once."""

ORDERED_IDS = (
    "ALTER TABLE audit_entry ALTER COLUMN id SET DEFAULT "
    "CASE WHEN pg_current_xact_id() IS NOT NULL THEN nextval('audit_entry_id_seq') END"
)
"""PostgreSQL: a transaction gets its own number before it draws an entry's.  The sealer relies on it: once every
transaction up to a number has ended, no entry below the sequence's state of then can still appear."""


_KEPT = (
    *("id", "at", "actor_id", "actor_name", "behalf_id", "door", "request_id", "batch_id", "action", "entity"),
    *("record_id", "outcome", "values_hash", "hash"),
)
"""The columns of an entry that stay when its values are erased."""


def append_only_statements(dialect: str) -> list[str]:
    """The statements that guard the log, for `dialect`."""
    if dialect == "sqlite":
        return [line for table in TABLES for line in _on_sqlite(table)]
    return [*(line for table in TABLES for line in _on_postgresql(table)), ORDERED_IDS]


def renewed_statements(dialect: str) -> list[str]:
    """The same for a log that is guarded already: the guard against changes of entries is made anew."""
    if dialect == "sqlite":
        return ["DROP TRIGGER IF EXISTS audit_entry_update", _on_sqlite("audit_entry")[0]]
    gone = [f"DROP TRIGGER IF EXISTS audit_entry_{name} ON audit_entry" for name in ("append_only", "update")]
    return [*gone, *_on_postgresql("audit_entry")]


def _blanks(same: str) -> str:
    """Condition: the new row is the old one without its values.  `same`: the operator that takes NULL for a value."""
    kept = " AND ".join(f"NEW.{key} {same} OLD.{key}" for key in _KEPT)
    return (
        f"NEW.label IS NULL AND NEW.reason IS NULL AND CAST(NEW.changes AS TEXT) = '{{}}' AND NEW.salt = '' AND {kept}"
    )


def _on_sqlite(table: str) -> list[str]:
    refused = f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
    replaced = f"EXISTS (SELECT 1 FROM {table} WHERE id = NEW.id)"  # noqa: S608  the names are our own
    unless = f"WHEN NOT ({_blanks('IS')}) " if table == "audit_entry" else ""
    return [
        f"CREATE TRIGGER {table}_update BEFORE UPDATE ON {table} {unless}{refused}",
        f"CREATE TRIGGER {table}_delete BEFORE DELETE ON {table} {refused}",
        # INSERT OR REPLACE deletes without firing the triggers above.
        f"CREATE TRIGGER {table}_replace BEFORE INSERT ON {table} WHEN {replaced} {refused}",
    ]


def _on_postgresql(table: str) -> list[str]:
    made = [
        (
            f"CREATE OR REPLACE FUNCTION {table}_append_only() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$ BEGIN RAISE EXCEPTION '{table} is append-only'; END $$"
        ),
    ]
    each = f"FOR EACH STATEMENT EXECUTE FUNCTION {table}_append_only()"
    if table != "audit_entry":
        return [*made, f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} {each}"]
    return [
        *made,
        f"CREATE TRIGGER {table}_append_only BEFORE DELETE OR TRUNCATE ON {table} {each}",
        (
            f"CREATE TRIGGER {table}_update BEFORE UPDATE ON {table} FOR EACH ROW "
            f"WHEN (NOT ({_blanks('IS NOT DISTINCT FROM')})) EXECUTE FUNCTION {table}_append_only()"
        ),
    ]


@event.listens_for(Base.metadata, "after_create")
def _enforce(_target: Table, connection: Any, **_: Any) -> None:
    for line in append_only_statements(connection.dialect.name):
        connection.exec_driver_sql(line)
