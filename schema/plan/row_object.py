"""JSON objects of PostgreSQL that are built from a row."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import JSON, ColumnElement
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

Value = ColumnElement[Any]


class RowObject(FunctionElement[Any]):
    """A JSON object of PostgreSQL, built from a row whose column names are the keys.

    It takes a fifth less time than `json_build_object` and writes no blanks.  It may not contain aggregates.
    """

    type = JSON()
    inherit_cache = False

    def __init__(self, names: Sequence[str], values: Sequence[Value]) -> None:
        super().__init__(*values)
        self.names = names


@compiles(RowObject)
def _row_object(element: RowObject, compiler: Any, **how: Any) -> str:
    how["within_columns_clause"] = False
    values = [compiler.process(value, **how) for value in element.clauses]
    columns = ", ".join(f'{value} AS "{name}"' for name, value in zip(element.names, values, strict=True))
    return f"(SELECT row_to_json(r_) FROM (SELECT {columns}) AS r_)"  # noqa: S608  GraphQL names, and compiled SQL
