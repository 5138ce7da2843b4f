"""The database of `read_path.py`: a copy of a given one, prepared for claims and searches, deleted afterwards.

A copy, because claims change it and peers add tables and functions.  All pooled customers move into one pool that has
every kind of claim rule, with quotas and capacity that are never reached.
"""

import asyncio
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import Engine, create_engine, text
from sqlalchemy.engine import make_url
from stage import copied

from resolvers.people import tokens as token_cases
from resolvers.runtime.backend import Backend

POOL = 1  # the national pool of the demo
PEOPLE = 16  # of the users that `crowd.py` adds: those who claim
_READY = (
    f"UPDATE customer SET pool_id = {POOL} WHERE pool_id IS NOT NULL AND deleted_at IS NULL",
    f"UPDATE claim_rule SET daily_quota = 1000000, weekly_quota = 1000000, capacity = 1000000 WHERE pool_id = {POOL}",
)
_FUNCTIONS = (
    "CREATE TABLE claim_log (id serial PRIMARY KEY, at timestamptz NOT NULL, user_id integer NOT NULL, action text NOT NULL, entity text NOT NULL, record_id integer NOT NULL)",
    "CREATE INDEX ix_claim_log_record ON claim_log (entity, record_id, id)",
    """
    CREATE FUNCTION claim_customer(customer_id integer, user_id integer) RETURNS customer LANGUAGE plpgsql VOLATILE AS $$
    DECLARE claimed customer;
    BEGIN
      UPDATE customer c SET owner_id = claim_customer.user_id, pool_id = NULL, pooled_at = NULL, claimed_at = now(),
             updated_at = now(), updated_by_id = claim_customer.user_id, version = version + 1
       WHERE c.id = claim_customer.customer_id AND c.pool_id IS NOT NULL AND c.deleted_at IS NULL RETURNING c.* INTO claimed;
      IF FOUND THEN
        INSERT INTO claim_log (at, user_id, action, entity, record_id)
        VALUES (now(), claim_customer.user_id, 'claim', 'customer', claim_customer.customer_id);
      END IF;
      RETURN claimed;
    END $$
    """,
    """
    CREATE FUNCTION search_customers(q text) RETURNS SETOF customer LANGUAGE sql STABLE AS $$
      SELECT * FROM customer c WHERE c.name LIKE '%' || q || '%' AND c.deleted_at IS NULL
       ORDER BY c.created_at DESC, c.id DESC $$
    """,
)


@dataclass
class Ground:
    """The address of the copy, and user id -> token of the users who claim."""

    url: str
    tokens: dict[int, str] = field(default_factory=dict)

    def engine(self) -> Engine:
        """An engine that reads the copy without policy."""
        at = make_url(self.url)
        return create_engine(at.set(drivername="sqlite" if self.is_file else "postgresql+psycopg"))

    @property
    def is_file(self) -> bool:
        return make_url(self.url).get_backend_name() == "sqlite"


@contextmanager
def ground(url: str) -> Iterator[Ground]:
    """A prepared copy of this database.  On PostgreSQL no client may be connected to it; a GB takes some 15 seconds."""
    made = _file(url) if make_url(url).get_backend_name() == "sqlite" else copied(url, "bench")
    with made as copy:
        found = Ground(copy)
        engine = found.engine()
        with engine.begin() as connection:
            for step in _READY if found.is_file else _READY + _FUNCTIONS:
                connection.execute(text(step))
        engine.dispose()
        found.tokens = asyncio.run(_tokens(copy))
        yield found


@contextmanager
def _file(url: str) -> Iterator[str]:
    folder = tempfile.mkdtemp(prefix="mp-bench-")
    try:
        with sqlite3.connect(str(make_url(url).database)) as source, sqlite3.connect(f"{folder}/bench.db") as copy:
            source.backup(copy)
        yield f"sqlite:///{Path(folder) / 'bench.db'}"
    finally:
        shutil.rmtree(folder, ignore_errors=True)


async def _tokens(url: str) -> dict[int, str]:
    backend = Backend(url).open()
    try:
        people = [backend.person(f"crowd{n}") for n in range(1, PEOPLE + 1)]
        return {
            person.id: backend.scope(person, "bench").do(token_cases.create_token, "bench").token for person in people
        }
    finally:
        await backend.close()
