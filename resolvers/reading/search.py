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
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Integer,
    Select,
    and_,
    any_,
    case,
    column,
    false,
    func,
    literal,
    literal_column,
    or_,
    select,
    table,
    true,
)
from sqlalchemy import cast as sql_cast
from sqlalchemy.dialects.postgresql import TSQUERY
from sqlalchemy.orm import Session

from models import Base, Contact, Customer, FollowUp, Opportunity
from models.search import BITS, INDEX, SPAN

from ..runtime.scope import Scope
from ..runtime.viewer import Clause, Value
from .clauses import search_clause, visible, with_parents
from .search_conditions import docs, is_about, says_joined
from .search_words import Word, match, ways_to, words_of

COVERED: tuple[type[Base], ...] = (Customer, Contact)
"""The models that have a search index."""
ABOUT_CUSTOMERS: tuple[type[Base], ...] = (Contact, Opportunity, FollowUp)
"""The models whose records are also found by their customer."""

fts = table(INDEX, column("rowid", BigInteger), column(INDEX))

# --- by the index ----------------------------------------------------------------------------------------

FEW = 5_000
"""Maximum number of docs of a rare word: all of them are compared with the text."""
SAMPLE, DENSE = 1_000, 40
"""Number of the newest docs that are looked at, and how many of them hold the words where the index is left out:
to collect all docs of such words takes longer than to compare records until there are enough."""


@dataclass(frozen=True)
class SearchResult:
    """The condition of a search over `with_parents(model)[1]`, and the number of records found.

    `count` is at most one above the limit; None where the model has no index.  `further` is there for many records: an
    equal condition that is slow for the first row and fast at skipping rows that do not match.
    """

    clause: Clause
    count: int | None = None
    further: Clause | None = None


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
    ids = candidates(scope, db, model, text, limit, among)
    if ids is not None:
        return SearchResult(among_ids(scope.backend.dialect, e.id, ids), len(ids))
    clause = says_joined(viewer, model, tuple(words))
    return SearchResult(clause, limit + 1, in_turn(scope.backend.dialect, e.id, *_near(db, model, words), clause))


def by_customer(scope: Scope, db: Session, text: str) -> Callable[[Any], Clause] | None:
    """Column of ids of customers -> condition that the text finds the customer by its number or name.

    None for a text without words.  Finds only customers that the viewer sees, by fields that they see.
    """
    viewer, dialect, e, words = scope.viewer, scope.backend.dialect, with_parents(Customer)[1], words_of(text)
    if not words:
        return None
    asked = visible(viewer, Customer, e.id).where(*(is_about(viewer, e.id, word) for word in words))
    ids = _among_led_to(db, dialect, Customer, words, asked, FEW)
    if ids is not None:
        return lambda column: among_ids(dialect, column, ids)
    near = _near(db, Customer, words)
    return lambda column: in_turn(dialect, column, *near, and_(*(is_about(viewer, column, word) for word in words)))


def in_turn(dialect: str, id: Value, near: Select[Any], is_dense: Clause, clause: Clause) -> Clause:
    """`clause` for a list that is walked row by row, evaluated only for rows among the many ids of `near`.

    `is_dense`: whether it is evaluated for every row, and `near` not at all.
    """
    is_near = (id + 0).in_(near)
    # Only CASE fixes the order of evaluation on PostgreSQL; on SQLite it would double the work.
    is_likely = or_(is_dense, is_near)
    return and_(is_likely, clause) if dialect == "sqlite" else case((is_likely, clause), else_=false())


def _near(db: Session, model: type[Base], words: Sequence[Word]) -> tuple[Select[Any], Clause]:
    """(ids to which the index leads by the longest word, whether the words are dense) for `in_turn`."""
    dialect = db.get_bind().dialect.name
    return _led_to(dialect, model, max(words, key=_weight)), true() if _are_dense(db, dialect, words) else false()


def dense(dialect: str, holds: Callable[[Any], Clause]) -> Value:
    """Whether the newest docs say that the words are dense.

    `holds`: docs on PostgreSQL, or rows of the index on SQLite -> condition that these have the pieces of the words.
    """
    ids: Any = docs.alias()
    size: Value = literal_column(str(SAMPLE))
    newest: Any = select(ids.c.id, ids.c.pieces).order_by(ids.c.id.desc())
    if dialect == "sqlite":
        oldest = newest.with_only_columns(ids.c.id).limit(literal_column("1")).offset(size).scalar_subquery()
        source, among = fts, [fts.c.rowid > func.coalesce(oldest, 0)]
    else:
        source, among = newest.limit(size).subquery(), []
    found = select(func.count() >= literal_column(str(DENSE))).select_from(source).where(*among, holds(source.c))
    return found.execution_options(policy=True).scalar_subquery()


