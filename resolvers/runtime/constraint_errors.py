"""What a broken constraint means to a person.  The database refuses first; this only finds the words."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Enum, Index
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session
from sqlalchemy.orm.exc import StaleDataError
from sqlalchemy.sql.schema import ColumnCollectionConstraint

from models import Base
from models.base import trait_of
from models.choice_names import choice_said
from models.errors import Conflict, Duplicate, InUse, NotFound, Refusal, Validation
from models.names import RECORD

from .ids import camel
from .inputs import ENDS_BEFORE, out_of_range, required

_SQLITE = re.compile(r"(UNIQUE|CHECK|NOT NULL) constraint failed: (.+)")
_POSTGRESQL = {"23505": "UNIQUE", "23514": "CHECK", "23502": "NOT NULL", "23503": "FOREIGN KEY"}

_NAMELESS = {"value": "This choice", "value_zh": "该选项"}
_TABLE = re.compile(r"(?:INSERT INTO|UPDATE) (\w+)")
_CHECKED = {
    "period": ("endsAt", *ENDS_BEFORE),
}
"""Constraints that are not about one column: (field, sentence, the same in Chinese)."""


def refusal_of(failure: IntegrityError) -> Refusal:
    """Duplicate for a unique key, InUse or NotFound for a foreign key, Validation for a value out of range.

    Anything else is a bug and raised as it is.
    """
    kind, name = _broken(failure)
    if kind == "UNIQUE":
        field = _last_column(name)
        value = _value(failure, field)
        told = _choice(failure, field, value) or ({"value": value} if value else _NAMELESS)
        return Duplicate(field=camel(field), **told)
    if kind == "CHECK" and (refusal := _checked(name)):
        return refusal
    if kind == "NOT NULL":
        return required(name.rpartition(".")[2])
    if kind == "FOREIGN KEY":
        return (
            InUse(label="This record", label_zh="该记录", count="…", what=RECORD) if _deleting(failure) else NotFound()
        )
    raise failure


def _broken(failure: IntegrityError) -> tuple[str, str]:
    """(kind of constraint, its name or its columns) as the database said it."""
    cause: Any = failure.orig
    if kind := _POSTGRESQL.get(getattr(cause, "sqlstate", "")):
        return kind, str(cause.diag.column_name if kind == "NOT NULL" else cause.diag.constraint_name)
    if found := _SQLITE.search(str(cause)):
        return found[1], found[2]
    return ("FOREIGN KEY", "") if "FOREIGN KEY" in str(cause) else ("", "")


def _last_column(name: str) -> str:
    """The last column of a unique key: PostgreSQL names the key, SQLite its columns or an index over an expression."""
    for table in Base.metadata.tables.values():
        for key in (*table.indexes, *table.constraints):
            if isinstance(key, Index | ColumnCollectionConstraint) and key.name == name:
                return [trait_of(column).key_of or column.name for column in key.columns][-1]
    return _source(name)


def _source(name: str) -> str:
    """The last of some columns in SQLite's words, `customer.number_key`; of a key the column that it repeats."""
    table, _, column = name.rpartition(",")[2].strip().rpartition(".")
    there = Base.metadata.tables.get(table)
    found = trait_of(there.c[column]).key_of if there is not None and column in there.c else None
    return found or column


def _checked(name: str) -> Refusal | None:
    """What a CHECK means: `ck_app_user_capacity` is about the column `capacity`."""
    for table in Base.metadata.tables.values():
        word = name.removeprefix(f"ck_{table.name}_")
        if word != name and word in table.columns:
            return out_of_range(word)
        if word in _CHECKED:
            field, sentence, zh = _CHECKED[word]
            return Validation(sentence, zh, field=field)
    return None


def _value(failure: IntegrityError, field: str) -> str:
    """The text that was to be written into the column, "" for the number of a record, which says nothing to a user.

    SQLite's parameters have no names, their order is the statement's.
    """
    params: Any = failure.params
    row = params[0] if isinstance(params, list) and params else params
    if isinstance(row, tuple):
        row = dict(zip(_written(failure.statement or ""), row, strict=False))
    value = row.get(field) if isinstance(row, dict) else None
    return value if isinstance(value, str) else ""


def _choice(failure: IntegrityError, field: str, value: str) -> dict[str, str] | None:
    """What a value of a closed list is called; None for another one."""
    table = Base.metadata.tables.get(found[1]) if (found := _TABLE.match(failure.statement or "")) else None
    kind: Any = table.c[field].type if table is not None and field in table.c else None
    members = kind.enum_class or () if isinstance(kind, Enum) else ()
    for member in members:
        if value in (member.name, member.value):
            english, chinese = choice_said(member)
            return {"value": english, "value_zh": chinese}
    return None


def _written(statement: str) -> list[str]:
    """The columns that an INSERT or UPDATE writes, in the order of their parameters."""
    if found := re.match(r"INSERT INTO \w+ \(([^)]*)\)", statement):
        return [name.strip() for name in found[1].split(",")]
    found = re.match(r"UPDATE \w+ SET (.*?) WHERE", statement)
    return [piece.partition("=")[0].strip() for piece in found[1].split(",")] if found else []


def _deleting(failure: IntegrityError) -> bool:
    return (failure.statement or "").lstrip().upper().startswith("DELETE")


@contextmanager
def translated(db: Session) -> Iterator[None]:
    """Turn what the database refuses into the refusal that a person understands."""
    try:
        yield
        db.flush()
    except StaleDataError:
        raise Conflict(field="version") from None
    except IntegrityError as failure:
        raise refusal_of(failure) from None
