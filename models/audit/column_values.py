"""Values of the operation log as their columns hold them: the way back from `plain`."""

from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import Column, Date

from ..base import Money, Utc, moment_of


def stored(column: Column[Any], value: Any) -> Any:
    """A value of the log, or of a note, as its column holds it."""
    if value is None:
        return None
    if isinstance(column.type, Utc):
        return moment_of(value)
    if isinstance(column.type, Date):
        return date.fromisoformat(value)
    return Decimal(value) if isinstance(column.type, Money) else value
