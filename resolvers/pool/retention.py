"""Retention: what happens to customers whose days in a pool are over, and the reminder before.

The job walks over the due customers of a pool in the order of their arrival.  Each is judged again under its lock, so a
claim, a move or a deletion that comes first wins.  Administrators are told by a watermark of arrivals, so they are told
of each customer once, and a second run finds nothing left.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Integer, Select, and_, bindparam, or_, select
from sqlalchemy.orm import Session

from models import Customer, Pool, RetentionState
from models.database.bypass import Because, bypass_policy
from models.database.prepared import Prepared, upsert
from models.pool import OnExpire

from ..jobs.kinds import Progress, Work
from ..notices.notify import notify, pool_administrators
from ..ownership.locate import load_pooled
from ..records import recycle_bin
from ..runtime.batch import LARGEST, Mode, each
from ..runtime.scope import Scope
from .auto_assign import AssignmentBatch
from .destinations import chosen_pool

Arrival = tuple[datetime, int]
"""When a customer came into the pool, and its id."""
REASON = "Its days in the pool were over."
_ALL = bypass_policy(Because.KEEPS_RULE)


def act(scope: Scope, db: Session, work: Work) -> Progress:
    """One chunk: the next due customers of the first pool that has some.  `position` is the id of a pool."""
    done = failed = 0
    for pool in _pools(db, work.position):
        run = _Run(scope, db, pool, work.memory)
        acted, refused = run.act(max(1, min(work.size, LARGEST)))
        done, failed = done + acted, failed + refused
        if acted + refused:
            return Progress(pool.id, done, failed)
        run.remind()
        run.close()
    return Progress(work.position, more=False)


def _pools(db: Session, first: int) -> list[Pool]:
    """The pools with a time limit, from this id on; closed ones too, because customers lie in them."""
    wanted = select(Pool).where(Pool.retain_days.is_not(None), Pool.deleted_at.is_(None), Pool.id >= first)
    return list(db.execute(wanted.order_by(Pool.id), execution_options=_ALL).scalars())


@dataclass
class _Run:
    """The retention of one pool in one chunk.  `memory` lasts for the job: how far it has come."""

    scope: Scope
    db: Session
    pool: Pool
    memory: dict[str, Any]

    def __post_init__(self) -> None:
        assert self.pool.retain_days is not None, "asked before"
        self.now = self.scope.person.now
        self.limit = self.now - timedelta(days=self.pool.retain_days)
        self.state = _state(self.db, self.pool.id)
        self.told = (self.state.told_until, self.state.told_id) if self.state.told_until else None

    # -- acting ------------------------------------------------------------------------------------------

    def act(self, size: int) -> tuple[int, int]:
        """(customers acted on, customers that were refused) among the next `size` due ones."""
        due = self._due(self._after(), size)
        if not due:
            return 0, 0
        self.memory[f"after {self.pool.id}"] = due[-1]
        if self.pool.on_expire is OnExpire.NOTIFY:
            self._tell("retention_due", len(due))
            done, failed = len(due), 0
        else:
            done, failed = self._each(due)
        self._told_until(due[-1])
        return done, failed

    def _after(self) -> Arrival | None:
        """The arrival after which the next due one is looked for: the watermark of what is told only, else where this
        run has come.  Customers that nobody could take are tried again once a day."""
        is_tried = self.pool.on_expire is OnExpire.AUTO_ASSIGN and self.state.tried_on == self._today()
        begin = self.told if is_tried or self.pool.on_expire is OnExpire.NOTIFY else None
        after: Arrival | None = self.memory.get(f"after {self.pool.id}", begin)
        return after

    def _due(self, after: Arrival | None, size: int, since: datetime | None = None) -> list[Arrival]:
        until = self.limit if since is None else since
        found = _arrivals(self.pool.id, until, after).limit(size)
        return [(at, id) for at, id in self.db.execute(found, execution_options=_ALL)]

    def _each(self, due: Sequence[Arrival]) -> tuple[int, int]:
        """Act on each, judged again under its lock.  One that is elsewhere meanwhile is left alone."""
        arrived = {id: at for at, id in due}
        action, act = self._action()
        acted: list[int] = []

        def work(db: Session, id: int) -> None:
            customer = load_pooled(self.scope, db, id, action)
            if (customer.pool_id, customer.pooled_at) == (self.pool.id, arrived[id]):
                act(db, customer)
                acted.append(id)

        batch = self._batch
        outcome = each(self.scope, f"customer.{action}", Customer, [*arrived], Mode.BEST_EFFORT, work, reason=REASON)
        batch.tell({id for at, id in due if self.told is None or (at, id) > self.told})
        done = len(set(acted) & set(outcome.ids))
        if done:
            self._tell("retention_acted", done)
        return done, len(due) - done

    def _action(self) -> tuple[str, Any]:
        """(right that is asked for, what is done to a customer)."""
        self._batch = AssignmentBatch(self.scope)
        match self.pool.on_expire:
            case OnExpire.AUTO_ASSIGN:
                return "assign", self._batch.assign
            case OnExpire.RECYCLE_BIN:
                return "delete", self._delete
        return "move", self._move

    def _move(self, db: Session, customer: Customer) -> None:
        target = self.pool.expire_pool_id
        customer.move_to_pool(chosen_pool(db, target or 0), self.now)
        self.scope.tell(db, f"pool:{self.pool.id}", customer.id)
        self.scope.tell(db, f"pool:{target}", customer.id)

    def _delete(self, _db: Session, customer: Customer) -> None:
        for refusal in recycle_bin.delete(self.scope, Customer, [customer.id], reason=REASON).problems:
            raise refusal

    # -- telling -----------------------------------------------------------------------------------------

    def remind(self) -> None:
        """Tell the administrators how many customers will be due within the days of notice, each once."""
        if self.pool.notice_days is None or self.pool.retain_days is None:
            return
        coming = self.limit + timedelta(days=self.pool.notice_days)
        before = (self.state.reminded_until, self.state.reminded_id) if self.state.reminded_until else None
        begin = max(before, (self.limit, 0)) if before is not None else (self.limit, 0)
        due = self._due(begin, 100_000, coming)
        if due:
            self._tell("retention_coming", len(due), days=self.pool.notice_days)
            self.state.reminded_until, self.state.reminded_id = due[-1]

    def close(self) -> None:
        """Note that every due customer was looked at today."""
        if self.pool.on_expire is OnExpire.AUTO_ASSIGN:
            self.state.tried_on = self._today()

    def _told_until(self, last: Arrival) -> None:
        if self.told is None or last > self.told:
            self.state.told_until, self.state.told_id = last

    def _tell(self, kind: str, count: int, **facts: int) -> None:
        receivers = pool_administrators(self.scope, self.db, self.pool.id)
        notify(self.scope, self.db, kind, receivers, self.pool, pool=self.pool.id, count=count, **facts)

    def _today(self) -> Any:
        return self.now.astimezone(ZoneInfo(self.scope.person.zone)).date()


def _arrivals(pool_id: int, until: datetime, after: Arrival | None) -> Select[datetime, int]:
    """The customers that came into a pool at this time or before, after an arrival; by the index of the pool's list."""
    at: Any = Customer.pooled_at
    found = select(at, Customer.id).where(Customer.pool_id == pool_id, Customer.deleted_at.is_(None), at <= until)
    if after is not None:
        moment, id = after
        found = found.where(at >= moment, or_(at > moment, and_(at == moment, Customer.id > id)))
    return found.order_by(at, Customer.id)


_STATE: Any = RetentionState.__table__


def _state(db: Session, pool_id: int) -> RetentionState:
    """How far the pool is, locked until the commit."""
    _first_state(upsert(db.get_bind().dialect)).run(db, pool_id=pool_id, told_id=0, reminded_id=0)
    held = select(RetentionState).where(RetentionState.pool_id == pool_id).with_for_update()
    return db.execute(held).scalar_one()


@cache
def _first_state(insert: Any) -> Prepared:
    values = {key: bindparam(key, type_=Integer()) for key in ("pool_id", "told_id", "reminded_id")}
    return Prepared(insert(_STATE).values(values).on_conflict_do_nothing())
