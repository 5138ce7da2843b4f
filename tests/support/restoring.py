"""Putting back what a test has changed in a PostgreSQL database, on a connection that is kept for all tests.

A row carries the transaction that wrote it (xmin).  So the number of rows and the sum of their xmin say whether a table
is as it was, and asking for them takes a tenth of the time of writing all rows again.
"""

import atexit
from collections.abc import Iterable
from dataclasses import dataclass

import psycopg
from sqlalchemy.engine import make_url

_TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'alembic_version' ORDER BY 1"
_COUNTERS = "SELECT sequencename FROM pg_sequences WHERE schemaname = 'public' ORDER BY 1"
_SHAPE = (
    "SELECT count(*), sum(ascii(tgenabled::text)) FROM pg_trigger",
    "SELECT count(*), sum(relnatts) FROM pg_class WHERE relnamespace = 'public'::regnamespace",
    "SELECT count(*), md5(string_agg(pg_get_constraintdef(oid), '' ORDER BY oid)) FROM pg_constraint",
    "SELECT count(*), md5(string_agg(prosrc, '' ORDER BY oid)) FROM pg_proc WHERE pronamespace = 'public'::regnamespace",
)
Marks = dict[str, str]
"""Table or counter -> what changes with its content."""


@dataclass
class Kept:
    """One database over a connection that stays open."""

    connection: psycopg.Connection
    tables: list[str]
    counters: list[str]

    @classmethod
    def at(cls, url: str) -> "Kept":
        address = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
        connection = psycopg.connect(address, autocommit=True)
        tables, counters = ([name for (name,) in connection.execute(asked)] for asked in (_TABLES, _COUNTERS))
        return cls(connection, tables, counters)

    def marks(self) -> Marks:
        """What every table and counter holds now, in one statement."""
        marks = [
            f"(SELECT count(*) || ' ' || coalesce(sum(xmin::text::bigint), 0) FROM public.{x})" for x in self.tables
        ]
        marks += [f"(SELECT last_value || ' ' || is_called FROM public.{x})" for x in self.counters]
        row = self.connection.execute(f"SELECT ARRAY[{', '.join(marks)}]", prepare=True).fetchone()
        assert row is not None, "a SELECT without FROM has a row"
        return dict(zip([*self.tables, *self.counters], row[0], strict=True))

    def remember(self) -> None:
        steps = ["CREATE SCHEMA seed", "CREATE TABLE seed.marks_ (name text, mark text)"]
        self.connection.execute(
            ";".join([*steps, *(f"CREATE TABLE seed.{x} AS TABLE public.{x}" for x in self.tables)])
        )
        self._write_marks([*self.tables, *self.counters])

    def restore(self) -> None:
        """Write the remembered rows again wherever the mark is another one."""
        remembered: Marks = dict(self.connection.execute("SELECT name, mark FROM seed.marks_", prepare=True).fetchall())
        changed = [name for name, mark in self.marks().items() if remembered.get(name) != mark]
        if not changed:
            return
        with self.connection.transaction():
            self.connection.execute("SET LOCAL lock_timeout = '3s'; SET LOCAL session_replication_role = replica")
            self.connection.execute(";".join(self._steps(changed, remembered)))
            self._write_marks([x for x in changed if x in self.tables])

    def _steps(self, changed: Iterable[str], remembered: Marks) -> Iterable[str]:
        """The session is a replica here: there are no triggers and no foreign keys, so the order does not matter."""
        for name in changed:
            if name in self.tables:
                yield f"DELETE FROM public.{name}; INSERT INTO public.{name} SELECT * FROM seed.{name}"
            else:
                last, is_called = remembered[name].split()
                yield f"SELECT setval('public.{name}', {last}, {is_called})"

    def _write_marks(self, names: list[str]) -> None:
        now = self.marks()
        self.connection.execute("DELETE FROM seed.marks_ WHERE name = ANY(%s)", [names])
        self.connection.cursor().executemany("INSERT INTO seed.marks_ VALUES (%s, %s)", [(x, now[x]) for x in names])

    def shape(self) -> tuple[object, ...]:
        return tuple(self.connection.execute(asked, prepare=True).fetchone() for asked in _SHAPE)


_kept: dict[str, Kept] = {}


def kept(url: str) -> Kept:
    """The database at this address, over the connection of the last time where the server has not ended it."""
    known = _kept.get(url)
    if known is not None:
        try:
            known.connection.execute("")
            return known
        except psycopg.OperationalError:
            known.connection.close()
    _kept[url] = Kept.at(url)
    return _kept[url]


@atexit.register
def _let_go() -> None:
    for known in _kept.values():
        known.connection.close()
