"""The search index: the text of customers and contacts, folded and split into pieces that an index can look up.

Folded text is simplified Chinese without width and case, so 華興 and 华兴 are found alike.  Names are also found by pinyin.

A doc is one row for each customer and each contact, written by the flush that writes the record.  The pieces of a word
lead to the docs that may contain it, by FTS5 on SQLite and by GIN on PostgreSQL.  The text in the doc decides, so both
databases find the same.  A doc contains values that some users may not see: only the search reads it, under the policy.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any, cast

import orjson
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Integer,
    Select,
    Table,
    bindparam,
    delete,
    event,
    insert,
    inspect,
    select,
    update,
)
from sqlalchemy.orm import Mapped, Session, mapped_column

from .base import Base, Prose
from .contact import Contact, ContactPoint, PointKind, key_of
from .customer import Customer
from .database.bypass import Because, bypass_policy
from .database.prepared import Prepared
from .database.sqlalchemy_internals import former_values
from .database.values import PreparedOfMany
from .former_name import FormerName, NameKind  # its names are written first, because it is imported first
from .search_customs import as_json, custom_texts
from .search_pieces import Pieces, fold, pieces_of, quoted
from .search_rules import index_rules
from .sounds import sounds_of

BITS = 31
SPAN = 1 << BITS
"""The id of a doc is its customer's times this, plus its contact's: the docs of a customer are adjacent, and the index
alone tells whose a doc is."""


class SearchDoc(Base):
    """The searchable text of one customer or contact, with a line for each of several values."""

    __tablename__ = "search_doc"

    # No foreign keys: a doc is deleted after its record, in the same flush, and each key would need an index.
    id: Mapped[int] = mapped_column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False)
    customer_id: Mapped[int]
    contact_id: Mapped[int | None]
    """None in the doc of the customer itself."""
    number: Mapped[Prose]
    name: Mapped[Prose]
    sounds: Mapped[Prose]
    """The pinyin of the names (`models/sounds.py`)."""
    phones: Mapped[Prose]
    addresses: Mapped[Prose]
    customs: Mapped[Prose] = mapped_column(server_default="")
    """The texts of custom fields by key, as JSON (`models/search_customs.py`); empty for none."""
    pieces: Mapped[tuple[str, ...]] = mapped_column(Pieces())


Doc = dict[str, Any]
NOTHING: Mapping[str, str] = {}
"""What a record without custom fields holds of them."""
Clause = ColumnElement[bool]
_doc, _customer, _contact, _point, _former = (
    cast("Table", model.__table__) for model in (SearchDoc, Customer, Contact, ContactPoint, FormerName)
)

# --- docs ------------------------------------------------------------------------------------------------


def of_customers(at: Session | Connection, which: Clause) -> Iterator[Doc]:
    """The docs of customers with their former names and numbers, from the records as they stand.  One query."""
    return _docs_of(at, at.execute(_customers().where(which), execution_options=bypass_policy(Because.FILLS_INDEX)))


def _customers() -> Select[Any]:
    c, f = _customer.c, _former.c
    named = select(c.id, c.number, c.name, c.phone, c.email, c.custom, f.kind, f.value)
    return named.join_from(_customer, _former, f.customer_id == c.id, isouter=True).order_by(
        c.id, f.at.desc(), f.id.desc()
    )


def _docs_of(at: Session | Connection, rows: Iterable[Any]) -> Iterator[Doc]:
    """The docs of customers, from the rows of `_customers`."""
    found = [(known, list(former)) for known, former in groupby(rows, itemgetter(slice(6)))]
    texts = custom_texts(at, Customer.module, (known[-1] for known, _ in found))
    for ((id, number, name, phone, email, _custom), former), customs in zip(found, texts, strict=True):
        named: dict[NameKind, list[str]] = {NameKind.NUMBER: [number], NameKind.NAME: [name]}
        for *_, kind, value in former:
            named.get(kind, []).append(value)
        numbers, names = ("\n".join(dict.fromkeys(map(fold, known))) for known in named.values())
        yield _of_customer(id, numbers, names, phone, email, customs)


def doc_of_customer(
    id: int, number: str, name: str, phone: str | None, email: str | None, customs: Mapping[str, str] = NOTHING
) -> Doc:
    """The doc of a new customer; `customs` are its texts by `custom_texts`."""
    return _of_customer(id, fold(number), fold(name), phone, email, customs)


def _of_customer(
    id: int, numbers: str, names: str, phone: str | None, email: str | None, customs: Mapping[str, str]
) -> Doc:
    phones = [key_of(PointKind.PHONE, phone)] if phone else []
    return _made(id, None, numbers, names, phones, [fold(email)] if email else [], customs)


def of_contacts(at: Session | Connection, which: Clause) -> Iterator[Doc]:
    """The docs of contacts, from the records as they stand.  Two queries."""
    t, p = _contact.c, _point.c
    points: dict[int, list[tuple[PointKind, str]]] = defaultdict(list)
    kept = select(p.contact_id, p.kind, p.value_key).join(_contact, t.id == p.contact_id).where(which)
    for id, kind, key in at.execute(
        kept.order_by(p.contact_id, p.position, p.id), execution_options=bypass_policy(Because.FILLS_INDEX)
    ):
        points[id].append((kind, key))
    rows = at.execute(
        select(t.id, t.customer_id, t.name, t.custom).where(which), execution_options=bypass_policy(Because.FILLS_INDEX)
    ).all()
    texts = custom_texts(at, Contact.module, (row.custom for row in rows))
    for (id, customer_id, name, _custom), customs in zip(rows, texts, strict=True):
        yield doc_of_contact(customer_id, id, name, points[id], customs)


def doc_of_contact(
    customer_id: int,
    id: int,
    name: str,
    points: Iterable[tuple[PointKind, str]],
    customs: Mapping[str, str] = NOTHING,
) -> Doc:
    """The doc of a contact with these phones and addresses, which are given by the keys that are compared."""
    phones, addresses = list[str](), list[str]()
    for kind, key in points:
        phones.append(key) if kind is PointKind.PHONE else addresses.append(fold(key))
    return _made(customer_id, id, "", fold(name), phones, addresses, customs)


def doc_id(customer_id: int, contact_id: int | None = None) -> int:
    return customer_id * SPAN + (contact_id or 0)


def _made(
    customer_id: int,
    contact_id: int | None,
    number: str,
    name: str,
    phones: Iterable[str],
    addresses: Iterable[str],
    customs: Mapping[str, str],
) -> Doc:
    texts = [*customs.values()]
    codes = (*phones, *addresses, *filter(str.isdigit, texts))
    sounds = "" if name.isascii() else "\n".join(filter(None, map(sounds_of, name.split("\n"))))
    return {
        "id": doc_id(customer_id, contact_id),
        "customer_id": customer_id,
        "contact_id": contact_id,
        "number": number,
        "name": name,
        "sounds": sounds,
        "phones": "\n".join(phones),
        "addresses": "\n".join(addresses),
        "customs": as_json(customs),
        "pieces": pieces_of(number, "\n".join((name, *texts)), sounds, codes),
    }


# --- written with the record -----------------------------------------------------------------------------

_THESE_CUSTOMERS = PreparedOfMany(
    lambda source, id_: _customers().where(_customer.c.id.in_(select(id_).select_from(source))),
    Integer,
    because=Because.FILLS_INDEX,
)
_COLUMNS = [column.name for column in _doc.c]
_PUT = Prepared(insert(_doc), _COLUMNS)
_COPIED = 8
"""Number of docs above which PostgreSQL takes them by COPY."""
_MEMBERS = ", ".join(f"value ->> {n}" for n in range(len(_COLUMNS)))
_PUT_ALL = f"INSERT INTO search_doc ({', '.join(_COLUMNS)}) SELECT {_MEMBERS} FROM json_each(?)"  # noqa: S608  our own names
_RENEW = Prepared(update(_doc).where(_doc.c.id == bindparam("doc")), ["customs", "pieces"])
_TAKE = Prepared(delete(_doc).where(_doc.c.id == bindparam("doc")))

SEARCHED: dict[type[object], tuple[str, ...]] = {
    Customer: ("number", "name", "phone", "email", "custom"),
    Contact: ("customer_id", "name", "custom"),
    ContactPoint: ("contact_id", "kind", "value_key", "position"),
}
"""The columns that a doc is made of."""


@event.listens_for(Session, "after_flush")
def _follow_the_flush(session: Session, _context: object) -> None:
    changed = [row for row in (*session.new, *session.dirty, *session.deleted) if _is_changed(session, row)]
    if not changed:
        return
    customers = {row.id for row in changed if isinstance(row, Customer)}
    contacts = {row.id for row in changed if isinstance(row, Contact)}
    contacts |= {id for row in changed if isinstance(row, ContactPoint) for id in _values(row, "contact_id")}
    stale = {doc_id(id) for id in customers}
    stale |= {doc_id(of, row.id) for row in changed if isinstance(row, Contact) for of in _values(row, "customer_id")}
    made = _docs_now(session, customers)
    made += of_contacts(session, _contact.c.id.in_(contacts)) if contacts else ()
    _replace(session, stale | {doc["id"] for doc in made}, made)


def refresh(session: Session, customers: Collection[int]) -> None:
    """Write the docs of customers again whose former names are other ones."""
    session.flush()
    _replace(session, {doc_id(id) for id in customers}, _docs_now(session, customers))


def renew(session: Session, model: type[Customer | Contact], ids: Collection[int]) -> None:
    """Write the docs of these records in their place, while whoever changes one of them waits.

    Docs are locked before the records are read, so that what is written last is also newest.
    """
    made = [*_docs_by_id(session, model, ids)]
    if session.get_bind().dialect.name == "postgresql":
        for _ in range(2):  # one that was replaced while the first statement waited is seen by the second alone
            held = select(_doc.c.id).where(_doc.c.id.in_([doc["id"] for doc in made])).order_by(_doc.c.id)
            session.execute(held.with_for_update(), execution_options=bypass_policy(Because.FILLS_INDEX)).all()
        made = [*_docs_by_id(session, model, ids)]
    rows = [{"doc": doc["id"], "customs": doc["customs"], "pieces": doc["pieces"]} for doc in made]
    if rows:
        _RENEW.run_each(session, rows)


def _docs_by_id(session: Session, model: type[Customer | Contact], ids: Collection[int]) -> Iterator[Doc]:
    if model is Customer:
        return of_customers(session, _customer.c.id.in_(ids))
    return of_contacts(session, _contact.c.id.in_(ids))


def _docs_now(session: Session, customers: Iterable[int]) -> list[Doc]:
    """The docs of customers as they were flushed."""
    with session.no_autoflush:
        return [*_docs_of(session, _THESE_CUSTOMERS.rows(session, sorted(customers)))]


def _replace(session: Session, stale: set[int], made: list[Doc]) -> None:
    if stale:
        _TAKE.run_each(session, [{"doc": id} for id in sorted(stale)])
    put_docs(session.connection(), made)


def put_docs(connection: Connection, docs: Sequence[Doc]) -> None:
    """Insert docs.  On SQLite in one statement, because FTS5 writes its index down at the end of each."""
    if len(docs) > _COPIED and connection.dialect.name != "sqlite":
        _copy(connection, docs)
    elif len(docs) > 1 and connection.dialect.name == "sqlite":
        told = [[" ".join(doc[key]) if key == "pieces" else doc[key] for key in _COLUMNS] for doc in docs]
        connection.exec_driver_sql(_PUT_ALL, (orjson.dumps(told).decode(),))
    elif docs:
        _PUT.run_each(connection, docs)


def _copy(connection: Connection, docs: Sequence[Doc]) -> None:
    driver: Any = connection.connection.driver_connection
    with driver.cursor().copy(f"COPY search_doc ({', '.join(_COLUMNS)}) FROM STDIN") as copy:
        for doc in docs:
            copy.write_row([quoted(doc[key]) if key == "pieces" else doc[key] for key in _COLUMNS])


def _is_changed(session: Session, row: object) -> bool:
    """Whether a flush created, deleted or changed something that is searched."""
    keys = SEARCHED.get(type(row), ())
    if not keys or row in session.new or row in session.deleted:
        return bool(keys)
    state: Any = inspect(row)
    former = former_values(row)
    return any(key in former and state.attrs[key].history.has_changes() for key in keys)


def _values(row: Any, key: str) -> set[int]:
    """The value of a column of a flushed row, and the one before."""
    return {getattr(row, key), *(inspect(row).attrs[key].history.deleted or ())} - {None}


@event.listens_for(_doc, "after_create")
def _make_index(_target: Table, connection: Connection, **_: Any) -> None:
    for line in index_rules(connection.dialect.name):
        connection.exec_driver_sql(line)
