"""The search index as a whole: rebuild it from the records, and check it against them."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from sqlalchemy import Connection, func, select

from models import Contact, Customer
from models.search import SPAN, Doc, of_contacts, of_customers
from models.search_pieces import quoted
from models.search_rules import INDEX, clearing_rules, index_rules

from .search_conditions import docs
from .search_lookup import fts
from .search_words import MOST_PIECES, match

CHUNK = 1_000
"""Number of customers that are processed at once, with their contacts."""
MOST_CHUNKS = 10
"""Maximum number of chunks that `check` compares, spread over the whole index."""


def rebuild(connection: Connection) -> int:
    """Write every doc anew from the records, in the transaction of the caller; returns their number.

    Searches, and changes of customers and contacts, wait until that transaction ends.
    """
    dialect, count = connection.dialect.name, 0
    for line in clearing_rules(dialect):
        connection.exec_driver_sql(line)
    for first in _firsts(connection):
        made = list(_records(connection, first))
        if made:
            _put(connection, made)
        count += len(made)
    for line in index_rules(dialect):
        connection.exec_driver_sql(line)
    return count


def _put(connection: Connection, made: Sequence[Doc]) -> None:
    """Insert docs at the driver, without SQLAlchemy's work per row: executemany on SQLite, COPY on PostgreSQL."""
    keys = ", ".join(docs.c.keys())
    if connection.dialect.name == "sqlite":
        rows = [(*values, " ".join(pieces)) for *values, pieces in (doc.values() for doc in made)]
        places = ", ".join("?" * len(docs.c))
        connection.exec_driver_sql(f"INSERT INTO search_doc ({keys}) VALUES ({places})", rows)  # noqa: S608  our own names
        return
    driver: Any = connection.connection.driver_connection
    with driver.cursor().copy(f"COPY search_doc ({keys}) FROM STDIN") as copy:
        for *values, pieces in (doc.values() for doc in made):
            copy.write_row((*values, quoted(pieces)))


def check(connection: Connection) -> Iterator[str]:
    """One sentence for each customer whose docs differ from the records, or are not found by the index.

    Compares the docs of at most MOST_CHUNKS * CHUNK customers, and the number of all docs.
    """
    c, t = Customer.__table__.c, Contact.__table__.c
    numbers = (select(func.count()).select_from(column.table) for column in (c.id, t.id, docs.c.id))
    customers, contacts, known = (connection.execute(number).scalar_one() for number in numbers)
    if known != customers + contacts:
        yield f"There are {customers + contacts:,} customers and contacts, but {known:,} in the search index: run millpond reindex."
    firsts = list(_firsts(connection))
    for first in firsts[:: -(-len(firsts) // MOST_CHUNKS) or 1]:
        stored = {doc["id"]: {**doc, "pieces": {*doc["pieces"]}} for doc in _stored(connection, first)}
        made = {doc["id"]: {**doc, "pieces": {*doc["pieces"]}} for doc in _records(connection, first)}
        wrong = {id for id in made.keys() | stored.keys() if made.get(id) != stored.get(id)}
        lost = (id for id in [*made][:: len(made) - 1 or 1] if not _is_led_to(connection, made[id]))
        for customer_id in sorted({id // SPAN for id in (*wrong, *lost)}):
            yield f"Customer {_number(connection, customer_id)} is found by something else than it says: run millpond reindex."


def _firsts(connection: Connection) -> range:
    """The customer id with which each chunk begins."""
    last = connection.execute(select(func.max(Customer.__table__.c.id))).scalar() or 0
    return range(1, last + 1, CHUNK)


def _records(connection: Connection, first: int) -> Iterator[Doc]:
    """The docs of a chunk, made from the records."""
    last = first + CHUNK - 1
    yield from of_customers(connection, Customer.__table__.c.id.between(first, last))
    yield from of_contacts(connection, Contact.__table__.c.customer_id.between(first, last))


def _stored(connection: Connection, first: int) -> Iterable[Any]:
    """The docs of a chunk, as stored."""
    in_chunk = docs.c.id.between(first * SPAN, (first + CHUNK) * SPAN - 1)
    return connection.execute(select(docs).where(in_chunk)).mappings()


def _is_led_to(connection: Connection, doc: Doc) -> bool:
    """Whether SQLite's index finds a doc by its pieces; PostgreSQL keeps its index consistent by itself."""
    if connection.dialect.name != "sqlite":
        return True
    known = select(fts.c.rowid).where(fts.c[INDEX].op("MATCH")(match("sqlite", [[*doc["pieces"]][:MOST_PIECES]])))
    return connection.execute(known.where(fts.c.rowid == doc["id"])).first() is not None


def _number(connection: Connection, customer_id: int) -> str:
    number = select(Customer.__table__.c.number).where(Customer.__table__.c.id == customer_id)
    return connection.execute(number).scalar() or f"with the id {customer_id}, which is gone,"
