"""Comparison of a column with a typed operand, equal on both databases."""

from collections.abc import Callable
from enum import Enum
from functools import partial
from typing import Any

from sqlalchemy import Boolean, literal
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

from models.errors import Validation
from models.text import composed, glob_pattern, has_cases, like_pattern, regular_expression

from ..runtime.viewer import Clause, Value
from .provenance import map_traced

LONGEST_PART = 1_000
"""Maximum length of a text that a filter looks for in columns: SQLite refuses patterns of more than 50,000 bytes."""


def compared(column: Value, operator: str, operand: Any) -> Clause:
    """Condition: a column compares with an operand, which is brought into the form of stored values.  Raises Validation."""
    return OPERATORS[operator](column, _as_stored(operand))


def _as_stored(operand: Any) -> Any:
    """An operand in the form of stored values."""
    if isinstance(operand, list | tuple):
        return [_as_stored(x) for x in operand]
    return map_traced(operand, composed) if isinstance(operand, str) and not isinstance(operand, Enum) else operand


def _alike(before: str, after: str) -> Callable[[Value, str], Clause]:
    """The operator that finds a text between these two wildcards, `%` or nothing."""

    def operator(column: Value, text: str) -> Clause:
        text = map_traced(text, _checked)
        forms = (
            lambda x: f"{before}{like_pattern(x)}{after}",
            partial(_glob, before, after),
            partial(_regular, before, after),
        )
        return Alike(column, *(literal(map_traced(text, form)) for form in forms))

    return operator


class Alike(FunctionElement[bool]):
    """`LIKE` that ignores case, with the same result on both databases for all of Unicode.

    Its arguments are the column, the pattern for `LIKE`, and for the letters that `LIKE` cannot compare one pattern for
    SQLite and one for PostgreSQL, which are empty for a text without such letters.
    """

    type = Boolean()
    inherit_cache = True


@compiles(Alike)
def _on_postgresql(element: Alike, compiler: Any, **how: Any) -> str:
    column, like, _, exact = element.clauses
    column, like, exact = (compiler.process(part, **how) for part in (column, like, exact))
    return rf"(lower({column}) LIKE {like} ESCAPE '\' AND ({exact} = '' OR {column} ~ {exact}))"


@compiles(Alike, "sqlite")
def _on_sqlite(element: Alike, compiler: Any, **how: Any) -> str:
    """`LIKE` of SQLite ignores the case of ASCII letters by itself, twice as fast as with `lower()`."""
    column, like, exact, _ = (compiler.process(part, **how) for part in element.clauses)
    return rf"({column} LIKE {like} ESCAPE '\' AND ({exact} = '' OR {column} GLOB {exact}))"


def _checked(text: str) -> str:
    """The typed text in the form of stored texts.  Raises Validation for one that is too long for the databases."""
    if len(text) > LONGEST_PART:
        raise Validation(
            f"A text to look for has at most {LONGEST_PART:,} characters.",
            f"筛选文本最多 {LONGEST_PART:,} 个字符。",
            field="filter",
        )
    return composed(text)


def _glob(before: str, after: str, text: str) -> str:
    return f"{before and '*'}{glob_pattern(text)}{after and '*'}" if has_cases(text) else ""


def _regular(before: str, after: str, text: str) -> str:
    return f"{'' if before else '^'}{regular_expression(text)}{'' if after else '$'}" if has_cases(text) else ""


OPERATORS: dict[str, Callable[[Value, Any], Clause]] = {
    "eq": lambda column, x: column == x,
    "ne": lambda column, x: column.is_distinct_from(x),
    "in": lambda column, x: column.in_(x),
    "gt": lambda column, x: column > x,
    "gte": lambda column, x: column >= x,
    "lt": lambda column, x: column < x,
    "lte": lambda column, x: column <= x,
    "is_null": lambda column, x: column.is_(None) if x else column.is_not(None),
    "contains": _alike("%", "%"),
    "starts_with": _alike("", "%"),
    "ends_with": _alike("%", ""),
}
