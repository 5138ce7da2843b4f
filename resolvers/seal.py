"""Sealing the operation log, and finding out whether anybody has touched it.

A seal is a hash over a run of entries and over the seal before it.  It is laid only over what is settled: entries
below which none can appear any more.  SQLite has one writer, so that is everything committed.  On PostgreSQL two
looks are needed.  The first notes how far entry ids have been drawn, and then takes a transaction number itself: who
drew one of those ids has a lower number (`models.audit.ORDERED_IDS`).  Once no transaction with a lower number runs
any more, those ids are settled.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, func, insert, select, text

from models import AuditEntry, AuditSeal
from models.audit import entry_hash, seal_hash, values_hash

FIRST = "0" * 64
LARGEST = 10_000
"""How many entries one seal covers at most."""
_PAGE = 1000
"""How many rows are held in memory."""
_LOCK = 730_114


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
    for _ in _entries(connection, None, 0, report):
        report.problems.append("an entry lies before the first one: its number is below 1")
    for row in _seals(connection):
        report.seals += 1
        report.problems += _out_of_line(row, previous, next_id)
        hashes = [(x["id"], x["hash"]) for x in _entries(connection, row["first_id"], row["last_id"], report)]
        report.problems += _broken(row, hashes)
        previous, next_id = row["hash"], row["last_id"] + 1
    for _ in _entries(connection, next_id, None, report):
        pass
    return report


def _out_of_line(row: RowMapping, previous: str, next_id: int) -> Iterator[str]:
    """What is wrong between a seal and the one before it."""
    if row["first_id"] > next_id:
        yield f"a seal is missing before seal {row['id']}: none covers the entries {next_id} to {row['first_id'] - 1}"
    elif row["first_id"] < next_id:
        yield f"seal {row['id']} begins before the end of the seal before it"
    if row["previous_hash"] != previous:
        yield f"seal {row['id']} does not follow the seal before it"


def _broken(row: RowMapping, hashes: Sequence[tuple[int, str]]) -> Iterator[str]:
    """What is wrong between a seal and its entries."""
    digest, count = seal_hash(row["previous_hash"], row["first_id"], row["last_id"], hashes)
    span = f"entries {row['first_id']} to {row['last_id']}"
    if count != row["count"]:
        what = "one is missing" if count < row["count"] else "one was added"
        yield f"seal {row['id']} covers {row['count']} entries, {count} are there ({what}): {span}"
    elif digest != row["hash"]:
        yield f"seal {row['id']} is broken: what is there now is not what was sealed: {span}"


def _seals(connection: Connection) -> Iterator[RowMapping]:
    """Every seal in order, a page at a time."""
    table, last = AuditSeal.__table__, 0
    while page := connection.execute(
        select(table).where(table.c.id > last).order_by(table.c.id).limit(_PAGE)
    ).mappings().all():  # fmt: skip
        yield from page
        last = page[-1]["id"]


def _entries(connection: Connection, first: int | None, last: int | None, report: Report) -> Iterator[RowMapping]:
    """The entries from `first` to `last`, a page at a time, each compared with its own hashes."""
    table = AuditEntry.__table__
    while True:
        wanted = select(table).order_by(table.c.id).limit(_PAGE)
        wanted = wanted if first is None else wanted.where(table.c.id >= first)
        wanted = wanted if last is None else wanted.where(table.c.id <= last)
        page = connection.execute(wanted).mappings().all()
        for row in page:
            report.entries += 1
            report.problems += _altered(row)
            yield row
        if len(page) < _PAGE:
            return
        first = page[-1]["id"] + 1


def _altered(row: RowMapping) -> Iterator[str]:
    entry: dict[str, Any] = {str(key): value for key, value in row.items()}
    if values_hash(entry) != row["values_hash"]:
        yield f"entry {row['id']} was changed: its values are not those that were written"
    elif entry_hash(entry) != row["hash"]:
        yield f"entry {row['id']} was changed: who, when or what is not as it was written"


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
        digest, count = seal_hash(previous, first_id, last_id, ((row.id, row.hash) for row in rows))
        connection.execute(
            insert(AuditSeal).values(
                at=now, previous_hash=previous, first_id=first_id, last_id=last_id, count=count, hash=digest
            )
        )
        previous, sealed = digest, sealed + count
