"""The stored keys as a whole: write them anew from the records, and check them against the records."""

from collections.abc import Iterator, Sequence
from typing import Any

import orjson
from sqlalchemy import Connection, Table, delete, func, select

from models import Contact, Customer
from models.duplicate_key import DuplicateKey, Row, keys, rows_of, traits_of_contacts, traits_of_customers
from models.search import SPAN

CHUNK = 1_000
"""Number of customers that are processed at once, with their contacts."""
MOST_CHUNKS = 10
"""Maximum number of chunks that `check` compares, spread over all customers."""

_customers: Any = Customer.__table__
_contacts: Any = Contact.__table__


def rebuild(connection: Connection) -> int:
    """Write all keys anew, in the transaction of the caller; returns their number."""
    connection.execute(delete(keys))
    table, count = DuplicateKey.__table__, 0
    assert isinstance(table, Table)
    indexes = list(table.indexes)
    for index in indexes:
        index.drop(connection)
    for first in _firsts(connection):
        made = _made(connection, first)
        put(connection, made)
        count += len(made)
    for index in indexes:
        index.create(connection)
    return count


def put(connection: Connection, rows: Sequence[Row]) -> None:
    """Insert keys at the driver, without SQLAlchemy's work per row: one statement on SQLite, COPY on PostgreSQL."""
    if not rows:
        return
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql(_PUT, (orjson.dumps(rows).decode(),))
        return
    driver: Any = connection.connection.driver_connection
    with driver.cursor().copy("COPY dup_key (key, doc_id) FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)


_PUT = "INSERT INTO dup_key (key, doc_id) SELECT value ->> 0, value ->> 1 FROM json_each(?)"


def check(connection: Connection) -> Iterator[str]:
    """One sentence for each customer whose keys differ from its record's, of at most MOST_CHUNKS * CHUNK customers."""
    firsts = list(_firsts(connection))
    for first in firsts[:: -(-len(firsts) // MOST_CHUNKS) or 1]:
        in_chunk = keys.c.doc_id.between(first * SPAN, (first + CHUNK) * SPAN - 1)
        stored = {(row.key, row.doc_id) for row in connection.execute(select(keys).where(in_chunk))}
        for customer_id in sorted({doc // SPAN for _, doc in stored ^ set(_made(connection, first))}):
            number = connection.execute(select(_customers.c.number).where(_customers.c.id == customer_id)).scalar()
            name = number or f"with the id {customer_id}, which is gone,"
            yield f"Customer {name} is compared with others by something else than it says: run millpond reindex."


def _firsts(connection: Connection) -> range:
    """The customer id with which each chunk begins."""
    last = connection.execute(select(func.max(_customers.c.id))).scalar() or 0
    return range(1, last + 1, CHUNK)


def _made(connection: Connection, first: int) -> list[Row]:
    last = first + CHUNK - 1
    return rows_of(
        (
            *traits_of_customers(connection, _customers.c.id.between(first, last)),
            *traits_of_contacts(connection, _contacts.c.customer_id.between(first, last)),
        )
    )
