"""The release book: every rule in force, the business calendar, and the pool of each owner, read once per edition.

The edition changes in the transaction that changes a rule, a pool, a seat, a person or the calendar, so a copy that a
process keeps is used for as long as the edition is the same.
"""

import secrets
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, Engine, select
from sqlalchemy.orm import Session

from models import CalendarDay, Dictionary, DictionaryItem, Pool, ReleaseBook, ReleaseRule
from models.base import column_of, trait_of
from models.business_calendar import BusinessCalendar
from models.customer import Customer
from models.database.bypass import Because, bypass_policy
from models.database.prepared import Prepared, upsert
from models.errors import NotFound
from models.release_rule import CONDITIONS
from models.release_terms import Facts, ReleaseTerms

from ..records.organisation import zone_of
from ..runtime import principals

_BOOK: Any = ReleaseBook.__table__
_EDITION = Prepared(select(_BOOK.c.edition))
_ALL = bypass_policy(Because.APPLIES_TO_ALL)
Due = tuple[datetime | None, int | None]
"""(release date, the id of the rule that sets it)."""
NEVER: Due = (None, None)


@dataclass
class Book:
    """The rules in force under one edition."""

    edition: str | None
    calendar: BusinessCalendar = field(default_factory=BusinessCalendar)
    pools: Sequence[int] = ()
    """The open pools, in the order in which they take customers."""
    terms: Mapping[int, Sequence[ReleaseTerms]] = field(default_factory=dict)
    """Pool -> the rules in force there."""
    _pool_of: dict[int, int | None] = field(default_factory=dict)

    def due(self, connection: Connection, customer: Any, now: datetime) -> Due:
        """The release date of a customer, and its rule: the earliest of its owner's pool."""
        if not self.terms or customer.owner_id is None or customer.deleted_at is not None:
            return NEVER
        pool_id = self.pool_of(connection, customer.owner_id, now)
        return self.due_by(self.terms.get(pool_id, ()) if pool_id is not None else (), customer)

    def due_by(self, terms: Iterable[ReleaseTerms], customer: Facts) -> Due:
        """The same by these rules."""
        dates = [(each.falls_at(customer, self.calendar), each.rule.id) for each in terms]
        return min(((at, id) for at, id in dates if at is not None), default=NEVER)

    def pool_of(self, connection: Connection, owner_id: int, now: datetime) -> int | None:
        """The pool to which the customers of a user go back: the first open one in which they have a seat."""
        if owner_id not in self._pool_of:
            try:
                seats = principals.by_id(connection, owner_id, now).pools
            except NotFound:
                seats = frozenset()
            self._pool_of[owner_id] = self._first(seats)
        return self._pool_of[owner_id]

    def know_everybody(self, connection: Connection, now: datetime) -> None:
        """Look up the pools of all users at once, for those who go through all customers."""
        for person in principals.everybody(connection, now):
            if person.id is not None:
                self._pool_of.setdefault(person.id, self._first(person.pools))

    def owners_in(self, pool_id: int) -> list[int]:
        """The users whose customers go back to this pool, among those looked up."""
        return [owner for owner, pool in self._pool_of.items() if pool == pool_id]

    def _first(self, seats: frozenset[int]) -> int | None:
        return next((pool for pool in self.pools if pool in seats), None)


_BOOKS: WeakKeyDictionary[Engine, Book] = WeakKeyDictionary()
"""The newest book of each database that this process works with."""


def book_of(at: Session | Connection) -> Book:
    """The book in force, as the open transaction sees it."""
    connection = at.connection() if isinstance(at, Session) else at
    found = _EDITION.rows(connection)
    edition = found[0][0] if found else None
    known = _BOOKS.get(connection.engine)
    if known is None or known.edition != edition:
        known = _BOOKS[connection.engine] = _read(connection, edition)
    return known


def turn_page(connection: Connection) -> None:
    """Begin a new edition: the next reader reads everything again."""
    edition = secrets.token_hex(16)
    inserted = upsert(connection.dialect)(_BOOK).values(id=1, edition=edition)
    connection.execute(inserted.on_conflict_do_update(index_elements=["id"], set_={"edition": edition}))


def terms_of(connection: Connection, rule: ReleaseRule) -> ReleaseTerms:
    """The terms of a rule, whether or not it is in force."""
    return ReleaseTerms.of(rule, _branches(connection))


def calendar_of(connection: Connection) -> BusinessCalendar:
    """The business calendar of the organisation."""
    days = select(CalendarDay.day, CalendarDay.working).where(CalendarDay.deleted_at.is_(None))
    found = connection.execute(days, execution_options=_ALL)
    return BusinessCalendar(zone_of(connection), {day: working for day, working in found})  # noqa: C416  rows are no pairs


def _read(connection: Connection, edition: str | None) -> Book:
    if edition is None:
        return Book(None)
    pools = select(Pool.id).where(Pool.enabled, Pool.deleted_at.is_(None)).order_by(Pool.priority.desc(), Pool.id)
    rules = select(*ReleaseRule.__table__.c).where(ReleaseRule.enabled, ReleaseRule.deleted_at.is_(None))
    found = connection.execute(rules.order_by(ReleaseRule.id), execution_options=_ALL).mappings().all()
    terms: dict[int, list[ReleaseTerms]] = defaultdict(list)
    branches = _branches(connection) if found else {}
    for row in found:
        terms[row["pool_id"]].append(ReleaseTerms.of(ReleaseRule(**row), branches))
    open_pools = list(connection.execute(pools, execution_options=_ALL).scalars())
    return Book(edition, calendar_of(connection), open_pools, terms)


def _branches(connection: Connection) -> dict[tuple[str, str], frozenset[str]]:
    """(column of a customer, word) -> the word and all below it in its dictionary."""
    codes = {column: trait_of(column_of(Customer, column)).dictionary for column in CONDITIONS}
    item = DictionaryItem
    words = select(Dictionary.code, item.id, item.key, item.parent_id).join(item, item.dictionary_id == Dictionary.id)
    words = words.where(Dictionary.code.in_(codes.values()), Dictionary.deleted_at.is_(None), item.deleted_at.is_(None))
    below: dict[int, list[int]] = defaultdict(list)
    named: dict[int, tuple[str, str]] = {}
    for code, id, key, parent in connection.execute(words, execution_options=_ALL):
        named[id] = (code, key)
        if parent is not None:
            below[parent].append(id)
    columns_of = {code: column for column, code in codes.items()}
    return {(columns_of[code], key): frozenset(_under(id, below, named)) for id, (code, key) in named.items()}


def _under(top: int, below: Mapping[int, Sequence[int]], named: Mapping[int, tuple[str, str]]) -> Iterable[str]:
    seen, waiting = set[int](), [top]
    while waiting:
        if (id := waiting.pop()) not in seen:
            seen.add(id)
            waiting += below.get(id, ())
            yield named[id][1]
