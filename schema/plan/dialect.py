"""The JSON functions of SQLite and PostgreSQL, and the one text form of every kind of value.

Both give the same values for the same rows.  A JSON value that comes out of a subquery or a CASE passes through
`json`, since SQLite forgets there that it is JSON and would quote it.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol

from sqlalchemy import (
    JSON,
    Boolean,
    ColumnElement,
    Date,
    Integer,
    LargeBinary,
    Select,
    Text,
    case,
    cast,
    func,
    literal,
    literal_column,
    select,
    true,
)
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeEngine

from models.base import Money, Utc

if TYPE_CHECKING:
    from .row_set import RowSet

Value = ColumnElement[Any]
Pair = tuple[str, Value]

_WORDS: list[tuple[Value, Value]] = [
    (literal_column(n), literal_column(word)) for n, word in (("1", "'true'"), ("0", "'false'"))
]
MOST_LETTERS = 63
"""How long a name may be in PostgreSQL."""
MOST_PAIRS = 48
"""PostgreSQL's functions take 100 arguments, SQLite's 127: a wider object is put together from several."""


class Dialect(Protocol):
    """What the compiler asks of a database."""

    picks_first: bool
    """Whether a page of what is sorted is picked by its ids before anything is made of its rows."""

    def pairs(self, pairs: Sequence[Pair]) -> Value: ...
    def row(self, pairs: Sequence[Pair]) -> Value: ...
    def json(self, value: Value) -> Value: ...
    def text(self, value: Value) -> Value: ...
    def bytes(self, value: Value) -> Value: ...
    def nothing(self) -> Value: ...
    def array(self, item: Value, order: Value | None = None) -> Any: ...
    def filled(self, array: Value) -> Value: ...
    def below(self, level: "RowSet", wanted: Select[Any], rows: Any) -> Select[Any]: ...
    def some(self, wanted: Select[Any], order: Sequence[Value]) -> Select[Any]: ...
    def boolean(self, value: Value) -> Value: ...
    def moment(self, value: Value) -> Value: ...
    def money(self, value: Value) -> Value: ...
    def hex(self, value: Value) -> Value: ...
    def list(self, *items: Value) -> Value: ...
    def each(self, value: Value, name: str) -> Any: ...
    def half(self, value: Value, n: int) -> Value: ...


class Sqlite:
    """JSON is text that the functions recognise while it stays inside one expression."""

    picks_first = True
    """Its sorter has each row made that is ahead of those so far: all of them, where the oldest are found first."""

    def pairs(self, pairs: Sequence[Pair]) -> Value:
        return func.json_object(*_flat(pairs), type_=Text)

    def row(self, pairs: Sequence[Pair]) -> Value:
        return object_of(self, pairs)

    def json(self, value: Value) -> Value:
        return func.json(value, type_=Text)

    def text(self, value: Value) -> Value:
        return value.concat(literal_column("''")) if isinstance(value.type, Text) else cast(value, Text)

    def bytes(self, value: Value) -> Value:
        return cast(value, LargeBinary)

    def array(self, item: Value, order: Value | None = None) -> Any:
        """In the order in which the rows come; `order` must be theirs."""
        return func.json_group_array(item, type_=Text)

    def filled(self, array: Value) -> Value:
        """An array where there is nothing to put into it, too: this database makes one by itself."""
        return array

    def below(self, level: "RowSet", wanted: Select[Any], rows: Any) -> Select[Any]:
        """The wanted rows for every row of `level`.  SQLite has no LATERAL, but correlates a list of ids."""
        again = rows.original.alias()
        ids = wanted.with_only_columns(rows.c.id)
        return select(again, level.table.c.key_.label("up_")).select_from(
            level.with_above().join(again, again.c.id.in_(ids))
        )

    def some(self, wanted: Select[Any], order: Sequence[Value]) -> Select[Any]:
        """Rows of which any will do, of somebody who sees much: this database finds the shortest way by itself."""
        return wanted

    def boolean(self, value: Value) -> Value:
        return self.json(case(*_WORDS, value=value.self_group(), else_=literal_column("'null'")))

    def nothing(self) -> Value:
        return literal_column("'[]'", Text)

    def moment(self, value: Value) -> Value:
        return cast(value, Text)

    def money(self, value: Value) -> Value:
        sign = case((cast(value, Integer) < 0, literal_column("'-'")), else_=literal_column("''"))
        size = func.abs(cast(value, Integer))
        text = func.printf(literal_column("'%s%d.%02d'"), sign, size.op("/")(100), size.op("%")(100), type_=Text)
        return case((value.is_not(None), text), else_=None)

    def hex(self, value: Value) -> Value:
        return func.hex(value, type_=Text)

    def list(self, *items: Value) -> Value:
        return func.json_array(*items, type_=Text)

    def each(self, value: Value, name: str) -> Any:
        return func.json_each(value).table_valued("key", "value", name=name, joins_implicitly=True)

    def half(self, value: Value, n: int) -> Value:
        place: Value = literal_column(f"'$[{n}]'")
        word = func.json_type(value, place, type_=Text)
        text = cast(func.json_extract(value, place), Text)
        return case((word.in_(("true", "false")), word), else_=text)


class Postgresql:
    """JSON is a type of its own."""

    picks_first = False
    """It sorts before it makes what is dear."""

    def pairs(self, pairs: Sequence[Pair]) -> Value:
        return func.json_build_object(*_flat(pairs), type_=JSON)

    def row(self, pairs: Sequence[Pair]) -> Value:
        if any(len(name) > MOST_LETTERS for name, _ in pairs):
            return object_of(self, pairs)
        return _RowObject([name for name, _ in pairs], [value for _, value in pairs])

    def json(self, value: Value) -> Value:
        return value if isinstance(value.type, JSON) else cast(value, JSON)

    def text(self, value: Value) -> Value:
        return cast(value, Text)

    def bytes(self, value: Value) -> Value:
        return func.convert_to(cast(value, Text), literal_column("'UTF8'"), type_=LargeBinary)

    def array(self, item: Value, order: Value | None = None) -> Any:
        return func.json_agg(item if order is None else aggregate_order_by(item, order), type_=JSON)

    def filled(self, array: Value) -> Value:
        filled: Value = func.coalesce(array, self.nothing())
        return filled

    def below(self, level: "RowSet", wanted: Select[Any], rows: Any) -> Select[Any]:
        """The wanted rows for every row of `level`."""
        each = wanted.lateral()
        return select(each, level.table.c.key_.label("up_")).select_from(level.with_above().join(each, true()))

    def some(self, wanted: Select[Any], order: Sequence[Value]) -> Select[Any]:
        """Rows of which any will do, in an order that an index has: with none it takes one where all he sees comes last."""
        return wanted.order_by(*order)

    def boolean(self, value: Value) -> Value:
        return value

    def nothing(self) -> Value:
        return literal_column("'[]'::json", JSON)

    def moment(self, value: Value) -> Value:
        form: Value = literal_column("""'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'""")
        return func.to_char(func.timezone(literal_column("'UTC'"), value), form, type_=Text)

    def money(self, value: Value) -> Value:
        return cast(value, Text)

    def hex(self, value: Value) -> Value:
        bytes_ = func.convert_to(cast(value, Text), literal_column("'UTF8'"))
        return func.encode(bytes_, literal_column("'hex'"), type_=Text)

    def list(self, *items: Value) -> Value:
        return func.json_build_array(*items, type_=JSON)

    def each(self, value: Value, name: str) -> Any:
        return func.json_each(value).table_valued("key", "value", name=name, joins_implicitly=True)

    def half(self, value: Value, n: int) -> Value:
        return value.op("->>", return_type=Text())(literal_column(str(n)))


class _RowObject(FunctionElement[Any]):
    """A JSON object of PostgreSQL made from a row that has the keys as names of its columns.

    It takes a fifth less time than `json_build_object` and writes no blanks.  Aggregates may not stand in it.
    """

    type = JSON()
    inherit_cache = False

    def __init__(self, names: Sequence[str], values: Sequence[Value]) -> None:
        super().__init__(*values)
        self.names = names


@compiles(_RowObject)
def _row_object(element: _RowObject, compiler: Any, **how: Any) -> str:
    how["within_columns_clause"] = False
    values = [compiler.process(value, **how) for value in element.clauses]
    columns = ", ".join(f'{value} AS "{name}"' for name, value in zip(element.names, values, strict=True))
    return f"(SELECT row_to_json(r_) FROM (SELECT {columns}) AS r_)"  # noqa: S608  names of GraphQL, and SQL


DIALECTS: dict[str, Dialect] = {"sqlite": Sqlite(), "postgresql": Postgresql()}


def object_of(dialect: Dialect, pairs: Sequence[Pair]) -> Value:
    """A JSON object of any width."""
    if len(pairs) <= MOST_PAIRS:
        return dialect.pairs(pairs)
    parts = [dialect.pairs(pairs[n : n + MOST_PAIRS]) for n in range(0, len(pairs), MOST_PAIRS)]
    inner = [func.substr(text, 2, func.length(text) - 2, type_=Text) for text in map(dialect.text, parts)]
    joined: Value = literal("{", Text)
    for n, part in enumerate(inner):
        joined = joined.concat(literal_column("','")).concat(part) if n else joined.concat(part)
    return dialect.json(joined.concat(literal_column("'}'")))


def plain(dialect: Dialect, value: Value, kind: TypeEngine[Any] | None = None) -> Value:
    """A value in the form that the API shows: times, days and amounts as text, booleans as such."""
    kind = kind if kind is not None else value.type
    if isinstance(kind, Boolean):
        return dialect.boolean(value)
    if isinstance(kind, Utc):
        return dialect.moment(value)
    if isinstance(kind, Money):
        return dialect.money(value)
    if isinstance(kind, JSON):
        return dialect.json(value)
    return cast(value, Text) if isinstance(kind, Date) else value


def key(name: str) -> Value:
    """A key or a fixed word in SQL.  GraphQL's names hold nothing that would need escaping."""
    assert name.replace("_", "").replace("~", "").isalnum(), name
    return literal_column(f"'{name}'", Text)


def _flat(pairs: Sequence[Pair]) -> list[Value]:
    return [part for name, value in pairs for part in (key(name), value)]
