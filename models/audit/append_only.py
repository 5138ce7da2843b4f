"""Triggers that keep the operation log append-only, which no table definition can say."""

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


def append_only_statements(dialect: str) -> list[str]:
    """The statements that guard the log, for `dialect`."""
    if dialect == "sqlite":
        return [line for table in TABLES for line in _on_sqlite(table)]
    return [*(line for table in TABLES for line in _on_postgresql(table)), ORDERED_IDS]


def _on_sqlite(table: str) -> list[str]:
    refused = f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
    replaced = f"EXISTS (SELECT 1 FROM {table} WHERE id = NEW.id)"  # noqa: S608  the names are our own
    return [
        f"CREATE TRIGGER {table}_update BEFORE UPDATE ON {table} {refused}",
        f"CREATE TRIGGER {table}_delete BEFORE DELETE ON {table} {refused}",
        # INSERT OR REPLACE deletes without firing the triggers above.
        f"CREATE TRIGGER {table}_replace BEFORE INSERT ON {table} WHEN {replaced} {refused}",
    ]


def _on_postgresql(table: str) -> list[str]:
    return [
        (
            f"CREATE OR REPLACE FUNCTION {table}_append_only() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$ BEGIN RAISE EXCEPTION '{table} is append-only'; END $$"
        ),
        (
            f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
            f"FOR EACH STATEMENT EXECUTE FUNCTION {table}_append_only()"
        ),
    ]


@event.listens_for(Base.metadata, "after_create")
def _enforce(_target: Table, connection: Any, **_: Any) -> None:
    for line in append_only_statements(connection.dialect.name):
        connection.exec_driver_sql(line)
