"""The JSON functions of SQLite and PostgreSQL, and the text form of each kind of value.

Both databases return the same values for the same rows.  A JSON value out of a subquery or a CASE passes through
`json`, because SQLite treats it as plain text there and would quote it.
"""

from collections.abc import Collection, Sequence
from typing import Any, Protocol

from sqlalchemy import (
    JSON,
    Boolean,
    ColumnElement,
    Date,
    Integer,
    LargeBinary,
    Select,
    Text,
    any_,
    case,
    cast,
    func,
    literal,
    literal_column,
    or_,
    select,
    true,
)
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeEngine

from models.base import Money, Utc

from .row_object import RowObject

Value = ColumnElement[Any]
Pair = tuple[str, Value]

_BOOLEANS: list[tuple[Value, Value]] = [
    (literal_column(n), literal_column(word)) for n, word in (("1", "'true'"), ("0", "'false'"))
]
MAX_NAME = 63
"""Maximum number of characters of a column name in PostgreSQL."""
MAX_PAIRS = 48
"""Maximum number of pairs in one function call: PostgreSQL's functions take 100 arguments, SQLite's 127."""


class Dialect(Protocol):
    """The SQL in which the two databases differ."""

    selects_ids_first: bool
    """Whether a sorted page selects its ids in a subquery, before the items of its rows are built."""

    def pairs(self, pairs: Sequence[Pair]) -> Value: ...
    def row(self, pairs: Sequence[Pair]) -> Value: ...
    def json(self, value: Value) -> Value: ...
    def text(self, value: Value) -> Value: ...
    def bytes(self, value: Value) -> Value: ...
    def empty_array(self) -> Value: ...
    def array(self, item: Value, order: Value | None = None) -> Any: ...
    def objects(self, item: Value, order: Value | None = None) -> Any: ...
    def whole(self, objects: Value) -> Value: ...
    def page(self, pairs: Sequence[Pair], lists: Collection[str]) -> Value: ...
    def or_empty(self, array: Value) -> Value: ...
    def below(self, source: Any, key: Value, wanted: Select[Any], rows: Any) -> Select[Any]: ...
    def in_any_order(self, statement: Select[Any], index_order: Sequence[Value]) -> Select[Any]: ...
    def boolean(self, value: Value) -> Value: ...
    def timestamp(self, value: Value) -> Value: ...
    def days_after(self, at: Value, days: Value) -> Value: ...
    def amount(self, value: Value) -> Value: ...
    def hex(self, value: Value) -> Value: ...
    def list(self, *items: Value) -> Value: ...
    def each_pair(self, value: Value, name: str) -> Any: ...
    def element(self, value: Value, n: int) -> Value: ...
    def among(self, value: Value, one: Value, others: Select[Any]) -> ColumnElement[bool]: ...