def _are_dense(db: Session, dialect: str, words: Sequence[Word]) -> bool:
    queries = [literal(match(dialect, ways_to(word))) for word in words]
    asked = select(dense(dialect, lambda doc: and_(*(has_pieces(dialect, query, doc) for query in queries))))
    return bool(db.scalar(asked.execution_options(policy=True)))


def candidates(
    scope: Scope, db: Session, model: type[Base], text: str, limit: int = 1000, among: Sequence[Clause] = ()
) -> list[int] | None:
    """The ids of the records of `model` that the text finds for the caller, in no order; None for more than `limit`.

    `among` are further conditions.  A rare word costs two small queries; words that are common everywhere, but rare
    among what the caller sees, cost a larger third one.
    """
    words, dialect = words_of(text), scope.backend.dialect
    if not words:
        return None
    viewer, e = scope.viewer, with_parents(model)[1]
    asked = visible(viewer, model, e.id).where(says_joined(viewer, model, tuple(words)), *among)
    return _among_led_to(db, dialect, model, words, asked, limit)


def _among_led_to(
    db: Session, dialect: str, model: type[Base], words: Sequence[Word], asked: Select[Any], limit: int
) -> list[int] | None:
    """The ids of `asked`, looked for among those to which the index leads; None for more than `limit`."""
    id = with_parents(model)[1].id

    def run(near: Clause) -> list[int] | None:
        count, ids = db.execute(_in_one(dialect, asked.where(near).limit(limit + 1))).one()
        if count > limit:
            return None
        return json.loads(ids) if dialect == "sqlite" else ids or []

    led_to = [_led_to(dialect, model, word) for word in sorted(words, key=_weight, reverse=True)]
    for ids in led_to:
        count, some = db.execute(_in_one(dialect, ids.limit(FEW + 1))).one()
        if count <= FEW:
            return run(_one_of(dialect, id, some)) if count else []
    if run(_one_of(dialect, id, some)) is None:
        return None
    return run(true() if _are_dense(db, dialect, words) else and_(*(id.in_(ids) for ids in led_to)))


def _in_one(dialect: str, ids: Select[Any]) -> Select[Any]:
    """SELECT of the number of ids and of all ids as one value, because thousands of rows would be expensive."""
    listed = ids.subquery()
    (id,) = listed.c
    all_of_them = func.json_group_array(id) if dialect == "sqlite" else func.array_agg(id)
    return select(func.count(), all_of_them).select_from(listed).execution_options(policy=True)


def among_ids(dialect: str, id: Value, ids: Sequence[int]) -> Clause:
    """`id IN (…)` as one parameter."""
    return _is_among(dialect, id, json.dumps(ids) if dialect == "sqlite" else ids)


def _is_among(dialect: str, id: Value, ids: Any) -> Clause:
    """`id IN (…)` for the ids of `_in_one`, as one parameter, so that the plan caches of the databases recognise it."""
    if dialect == "sqlite":
        each = func.json_each(ids).table_valued("value")
        clause: Clause = id.in_(select(each.c.value).execution_options(policy=True))
        return clause
    # A subquery hides the number of ids from the planner, which for thousands would look all of them up first.
    hidden = select(literal(ids, ARRAY(Integer))).scalar_subquery()
    return id == any_(sql_cast(hidden, ARRAY(Integer)))


def _one_of(dialect: str, id: Value, ids: Any) -> Clause:
    """`id IN (…)` for the ids of `_in_one`, as rows that PostgreSQL joins: it compares an array for each row in turn."""
    if dialect == "sqlite":
        return _is_among(dialect, id, ids)
    each = select(func.unnest(literal(ids, ARRAY(Integer))))
    clause: Clause = id.in_(each.execution_options(policy=True))
    return clause


def _weight(word: Word) -> int:
    """An estimate of how rare a word is: its length."""
    return len(word.text)


def _led_to(dialect: str, model: type[Base], word: Word) -> Select[Any]:
    """SELECT of the ids of records whose docs have the pieces of a word: all that hold the word, and some others."""
    ids = select(id_in(dialect, model)).where(has_pieces(dialect, literal(match(dialect, ways_to(word)))))
    return ids.execution_options(policy=True)


def has_pieces(dialect: str, query: Value, doc: Any = docs.c) -> Clause:
    """Condition of the index: a doc has the pieces that a query of `search_words.match` names."""
    if dialect == "sqlite":
        return fts.c[INDEX].op("MATCH")(query)
    clause: Clause = doc.pieces.op("@@")(sql_cast(query, TSQUERY))
    return clause


def id_in(dialect: str, model: type[Base]) -> Value:
    """The id of a record of `model` in the index; an id that no record has where the doc is about another entity."""
    if dialect != "sqlite":
        return docs.c.customer_id if model is Customer else docs.c.contact_id
    id: Value = fts.c.rowid.bitwise_rshift(BITS) if model is Customer else fts.c.rowid.bitwise_and(SPAN - 1)
    return id
