"""Ranking: the records that a text finds, best match first.

An exact number, phone or address comes before an equal name, before a name that begins with the text, before one that
holds it, before anything else.  Among equals the caller's own records come first, then the newest.  Every comparison has
the guard of its field, so a hidden value never changes the order.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from sqlalchemy import Integer, Select, and_, case, cast, func, literal_column, or_, select
from sqlalchemy.orm import Session

from models import Base, Contact, ContactPoint, Customer
from models.contact import PointKind, key_of
from models.text import name_key, number_key

from ..runtime.scope import Scope
from ..runtime.viewer import Clause, Value, Viewer
from .clauses import in_bin, search_text, value, visible, with_parents
from .comparison import compared
from .order import order_of, order_value
from .search import COVERED, SearchResult, find
from .search_conditions import docs, docs_of_customer, guarded, is_of_customer, place_of
from .search_words import Word, words_of

MOST_RANKED = 1_000
"""Maximum number of found records of which every one is ranked; of more, exact matches come first, then the newest."""


class Rank(IntEnum):
    """How well a record matches a text, the best first."""

    EXACT = 0
    """The text is the number, a phone or an address."""
    EQUAL = 1
    STARTS = 2
    CONTAINS = 3
    ELSEWHERE = 4


@dataclass(frozen=True)
class Ranked:
    """The ids of the best matches, best first, and the number of all records found, up to MOST_RANKED + 1."""

    ids: list[int]
    count: int

    @property
    def is_capped(self) -> bool:
        """Whether more were found than are ranked and counted."""
        return self.count > MOST_RANKED


def ranked(
    scope: Scope, db: Session, model: type[Base], text: str, limit: int, among: Sequence[Clause] | None = None
) -> Ranked:
    """The best matches for a text among the records that the caller may see; none for an empty text.

    `among` are further conditions over `with_parents(model)[1]`; by default what lies in the recycle bin is left out.
    Raises Validation for a text that is too long.
    """
    among = [in_bin(model, with_parents(model)[1], wanted=False)] if among is None else among
    typed = " ".join(word.text for word in words_of(text))
    if not typed:
        return Ranked([], 0)
    by = _Ranking(scope.viewer, model, search_text(text), typed)
    found = find(scope, db, model, text, among, MOST_RANKED)
    count = found.count if found.count is not None else by.count(db, found.clause, among)
    if count <= MOST_RANKED:
        return Ranked([*db.scalars(by.ids(found.clause, *among).order_by(*by.order()).limit(limit))], count)
    best = [*db.scalars(by.exact(found.clause, *among).order_by(*by.order()).limit(limit))]
    return Ranked([*best, *by.newest(db, found, among, best, limit - len(best))], count)


class _Ranking:
    """The statements of one search: `text` as it is stored, `typed` as docs hold it."""

    def __init__(self, viewer: Viewer, model: type[Base], text: str, typed: str) -> None:
        self.viewer, self.model, self.text, self.typed = viewer, model, text, typed
        self.e = with_parents(model)[1]

    def ids(self, *conditions: Clause) -> Select[Any]:
        return visible(self.viewer, self.model, self.e.id).where(*conditions)

    def order(self) -> Iterator[Value]:
        """By rank, then the caller's own records, then in the order of the model's lists, newest first."""
        yield self.rank()
        if "owner_id" in self.model.__table__.c:
            is_own = value(self.viewer, self.model, self.e, "owner_id") == self.viewer.person.id
            yield case((is_own, 0), else_=1)
        yield from self.recency()

    def recency(self) -> Iterator[Value]:
        keys = order_of(self.viewer, self.model, ())
        return (key.order(order_value(self.viewer, self.model, self.e, key.name)) for key in keys)

    def count(self, db: Session, clause: Clause, among: Sequence[Clause]) -> int:
        some = self.ids(clause, *among).limit(MOST_RANKED + 1).subquery()
        return db.execute(select(func.count()).select_from(some)).scalar_one()

    def exact(self, *conditions: Clause) -> Select[Any]:
        """The records whose number, name, phone or address the text is, by the indexes of these keys."""
        return self.ids(or_(*self._keyed()), self.rank() <= _sql(Rank.EQUAL), *conditions)

    def newest(
        self, db: Session, found: SearchResult, among: Sequence[Clause], but: Sequence[int], limit: int
    ) -> Sequence[int]:
        """The newest records that were found: first among the newest of all, then among all."""
        others = [*among, self.e.id.not_in(but)]
        beginning = self.ids(*others).order_by(*self.recency()).limit(found.beginning(limit))
        newest = self.ids(found.clause, self.e.id.in_(beginning)).order_by(*self.recency()).limit(limit)
        ids = [*db.scalars(newest)]
        if len(ids) >= limit:
            return ids
        everywhere = found.clause if found.further is None else found.further
        return [*db.scalars(self.ids(everywhere, *others).order_by(*self.recency()).limit(limit))]

    def _keyed(self) -> Iterator[Clause]:
        columns = self.model.__table__.c
        if "name_key" in columns:
            yield self.e.name_key == name_key(self.text)
        if "number_key" in columns:
            yield self.e.number_key == number_key(self.text)
        if self.model in COVERED:
            keys = {key_of(kind, self.text) for kind in (PointKind.PHONE, PointKind.EMAIL)} - {""}
            point, contact = ContactPoint.__table__, Contact.__table__
            whose = contact.c.customer_id if self.model is Customer else contact.c.id
            of = select(whose).join_from(point, contact, contact.c.id == point.c.contact_id)
            yield self.e.id.in_(of.where(point.c.value_key.in_(keys)).execution_options(policy=True))

    # --- how well a record matches ---

    def rank(self) -> Value:
        """`Rank` of a record."""
        if self.model is Customer:
            return self._of_customer()
        return self._of_contact() if self.model is Contact else self._by_columns()

    def _of_customer(self) -> Value:
        """The best rank of the docs of a customer; of its contacts only an exact phone or address counts."""
        doc, contact, person, shown = docs_of_customer(self.viewer, self.e)
        exact = and_(contact.c.id.is_not(None), shown, or_(*self._exact(Contact, person, doc.c)))
        by_doc = case((doc.c.contact_id.is_(None), self._of_doc(Customer, self.e, doc.c)), (exact, _sql(Rank.EXACT)))
        best = select(func.min(by_doc)).select_from(doc.outerjoin(contact, contact.c.id == doc.c.contact_id))
        best = best.where(is_of_customer(doc, self.e)).execution_options(policy=True)
        return best.correlate_except(doc, contact).scalar_subquery()

    def _of_contact(self) -> Value:
        doc = docs.alias()
        mine = select(self._of_doc(Contact, self.e, doc.c)).where(doc.c.id == place_of(self.e.customer_id) + self.e.id)
        return mine.execution_options(policy=True).correlate_except(doc).scalar_subquery()

    def _of_doc(self, model: type[Base], e: Any, doc: Any) -> Value:
        starts = {key: doc[key].startswith(self.typed, autoescape=True) for key in ("name", "number")}
        return case(
            (or_(*self._exact(model, e, doc)), _sql(Rank.EXACT)),
            (
                or_(
                    *guarded(
                        self.viewer,
                        model,
                        e,
                        {"name": (doc.name + "\n").startswith(f"{self.typed}\n", autoescape=True)},
                    )
                ),
                _sql(Rank.EQUAL),
            ),
            (or_(*guarded(self.viewer, model, e, starts)), _sql(Rank.STARTS)),
            (or_(*guarded(self.viewer, model, e, {"name": self._is_in(doc.name)})), _sql(Rank.CONTAINS)),
            else_=_sql(Rank.ELSEWHERE),
        )

    def _exact(self, model: type[Base], e: Any, doc: Any) -> Iterator[Clause]:
        """Conditions: the text is the number, a phone or an address in a doc."""
        ways: dict[str, Clause] = {
            "number": _is_line(doc.number, self.typed),
            "addresses": _is_line(doc.addresses, self.typed),
        }
        if figures := Word.of(self.typed.replace(" ", "")).figures:
            ways["phones"] = _is_line(doc.phones, figures)
        return guarded(self.viewer, model, e, ways)

    def _is_in(self, column: Any) -> Clause:
        clause: Clause = column.contains(self.typed, autoescape=True)
        return clause

    def _by_columns(self) -> Value:
        """By the columns in which a model without an index is searched."""
        columns = [value(self.viewer, self.model, self.e, key) for key in getattr(self.model, "search", ())]
        if not columns:
            return cast(_sql(Rank.ELSEWHERE), Integer)  # a bare number would name a column to sort by
        starts = [compared(column, "starts_with", self.text) for column in columns]
        equal = (
            and_(start, func.length(column) == len(self.text)) for start, column in zip(starts, columns, strict=True)
        )
        contains = (compared(column, "contains", self.text) for column in columns)
        steps = (
            (or_(*equal), _sql(Rank.EQUAL)),
            (or_(*starts), _sql(Rank.STARTS)),
            (or_(*contains), _sql(Rank.CONTAINS)),
        )
        return case(*steps, else_=_sql(Rank.ELSEWHERE))


def _sql(rank: Rank) -> Value:
    return literal_column(str(rank.value), Integer)


def _is_line(lines: Any, wanted: str) -> Clause:
    """Condition: one of the lines of a column is exactly this."""
    clause: Clause = ("\n" + lines + "\n").contains(f"\n{wanted}\n", autoescape=True)
    return clause
