"""The values of custom fields in SQL: the expression that takes one out of the column, and the index over it.

The expression stands in a statement exactly as in its index, with the key as a literal, because a database finds an index
over an expression for the same text alone.
"""

from collections.abc import Callable, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Boolean, Dialect, Integer, Numeric, Text, TypeDecorator, literal_column
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import REAL, TypeEngine

from .base import Base
from .column_types import Money, json_type, moment_of, time_text
from .custom_field import LINKS, PREFIX, Custom, CustomKind, is_key


class Number(TypeDecorator[Decimal]):
    """Exact numbers of at most fifteen digits, which a floating number of SQLite holds without loss."""

    impl = Numeric
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(REAL() if dialect.name == "sqlite" else Numeric())

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> Any:
        return float(value) if value is not None and dialect.name == "sqlite" else value

    def process_result_value(self, value: Any, dialect: Dialect) -> Decimal | None:
        return None if value is None else plain_number(Decimal(repr(value) if isinstance(value, float) else value))


def plain_number(value: Decimal) -> Decimal:
    """A number in the one form in which it is stored: without zeros at its end and without an exponent."""
    return Decimal(f"{value.normalize():f}")


class DayText(TypeDecorator[date]):
    """A day as text, whose order is that of time: what PostgreSQL casts to a date it cannot index."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: date | None, dialect: Dialect) -> Any:
        return None if value is None else value.isoformat()

    def process_result_value(self, value: Any, dialect: Dialect) -> date | None:
        return None if value is None else date.fromisoformat(value)


class MomentText(TypeDecorator[datetime]):
    """A time as text in the one form of times."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        return None if value is None else time_text(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        return None if value is None else moment_of(value)


_TYPES: dict[CustomKind, Callable[[], TypeEngine[Any]]] = {
    CustomKind.NUMBER: Number,
    CustomKind.MONEY: Money,
    CustomKind.DATE: DayText,
    CustomKind.MOMENT: MomentText,
    CustomKind.YES_NO: Boolean,
    CustomKind.MULTIPLE_CHOICE: json_type,
    **dict.fromkeys(LINKS, Integer),
}
_TEXT = Text()


def type_of(kind: CustomKind) -> TypeEngine[Any]:
    """The type of the values of a kind, as `CustomValue` gives them."""
    return _TYPES[kind]() if kind in _TYPES else _TEXT


class CustomValue(FunctionElement[Any]):
    """The value of a custom field of a row; NULL where it is empty.  Its first argument is the column of values."""

    inherit_cache = True

    def __init__(self, column: Any, custom: Custom) -> None:
        assert is_key(custom.key), "checked when the field was defined"
        super().__init__(column, literal_column(custom.key), literal_column(custom.kind.value))  # tell it from others
        self.name_, self.kind, self.type = custom.key, custom.kind, type_of(custom.kind)


@compiles(CustomValue, "sqlite")
def _on_sqlite(element: CustomValue, compiler: Any, **how: Any) -> str:
    return _sqlite(compiler.process(next(iter(element.clauses)), **how), element.name_, element.kind)


@compiles(CustomValue, "postgresql")
def _on_postgresql(element: CustomValue, compiler: Any, **how: Any) -> str:
    return _postgresql(compiler.process(next(iter(element.clauses)), **how), element.name_, element.kind)


def _sqlite(column: str, key: str, kind: CustomKind) -> str:
    held = f"json_extract({column}, '$.{key}')"
    if kind is CustomKind.NUMBER:
        return f"CAST({held} AS REAL)"
    return f"CAST(replace({held}, '.', '') AS INTEGER)" if kind is CustomKind.MONEY else held


def _postgresql(column: str, key: str, kind: CustomKind) -> str:
    if kind is CustomKind.MULTIPLE_CHOICE:
        return f"({column} -> '{key}')"
    cast = _CASTS.get(kind)
    return f"(({column} ->> '{key}')::{cast})" if cast else f"(({column} ->> '{key}') COLLATE \"C\")"


_CASTS = {
    CustomKind.NUMBER: "numeric",
    CustomKind.MONEY: "numeric(16, 2)",
    CustomKind.YES_NO: "boolean",
    **dict.fromkeys(LINKS, "integer"),
}


class AtKey(FunctionElement[Any]):
    """What stands at the key of a custom field in a JSON column; a subclass says in which form."""

    inherit_cache = True

    def __init__(self, column: Any, custom: Custom) -> None:
        assert is_key(custom.key), "checked when the field was defined"
        super().__init__(column, literal_column(custom.key))  # tells it from others
        self.name_ = custom.key


