"""The book of custom fields as it is stored: the definitions that are in force, and their edition."""

from typing import Any, cast

from sqlalchemy import Connection, Table, select
from sqlalchemy.orm import Session

from models import CustomField, FieldBook
from models.custom_field import Book, Custom
from models.database.bypass import Because, bypass_policy

_OPTIONS = bypass_policy(Because.APPLIES_TO_ALL)
EDITION: Any = select(FieldBook.edition).limit(1).scalar_subquery()
"""The edition as a column of another statement; NULL before the first definition."""


def read_book(ask: Connection | Session, known: Book | None = None) -> Book:
    """The book in force.  `known` itself where it still is.

    The edition is read first: definitions that are newer than it are read again with the next request.
    """
    edition = ask.execute(select(EDITION), execution_options=_OPTIONS).scalar() or ""
    if known is not None and known.revision == edition:
        return known
    c: Any = cast("Table", CustomField.__table__).c
    rows = ask.execute(select(*c).where(c.deleted_at.is_(None)), execution_options=_OPTIONS)
    return Book.made((_custom(row) for row in rows), edition)


def _custom(row: Any) -> Custom:
    return Custom(
        id=row.id,
        module=row.for_module,
        key=row.key,
        kind=row.kind,
        label_en=row.label_en,
        label_zh=row.label_zh,
        help_en=row.help_en,
        help_zh=row.help_zh,
        is_required=row.is_required,
        position=row.position,
        dictionary=row.dictionary,
        target=row.target,
        is_searchable=row.is_searchable,
        is_retired=row.retired_at is not None,
        is_converting=row.converting_at is not None,
    )
