"""The GraphQL type of a column."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any

import strawberry
from sqlalchemy import JSON, Boolean, Date, Enum, Integer
from sqlalchemy import Column as TableColumn

from models.base import Money, Utc

from ..closed_lists import closed_of
from .make import enum_of


def python_type(column: TableColumn[Any]) -> Any:
    """The GraphQL type of a column's value, without its nullability."""
    if column.primary_key or column.foreign_keys:
        return strawberry.ID
    if (closed := closed_of(column)) is not None:
        return enum_of(closed.kind)
    kind = column.type
    if isinstance(kind, Enum):
        return enum_of(kind.enum_class)
    for sql, python in (
        (Utc, datetime),
        (Date, date),
        (Money, Decimal),
        (Boolean, bool),
        (Integer, int),
        (JSON, list[str]),
    ):
        if isinstance(kind, sql):
            return python
    return str
