"""Sealing the operation log, and finding out whether anybody has touched it.

A seal is a hash over a run of entries and over the seal before it.  It is laid only over what is settled: entries
below which none can appear any more.  SQLite has one writer, so that is everything committed.  On PostgreSQL two
looks are needed.  The first notes how far entry ids have been drawn, and then takes a transaction number itself: who
drew one of those ids has a lower number (`models.audit.entries.append_only.ORDERED_IDS`).  Once no transaction with a lower number runs
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
"""How many entries one seal covers at most."""
_PAGE = 1000
"""How many rows are held in memory."""
_NAMED = 20
"""How many missing entries are named."""
_LOCK = 730_114

Row = Mapping[str, Any]
_NONSENSE = (ValueError, LookupError, TypeError, AttributeError, DBAPIError)
"""What reading a row can raise when somebody has put into it what its columns cannot hold."""
_UNREADABLE = "unreadable"


@dataclass
class Horizon:
    """What the first look saw on PostgreSQL; kept between two calls of `seal`."""

    drawn: int = 0
    transaction: int = 0


@dataclass
class Report:
    """What `verify` found: nothing wrong, or sentences that name the entry or the seal."""

    entries: int = 0
    seals: int = 0
    problems: list[str] = field(default_factory=list)


def seal(connection: Connection, now: datetime, horizon: Horizon) -> int:
    """Lay seals over what is settled and not sealed yet.  Gives how many entries were sealed.

    One process seals at a time: another one that tries meanwhile does nothing.
    """
    if connection.dialect.name == "postgresql":
        if not connection.execute(text("SELECT pg_try_advisory_xact_lock(:key)"), {"key": _LOCK}).scalar():
            return 0
        settled = _settled(connection, horizon)
    else:
        settled = connection.execute(select(func.max(AuditEntry.id))).scalar() or 0
    return _lay(connection, now, settled)


def is_due(connection: Connection) -> bool:
    """Whether there is an entry that no seal covers yet."""
    newest = connection.execute(select(func.max(AuditEntry.id))).scalar() or 0
    sealed = connection.execute(select(func.max(AuditSeal.last_id))).scalar() or 0
    return bool(newest > sealed)


def verify(connection: Connection) -> Report:
    """Compare every entry with its hash, every seal with its entries, and every seal with the one before."""
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
    """What is wrong between a seal and the one before it."""
    if row["first_id"] > next_id:
        yield f"a seal is missing before seal {row['id']}: none covers the entries {next_id} to {row['first_id'] - 1}"
    elif row["first_id"] < next_id:
        yield f"seal {row['id']} begins before the end of the seal before it"
    if row["previous_hash"] != previous:
        yield f"seal {row['id']} does not follow the seal before it"


def _broken(row: Row, hashes: Sequence[tuple[int, str]]) -> Iterator[str]:
    """What is wrong between a seal and its entries."""
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
    """Which entries are gone, as far as can be told: a number is also free when its transaction was rolled back."""
    number = row["count"] - len(there)
    free = list(islice((id for id in range(row["first_id"], row["last_id"] + 1) if id not in there), _NAMED + 1))
    named = ", ".join(map(str, free[:_NAMED])) + (" …" if len(free) > _NAMED else "")
    if len(free) == number:
        return f"missing: entry {named}"
    return f"missing: {number} of the entries {named}"


def _entries(connection: Connection, first: int, last: int | None, report: Report) -> Iterator[tuple[int, str]]:
    """(id, hash) of the entries from `first` to `last`, each compared with its own content."""
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


# --- reading what somebody may have tampered with --------------------------------------------------------


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
    """The next rows.  When there is nonsense in one of them each is read by itself."""
    key = model.__table__.c.id
    try:
        return _read(connection, select(model.__table__).where(*wanted).order_by(key).limit(_PAGE))
    except _NONSENSE:
        ids = connection.execute(select(key).where(*wanted).order_by(key).limit(_PAGE)).scalars().all()
        return [_alone(connection, model, id) for id in ids]


def _alone(connection: Connection, model: type[Base], id: int) -> Row:
    try:
        return _read(connection, select(model.__table__).where(model.__table__.c.id == id))[0]
    except _NONSENSE:
        return {"id": id, _UNREADABLE: True}


def _read(connection: Connection, statement: Select[Any]) -> list[Row]:
    """The rows of a statement.  Raises one of `_NONSENSE`."""
    rows: list[Row] = [
        {str(key): value for key, value in row.items()} for row in connection.execute(statement).mappings()
    ]
    for row in rows:
        json.dumps(row, default=_as_text)
        for name in ("first_id", "last_id", "count"):
            range(row.get(name, 0))
    return rows


def _as_text(value: Any) -> str:
    """Raises TypeError for bytes in a column of text."""
    if isinstance(value, bytes):
        raise TypeError("bytes")
    return str(plain(value))


def _settled(connection: Connection, horizon: Horizon) -> int:
    """The highest entry id below which nothing can appear any more."""
    oldest = _number(connection, "SELECT pg_snapshot_xmin(pg_current_snapshot())::text")
    if horizon.transaction and oldest < horizon.transaction:
        return 0
    settled = horizon.drawn
    # First the ids, then a transaction number: whoever drew one of these ids has a lower one, running or not.
    horizon.drawn = _number(connection, "SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM audit_entry_id_seq")
    horizon.transaction = _number(connection, "SELECT pg_current_xact_id()::text")
    return settled


def _number(connection: Connection, question: str) -> int:
    return int(connection.execute(text(question)).scalar_one())


def _lay(connection: Connection, now: datetime, settled: int) -> int:
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
        first_id, last_id = last_id + 1, rows[-1].id  # no gap between seals: an entry slipped in would be counted
        digest, count = seal_hash(previous, now, first_id, last_id, ((row.id, row.hash) for row in rows))
        connection.execute(
            insert(AuditSeal).values(
                at=now, previous_hash=previous, first_id=first_id, last_id=last_id, count=count, hash=digest
            )
        )
        previous, sealed = digest, sealed + count
