"""Reading rows of the log that somebody may have put there by hand, so that no column need hold what it should."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, select
from sqlalchemy.exc import DBAPIError

from models import Base
from models.audit.proof import plain

PAGE = 1000
"""Number of rows read at once."""
UNREADABLE = "unreadable"
"""The key that marks a row of which only the id can be read."""
Row = Mapping[str, Any]
_MALFORMED = (ValueError, LookupError, TypeError, AttributeError, DBAPIError)
"""What reading a row raises when a value that its columns cannot hold was put there by hand."""


def rows(connection: Connection, model: type[Base], first: int | None = None, last: int | None = None) -> Iterator[Row]:
    """The rows from `first` to `last`, a page at a time."""
    key = model.__table__.c.id
    while True:
        wanted: list[ColumnElement[bool]] = [key >= first] if first is not None else []
        wanted += [key <= last] if last is not None else []
        page = _page(connection, model, wanted)
        yield from page
        if len(page) < PAGE:
            return
        first = page[-1]["id"] + 1


def _page(connection: Connection, model: type[Base], wanted: list[ColumnElement[bool]]) -> list[Row]:
    """The next rows; where one of them is malformed, each is read by itself."""
    key = model.__table__.c.id
    try:
        return _read(connection, select(model.__table__).where(*wanted).order_by(key).limit(PAGE))
    except _MALFORMED:
        ids = connection.execute(select(key).where(*wanted).order_by(key).limit(PAGE)).scalars().all()
        return [_alone(connection, model, id) for id in ids]


def _alone(connection: Connection, model: type[Base], id: int) -> Row:
    try:
        return _read(connection, select(model.__table__).where(model.__table__.c.id == id))[0]
    except _MALFORMED:
        return {"id": id, UNREADABLE: True}


def _read(connection: Connection, statement: Select[Any]) -> list[Row]:
    """The rows of a statement.  Raises one of `_MALFORMED`."""
    found: list[Row] = [
        {str(key): value for key, value in row.items()} for row in connection.execute(statement).mappings()
    ]
    for row in found:
        json.dumps(row, default=_as_text)
        for name in ("first_id", "last_id", "count"):
            range(row.get(name, 0))
    return found


def _as_text(value: Any) -> str:
    """A value as text.  Raises TypeError for bytes, which no text column holds."""
    if isinstance(value, bytes):
        raise TypeError("bytes")
    return str(plain(value))
