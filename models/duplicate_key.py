"""Stored keys: under what each customer and each contact is found when another one like it is entered.

A key is a number made of its kind and a hash, so a row has 16 bytes; what is found is judged by its text.  Rows are
written by the flush that writes the record.  Records in the recycle bin keep theirs.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, cast

from sqlalchemy import BigInteger, Connection, Index, Integer, Table, bindparam, delete, event, insert, inspect, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from .base import Base
from .contact import Contact, ContactPoint, PointKind
from .customer import Customer
from .database.bypass import Because, bypass_policy
from .database.prepared import Prepared
from .database.sqlalchemy_internals import former_values
from .database.values import PreparedOfMany
from .duplicates import Traits
from .search import Clause, doc_id

_BIG = BigInteger().with_variant(Integer, "sqlite")


class DuplicateKey(Base):
    """One key of one customer or contact.  No foreign keys, as for search docs."""

    __tablename__ = "dup_key"

    key: Mapped[int] = mapped_column(_BIG, primary_key=True, autoincrement=False)
    doc_id: Mapped[int] = mapped_column(_BIG, primary_key=True, autoincrement=False)
    """As in the search index: the id of a customer times 2**31, plus that of its contact."""

    __table_args__ = (Index("ix_dup_key_doc_id", "doc_id"), {"sqlite_with_rowid": False})


Row = tuple[int, int]
"""(key, doc id)"""

keys, _customer, _contact, _point = (
    cast("Table", model.__table__) for model in (DuplicateKey, Customer, Contact, ContactPoint)
)

# --- what the keys are made of ---------------------------------------------------------------------------

CUSTOMER_TRAITS = ("name", "phone", "email", "registration_number")
"""The columns of a customer that its keys are made of."""
COMPARED: dict[type[object], tuple[str, ...]] = {
    Customer: CUSTOMER_TRAITS,
    Contact: ("customer_id", "name"),
    ContactPoint: ("contact_id", "kind", "value"),
}


def customer_traits(name: str | None, phone: str | None, email: str | None, registration: str | None) -> Traits:
    return Traits(name or "", _some(phone), _some(email), registration or "")


def contact_traits(customer_id: int, name: str, points: Iterable[tuple[PointKind, str]]) -> Traits:
    """A contact's customer stands for its place: one name at two customers means two people."""
    points = list(points)
    phones = tuple(value for kind, value in points if kind is PointKind.PHONE)
    emails = tuple(value for kind, value in points if kind is PointKind.EMAIL)
    return Traits(name, phones, emails, person_at=str(customer_id))


def traits_of_customers(at: Session | Connection, which: Clause) -> Iterator[tuple[int, Traits]]:
    """(doc id, traits) of customers, from the records as they stand, without their contacts.  One query."""
    c = _customer.c
    found = select(c.id, *(c[key] for key in CUSTOMER_TRAITS)).where(which)
    for id, *traits in at.execute(found, execution_options=bypass_policy(Because.FILLS_INDEX)):
        yield doc_id(id), customer_traits(*traits)


def traits_of_contacts(at: Session | Connection, which: Clause) -> Iterator[tuple[int, Traits]]:
    """(doc id, traits) of contacts, from the records as they stand.  Two queries."""
    t, p = _contact.c, _point.c
    points: dict[int, list[tuple[PointKind, str]]] = defaultdict(list)
    kept = select(p.contact_id, p.kind, p.value).join(_contact, t.id == p.contact_id).where(which)
    for id, kind, value in at.execute(
        kept.order_by(p.contact_id, p.position, p.id), execution_options=bypass_policy(Because.FILLS_INDEX)
    ):
        points[id].append((kind, value))
    found = select(t.id, t.customer_id, t.name).where(which)
    for id, customer_id, name in at.execute(found, execution_options=bypass_policy(Because.FILLS_INDEX)):
        yield doc_id(customer_id, id), contact_traits(customer_id, name, points[id])


