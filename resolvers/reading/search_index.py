"""The whole search index: written anew, and compared with the records."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from sqlalchemy import Connection, func, select

from models import Contact, Customer
from models.search import INDEX, SPAN, Doc, clearing_rules, index_rules, of_contacts, of_customers

from .search import MOST_PIECES, docs, fts, match

CHUNK = 1_000
"""So many customers are taken at once, with their contacts."""
MOST_CHUNKS = 10
"""So many chunks are compared with the records; of more, as many spread over all."""


def rebuild(connection: Connection) -> int:
    """Write every doc anew from the records, in the transaction of the caller; gives their number.

    Nobody else searches, or changes customers and contacts, meanwhile.
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
    """Insert docs as the driver does it fastest, without what SQLAlchemy does for each row."""
    keys = ", ".join(docs.c.keys())
    if connection.dialect.name == "sqlite":
        rows = [(*values, " ".join(pieces)) for *values, pieces in (doc.values() for doc in made)]
        places = ", ".join("?" * len(docs.c))
        connection.exec_driver_sql(f"INSERT INTO search_doc ({keys}) VALUES ({places})", rows)  # noqa: S608  our own names
        return
    driver: Any = connection.connection.driver_connection
    with driver.cursor().copy(f"COPY search_doc ({keys}) FROM STDIN") as copy:
        for *values, pieces in (doc.values() for doc in made):
            copy.write_row((*values, f"{{{','.join(pieces)}}}"))  # no piece has a sign that an array would want quoted


def check(connection: Connection) -> Iterator[str]:
    """One sentence for each record whose doc says something else, or that the index does not lead to.

    Compares the docs of 10,000 customers, and the number of all.
    """
    c, t = Customer.__table__.c, Contact.__table__.c
    numbers = (select(func.count()).select_from(column.table) for column in (c.id, t.id, docs.c.id))
    customers, contacts, known = (connection.execute(number).scalar_one() for number in numbers)
    if known != customers + contacts:
        yield f"There are {customers + contacts:,} customers and contacts, but {known:,} in the search index: run millpond reindex."
    firsts = list(_firsts(connection))
    for first in firsts[:: -(-len(firsts) // MOST_CHUNKS) or 1]:
        kept = {doc["id"]: dict(doc) for doc in _kept(connection, first)}
        made = {doc["id"]: {**doc, "pieces": tuple(doc["pieces"])} for doc in _records(connection, first)}
        wrong = {id for id in made.keys() | kept.keys() if made.get(id) != kept.get(id)}
        lost = (id for id in [*made][:: len(made) - 1 or 1] if not _is_led_to(connection, made[id]))
        for customer_id in sorted({id // SPAN for id in (*wrong, *lost)}):
            yield f"Customer {_number(connection, customer_id)} is found by something else than it says: run millpond reindex."


def _firsts(connection: Connection) -> range:
    """With which id of a customer each chunk begins."""
    last = connection.execute(select(func.max(Customer.__table__.c.id))).scalar() or 0
    return range(1, last + 1, CHUNK)


def _records(connection: Connection, first: int) -> Iterator[Doc]:
    """The docs of a chunk as the records have it."""
    last = first + CHUNK - 1
    yield from of_customers(connection, Customer.__table__.c.id.between(first, last))
    yield from of_contacts(connection, Contact.__table__.c.customer_id.between(first, last))


def _kept(connection: Connection, first: int) -> Iterable[Any]:
    """The docs of a chunk as they are."""
    here = docs.c.id.between(first * SPAN, (first + CHUNK) * SPAN - 1)
    return connection.execute(select(docs).where(here)).mappings()


def _is_led_to(connection: Connection, doc: Doc) -> bool:
    """Whether the index of SQLite knows a doc by its pieces; PostgreSQL looks after its own."""
    if connection.dialect.name != "sqlite":
        return True
    known = select(fts.c.rowid).where(fts.c[INDEX].op("MATCH")(match([doc["pieces"][:MOST_PIECES]])))
    return connection.execute(known.where(fts.c.rowid == doc["id"])).first() is not None


def _number(connection: Connection, customer_id: int) -> str:
    number = select(Customer.__table__.c.number).where(Customer.__table__.c.id == customer_id)
    return connection.execute(number).scalar() or f"with the id {customer_id}, which is gone,"