class CustomText(AtKey):
    """The same value as the text in which it is stored: the digits of a number as they were written."""

    inherit_cache = True
    type = _TEXT


@compiles(CustomText, "sqlite")
def _text_on_sqlite(element: CustomText, compiler: Any, **how: Any) -> str:
    return f"json_extract({compiler.process(next(iter(element.clauses)), **how)}, '$.{element.name_}')"


@compiles(CustomText, "postgresql")
def _text_on_postgresql(element: CustomText, compiler: Any, **how: Any) -> str:
    return f"({compiler.process(next(iter(element.clauses)), **how)} ->> '{element.name_}')"


class CustomJson(AtKey):
    """The same value as JSON: true, false, a list of words."""

    inherit_cache = True
    type = json_type()


@compiles(CustomJson, "sqlite")
def _json_on_sqlite(element: CustomJson, compiler: Any, **how: Any) -> str:
    return f"({compiler.process(next(iter(element.clauses)), **how)} -> '$.{element.name_}')"


@compiles(CustomJson, "postgresql")
def _json_on_postgresql(element: CustomJson, compiler: Any, **how: Any) -> str:
    return f"({compiler.process(next(iter(element.clauses)), **how)} -> '{element.name_}')"


class WithoutKeys(FunctionElement[Any]):
    """A JSON list of keys without some of them, which stand as literals."""

    inherit_cache = True

    def __init__(self, column: Any, keys: Sequence[str]) -> None:
        assert all(is_key(key.removeprefix(PREFIX)) for key in keys), "checked when the fields were defined"
        self.listed, self.type = ", ".join(f"'{key}'" for key in sorted(keys)), column.type
        super().__init__(column, literal_column(self.listed))  # tells it from others


@compiles(WithoutKeys, "sqlite")
def _less_on_sqlite(element: WithoutKeys, compiler: Any, **how: Any) -> str:
    column = compiler.process(next(iter(element.clauses)), **how)
    return f"(SELECT json_group_array(value) FROM json_each({column}) WHERE value NOT IN ({element.listed}))"  # noqa: S608  checked keys


@compiles(WithoutKeys, "postgresql")
def _less_on_postgresql(element: WithoutKeys, compiler: Any, **how: Any) -> str:
    each = f"json_array_elements_text(CAST({compiler.process(next(iter(element.clauses)), **how)} AS json))"
    kept = f"FROM {each} WITH ORDINALITY AS key_(value, n) WHERE value NOT IN ({element.listed})"
    return f"(SELECT coalesce(json_agg(value ORDER BY n), '[]'::json) {kept})"


# --- the index -------------------------------------------------------------------------------------------


def index_name(table: str, custom: Custom) -> str:
    """The name of the index of a field.  It holds the number of the definition, so that a key can be used again."""
    return f"ix_{table}_custom_{custom.id}"


def create_index(dialect: str, table: str, custom: Custom, *, concurrently: bool = False) -> str:
    """The statement that makes a field fast to filter and to order by; the id breaks ties, as in every list.

    Many records have the same word, so these are found in the order that lists of their kind have by themselves.
    `concurrently`: on PostgreSQL nobody who writes has to wait, and the statement runs outside of transactions.
    """
    expression = (_sqlite if dialect == "sqlite" else _postgresql)("custom", custom.key, custom.kind)
    how = " CONCURRENTLY" if concurrently and dialect == "postgresql" else ""
    columns = ", ".join((expression, *([_order_of(table)] if custom.kind in _COMMON else []), "id"))
    return (
        f"CREATE INDEX{how} IF NOT EXISTS {index_name(table, custom)} ON {table} ({columns}) WHERE deleted_at IS NULL"
    )


_COMMON = frozenset({CustomKind.YES_NO, CustomKind.SINGLE_CHOICE, *LINKS})
"""The kinds of which many records hold the same value."""


def _order_of(table: str) -> str:
    """The column by which lists of these records are ordered by themselves."""
    models = {mapper.class_.__tablename__: mapper.class_ for mapper in Base.registry.mappers}
    return str(getattr(models[table], "order", "created_at")).lstrip("-")


def drop_index(table: str, custom: Custom) -> str:
    """The statement that takes the index away, if it is there."""
    return f"DROP INDEX IF EXISTS {index_name(table, custom)}"