class Sqlite:
    """SQLite: JSON is text that the functions recognise within one expression only."""

    selects_ids_first = True
    """SQLite's sorter builds the item of each row it inserts: of all rows, where the scan meets the oldest first."""

    def pairs(self, pairs: Sequence[Pair]) -> Value:
        return func.json_object(*_flat(pairs), type_=Text)

    def row(self, pairs: Sequence[Pair]) -> Value:
        return object_of(self, pairs)

    def json(self, value: Value) -> Value:
        return func.json(value, type_=Text)

    def text(self, value: Value) -> Value:
        return value.concat(literal_column("''")) if isinstance(value.type, Text) else cast(value, Text)

    def bytes(self, value: Value) -> Value:
        """The text of a JSON value; what is cast needs no `json` around it, which would parse the whole answer."""
        is_marked = isinstance(value, FunctionElement) and getattr(value, "name", "") == "json"
        return cast(next(iter(value.clauses)) if is_marked else value, LargeBinary)

    def array(self, item: Value, order: Value | None = None) -> Any:
        """An array in the order of the rows of the subquery, which must be sorted by `order`."""
        return func.json_group_array(item, type_=Text)

    def or_empty(self, array: Value) -> Value:
        """The array itself: over no rows SQLite's aggregate returns an empty array."""
        return array

    def objects(self, item: Value, order: Value | None = None) -> Any:
        """The text of JSON values, side by side: an array of `json` values would parse each of them again."""
        return func.group_concat(item, literal_column("','"), type_=Text)

    def whole(self, objects: Value) -> Value:
        """The text of the array of these; `json` makes a value of it."""
        held: Value = func.coalesce(objects, literal_column("''"), type_=Text)
        return literal_column("'['", Text).concat(held).concat(literal_column("']'"))

    def page(self, pairs: Sequence[Pair], lists: Collection[str]) -> Value:
        """The text of an object; the pairs with these names are texts of arrays."""
        text: Value = literal_column("'{'", Text)
        for n, (name, value) in enumerate(pairs):
            assert name.replace("_", "").isalnum(), name
            text = text.concat(literal_column(f"'{',' if n else ''}\"{name}\":'"))
            text = text.concat(value if name in lists else func.json_quote(value, type_=Text))
        return text.concat(literal_column("'}'"))

    def below(self, source: Any, key: Value, wanted: Select[Any], rows: Any) -> Select[Any]:
        """The `wanted` rows for every row of `source`, whose `key` each carries.

        SQLite has no LATERAL, but it correlates a list of ids.
        """
        again = rows.original.alias()
        ids = wanted.with_only_columns(rows.c.id)
        return select(again, key.label("up_")).select_from(source.join(again, again.c.id.in_(ids)))

    def in_any_order(self, statement: Select[Any], index_order: Sequence[Value]) -> Select[Any]:
        """The statement itself: SQLite's planner finds the shortest scan."""
        return statement

    def boolean(self, value: Value) -> Value:
        return self.json(case(*_BOOLEANS, value=value.self_group(), else_=literal_column("'null'")))

    def empty_array(self) -> Value:
        return literal_column("'[]'", Text)

    def timestamp(self, value: Value) -> Value:
        return cast(value, Text)

    def days_after(self, at: Value, days: Value) -> Value:
        """The time so many times 24 hours later, in the form of the API; NULL where either is."""
        form: Value = literal_column("'%Y-%m-%dT%H:%M:%fZ'")
        return func.strftime(form, cast(at, Text), cast(days, Text).concat(literal_column("' days'")), type_=Text)

    def amount(self, value: Value) -> Value:
        sign = case((cast(value, Integer) < 0, literal_column("'-'")), else_=literal_column("''"))
        size = func.abs(cast(value, Integer))
        text = func.printf(literal_column("'%s%d.%02d'"), sign, size.op("/")(100), size.op("%")(100), type_=Text)
        return case((value.is_not(None), text), else_=None)

    def hex(self, value: Value) -> Value:
        return func.hex(value, type_=Text)

    def list(self, *items: Value) -> Value:
        return func.json_array(*items, type_=Text)

    def each_pair(self, value: Value, name: str) -> Any:
        return func.json_each(value).table_valued("key", "value", name=name, joins_implicitly=True)

    def element(self, value: Value, n: int) -> Value:
        path: Value = literal_column(f"'$[{n}]'")
        kind = func.json_type(value, path, type_=Text)
        text = cast(func.json_extract(value, path), Text)
        return case((kind.in_(("true", "false")), kind), else_=text)

    def among(self, value: Value, one: Value, others: Select[Any]) -> ColumnElement[bool]:
        """Condition: a value is the one, or among the others.  An index of it answers both."""
        return or_(value == one, value.in_(others))


