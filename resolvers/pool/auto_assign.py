"""Automatic assignment: pooled customers go to members by the pool's strategy, and every decision is kept."""

from collections.abc import Container, Sequence
from functools import cache
from typing import Any

from sqlalchemy import Integer, bindparam, insert, select, update
from sqlalchemy.orm import Session

from models import AssignmentDecision, AssignmentState, Customer, User
from models.database.bypass import Because, bypass_policy
from models.database.prepared import Prepared, upsert
from models.errors import CapacityReached, NobodyFits
from models.pool_assignment import Reason

from ..notices.notify import notify, pool_administrators
from ..ownership.locate import load_pooled
from ..reading.clauses import open_to
from ..runtime.batch import Mode, Outcome, distinct, each
from ..runtime.inputs import line
from ..runtime.scope import Scope
from ..runtime.write_guard import action_of, permit
from .assign import give
from .assigner import Assigner, Decision, fits_in
from .turns import Turns


def auto_assign(scope: Scope, ids: Sequence[int], mode: Mode = Mode.BEST_EFFORT, reason: str | None = None) -> Outcome:
    """Give pooled customers to members of their pools, by the rule of each pool.  Uses capacity, not quota.

    A customer that nobody can take stays, and the administrators of its pool are told.
    Problems: NOT_FOUND, FORBIDDEN, IN_BIN, ALREADY_CLAIMED, NOT_IN_POOL, NOT_APPROVED, RULE_MISSING (the pool is closed, or has no
    rule), NOBODY_FITS.
    """
    batch = AssignmentBatch(scope)
    outcome = each(scope, "customer.assign", Customer, ids, mode, batch.assign_pooled, reason=line(reason, "reason"))
    batch.tell()
    return outcome


