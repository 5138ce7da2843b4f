"""Locking and unlocking customers."""

from collections.abc import Sequence
from datetime import UTC, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Customer
from models.customer import locked
from models.errors import NotLocked, Validation

from ..notices.notify import notify
from ..ownership.locate import load_owned
from ..ownership.release_dates import exempt
from ..reading.clauses import value
from ..runtime.batch import Mode, Outcome, each
from ..runtime.inputs import line
from ..runtime.scope import Scope
from ..runtime.write_guard import permit


def lock(
    scope: Scope,
    ids: Sequence[int],
    reason: str | None = None,
    until: datetime | None = None,
    mode: Mode = Mode.BEST_EFFORT,
) -> Outcome:
    """Lock customers so that only their owner may change them, until unlocked or until the given time.

    Problems: NOT_FOUND, FORBIDDEN, IN_BIN, ALREADY_IN_POOL.  Raises Validation for an end that has passed.
    """
    reason, until = line(reason, "reason"), _end(scope, until)

    def work(db: Session, id: int) -> None:
        customer = load_owned(scope, db, id, "lock")
        customer.lock(scope.me, scope.person.now, reason, until)
        notify(scope, db, "locked", [customer.owner_id], customer)

    return each(scope, "customer.lock", Customer, ids, mode, work, reason=reason)


def unlock(scope: Scope, ids: Sequence[int], reason: str | None = None, mode: Mode = Mode.BEST_EFFORT) -> Outcome:
    """Unlock customers.  Another owner's lock needs the right to unlock, is logged, and its owner is told.

    Problems: NOT_FOUND, FORBIDDEN, IN_BIN, NOT_LOCKED (an expired lock is none).
    """
    reason = line(reason, "reason")

    def work(db: Session, id: int) -> None:
        customer = _locked(scope, db, id)
        customer.unlock()
        exempt(db, id, scope.person.now)
        notify(scope, db, "unlocked", [customer.owner_id], customer)

    return each(scope, "customer.unlock", Customer, ids, mode, work, reason=reason)


def locked_among(scope: Scope, db: Session, ids: Sequence[int]) -> list[str]:
    """The numbers of the locked ones among these customers, as far as the caller sees them."""
    number = value(scope.viewer, Customer, Customer, "number")
    found = select(number).where(Customer.id.in_(ids), locked(Customer, scope.person.now)).order_by(Customer.id)
    return [text for text in db.execute(found).scalars() if text]


def lift_expired(scope: Scope, db: Session, limit: int) -> int:
    """Open up to `limit` customers whose lock has ended by itself, and tell their owners; returns how many.

    The days of release rules count from the end of the lock, whenever this runs.
    """
    ended = select(Customer).where(Customer.locked_by_id.is_not(None), Customer.lock_expires_at <= scope.person.now)
    ended = ended.where(Customer.deleted_at.is_(None)).order_by(Customer.id).limit(limit)
    rows = list(db.execute(ended.with_for_update(skip_locked=True)).scalars())
    for row in rows:
        permit(db, row, "unlock")
        row.exempt_until = ended_at = row.lock_expires_at
        row.unlock()
        assert ended_at is not None, "only locks with an end are found"
        notify(scope, db, "lock_expired", [row.owner_id], row, ended=ended_at)
    return len(rows)


def _locked(scope: Scope, db: Session, id: int) -> Customer:
    """The locked customer, masked for a caller who does not see it.

    Raises NotLocked also for a caller whose right to unlock covers locked customers only.
    """
    row, seen, _ = scope.lookup(db, Customer, id, to="unlock")
    is_open = row is not None and row.deleted_at is None and not row.is_locked(scope.person.now)
    if row is not None and seen and is_open and scope.policy.ever(scope.person, "unlock", Customer.module):
        raise NotLocked(label=row.label)
    return scope.load(db, Customer, id, to="unlock")


def _end(scope: Scope, until: datetime | None) -> datetime | None:
    """The end of a lock in UTC.  Raises Validation for an end that has passed or that no column can hold."""
    if until is None:
        return None
    until = until if until.tzinfo else until.replace(tzinfo=UTC)
    if not scope.now() < until or until.year > 9998:
        raise Validation("The end of a lock lies in the future.", "锁定截止时间必须晚于现在。", field="until")
    return until.astimezone(UTC)
