"""The index of search docs as parts of statements: which docs have the pieces of a word, and how many of a sample.

A query is text of FTS5 on SQLite.  On PostgreSQL it has a `tsquery` for each way to look the word up, because of an AND
GIN reads the posting list of the rarest piece and skips in the others, and of an OR of ANDs it reads all of them.  These
are texts, for which PostgreSQL estimates well, or one value of a statement that is an array of texts.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Integer,
    Select,
    and_,
    case,
    column,
    false,
    func,
    literal,
    literal_column,
    or_,
    select,
    table,
)
from sqlalchemy import cast as sql_cast
from sqlalchemy.dialects.postgresql import TSQUERY

from models import Base, Customer
from models.search import BITS, SPAN
from models.search_rules import INDEX

from ..runtime.viewer import Clause, Value
from .search_conditions import docs
from .search_words import Word, match, ways_to

FEW = 5_000
"""Maximum number of docs of a rare word: all of them are compared with the text."""
SAMPLE, DENSE = 500, 20
"""Number of docs that are looked at, and how many of them hold the words where the index is left out: to collect all
docs of such words takes longer than to compare records until there are enough."""

fts = table(INDEX, column("rowid", BigInteger), column(INDEX))
Query = str | Sequence[str] | Value
"""As the head of this file says: text on SQLite, the text of each way or an array of them on PostgreSQL."""


def query_of(dialect: str, word: Word) -> str | list[str]:
    """The query for docs that have all pieces of a way to look the word up."""
    ways = ways_to(word)
    return match(dialect, ways) if dialect == "sqlite" else [match(dialect, [way]) for way in ways]


def led_to(dialect: str, query: Query) -> Select[Any]:
    """SELECT of the docs that a query finds, one row for each; of an array a doc comes once for each way that finds it."""
    one: Select[Any] = select(literal_column("1")).execution_options(policy=True)
    if dialect == "sqlite":
        return one.select_from(fts).where(_matches(query))
    if not isinstance(query, ColumnElement):
        return one.select_from(docs).where(_has_pieces(docs.c, query))
    way = _ways(query)
    return one.select_from(way.join(docs, _has_way(docs.c, way.c.value)))


def ids_led_to(dialect: str, model: type[Base], query: Query) -> Select[Any]:
    """SELECT of the ids of records of `model` whose docs a query finds; a customer is found by the docs of its contacts too."""
    id = _id_in(dialect, model)
    found = led_to(dialect, query).with_only_columns(id.label("id"))
    if model is Customer:
        return found
    return found.where(id != literal_column("0") if dialect == "sqlite" else id.is_not(None))


def density(dialect: str, *queries: Query) -> Value:
    """The number of docs in SAMPLE that all of these queries find: twice the smaller one of two halves.

    One half are the newest docs, the other those in the middle, so that words that came with one import are not dense.
    """
    known = docs.alias()
    last = select(func.max(known.c.id)).execution_options(policy=True).scalar_subquery()
    halves = (_newest(dialect, end, queries) for end in (last, last.bitwise_rshift(literal_column("1"))))
    return (func.min if dialect == "sqlite" else func.least)(*halves) * literal_column("2", Integer)


def in_turn(dialect: str, id: Value, near: Select[Any], is_dense: Clause, clause: Clause) -> Clause:
    """`clause` for a list that is walked row by row, evaluated only for rows among the many ids of `near`.

    `is_dense`: whether it is evaluated for every row, and `near` not at all.
    """
    is_near = (id + 0).in_(near)
    # Only CASE fixes the order of evaluation on PostgreSQL; on SQLite it would double the work.
    is_likely = or_(is_dense, is_near)
    return and_(is_likely, clause) if dialect == "sqlite" else case((is_likely, clause), else_=false())


def _newest(dialect: str, end: Value, queries: Sequence[Query]) -> Value:
    """The number of docs that all queries find among the last ones up to the id `end`, half of SAMPLE."""
    doc = docs.alias()
    size: Value = literal_column(str(SAMPLE // 2))
    some: Any = select(doc.c.id, doc.c.pieces).where(doc.c.id <= end).order_by(doc.c.id.desc())
    if dialect == "sqlite":
        oldest = some.with_only_columns(doc.c.id).limit(literal_column("1")).offset(size).scalar_subquery()
        found = select(func.count()).select_from(fts)
        found = found.where(fts.c.rowid > func.coalesce(oldest, 0), fts.c.rowid <= end)
        found = found.where(*(_matches(query) for query in queries))
    else:
        rows = some.limit(size).subquery()
        found = select(func.count()).select_from(rows).where(*(_has_pieces(rows.c, query) for query in queries))
    return found.execution_options(policy=True).scalar_subquery()


def _matches(query: Query) -> Clause:
    clause: Clause = fts.c[INDEX].op("MATCH")(query)
    return clause


def _has_pieces(doc: Any, query: Query) -> Clause:
    if not isinstance(query, ColumnElement):
        return or_(*(_has_way(doc, literal(way)) for way in query))
    way = _ways(query)
    any_way = select(sql_cast(func.string_agg(way.c.value, literal_column("' | '")), TSQUERY)).select_from(way)
    return _has_way(doc, any_way.execution_options(policy=True).scalar_subquery())


def _has_way(doc: Any, way: Value) -> Clause:
    clause: Clause = doc.pieces.op("@@")(sql_cast(way, TSQUERY))
    return clause


def _ways(query: Value) -> Any:
    # Of an array PostgreSQL estimates few elements, and so hashes the docs that they lead to.
    return func.unnest(query).table_valued("value").render_derived()


def _id_in(dialect: str, model: type[Base]) -> Value:
    if dialect != "sqlite":
        return docs.c.customer_id if model is Customer else docs.c.contact_id
    id: Value = fts.c.rowid.bitwise_rshift(BITS) if model is Customer else fts.c.rowid.bitwise_and(SPAN - 1)
    return id