class AssignmentBatch:
    """The assignments of one request or chunk: members are read once, turns under their lock for each customer."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self._assigners: dict[int, Assigner] = {}
        self._nobody: list[Decision] = []

    def assign_pooled(self, db: Session, id: int) -> None:
        """Assign a customer that lies in a pool.  Raises as `auto_assign` says."""
        self.assign(db, load_pooled(self.scope, db, id, "assign"))

    def assign(self, db: Session, customer: Customer) -> None:
        """Assign a customer that is locked and may be assigned."""
        pool_id = customer.pool_id
        assert pool_id is not None, "a pooled customer"
        if pool_id not in self._assigners:
            self._assigners[pool_id] = Assigner(self.scope, db, pool_id)
        assigner, turns = self._assigners[pool_id], _locked_turns(db, pool_id)
        decision = self._give(db, assigner, turns, customer)
        if decision.chosen is None:
            self._nobody.append(decision)
            raise NobodyFits(label=customer.label, count=len(decision.candidates))
        turns.give(assigner.strategy, fits_in(decision.candidates), decision.chosen)
        _SAVE_TURNS.run(db, pool=pool_id, turn=turns.turn, members=turns.stored())
        _keep(self.scope, db, decision)

    def _give(self, db: Session, assigner: Assigner, turns: Turns, customer: Customer) -> Decision:
        """The decision, carried out.  A member who has left or is full meanwhile is passed over."""
        without: dict[int, Reason] = {}
        while True:
            decision = assigner.decide(db, customer.id, turns, without)
            if decision.chosen is None:
                return decision
            if (user := _present(self.scope, db, decision.chosen)) is None:
                without[decision.chosen] = Reason.INACTIVE
                continue
            try:
                give(self.scope, db, customer, user)
            except CapacityReached:
                without[decision.chosen] = Reason.FULL
                continue
            notify(self.scope, db, "assigned", [user.id], customer)
            return decision

    def tell(self, told: Container[int] | None = None) -> None:
        """Keep the decisions for nobody, which no savepoint of a refusal takes back, and tell the administrators.

        `told`: the customers about which they are told, where that is not all.
        """
        if not self._nobody:
            return
        with self.scope.write("customer.assign") as db:
            for decision in self._nobody:
                _keep(self.scope, db, decision)
                if told is not None and decision.customer_id not in told:
                    continue
                customer = db.get(Customer, decision.customer_id)
                administrators = pool_administrators(self.scope, db, decision.pool_id)
                notify(self.scope, db, "not_assigned", administrators, customer, pool=decision.pool_id)
        self._nobody.clear()


def assignment_preview(scope: Scope, db: Session, pool_id: int, ids: Sequence[int]) -> list[Decision]:
    """Who would get these customers of a pool, one after the other.  Gives no turn, and assigns nothing.

    Customers that are elsewhere, or that the caller may not assign, are left out.  Raises Validation for too many ids,
    and RuleMissing.
    """
    may = open_to(scope.viewer, "assign", Customer)
    lying = select(Customer.id).where(Customer.id.in_(distinct(ids)), Customer.pool_id == pool_id, may)
    there = set(db.execute(lying.where(Customer.deleted_at.is_(None))).scalars())
    if not there:
        return []
    assigner, found = _Rehearsal(scope, db, pool_id), []
    turns = _turns(db, pool_id)
    for id in (id for id in distinct(ids) if id in there):
        decision = assigner.decide(db, id, turns, {})
        if decision.chosen is not None:
            turns.give(assigner.strategy, fits_in(decision.candidates), decision.chosen)
            assigner.more[decision.chosen] = assigner.more.get(decision.chosen, 0) + 1
        found.append(decision)
    return found


class _Rehearsal(Assigner):
    """An assigner that counts what it would have given."""

    def __init__(self, scope: Scope, db: Session, pool_id: int) -> None:
        super().__init__(scope, db, pool_id)
        self.more: dict[int, int] = {}

    def loads(self, db: Session) -> Any:
        found = super().loads(db)
        return {id: type(x)(x.held + self.more.get(id, 0), x.limit) for id, x in found.items()}


# --- turns -----------------------------------------------------------------------------------------------

_STATE: Any = AssignmentState.__table__
_OF_POOL = select(_STATE.c.turn, _STATE.c.members).where(_STATE.c.pool_id == bindparam("pool", type_=Integer()))
_LOCK_TURNS, _READ_TURNS = Prepared(_OF_POOL.with_for_update()), Prepared(_OF_POOL)
_SAVE_TURNS = Prepared(
    update(_STATE).where(_STATE.c.pool_id == bindparam("pool", type_=Integer())), ["turn", "members"]
)


def _locked_turns(db: Session, pool_id: int) -> Turns:
    """The turns of a pool, locked until the commit, so that two workers never give the same one."""
    row = _LOCK_TURNS.first(db, pool=pool_id)
    if row is None:
        _first_turns(upsert(db.get_bind().dialect)).run(db, pool_id=pool_id, turn=0, members={})
        row = _LOCK_TURNS.rows(db, pool=pool_id)[0]
    return Turns.read(*row)


def _turns(db: Session, pool_id: int) -> Turns:
    row = _READ_TURNS.first(db, pool=pool_id)
    return Turns.read(*row) if row is not None else Turns()


@cache
def _first_turns(insert: Any) -> Prepared:
    return Prepared(insert(_STATE).on_conflict_do_nothing(), ["pool_id", "turn", "members"])


# --- steps -----------------------------------------------------------------------------------------------

_DECISION: Any = AssignmentDecision.__table__
_KEEP = Prepared(insert(_DECISION), ["customer_id", "pool_id", "strategy", "chosen_id", "actor_id", "candidates", "at"])


def _keep(scope: Scope, db: Session, decision: Decision) -> None:
    _KEEP.run(
        db,
        customer_id=decision.customer_id,
        pool_id=decision.pool_id,
        strategy=decision.strategy,
        chosen_id=decision.chosen,
        actor_id=scope.person.id,
        candidates=[x.stored() for x in decision.candidates],
        at=scope.person.now,
    )


def _present(scope: Scope, db: Session, user_id: int) -> User | None:
    """The user, locked, so that they cannot be deactivated before the commit; None for one who was."""
    there = select(User).where(User.id == user_id, User.active, User.deleted_at.is_(None)).with_for_update(of=User)
    options = bypass_policy(Because.KEEPS_RULE, populate_existing=True)
    user = db.execute(there, execution_options=options).scalar_one_or_none()
    if user is None or (user.absent_until is not None and user.absent_until > scope.person.now):
        return None
    permit(db, user, action_of(db))
    return user
