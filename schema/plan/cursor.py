"""Cursors in SQL: where a page ended, made by the statement that gives the page."""

from collections.abc import Sequence

from .dialect import Dialect, Value, key, plain


def cursor_of(dialect: Dialect, tag: str, values: Sequence[Value]) -> Value:
    """The cursor of a row in SQL; `resolvers/reading/cursors.py` reads it."""
    return dialect.hex(dialect.list(key(tag), *(plain(dialect, value) for value in values)))
