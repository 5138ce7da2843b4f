"""Cursors in SQL: the statement that returns a page also returns where the page begins and ends."""

from collections.abc import Sequence

from .dialect import Dialect, Value, api_value, name_literal


def cursor_of(dialect: Dialect, tag: str, values: Sequence[Value]) -> Value:
    """The cursor of a row as an SQL expression; `resolvers/reading/cursors.py` reads it."""
    return dialect.hex(dialect.list(name_literal(tag), *(api_value(dialect, value) for value in values)))