class Postgresql:
    """PostgreSQL: JSON is a type."""

    selects_ids_first = False
    """PostgreSQL sorts before it evaluates expensive columns."""

    def pairs(self, pairs: Sequence[Pair]) -> Value:
        return func.json_build_object(*_flat(pairs), type_=JSON)

    def row(self, pairs: Sequence[Pair]) -> Value:
        if any(len(name) > MAX_NAME for name, _ in pairs):
            return object_of(self, pairs)
        return RowObject([name for name, _ in pairs], [value for _, value in pairs])

    def json(self, value: Value) -> Value:
        return value if isinstance(value.type, JSON) else cast(value, JSON)

    def text(self, value: Value) -> Value:
        return cast(value, Text)

    def bytes(self, value: Value) -> Value:
        return func.convert_to(cast(value, Text), literal_column("'UTF8'"), type_=LargeBinary)

    def array(self, item: Value, order: Value | None = None) -> Any:
        return func.json_agg(item if order is None else aggregate_order_by(item, order), type_=JSON)

    def objects(self, item: Value, order: Value | None = None) -> Any:
        return self.array(self.json(item), order)

    def whole(self, objects: Value) -> Value:
        return self.or_empty(objects)

    def page(self, pairs: Sequence[Pair], lists: Collection[str]) -> Value:
        return object_of(self, pairs)

    def or_empty(self, array: Value) -> Value:
        """The array, or an empty one over no rows, where PostgreSQL's aggregate returns NULL."""
        filled: Value = func.coalesce(array, self.empty_array())
        return filled

    def below(self, source: Any, key: Value, wanted: Select[Any], rows: Any) -> Select[Any]:
        """The `wanted` rows for every row of `source`, whose `key` each carries."""
        each = wanted.lateral()
        return select(each, key.label("up_")).select_from(source.join(each, true()))

    def in_any_order(self, statement: Select[Any], index_order: Sequence[Value]) -> Select[Any]:
        """The statement in the order of an index: unordered, PostgreSQL may pick a scan that ends with the visible rows."""
        return statement.order_by(*index_order)

    def boolean(self, value: Value) -> Value:
        return value

    def empty_array(self) -> Value:
        return literal_column("'[]'::json", JSON)

    def timestamp(self, value: Value) -> Value:
        form: Value = literal_column("""'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'""")
        return func.to_char(func.timezone(literal_column("'UTC'"), value), form, type_=Text)

    def days_after(self, at: Value, days: Value) -> Value:
        return self.timestamp(at + cast(days, Integer) * literal_column("interval '24 hours'"))

    def amount(self, value: Value) -> Value:
        return cast(value, Text)

    def hex(self, value: Value) -> Value:
        bytes_ = func.convert_to(cast(value, Text), literal_column("'UTF8'"))
        return func.encode(bytes_, literal_column("'hex'"), type_=Text)

    def list(self, *items: Value) -> Value:
        return func.json_build_array(*items, type_=JSON)

    def each_pair(self, value: Value, name: str) -> Any:
        return func.json_each(value).table_valued("key", "value", name=name, joins_implicitly=True)

    def element(self, value: Value, n: int) -> Value:
        return value.op("->>", return_type=Text())(literal_column(str(n)))

    def among(self, value: Value, one: Value, others: Select[Any]) -> ColumnElement[bool]:
        """The same; beside an `or`, a subquery would have all rows read."""
        return value == any_(func.array_append(func.array(others.scalar_subquery()), one))


DIALECTS: dict[str, Dialect] = {"sqlite": Sqlite(), "postgresql": Postgresql()}


def object_of(dialect: Dialect, pairs: Sequence[Pair]) -> Value:
    """A JSON object with any number of pairs; a wide one is concatenated from several."""
    if len(pairs) <= MAX_PAIRS:
        return dialect.pairs(pairs)
    parts = [dialect.pairs(pairs[n : n + MAX_PAIRS]) for n in range(0, len(pairs), MAX_PAIRS)]
    inner = [func.substr(text, 2, func.length(text) - 2, type_=Text) for text in map(dialect.text, parts)]
    joined: Value = literal("{", Text)
    for n, part in enumerate(inner):
        joined = joined.concat(literal_column("','")).concat(part) if n else joined.concat(part)
    return dialect.json(joined.concat(literal_column("'}'")))


def api_value(dialect: Dialect, value: Value, kind: TypeEngine[Any] | None = None) -> Value:
    """A value in the form of the API: times, days and amounts as text, booleans as JSON."""
    kind = kind if kind is not None else value.type
    if isinstance(kind, Boolean):
        return dialect.boolean(value)
    if isinstance(kind, Utc):
        return dialect.timestamp(value)
    if isinstance(kind, Money):
        return dialect.amount(value)
    if isinstance(kind, JSON):
        return dialect.json(value)
    return cast(value, Text) if isinstance(kind, Date) else value


def name_literal(name: str) -> Value:
    """A GraphQL name as an SQL text literal; its characters need no escaping."""
    assert name.replace("_", "").replace("~", "").isalnum(), name
    return literal_column(f"'{name}'", Text)


def _flat(pairs: Sequence[Pair]) -> list[Value]:
    return [part for name, value in pairs for part in (name_literal(name), value)]
