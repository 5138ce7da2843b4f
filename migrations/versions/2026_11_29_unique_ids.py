"""No id is given a second time, also after its record is purged."""

import json
import re
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from alembic import op

revision: str = "2026_11_29_unique_ids"
down_revision: str | None = "2026_11_28_policy_words"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

TABLES_OF = {
    "contact": ["contact", "contact_point"],
    "customer": ["customer"],
    "department": ["department"],
    "dictionary": ["dictionary", "dictionary_item"],
    "followup": ["follow_up"],
    "number": ["number_rule"],
    "opportunity": ["opportunity"],
    "organisation": ["organisation"],
    "pool": ["pool", "pool_member", "claim_rule"],
    "role": ["role", "user_role"],
    "user": ["app_user"],
}
"""Module -> its tables, where only the module of a record is remembered."""
COPIES = {"search_doc"}
"""Tables whose ids are those of other rows."""
GRANTEES = {"USER": "app_user", "DEPARTMENT": "department", "ROLE": "role"}


def upgrade() -> None:
    connection = op.get_bind()
    is_sqlite = connection.dialect.name == "sqlite"
    tables = _declare_autoincrement(connection) if is_sqlite else sa.inspect(connection).get_table_names()
    for table, id in _remembered(connection).items():
        if table in tables:
            (_start_above_on_sqlite if is_sqlite else _start_above_on_postgresql)(connection, table, id)


def downgrade() -> None:
    raise NotImplementedError("go back by restoring a backup")


# --- SQLite ----------------------------------------------------------------------------------------------


def _declare_autoincrement(connection: sa.Connection) -> list[str]:
    """Declare the ids of all tables as AUTOINCREMENT; returns the names of the tables.

    Only the text of the definitions changes: SQLite stores the rows of such a table in the same way.  A copy of each
    table would lose what hangs on it by a cascade, or leave references to the copy.
    """
    connection.exec_driver_sql("CREATE TABLE with_sequence (id INTEGER PRIMARY KEY AUTOINCREMENT)")
    connection.exec_driver_sql("DROP TABLE with_sequence")  # what stays is the table of sequences
    found = connection.exec_driver_sql("SELECT name, sql FROM sqlite_master WHERE type = 'table'").all()
    changed = {name: text for name, sql in found if (text := _with_autoincrement(name, sql or "")) != sql}
    (version,) = connection.exec_driver_sql("PRAGMA schema_version").one()
    connection.exec_driver_sql("PRAGMA writable_schema=ON")
    for name, text in changed.items():
        connection.exec_driver_sql("UPDATE sqlite_master SET sql = ? WHERE type = 'table' AND name = ?", (text, name))
    connection.exec_driver_sql(f"PRAGMA schema_version={version + 1}")
    connection.exec_driver_sql("PRAGMA writable_schema=RESET")
    for name in changed:
        connection.exec_driver_sql(
            f'INSERT INTO sqlite_sequence (name, seq) SELECT ?, coalesce(max(id), 0) FROM "{name}"',  # noqa: S608  a name of the schema
            (name,),
        )
    return list(changed)


def _with_autoincrement(name: str, sql: str) -> str:
    key = re.compile(rf",\s*CONSTRAINT pk_{re.escape(name)} PRIMARY KEY \(id\)")
    column = re.compile(r"(\(\s*id INTEGER NOT NULL)(?=\s*,)")
    if name in COPIES or not key.search(sql) or not column.search(sql):
        return sql
    return column.sub(r"\1 PRIMARY KEY AUTOINCREMENT", key.sub("", sql, count=1), count=1)


def _start_above_on_sqlite(connection: sa.Connection, table: str, id: int) -> None:
    connection.exec_driver_sql("UPDATE sqlite_sequence SET seq = max(seq, ?) WHERE name = ?", (id, table))


# --- PostgreSQL ------------------------------------------------------------------------------------------


def _start_above_on_postgresql(connection: sa.Connection, table: str, id: int) -> None:
    name = connection.scalar(sa.text("SELECT pg_get_serial_sequence(:table, 'id')"), {"table": table})
    if name is None:
        return
    last = connection.scalar(sa.text(f"SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM {name}"))  # noqa: S608  a name of the schema
    if last is not None and last < id:
        connection.execute(sa.text("SELECT setval(:name, :id)"), {"name": name, "id": id})


# --- what is remembered ----------------------------------------------------------------------------------


def _remembered(connection: sa.Connection) -> dict[str, int]:
    """Table -> the highest id that log, tombstones, seats, shares and idempotency keys remember."""
    found: dict[str, int] = defaultdict(int)

    def note(table: str, id: Any) -> None:
        if isinstance(id, int):
            found[table] = max(found[table], id)

    for entity, id in _rows(connection, "SELECT entity, max(record_id) FROM audit_entry GROUP BY entity"):
        note(entity, id)
    for module, id in _rows(connection, "SELECT for_module, max(record_id) FROM tombstone GROUP BY for_module"):
        for table in TABLES_OF.get(module, ()):
            note(table, id)
    for grants in ("pool_member", "share"):
        rows = f"SELECT grantee_kind, max(grantee_id) FROM {grants} GROUP BY grantee_kind"  # noqa: S608  one of two names
        for kind, id in _rows(connection, rows):
            note(GRANTEES[kind], id)
    for action, answer in _rows(connection, "SELECT action, answer FROM idempotency_key"):
        ids = (json.loads(answer) if isinstance(answer, str) else answer).get("ids", [])
        for table in TABLES_OF.get(action.partition(".")[0], ()):
            note(table, max((id for id in ids if isinstance(id, int)), default=0))
    return found


def _rows(connection: sa.Connection, statement: str) -> Sequence[sa.Row[Any]]:
    return connection.exec_driver_sql(statement).all()
