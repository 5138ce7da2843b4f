"""Seals of the operation log: write them, and verify that entries and seals are unchanged.

A seal is a hash over a range of entries and over the seal before it.  It covers settled entries only: those below which
no entry can appear any more.  SQLite has one writer, so every committed entry is settled.  PostgreSQL needs two calls.
The first notes the highest entry id drawn so far and then takes a transaction number.  Every transaction that drew one of
those ids has a lower number (`models/audit/append_only.py`, ORDERED_IDS).  When no transaction with a lower number runs
any more, those ids are settled.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, func, insert, select, text
from sqlalchemy.exc import DBAPIError

from models import AuditEntry, AuditSeal, Base
from models.audit.proof import entry_hash, plain, seal_hash, values_hash

FIRST = "0" * 64
LARGEST = 10_000
"""Maximum number of entries of one seal."""
_PAGE = 1000
"""Number of rows read at once."""
_NAMED = 20
"""Maximum number of missing entries that a problem names."""
_LOCK = 730_114

Row = Mapping[str, Any]
_MALFORMED = (ValueError, LookupError, TypeError, AttributeError, DBAPIError)
"""What reading a row raises when a value that its columns cannot hold was put there by hand."""
_UNREADABLE = "unreadable"


@dataclass
class Horizon:
    """What the first call of `seal` noted on PostgreSQL; the caller passes it to the next call."""

    drawn: int = 0
    transaction: int = 0


@dataclass
class Report:
    """The result of `verify`: numbers of entries and seals, and one sentence per problem."""

    entries: int = 0
    seals: int = 0
    problems: list[str] = field(default_factory=list)


def seal(connection: Connection, now: datetime, horizon: Horizon) -> int:
    """Seal the settled entries that have no seal yet; returns their number.

    One process seals at a time: another one that tries meanwhile seals nothing.
    """
    if connection.dialect.name == "postgresql":
        if not connection.execute(text("SELECT pg_try_advisory_xact_lock(:key)"), {"key": _LOCK}).scalar():
            return 0
        settled = _settled(connection, horizon)
    else:
        settled = connection.execute(select(func.max(AuditEntry.id))).scalar() or 0
    return _write_seals(connection, now, settled)


def is_due(connection: Connection) -> bool:
    """Whether an entry has no seal yet."""
    newest = connection.execute(select(func.max(AuditEntry.id))).scalar() or 0
    sealed = connection.execute(select(func.max(AuditSeal.last_id))).scalar() or 0
    return bool(newest > sealed)


def verify(connection: Connection) -> Report:
    """The problems found by comparing each entry with its hash, each seal with its entries and with the seal before."""
    report, previous, next_id = Report(), FIRST, 1
    for row in _rows(connection, AuditEntry, last=0):
        report.problems.append(f"entry {row['id']} was added: the numbers of entries begin with 1")
    for row in _rows(connection, AuditSeal):
        report.seals += 1
        if _UNREADABLE in row:
            report.problems.append(f"seal {row['id']} was changed: it cannot be read")
            continue
        report.problems += _out_of_line(row, previous, next_id)
        list(_entries(connection, next_id, row["first_id"] - 1, report))
        report.problems += _broken(row, list(_entries(connection, row["first_id"], row["last_id"], report)))
        previous, next_id = row["hash"], row["last_id"] + 1
    list(_entries(connection, next_id, None, report))
    return report


def _out_of_line(row: Row, previous: str, next_id: int) -> Iterator[str]:
    """The problems between a seal and the one before it, as sentences."""
    if row["first_id"] > next_id:
        yield f"a seal is missing before seal {row['id']}: none covers the entries {next_id} to {row['first_id'] - 1}"
    elif row["first_id"] < next_id:
        yield f"seal {row['id']} begins before the end of the seal before it"
    if row["previous_hash"] != previous:
        yield f"seal {row['id']} does not follow the seal before it"


def _broken(row: Row, hashes: Sequence[tuple[int, str]]) -> Iterator[str]:
    """The problems between a seal and its entries, as sentences."""
    digest, count = seal_hash(row["previous_hash"], row["at"], row["first_id"], row["last_id"], hashes)
    span = f"entries {row['first_id']} to {row['last_id']}"
    covers = f"seal {row['id']} covers {row['count']} entries, {count} are there"
    if count < row["count"]:
        yield f"{covers}: {_missing(row, {id for id, _ in hashes})}"
    elif count > row["count"]:
        yield f"{covers}: one of the {span} was added"
    elif digest != row["hash"]:
        yield f"seal {row['id']} is broken: what is there now is not what was sealed: {span}"


def _missing(row: Row, there: set[int]) -> str:
    """The missing entries, as far as they are known: a rolled-back transaction leaves a free number too."""
    number = row["count"] - len(there)
    free = list(islice((id for id in range(row["first_id"], row["last_id"] + 1) if id not in there), _NAMED + 1))
    named = ", ".join(map(str, free[:_NAMED])) + (" …" if len(free) > _NAMED else "")
    if len(free) == number:
        return f"missing: entry {named}"
    return f"missing: {number} of the entries {named}"


def _entries(connection: Connection, first: int, last: int | None, report: Report) -> Iterator[tuple[int, str]]:
    """(id, hash) of the entries from `first` to `last`; problems of their content go to `report`."""
    for row in _rows(connection, AuditEntry, first, last):
        report.entries += 1
        report.problems += _altered(row)
        yield row["id"], row.get("hash", "")


def _altered(row: Row) -> Iterator[str]:
    if _UNREADABLE in row:
        yield f"entry {row['id']} was changed: it cannot be read"
    elif values_hash(row) != row["values_hash"]:
        yield f"entry {row['id']} was changed: its values are not those that were written"
    elif entry_hash(row) != row["hash"]:
        yield f"entry {row['id']} was changed: who, when or what is not as it was written"


# --- reading rows that may be malformed ------------------------------------------------------------------


def _rows(
    connection: Connection, model: type[Base], first: int | None = None, last: int | None = None
) -> Iterator[Row]:
    """The rows from `first` to `last`, a page at a time."""
    key = model.__table__.c.id
    while True:
        wanted: list[ColumnElement[bool]] = [key >= first] if first is not None else []
        wanted += [key <= last] if last is not None else []
        page = _page(connection, model, wanted)
        yield from page
        if len(page) < _PAGE:
            return
        first = page[-1]["id"] + 1


def _page(connection: Connection, model: type[Base], wanted: list[ColumnElement[bool]]) -> list[Row]:
    """The next rows; where one of them is malformed, each is read by itself."""
    key = model.__table__.c.id
    try:
        return _read(connection, select(model.__table__).where(*wanted).order_by(key).limit(_PAGE))
    except _MALFORMED:
        ids = connection.execute(select(key).where(*wanted).order_by(key).limit(_PAGE)).scalars().all()
        return [_alone(connection, model, id) for id in ids]


def _alone(connection: Connection, model: type[Base], id: int) -> Row:
    try:
        return _read(connection, select(model.__table__).where(model.__table__.c.id == id))[0]
    except _MALFORMED:
        return {"id": id, _UNREADABLE: True}


def _read(connection: Connection, statement: Select[Any]) -> list[Row]:
    """The rows of a statement.  Raises one of `_MALFORMED`."""
    rows: list[Row] = [
        {str(key): value for key, value in row.items()} for row in connection.execute(statement).mappings()
    ]
    for row in rows:
        json.dumps(row, default=_as_text)
        for name in ("first_id", "last_id", "count"):
            range(row.get(name, 0))
    return rows


def _as_text(value: Any) -> str:
    """A value as text.  Raises TypeError for bytes, which no text column holds."""
    if isinstance(value, bytes):
        raise TypeError("bytes")
    return str(plain(value))


def _settled(connection: Connection, horizon: Horizon) -> int:
    """The highest entry id below which no entry can appear any more; 0 while that is not known."""
    oldest = _number(connection, "SELECT pg_snapshot_xmin(pg_current_snapshot())::text")
    if horizon.transaction and oldest < horizon.transaction:
        return 0
    settled = horizon.drawn
    # First the ids, then a transaction number: every transaction that drew one of these ids has a lower number.
    horizon.drawn = _number(connection, "SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM audit_entry_id_seq")
    horizon.transaction = _number(connection, "SELECT pg_current_xact_id()::text")
    return settled


def _number(connection: Connection, question: str) -> int:
    return int(connection.execute(text(question)).scalar_one())


def _write_seals(connection: Connection, now: datetime, settled: int) -> int:
    """Write seals for the entries up to id `settled`; returns the number of entries."""
    newest = select(AuditSeal.last_id, AuditSeal.hash).order_by(AuditSeal.id.desc()).limit(1)
    last = connection.execute(newest).first()
    last_id, previous = (last.last_id, last.hash) if last else (0, FIRST)
    sealed = 0
    while True:
        rows = connection.execute(
            select(AuditEntry.id, AuditEntry.hash)
            .where(AuditEntry.id > last_id, AuditEntry.id <= settled)
            .order_by(AuditEntry.id)
            .limit(LARGEST)
        ).all()
        if not rows:
            return sealed
        first_id, last_id = last_id + 1, rows[-1].id  # no gap between seals, so an inserted entry would be counted
        digest, count = seal_hash(previous, now, first_id, last_id, ((row.id, row.hash) for row in rows))
        connection.execute(
            insert(AuditSeal).values(
                at=now, previous_hash=previous, first_id=first_id, last_id=last_id, count=count, hash=digest
            )
        )
        previous, sealed = digest, sealed + count
