"""Seals of the operation log: lay them over the entries that are settled.

A seal is a hash over a range of entries and over the seal before it, signed with a key that the database does not hold.
It covers settled entries only: those below which no entry can appear any more.  SQLite has one writer, so every committed
entry is settled.  PostgreSQL needs two calls.  The first notes the highest entry id drawn so far and then takes a
transaction number.  Every transaction that drew one of those ids has a lower number (`models/audit/append_only.py`,
ORDERED_IDS).  When no transaction with a lower number runs any more, those ids are settled.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, insert, select, text

from models import AuditEntry, AuditSeal
from models.audit.proof import seal_hash

from ..runtime.seal_files import SealKey

FIRST = "0" * 64
LARGEST = 10_000
"""Maximum number of entries of one seal."""
_LOCK = 730_114


@dataclass
class Horizon:
    """What the first call of `seal` noted on PostgreSQL; the caller passes it to the next call."""

    drawn: int = 0
    transaction: int = 0


def seal(connection: Connection, now: datetime, horizon: Horizon, key: SealKey | None = None) -> int:
    """Seal the settled entries that have no seal yet; returns their number.

    One process seals at a time: another one that tries meanwhile seals nothing.  Without a key nothing is sealed after a
    seal that has one.
    """
    if not _is_alone(connection):
        return 0
    if connection.dialect.name == "postgresql":
        settled = _settled(connection, horizon)
    else:
        settled = connection.execute(select(func.max(AuditEntry.id))).scalar() or 0
    return _write_seals(connection, now, settled, key)


def begin_keyed(connection: Connection, now: datetime, key: SealKey) -> bool:
    """Lay the first seal that has this key, over no entry: it proves the seals before it as they are now.

    Says whether it was due.
    """
    if not _is_alone(connection) or keyed_by(connection) == key.id:
        return False
    _lay(connection, now, key, _newest(connection), None, [])
    return True


def keyed_by(connection: Connection) -> str | None:
    """The id of the key of the newest seal that has one."""
    keyed = select(AuditSeal.key_id).where(AuditSeal.key_id.is_not(None)).order_by(AuditSeal.id.desc())
    return connection.execute(keyed.limit(1)).scalar()


def is_due(connection: Connection) -> bool:
    """Whether an entry has no seal yet."""
    newest = connection.execute(select(func.max(AuditEntry.id))).scalar() or 0
    sealed = connection.execute(select(func.max(AuditSeal.last_id))).scalar() or 0
    return bool(newest > sealed)


# --- steps -----------------------------------------------------------------------------------------------


def _is_alone(connection: Connection) -> bool:
    """Whether no other process seals; it waits until this transaction ends."""
    if connection.dialect.name != "postgresql":
        return True
    return bool(connection.execute(text("SELECT pg_try_advisory_xact_lock(:key)"), {"key": _LOCK}).scalar())


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


def _write_seals(connection: Connection, now: datetime, settled: int, key: SealKey | None) -> int:
    """Write seals for the entries up to id `settled`; returns the number of entries."""
    last = _newest(connection)
    if key is None and last is not None and last.key_id is not None:
        return 0
    sealed, due = 0, select(AuditEntry.id, AuditEntry.hash).where(AuditEntry.id <= settled).order_by(AuditEntry.id)
    while True:
        rows = connection.execute(due.where(AuditEntry.id > (last.last_id if last else 0)).limit(LARGEST)).all()
        if not rows:
            return sealed
        last = _lay(connection, now, key, last, rows[-1].id, [(row.id, row.hash) for row in rows])
        sealed += len(rows)


def _newest(connection: Connection) -> Any:
    wanted = select(AuditSeal.last_id, AuditSeal.hash, AuditSeal.key_id).order_by(AuditSeal.id.desc()).limit(1)
    return connection.execute(wanted).first()


def _lay(
    connection: Connection,
    now: datetime,
    key: SealKey | None,
    last: Any,
    until: int | None,
    hashes: Sequence[tuple[int, str]],
) -> Any:
    """Insert one seal after `last`, up to entry `until`, and return it."""
    after, previous = (last.last_id, last.hash) if last is not None else (0, FIRST)
    first_id, last_id = after + 1, after if until is None else until  # no gap, so an inserted entry would be counted
    digest, count = seal_hash(previous, now, first_id, last_id, hashes, key.secret if key is not None else None)
    laid = insert(AuditSeal).values(
        at=now,
        previous_hash=previous,
        first_id=first_id,
        last_id=last_id,
        count=count,
        hash=digest,
        key_id=key.id if key is not None else None,
    )
    return connection.execute(laid.returning(AuditSeal.last_id, AuditSeal.hash, AuditSeal.key_id)).one()
