"""The release of neglected customers: what is due goes back to its pool, many at a time.

The rows are locked first, and their dates computed again from what they are then.  A claim, follow-up or edit that came
before has moved the date; one that comes after finds the customer in the pool.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from models import ADD_EVENT, Customer, Pool
from models.database.bypass import Because, bypass_policy
from models.ownership import Ended

from ..notices.notify import notify_each
from ..ownership.capacity import release_capacities
from ..ownership.dependents import reassign_dependents_of
from ..ownership.periods import end_all
from ..ownership.release_book import Book, book_of
from ..runtime.scope import Scope
from ..runtime.write_guard import permit

MOST_NOTICES = 20
"""Maximum number of notices to one owner from one chunk, each about one customer."""


def release_neglected(scope: Scope, db: Session, limit: int) -> int:
    """Put up to `limit` customers into their pools whose release date has come; returns how many were looked at.

    A customer whose date has moved meanwhile keeps its owner.  Another transaction's customer is left for the next run.
    """
    rows = list(db.execute(_due(scope, limit)).scalars())
    book, now = book_of(db), scope.person.now
    leaving: list[tuple[Customer, int, int]] = []
    for row in rows:
        pool_id = _pool_if_due(db, book, row, now)
        if pool_id is not None:
            assert row.owner_id is not None, "only customers with an owner have a release date"
            leaving.append((row, row.owner_id, pool_id))
    _let_go(scope, db, book, leaving)
    return len(rows)


def _due(scope: Scope, limit: int) -> Select[Customer]:
    """Locks them, and passes over those that another transaction has locked.  The system's right is part of it."""
    c = Customer
    wanted = select(c).where(c.release_due_at <= scope.person.now, c.deleted_at.is_(None))
    wanted = wanted.where(scope.viewer.where("release", Customer, Customer))
    return wanted.order_by(c.release_due_at, c.id).limit(limit).with_for_update(skip_locked=True)


def _pool_if_due(db: Session, book: Book, row: Customer, now: datetime) -> int | None:
    """The pool into which the customer goes now; None, with its date set right, for one that stays."""
    connection = db.connection()
    due = book.due(connection, row, now)
    if due != (row.release_due_at, row.release_rule_id):
        permit(db, row, "release")
        row.release_due_at, row.release_rule_id = due
    if due[0] is None or due[0] > now or row.owner_id is None:
        return None
    return book.pool_of(connection, row.owner_id, now)


def _let_go(scope: Scope, db: Session, book: Book, leaving: Sequence[tuple[Customer, int, int]]) -> None:
    if not leaving:
        return
    now, names = scope.person.now, _rule_names(book)
    pools = _pools(db, {pool_id for _, _, pool_id in leaving})
    reasons = {row.id: names.get(row.release_rule_id or 0) for row, _, _ in leaving}
    reassign_dependents_of(db, {row.id: owner_id for row, owner_id, _ in leaving})
    for pool in pools.values():
        permit(db, pool, "view")  # one judgement for all customers
    for row, _, pool_id in leaving:
        permit(db, row, "release")
        row.return_to_pool(pools[pool_id], now)
    db.flush()
    end_all(db, reasons, Ended.RELEASE, now)
    release_capacities(db, Counter(owner_id for _, owner_id, _ in leaving))
    told = [
        {"at": now, "topic": f"pool:{pool}", "action": "customer.release", "record_id": row.id}
        for row, _, pool in leaving
    ]
    ADD_EVENT.run_each(db.connection(), told)
    _tell_owners(scope, db, leaving)


def _tell_owners(scope: Scope, db: Session, leaving: Sequence[tuple[Customer, int, int]]) -> None:
    by_owner: dict[int, list[tuple[Customer, int]]] = defaultdict(list)
    for row, owner_id, pool_id in leaving:
        by_owner[owner_id].append((row, pool_id))
    told = [
        (owner_id, (Customer.__tablename__, row.id), {"pool": pool_id})
        for owner_id, rows in sorted(by_owner.items())
        for row, pool_id in rows[:MOST_NOTICES]
    ]
    notify_each(scope, db, "released", told)


def _rule_names(book: Book) -> Mapping[int, str]:
    return {each.rule.id: each.rule.name for terms in book.terms.values() for each in terms}


def _pools(db: Session, ids: set[int]) -> dict[int, Pool]:
    found = select(Pool).where(Pool.id.in_(ids))
    return {pool.id: pool for pool in db.execute(found, execution_options=bypass_policy(Because.KEEPS_RULE)).scalars()}
