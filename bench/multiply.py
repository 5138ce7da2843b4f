"""Multiply a filled database: every customer again, with all child records.

    cp var/demo.db var/demo10.db && python bench/multiply.py sqlite:///var/demo10.db [--times 10]
    createdb --template demo demo10 && python bench/multiply.py postgresql://…/demo10

Plain SQL on a database that is not in use: it skips the rules and the log, which does not grow.  The search index is
rebuilt.  A million customers with three contacts and five follow-ups each take some ten minutes and 8 GB.  PostgreSQL
needs a superuser, because triggers and foreign keys are switched off.
"""

import argparse
from collections.abc import Sequence

from sqlalchemy import Connection, create_engine, text
from sqlalchemy.engine import make_url
from stage import ROOT as ROOT

from models.database.engines import is_sqlite
from resolvers.setup.indexes import rebuild_indexes

TABLES: dict[str, Sequence[str]] = {
    "customer": ("id",),
    "contact": ("id", "customer_id"),
    "contact_point": ("id", "contact_id"),
    "opportunity": ("id", "customer_id", "contact_id"),
    "follow_up": ("id", "customer_id", "contact_id", "opportunity_id"),
    "ownership_period": ("id", "customer_id"),
    "share": ("id", "customer_id"),
}
"""Table -> its columns that change in a copy: the id, and the foreign keys to these tables."""
_SETTINGS = {
    "sqlite": [
        f"PRAGMA {x}"
        for x in ("journal_mode = off", "synchronous = off", "cache_size = -2000000", "foreign_keys = off")
    ],
    "postgresql": ["SET session_replication_role = replica", "SET maintenance_work_mem = '512MB'"],
}
_INDEXES = {
    "sqlite": "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL AND tbl_name = :table",
    "postgresql": "SELECT i.indexname, i.indexdef FROM pg_indexes i WHERE i.tablename = :table AND i.schemaname = 'public' "
    "AND NOT EXISTS (SELECT 1 FROM pg_constraint c WHERE c.conname = i.indexname)",
}


def multiply(connection: Connection, times: int) -> None:
    """Copy the rows until there are `times` times as many, each copy with ids and numbers of its own."""
    dialect = connection.dialect.name
    highest = {t: connection.execute(text(f"SELECT max(id) FROM {t}")).scalar() or 0 for t in TABLES}
    made = [row for table in TABLES for row in connection.execute(text(_INDEXES[dialect]), {"table": table}).all()]
    for name, _ in made:
        connection.exec_driver_sql(f"DROP INDEX {name}")
    for table, keys in TABLES.items():
        columns = list(connection.exec_driver_sql(f"SELECT * FROM {table} LIMIT 0").keys())
        values = ", ".join(_moved(table, column, keys, highest) for column in columns)
        names = ", ".join(f'"{column}"' for column in columns)
        for n in range(1, times):
            copy = (
                f"INSERT INTO {table} ({names}) SELECT {values.format(n=n)} FROM {table} WHERE id <= {highest[table]}"
            )
            connection.exec_driver_sql(copy)
        if dialect == "postgresql":
            connection.exec_driver_sql(
                f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), greatest(max(id), 1)) FROM {table}"
            )
    for _, sql in made:
        connection.exec_driver_sql(sql)


def _moved(table: str, column: str, keys: Sequence[str], highest: dict[str, int]) -> str:
    if column in keys:
        pointed = table if column == "id" else column.removesuffix("_id")
        return f"{column} + {{n}} * {highest[pointed]}"
    is_number = table == "customer" and column in ("number", "number_key", "number_order")
    return f"{column} || '-{{n}}'" if is_number else f'"{column}"'


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("database", help="sqlite:///… or postgresql://…")
    parser.add_argument("--times", type=int, default=10)
    asked = parser.parse_args()
    # Not the product's engine, which begins a transaction each time: SQLite changes its journal mode outside one only.
    driver = "sqlite" if is_sqlite(asked.database) else "postgresql+psycopg"
    engine = create_engine(make_url(asked.database).set(drivername=driver))
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        for setting in _SETTINGS[connection.dialect.name]:
            connection.exec_driver_sql(setting)
        multiply(connection, asked.times)
        if is_sqlite(asked.database):
            connection.exec_driver_sql("PRAGMA journal_mode = wal")
        connection.exec_driver_sql("ANALYZE")
    with engine.begin() as connection:
        rebuild_indexes(connection)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("ANALYZE" if is_sqlite(asked.database) else "VACUUM ANALYZE")
    engine.dispose()


if __name__ == "__main__":
    main()
