"""Make a filled SQLite database ten times as large: every customer again, with all that hangs on it.

    cp var/demo.db var/demo10.db && python bench/multiply.py var/demo10.db [--times 10]

Plain SQL on a database that nobody works with: it skips the rules and the log, which does not grow.  The search index is
written anew.  A million customers with three contacts and five follow-ups each take some ten minutes and 8 GB.
"""

import argparse
import sqlite3
from collections.abc import Sequence

from stage import ROOT as ROOT

from models.db import writing_engine
from resolvers.indexing import rebuild

TABLES: dict[str, Sequence[str]] = {
    "customer": ("id",),
    "contact": ("id", "customer_id"),
    "contact_point": ("id", "contact_id"),
    "opportunity": ("id", "customer_id", "contact_id"),
    "follow_up": ("id", "customer_id", "contact_id", "opportunity_id"),
    "ownership_period": ("id", "customer_id"),
    "share": ("id", "customer_id"),
}
"""Table -> its keys that move: the id, and what points to another of these tables."""


def multiply(connection: sqlite3.Connection, times: int) -> None:
    """The same rows `times` times, each copy with ids and numbers of its own."""
    highest = {table: connection.execute(f"SELECT max(id) FROM {table}").fetchone()[0] or 0 for table in TABLES}
    marks = ", ".join("?" * len(TABLES))
    made = connection.execute(
        f"SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL AND tbl_name IN ({marks})",
        list(TABLES),
    ).fetchall()
    for name, _ in made:
        connection.execute(f"DROP INDEX {name}")
    for table, keys in TABLES.items():
        columns = [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
        values = ", ".join(_moved(table, column, keys, highest) for column in columns)
        names = ", ".join(f'"{column}"' for column in columns)
        for n in range(1, times):
            copy = f"INSERT INTO {table} ({names}) SELECT {values} FROM {table} WHERE id <= :last"
            connection.execute(copy, {"n": n, "last": highest[table]})
    for _, sql in made:
        connection.execute(sql)


def _moved(table: str, column: str, keys: Sequence[str], highest: dict[str, int]) -> str:
    if column in keys:
        pointed = table if column == "id" else column.removesuffix("_id")
        return f"{column} + :n * {highest[pointed]}"
    return f"{column} || '-' || :n" if (table, column) == ("customer", "number") else f'"{column}"'


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("path")
    parser.add_argument("--times", type=int, default=10)
    asked = parser.parse_args()
    connection = sqlite3.connect(asked.path, isolation_level=None)
    for pragma in ("journal_mode = off", "synchronous = off", "cache_size = -2000000", "foreign_keys = off"):
        connection.execute(f"PRAGMA {pragma}")
    multiply(connection, asked.times)
    connection.execute("PRAGMA journal_mode = wal")
    connection.close()
    engine = writing_engine(f"sqlite:///{asked.path}")
    with engine.begin() as at:
        rebuild(at)
        at.exec_driver_sql("ANALYZE")
    engine.dispose()


if __name__ == "__main__":
    main()
