"""Sealing the operation log, and finding out whether anybody has touched it.

A seal is a hash over a run of entries and over the seal before it.  It is laid only over what is settled: entries
below which none can appear any more.  SQLite has one writer, so that is everything committed.  On PostgreSQL two
looks are needed: the first notes how far entry ids have been drawn and how far transactions have been numbered;
once every transaction numbered until then has ended, the ids drawn until then are settled (`models.audit.ORDERED_IDS`).
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection, func, insert, select, text

from models import AuditEntry, AuditSeal
from models.audit import entry_hash, seal_hash, values_hash

FIRST = "0" * 64
LARGEST = 10_000
"""How many entries one seal covers at most; also how many are held in memory."""
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


def verify(connection: Connection) -> Report:
    """Compare every entry with its hash, every seal with its entries, and every seal with the one before."""
    report, previous, next_id = Report(), FIRST, 1
    for row in connection.execute(select(AuditSeal.__table__).order_by(AuditSeal.id)).mappings().all():  # type: ignore[arg-type]
        report.seals += 1
        if row["previous_hash"] != previous:
            report.problems.append(f"seal {row['id']} does not follow the seal before it")
        hashes = [(x["id"], x["hash"]) for x in _entries(connection, row["first_id"], row["last_id"], report)]
        digest, count = seal_hash(row["previous_hash"], row["first_id"], row["last_id"], hashes)
        if count != row["count"]:
            report.problems.append(
                f"seal {row['id']} covers {row['count']} entries, {count} are there: entries {row['first_id']} to {row['last_id']}"
            )
        elif digest != row["hash"]:
            report.problems.append(
                f"seal {row['id']} is broken: an entry between {row['first_id']} and {row['last_id']} is not the one that was sealed"
            )
        if row["first_id"] < next_id:
            report.problems.append(f"seal {row['id']} begins before the end of the seal before it")
        previous, next_id = row["hash"], row["last_id"] + 1
    for _ in _entries(connection, next_id, None, report):
        pass
    return report


def _entries(connection: Connection, first: int, last: int | None, report: Report) -> Iterator[dict[str, object]]:
    table = AuditEntry.__table__
    statement = select(table).where(table.c.id >= first).order_by(table.c.id)
    if last is not None:
        statement = statement.where(table.c.id <= last)
    for row in connection.execution_options(yield_per=1000).execute(statement).mappings():
        report.entries += 1
        if values_hash(row) != row["values_hash"]:
            report.problems.append(f"entry {row['id']} was changed: its values are not those that were written")
        elif entry_hash(row) != row["hash"]:
            report.problems.append(f"entry {row['id']} was changed: who, when or what is not as it was written")
        yield dict(row)


def _settled(connection: Connection, horizon: Horizon) -> int:
    """The highest entry id below which nothing can appear any more."""
    oldest = int(connection.execute(text("SELECT pg_snapshot_xmin(pg_current_snapshot())::text")).scalar_one())
    settled = horizon.drawn if horizon.transaction and oldest >= horizon.transaction else 0
    if settled or not horizon.transaction:
        # First the ids, then the transactions: whoever drew one of these ids has one of these numbers.
        horizon.drawn = connection.execute(text("SELECT last_value FROM audit_entry_id_seq")).scalar_one()
        horizon.transaction = int(
            connection.execute(text("SELECT pg_snapshot_xmax(pg_current_snapshot())::text")).scalar_one()
        )
    return settled


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
