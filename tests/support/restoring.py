"""Putting back what a test has changed in a PostgreSQL database, on a connection that is kept for all tests.

A row carries the transaction that wrote it (xmin).  So the number of rows and the sum of their xmin say whether a table
is as it was, and asking for them takes a tenth of the time of writing all rows again.
"""

import atexit
from collections.abc import Collection, Iterable
from dataclasses import dataclass

import psycopg
from sqlalchemy.engine import make_url

_TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'alembic_version' ORDER BY 1"
_COUNTERS = "SELECT sequencename FROM pg_sequences WHERE schemaname = 'public' ORDER BY 1"
_SHAPE = """SELECT * FROM
  (SELECT count(*), sum(ascii(tgenabled::text)) FROM pg_trigger) AS triggers,
  (SELECT count(*), sum(relnatts) FROM pg_class WHERE relnamespace = 'public'::regnamespace) AS relations,
  (SELECT count(*), md5(string_agg(pg_get_constraintdef(oid), '' ORDER BY oid)) FROM pg_constraint) AS constraints,
  (SELECT count(*), md5(string_agg(prosrc, '' ORDER BY oid)) FROM pg_proc WHERE pronamespace = 'public'::regnamespace)
    AS functions"""
Marks = dict[str, str]
"""Table or counter -> what changes with its content."""


@dataclass
class Kept:
    """One database over a connection that stays open."""

    connection: psycopg.Connection
    tables: list[str]
    counters: list[str]
    remembered: Marks
    """The marks of the remembered rows, as they are in the tables now."""

    @classmethod
    def at(cls, url: str) -> "Kept":
        address = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
        connection = psycopg.connect(address, autocommit=True)
        tables, counters = ([name for (name,) in connection.execute(asked)] for asked in (_TABLES, _COUNTERS))
        (is_copy,) = connection.execute("SELECT to_regclass('seed.marks_') IS NOT NULL").fetchone() or (False,)
        marks = dict(connection.execute("SELECT name, mark FROM seed.marks_").fetchall()) if is_copy else {}
        return cls(connection, tables, counters, marks)

    def marks(self, of: Collection[str] | None = None) -> Marks:
        """What these tables and counters hold now, all of them when left out, in one statement."""
        names = [*self.tables, *self.counters] if of is None else of
        marks = ", ".join(self._mark(name) for name in names)
        row = self.connection.execute(f"SELECT ARRAY[{marks}]::text[]", prepare=of is None).fetchone()
        assert row is not None, "a SELECT without FROM has a row"
        return dict(zip(names, row[0], strict=True))

    def _mark(self, name: str) -> str:
        if name in self.counters:
            return f"(SELECT last_value || ' ' || is_called FROM public.{name})"
        return f"(SELECT count(*) || ' ' || coalesce(sum(xmin::text::bigint), 0) FROM public.{name})"

    def remember(self) -> None:
        steps = ["CREATE SCHEMA seed", "CREATE TABLE seed.marks_ (name text, mark text)"]
        self.connection.execute(
            ";".join([*steps, *(f"CREATE TABLE seed.{x} AS TABLE public.{x}" for x in self.tables)])
        )
        self.remembered = self.marks()
        rows = list(self.remembered.items())
        self.connection.cursor().executemany("INSERT INTO seed.marks_ VALUES (%s, %s)", rows)

    def restore(self) -> None:
        """Write the remembered rows again wherever the mark is another one."""
        changed = [name for name, mark in self.marks().items() if self.remembered.get(name) != mark]
        if changed:
            with self.connection.transaction():
                self.connection.execute(";".join(self._steps(changed)))
                self.remembered |= self.marks(changed)

    def _steps(self, changed: Iterable[str]) -> Iterable[str]:
        """The session is a replica here: there are no triggers and no foreign keys, so the order does not matter."""
        yield "SET LOCAL lock_timeout = '3s'; SET LOCAL session_replication_role = replica"
        for name in changed:
            if name in self.tables:
                yield f"DELETE FROM public.{name}; INSERT INTO public.{name} SELECT * FROM seed.{name}"
            else:
                last, is_called = self.remembered[name].split()
                yield f"SELECT setval('public.{name}', {last}, {is_called})"

    def shape(self) -> tuple[object, ...]:
        row = self.connection.execute(_SHAPE, prepare=True).fetchone()
        assert row is not None, "aggregates have a row"
        return row


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
