"""Whether a record holds the typed words in fields that the viewer may see: exact conditions, evaluated row by row.

A hidden field never leads to its record, because the guard of every field that a doc copies is part of the condition.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any, cast

from sqlalchemy import BigInteger, Select, Table, and_, case, false, literal, literal_column, or_, select

from models import Base, Contact, Customer, SearchDoc
from models.search import SPAN
from models.search_customs import DocText
from policies.rows import Rows, WithParent

from ..runtime.viewer import Clause, Value, Viewer
from .clauses import in_bin, with_parents
from .custom_search import searched_fields
from .search_words import Searchable, Word

docs = cast("Table", SearchDoc.__table__)


def says(viewer: Viewer, model: type[Base], e: Any, words: Iterable[Word]) -> Clause:
    """Condition: a record of `model` holds every word in fields that the viewer may see.  Exact; evaluated row by row."""
    return and_(*(says_word(viewer, model, e, word) for word in words))


def says_word(viewer: Viewer, model: type[Base], e: Any, word: Searchable) -> Clause:
    """Condition: a record of `model` holds this word in a field that the viewer may see."""
    return _customer_says(viewer, e, word) if model is Customer else _contact_says(viewer, e, word)


@lru_cache(maxsize=64)
def says_joined(viewer: Viewer, model: type[Base], words: tuple[Word, ...]) -> Clause:
    """`says` over `with_parents(model)[1]`, cached, so that a request builds it once."""
    return says(viewer, model, with_parents(model)[1], words)


def _customer_says(viewer: Viewer, e: Any, word: Searchable) -> Clause:
    doc, contact, person, shown = docs_of_customer(viewer, e)
    by_itself = and_(doc.c.contact_id.is_(None), _holds(viewer, Customer, e, doc.c, word))
    by_contact = and_(contact.c.id.is_not(None), shown, _holds(viewer, Contact, person, doc.c, word))
    found = _one().select_from(doc.outerjoin(contact, contact.c.id == doc.c.contact_id))
    near = [*word.held_by(doc.c).values(), *([word.near(doc.c)] if _asks_customs(viewer) else [])]
    found = found.where(is_of_customer(doc, e), or_(*near))
    return _there_is(found.where(or_(by_itself, by_contact)).correlate_except(doc, contact))


def docs_of_customer(viewer: Viewer, e: Any) -> tuple[Any, Any, WithParent, Clause]:
    """(docs, the contacts they are about, these as rows with their customer `e`, condition that the viewer sees them)."""
    doc, contact = docs.alias(), cast("Table", Contact.__table__).alias()
    person = WithParent(contact.c, Rows(Customer, e))
    return doc, contact, person, and_(viewer.rows(Contact, person), in_bin(Contact, contact.c, wanted=False))


def is_of_customer(doc: Any, e: Any) -> Clause:
    """Condition: a doc is about the customer `e` or about one of its contacts."""
    return and_(doc.c.id >= place_of(e.id), doc.c.id < place_of(e.id + 1))


def _contact_says(viewer: Viewer, e: Any, word: Searchable) -> Clause:
    doc = docs.alias()
    mine = _one().where(doc.c.id == place_of(e.customer_id) + e.id, _holds(viewer, Contact, e, doc.c, word))
    return _there_is(mine.correlate_except(doc))


def is_about(viewer: Viewer, customer_id: Any, word: Searchable) -> Clause:
    """Condition: the customer with this id is one that the viewer sees, and its number or name holds the word."""
    doc, customer = docs.alias(), cast("Table", Customer.__table__).alias()
    named = _holds(viewer, Customer, customer.c, doc.c, word, NAMES)
    one = _one().select_from(customer.join(doc, doc.c.id == place_of(customer.c.id)))
    one = one.where(customer.c.id == customer_id, viewer.rows(Customer, customer.c), named)
    return _there_is(one.correlate_except(doc, customer))


def _there_is(one: Select[Any]) -> Clause:
    """EXISTS in a form that PostgreSQL evaluates row by row; a plain EXISTS makes it read all docs first.

    The limit is a literal: for a parameter PostgreSQL estimates a tenth of all rows, and then avoids the subquery.
    """
    return one.limit(literal_column("1")).scalar_subquery().is_not(None)


def _one() -> Select[Any]:
    return select(literal(1)).execution_options(policy=True)


def place_of(customer_id: Any) -> Value:
    """The id of a customer's own doc; the docs of its contacts have the ids that follow."""
    at: Value = customer_id * literal(SPAN, BigInteger)
    return at


def _holds(
    viewer: Viewer, model: type[Base], e: Any, doc: Any, word: Searchable, only: Collection[str] | None = None
) -> Clause:
    """Condition: a doc holds the word in a field, `only` one of these, that the viewer may see in its record `e`."""
    ways = {key: way for key, way in word.held_by(doc).items() if only is None or key in only}
    return or_(*guarded(viewer, model, e, ways), *(_in_customs(viewer, model, e, doc, word) if only is None else ()))


def _asks_customs(viewer: Viewer) -> bool:
    return any(searched_fields(viewer, model) for model in (Customer, Contact))


def _in_customs(viewer: Viewer, model: type[Base], e: Any, doc: Any, word: Searchable) -> Iterator[Clause]:
    """The condition that a doc holds the word in one of these fields, each under its guard; none without fields.

    Only CASE fixes the order: the texts are JSON where the word is near, and empty in most docs.
    """
    ways = []
    for custom in searched_fields(viewer, model):
        guard = viewer.guard(model, custom.word, e)
        way = word.held_in(custom.kind, DocText(doc.customs, custom))
        ways.append(way if guard is None else and_(guard, way))
    if ways:
        yield case((word.near(doc), or_(*ways)), else_=false())


def guarded(viewer: Viewer, model: type[Base], e: Any, ways: Mapping[str, Clause]) -> Iterator[Clause]:
    """Conditions on columns of a doc, each with the guard of the field that the column copies."""
    for key, way in ways.items():
        if key in _FIELDS[model]:
            guard = viewer.guard(model, _FIELDS[model][key], e)
            yield way if guard is None else and_(way, guard)


_FIELDS: dict[type[Base], dict[str, str]] = {
    Customer: {"name": "name", "sounds": "name", "number": "number", "phones": "phone", "addresses": "email"},
    Contact: {"name": "name", "sounds": "name", "phones": "points", "addresses": "points"},
}
"""Model -> column of a doc -> the field in policy lines that it copies."""
NAMES = ("number", "name", "sounds")
"""The columns of a customer's doc by which what is about the customer is found."""
