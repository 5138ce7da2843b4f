"""What a broken constraint means to a person.  The database refuses first; this only finds the words."""

import re
from typing import Any

from sqlalchemy.exc import IntegrityError

from models import Base
from models.errors import Duplicate, InUse, NotFound, Refusal

from .names import camel

_SQLITE_UNIQUE = re.compile(r"UNIQUE constraint failed: (.+)")


def refusal_of(failure: IntegrityError) -> Refusal:
    """Duplicate for a unique key, InUse or NotFound for a foreign key; anything else is a bug and raised as it is."""
    columns = _unique_columns(failure)
    if columns:
        field = columns[-1]
        return Duplicate(field=camel(field), value=_value(failure.params, field))
    if "FOREIGN KEY" in str(failure.orig).upper() or getattr(failure.orig, "sqlstate", "") == "23503":
        return InUse(label="This record", count="some", what="records") if _deleting(failure) else NotFound()
    raise failure


def _unique_columns(failure: IntegrityError) -> list[str]:
    """The columns of the unique key that was broken, empty for another kind of failure."""
    if getattr(failure.orig, "sqlstate", "") == "23505":
        return _columns_of(failure.orig.diag.constraint_name)  # type: ignore[union-attr]
    found = _SQLITE_UNIQUE.search(str(failure.orig))
    return [name.strip().rpartition(".")[2] for name in found[1].split(",")] if found else []


def _columns_of(name: str | None) -> list[str]:
    for table in Base.metadata.tables.values():
        for key in (*table.indexes, *table.constraints):
            if key.name == name:
                return [column.name for column in key.columns]  # type: ignore[union-attr]
    return [str(name)]


def _value(params: Any, field: str) -> str:
    row = params[0] if isinstance(params, list) and params else params
    return str(row[field]) if isinstance(row, dict) and field in row else "This value"


def _deleting(failure: IntegrityError) -> bool:
    return (failure.statement or "").lstrip().upper().startswith("DELETE")
