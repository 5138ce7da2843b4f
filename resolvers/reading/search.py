"""Search: which records hold the typed words in fields that the viewer may see.

A customer is found by its number, name, phone and e-mail, and by the names, phones and addresses of its contacts; a
contact by its own.  What is about a customer is also found by the number and the name of that customer.  All words must
occur, each anywhere in the record.  Names match by any part; numbers, phones and addresses by any three characters;
numbers also by their beginning.  The index only narrows down: a hidden field never leads to its record, because
`search_conditions.py` decides.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from sqlalchemy import ARRAY, Integer, Select, and_, any_, case, false, func, literal, or_, select, true
from sqlalchemy import cast as sql_cast
from sqlalchemy.orm import Session

from models import Base, Contact, Customer, FollowUp, Opportunity

from ..runtime.scope import Scope
from ..runtime.viewer import Clause, Value
from . import search_lookup
from .clauses import search_clause, visible, with_parents
from .search_conditions import is_about, says_joined
from .search_lookup import Query, density, ids_led_to, in_turn, query_of
from .search_words import Word, words_of

COVERED: tuple[type[Base], ...] = (Customer, Contact)
"""The models that have a search index."""
ABOUT_CUSTOMERS: tuple[type[Base], ...] = (Contact, Opportunity, FollowUp)
"""The models whose records are also found by their customer."""

# --- by the index ----------------------------------------------------------------------------------------

PROBE = 200
"""Number of ids that are looked at, out of many, to estimate how many of them the caller sees."""
WIDEST_RUN = 1_000
"""Maximum number of rows at the beginning of a list among which a page of a search that finds many is looked for."""


@dataclass(frozen=True)
class SearchResult:
    """The condition of a search over `with_parents(model)[1]`, and the number of records found.

    `count` is at most one above the limit; None where the model has no index.  `further` is there for many records: an
    equal condition that is slow for the first row and fast at skipping rows that do not match.  `density`: estimated
    share of records that are found, from 0 to 1.
    """

    clause: Clause
    count: int | None = None
    further: Clause | None = None
    density: float = 0

    def beginning(self, size: int) -> int:
        """The number of rows at the beginning of a list that probably hold `size` found ones, up to WIDEST_RUN."""
        return min(WIDEST_RUN, max(4 * size, int(2 * size / self.density))) if self.density else WIDEST_RUN


def find(scope: Scope, db: Session, model: type[Base], text: str, among: Sequence[Clause], limit: int) -> SearchResult:
    """The result of searching a list; `among` are the other conditions of the list, `limit` is that of the count."""
    if model in COVERED and not words_of(text):
        return SearchResult(true())
    own = _found_by_itself(scope, db, model, text, among, limit)
    named = by_customer(scope, db, text) if model in ABOUT_CUSTOMERS else None
    if named is None:
        return own
    mine = own.clause if own.further is None else own.further
    return SearchResult(or_(mine, named(with_parents(model)[1].customer_id)))


def _found_by_itself(
    scope: Scope, db: Session, model: type[Base], text: str, among: Sequence[Clause], limit: int
) -> SearchResult:
    viewer, e, words = scope.viewer, with_parents(model)[1], words_of(text)
    if model not in COVERED:
        return SearchResult(search_clause(viewer, model, e, text))
    lookup = _Lookup(scope, db, model, words)
    clause = says_joined(viewer, model, words)
    ids = lookup.among(visible(viewer, model, e.id).where(*among), clause, limit)
    if ids is not None:
        return SearchResult(among_ids(scope.backend.dialect, e.id, ids), len(ids))
    return SearchResult(clause, limit + 1, lookup.in_turn(e.id, clause), lookup.density / search_lookup.SAMPLE)


def by_customer(scope: Scope, db: Session, text: str) -> Callable[[Any], Clause] | None:
    """Column of ids of customers -> condition that the text finds the customer by its number or name.

    None for a text without words.  Finds only customers that the viewer sees, by fields that they see.
    """
    viewer, e, words = scope.viewer, with_parents(Customer)[1], words_of(text)
    if not words:
        return None

    def named(id: Any) -> Clause:
        return and_(*(is_about(viewer, id, word) for word in words))

    lookup = _Lookup(scope, db, Customer, words)
    ids = lookup.among(visible(viewer, Customer, e.id), named(e.id), search_lookup.FEW)
    if ids is not None:
        return lambda column: among_ids(scope.backend.dialect, column, ids)
    return lambda column: lookup.in_turn(column, named(column))


def candidates(
    scope: Scope, db: Session, model: type[Base], text: str, limit: int = 1000, among: Sequence[Clause] = ()
) -> list[int] | None:
    """The ids of the records of `model` that the text finds for the caller, in no order; None for more than `limit`.

    `among` are further conditions.  A rare word costs two small queries; words that are common everywhere, but rare
    among what the caller sees, cost a larger third one.
    """
    words = words_of(text)
    if not words:
        return None
    viewer, e = scope.viewer, with_parents(model)[1]
    asked = visible(viewer, model, e.id).where(*among)
    return _Lookup(scope, db, model, words).among(asked, says_joined(viewer, model, words), limit)


class _Lookup:
    """The words of one search, looked up in the index for records of one model."""

    def __init__(self, scope: Scope, db: Session, model: type[Base], words: Sequence[Word]) -> None:
        self.db, self.model, self.dialect = db, model, scope.backend.dialect
        self.id = with_parents(model)[1].id
        longest_first = sorted(words, key=_weight, reverse=True)
        self.queries = [query_of(self.dialect, word) for word in longest_first]

    def among(self, asked: Select[Any], clause: Clause, limit: int) -> list[int] | None:
        """The ids of `asked` for which `clause` holds, which says that a record holds the words; None for more than `limit`."""
        many: list[int] = []
        for query in self.queries:
            ids = self._listed(ids_led_to(self.dialect, self.model, query).limit(search_lookup.FEW + 1))
            if len(ids) <= search_lookup.FEW:
                return self._run(asked.where(clause), limit, ids) if ids else []
            many = many or ids
        exact = asked.where(clause)
        if self._probably_finds(exact, many, limit) and self._run(exact, limit, many) is None:
            return None
        found = self._listed((exact if self.is_dense else asked.where(self._near_all(clause))).limit(limit + 1))
        return found if len(found) <= limit else None

    def in_turn(self, id: Value, clause: Clause) -> Clause:
        """`clause` for a list that is walked row by row, by the longest word; `id`: the id of the record in each row."""
        return in_turn(self.dialect, id, self._ids(self.queries[0]), true() if self.is_dense else false(), clause)

    @property
    def is_dense(self) -> bool:
        return self.density >= search_lookup.DENSE

    @cached_property
    def density(self) -> int:
        """The number of the newest SAMPLE docs that hold the words."""
        return self.db.scalar(select(density(self.dialect, *self.queries)).execution_options(policy=True)) or 0

    def _probably_finds(self, asked: Select[Any], ids: Sequence[int], limit: int) -> bool:
        """Whether `asked` has more than `limit` of these ids, estimated from some of them."""
        some = ids[:: max(1, len(ids) // PROBE)]
        return len(self._run(asked, len(some), some) or ()) * len(ids) > len(some) * limit

    def _run(self, asked: Select[Any], limit: int, ids: Sequence[int]) -> list[int] | None:
        """The ids of `asked` among these; None for more than `limit`."""
        found = self._listed(asked.where(_one_of(self.dialect, self.id, ids)).limit(limit + 1))
        return found if len(found) <= limit else None

    def _near_all(self, clause: Clause) -> Clause:
        """`clause`, evaluated only for the records to which the index leads by every word."""
        is_near = and_(*(self.id.in_(self._ids(query)) for query in self.queries))
        return and_(is_near, clause) if self.dialect == "sqlite" else case((is_near, clause), else_=false())

    def _ids(self, query: Query) -> Select[Any]:
        return ids_led_to(self.dialect, self.model, query)

    def _listed(self, ids: Select[Any]) -> list[int]:
        """The ids, read as one value, because thousands of rows would be expensive."""
        listed = ids.subquery()
        (id,) = listed.c
        all_of_them = func.json_group_array(id) if self.dialect == "sqlite" else func.array_agg(id)
        found: Any = self.db.scalar(select(all_of_them).select_from(listed).execution_options(policy=True))
        return json.loads(found) if self.dialect == "sqlite" else found or []


def among_ids(dialect: str, id: Value, ids: Sequence[int]) -> Clause:
    """`id IN (…)` as one parameter, so that the plan caches of the databases recognise it."""
    if dialect == "sqlite":
        each = func.json_each(json.dumps(ids)).table_valued("value")
        clause: Clause = id.in_(select(each.c.value).execution_options(policy=True))
        return clause
    # A subquery hides the number of ids from the planner, which for thousands would look all of them up first.
    hidden = select(literal(ids, ARRAY(Integer))).scalar_subquery()
    return id == any_(sql_cast(hidden, ARRAY(Integer)))


def _one_of(dialect: str, id: Value, ids: Sequence[int]) -> Clause:
    """`id IN (…)` as rows that PostgreSQL joins: it compares an array for each row in turn."""
    if dialect == "sqlite":
        return among_ids(dialect, id, ids)
    each = select(func.unnest(literal(ids, ARRAY(Integer))))
    clause: Clause = id.in_(each.execution_options(policy=True))
    return clause


def _weight(word: Word) -> int:
    """An estimate of how rare a word is: its length."""
    return len(word.text)
