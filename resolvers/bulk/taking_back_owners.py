"""Former owners that come back, with the related records that had gone along and that nobody has touched since."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models import AuditEntry, Customer, Entity, User
from models.audit.entries import Outcome as Logged
from models.database.bypass import Because, bypass_policy
from models.errors import Refusal, Validation

from ..ownership.dependents import kinds_of_dependents
from ..ownership.locate import load_owned
from ..runtime.batch import Mode, Outcome, each
from ..runtime.ids import number_of
from ..runtime.scope import Scope
from ..runtime.write_guard import permit_reference
from .judging import hand_over, owners_of
from .restoring import of_log
from .wanted import Handover

_E: Any = AuditEntry.__table__.c
_LOG = bypass_policy(Because.FOLLOWS_CHECK)


def return_owners(
    scope: Scope,
    db: Session,
    model: type[Entity],
    owners: Mapping[int, int | None],
    batch_id: str,
    own_batch: str,
    reason: str,
) -> dict[int, Refusal | None]:
    """Record -> None where it has its former owner again, or why not.  `owners`: record -> the former owner."""
    found: dict[int, Refusal | None] = {id: _had_none() for id, owner in owners.items() if owner is None}
    along = _went_along(db, owners, batch_id, own_batch) if model is Customer and owners else {}
    now = owners_of(db, model, [*owners])
    found |= {id: None for id, owner in owners.items() if owner is not None and now.get(id) == owner}
    for owner in sorted({owner for owner in owners.values() if owner is not None}):
        ids = [id for id, former in owners.items() if former == owner and id not in found]
        found |= _returned(scope, model, ids, owner, along, reason)
    return found


LOCK = ("locked_by_id", "locked_at", "lock_reason", "lock_expires_at")


def return_locks(scope: Scope, locks: Mapping[int, Mapping[str, Any]], reason: str) -> dict[int, Refusal | None]:
    """Customer -> None where its lock, which a transfer has ended, is there again or would be over by now, or why not."""
    old = {id: {key: of_log(scope, Customer, key, lock.get(key)) for key in LOCK} for id, lock in locks.items()}
    now = scope.now()
    over = {id for id, lock in old.items() if lock["lock_expires_at"] is not None and lock["lock_expires_at"] <= now}
    wanted = [id for id, lock in old.items() if lock["locked_by_id"] is not None and id not in over]

    def work(db: Session, id: int) -> None:
        customer = load_owned(scope, db, id, "lock")
        if not customer.is_locked(scope.person.now):
            permit_reference(db, User, old[id]["locked_by_id"])
            customer.lock(*(old[id][key] for key in LOCK))

    outcome = (
        each(scope, "customer.lock", Customer, wanted, Mode.BEST_EFFORT, work, reason=reason) if wanted else Outcome()
    )
    return {number_of(Customer, refusal.record_id): _without_lock(refusal) for refusal in outcome.problems}


def _without_lock(refusal: Refusal) -> Refusal:
    return Validation(
        f"The former owner is back, but not the lock. {refusal.say('en')}",
        f"原负责人已恢复，但锁定未恢复。{refusal.say('zh')}",
    )


def _returned(
    scope: Scope,
    model: type[Entity],
    ids: Sequence[int],
    owner: int,
    along: Mapping[type[Entity], set[int]],
    reason: str,
) -> dict[int, Refusal | None]:
    outcome = hand_over(scope, model, ids, Handover(owner), reason, lambda row: row.id in along.get(type(row), ()))
    refused = {number_of(model, refusal.record_id): refusal for refusal in outcome.problems}
    return {id: refused.get(id) for id in ids}


def _went_along(db: Session, customers: Collection[int], batch_id: str, own_batch: str) -> dict[type[Entity], set[int]]:
    """Kind -> the records at these customers that got the new owner in the batch, and no other one since."""
    found = {}
    for kind, key in kinds_of_dependents().items():
        table, columns = kind.__tablename__, kind.__table__.c
        at_them = select(columns["id"]).where(columns[key].in_(customers))
        mine = select(_E.record_id, func.max(_E.id).label("last")).where(
            _E.entity == table, _E.record_id.in_(at_them), _E.batch_id == batch_id
        )
        mine = mine.where(_E.action == "customer.transfer", _E.outcome == Logged.OK)
        last = mine.group_by(_E.record_id).subquery()
        went = {id for (id,) in db.execute(select(last.c.record_id), execution_options=_LOG)}
        later = select(_E.record_id, _E.changes).join(last, last.c.record_id == _E.record_id)
        later = later.where(_E.entity == table, _E.id > last.c.last, _E.batch_id != own_batch, _E.outcome == Logged.OK)
        changed = {id for id, changes in db.execute(later, execution_options=_LOG) if "owner_id" in changes}
        found[kind] = went - changed
    return found


def _had_none() -> Refusal:
    return Validation("It had no owner before.", "此前没有负责人。")