def rows_of(traits: Iterable[tuple[int, Traits]]) -> list[Row]:
    """The rows of records with these traits, in the order of their keys, in which an index takes them fastest."""
    return sorted({(key, doc) for doc, each in traits for key in each.hashed_keys})


def _some(value: str | None) -> tuple[str, ...]:
    return (value,) if value else ()


# --- written with the record -----------------------------------------------------------------------------

_STORED = PreparedOfMany(
    lambda source, doc: select(keys.c.doc_id, keys.c.key).join_from(source, keys, keys.c.doc_id == doc), _BIG
)
_ADDED = Prepared(insert(keys), ["key", "doc_id"])
_TAKEN = Prepared(delete(keys).where(keys.c.doc_id == bindparam("doc"), keys.c.key == bindparam("old")))
_TAKEN_ALL = Prepared(delete(keys).where(keys.c.doc_id == bindparam("doc")))


@event.listens_for(Session, "after_flush")
def _follow_the_flush(session: Session, _context: object) -> None:
    changed = [row for row in (*session.new, *session.dirty, *session.deleted) if _is_changed(session, row)]
    if not changed:
        return
    gone = {row for row in changed if row in session.deleted}
    customers = [row for row in changed if isinstance(row, Customer) and row not in gone]
    made = [(doc_id(row.id), customer_traits(*(getattr(row, key) for key in CUSTOMER_TRAITS))) for row in customers]
    contacts = {row.id for row in changed if isinstance(row, Contact)}
    contacts |= {id for row in changed if isinstance(row, ContactPoint) for id in _values(row, "contact_id")}
    made += traits_of_contacts(session, _contact.c.id.in_(contacts)) if contacts else ()
    stale = {doc_id(row.id) for row in gone if isinstance(row, Customer)}
    stale |= {doc_id(of, row.id) for row in changed if isinstance(row, Contact) for of in _values(row, "customer_id")}
    new = {doc_id(row.id) for row in changed if isinstance(row, Customer) and row in session.new}
    new |= {doc_id(row.customer_id, row.id) for row in changed if isinstance(row, Contact) and row in session.new}
    _write(session, made, stale - new, new)


def _write(session: Session, made: Sequence[tuple[int, Traits]], stale: Iterable[int], new: Iterable[int]) -> None:
    """Write the keys of `made` in place of those that are stored; a flush of half a contact may bring it twice."""
    wanted = {doc: set(traits.hashed_keys) for doc, traits in made}
    for doc in sorted({*stale} - wanted.keys()):
        _TAKEN_ALL.run(session, doc=doc)
    added: list[dict[str, int]] = []
    there = _stored(session, wanted.keys() - new)
    for doc, mine in wanted.items():
        stored = there[doc]
        added += ({"key": key, "doc_id": doc} for key in sorted(mine - stored))
        for key in sorted(stored - mine):
            _TAKEN.run(session, doc=doc, old=key)
    if added:
        _ADDED.run_each(session, added)


def _stored(session: Session, docs: Collection[int]) -> Mapping[int, set[int]]:
    """Doc -> the keys that it has."""
    found: dict[int, set[int]] = defaultdict(set)
    with session.no_autoflush:
        for doc, key in _STORED.rows(session, docs):
            found[doc].add(key)
    return found


def _is_changed(session: Session, row: object) -> bool:
    """Whether a flush created, deleted or changed something that is compared."""
    compared = COMPARED.get(type(row), ())
    if not compared or row in session.new or row in session.deleted:
        return bool(compared)
    state: Any = inspect(row)
    former = former_values(row)
    return any(key in former and state.attrs[key].history.has_changes() for key in compared)


def _values(row: Any, key: str) -> set[int]:
    """The value of a column of a flushed row, and the one before."""
    return {getattr(row, key), *(inspect(row).attrs[key].history.deleted or ())} - {None}
