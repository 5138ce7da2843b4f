"""The pool: claim, assign, release; and what stands in the way of a claim."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import ClaimRule, Customer, Pool, User
from models.audit import UNWALLED
from models.errors import (
    AlreadyClaimed,
    CapacityReached,
    Cooldown,
    NotEligible,
    NotFound,
    NotInPool,
    Protected,
    Refusal,
    RuleMissing,
)
from models.ownership import Began, Ended
from policies import Principal

from . import identity
from .batch import Mode, Outcome, each
from .counters import capacity, give_room, quotas, take_quota, take_room, zone_of
from .names import global_id, noun
from .ownership import begin, end, last_end, was_just_taken
from .people import active_user
from .scope import Scope
from .values import line
from .walls import grant

# --- claim -----------------------------------------------------------------------------------------------


def claim(scope: Scope, ids: Sequence[int], mode: Mode = Mode.BEST_EFFORT) -> Outcome:
    """Take customers out of their pools for oneself: one winner each, never above quota or capacity.

    Problems: NOT_FOUND, FORBIDDEN, ALREADY_CLAIMED, NOT_IN_POOL, PROTECTED, COOLDOWN, QUOTA_REACHED, CAPACITY_REACHED.
    """

    def work(db: Session, id: int) -> None:
        customer = _load_for_claim(scope, db, id)
        pool_id, now = customer.pool_id, scope.person.now
        rule = rule_of(db, pool_id)
        for check in standing_checks(db, customer, rule, scope.person):
            if check.refusal is not None:
                raise check.refusal
        me = active_user(scope, db, scope.me)
        take_room(db, me, at_most=rule.capacity if rule else None)
        if rule is not None:
            take_quota(db, rule, me.id, now, zone_of(db))
        customer.hand_to(me, now)
        db.flush()
        begin(db, customer, Began.CLAIM, now, pool_id=pool_id)
        scope.tell(db, f"pool:{pool_id}", customer.id)

    return each(scope, "customer.claim", Customer, ids, mode, work)


def _load_for_claim(scope: Scope, db: Session, id: int) -> Customer:
    """The customer, or the refusal that tells the loser of a race that he lost it."""
    row, _, may = scope.reach(db, Customer, id, to="claim")
    if row is not None and may and row.deleted_at is None:
        row.must_be_pooled()  # somebody with a right on everything still claims from pools only
        grant(db, row, "claim")
        return row
    if id and was_just_taken(db, id, scope.person):
        raise AlreadyClaimed(record_id=global_id(Customer, id))
    if row is not None and row.deleted_at is None and not row.in_pool:
        raise NotInPool(label=row.label)
    return scope.load(db, Customer, id, to="claim")


# --- what stands in the way ------------------------------------------------------------------------------


@dataclass(frozen=True)
class Check:
    """One rule about one claim: passed or not, in words and numbers, and when it would pass."""

    rule: str
    detail: str
    refusal: Refusal | None = None
    passes_at: datetime | None = None

    @property
    def passed(self) -> bool:
        return self.refusal is None


@dataclass(frozen=True)
class Preview:
    """Every rule about claiming one customer."""

    customer_id: int
    checks: list[Check]

    @property
    def allowed(self) -> bool:
        return all(check.passed for check in self.checks)


def standing_checks(db: Session, customer: Customer, rule: ClaimRule | None, p: Principal) -> Iterator[Check]:
    """The rules that look at the customer's past: protection of arrivals, cooldown of former owners."""
    if rule is not None and rule.protect_days and customer.pooled_at is not None:
        at = rule.open_at(customer.pooled_at)
        refusal = Protected(passes_at=at) if at > p.now else None
        yield Check("PROTECTION", f"new arrivals wait {rule.protect_days} days", refusal, at if refusal else None)
    if rule is not None and rule.cooldown_days and p.id is not None:
        ended = last_end(db, customer.id, p.id)
        at = rule.cooled_at(ended) if ended else None
        refusal = Cooldown(passes_at=at) if at is not None and at > p.now else None
        detail = f"former owners wait {rule.cooldown_days} days"
        yield Check("COOLDOWN", detail, refusal, at if refusal else None)


def counted_checks(db: Session, rule: ClaimRule | None, p: Principal) -> Iterator[Check]:
    """The rules that count: quota for day and week, capacity.  The claim itself counts again, and exactly."""
    assert p.id is not None, "only people claim"
    if rule is not None:
        for quota in quotas(db, rule, p.id, p.now, zone_of(db)):
            refusal = quota.refusal() if quota.used >= quota.limit else None
            at = quota.resets_at if refusal else None
            yield Check(f"QUOTA_{quota.kind.upper()}", f"{quota.used} of {quota.limit} claimed", refusal, at)
    room = capacity(db, p.id)
    limits = [x for x in (room.limit, rule.capacity if rule else None) if x is not None]
    limit = min(limits) if limits else None
    full = limit is not None and room.held >= limit
    detail = f"{room.held} of {limit} held" if limit is not None else f"{room.held} held, no limit"
    yield Check("CAPACITY", detail, CapacityReached(name=p.name, held=room.held, limit=limit) if full else None)


def claim_preview(scope: Scope, db: Session, ids: Sequence[int]) -> list[Preview]:
    """Every rule, passed or not, for each customer that the person sees, in the order asked.  Reads only."""
    seen = {row.id: row for row in db.execute(select(Customer).where(Customer.id.in_(ids))).scalars()}
    return [_preview(scope, db, seen[id]) for id in dict.fromkeys(ids) if id in seen]


def _preview(scope: Scope, db: Session, customer: Customer) -> Preview:
    rule = rule_of(db, customer.pool_id)
    checks = [_right_check(scope, db, customer)]
    if customer.in_pool:
        checks += [*standing_checks(db, customer, rule, scope.person), *counted_checks(db, rule, scope.person)]
    return Preview(customer.id, checks)


def _right_check(scope: Scope, db: Session, customer: Customer) -> Check:
    if not customer.in_pool:
        return Check("IN_POOL", "it has an owner", NotInPool(label=customer.label))
    may = scope.policy.where(scope.person, "claim", Customer)
    allowed = db.execute(select(Customer.id).where(Customer.id == customer.id, may)).first() is not None
    refusal = (
        None
        if allowed
        else NotEligible(name=scope.person.name, reason="no right to claim here", reason_zh="无领取权限")
    )
    return Check(
        "RIGHT", "you may claim from this pool" if allowed else "your roles and seats do not allow it", refusal
    )


def rule_of(db: Session, pool_id: int | None) -> ClaimRule | None:
    """The claim rule of a pool, whether or not the person may look into the pool's settings."""
    rule = select(ClaimRule).where(ClaimRule.pool_id == pool_id, ClaimRule.deleted_at.is_(None))
    return db.execute(rule, execution_options=UNWALLED).scalar_one_or_none()


# --- assign ----------------------------------------------------------------------------------------------


def assign(
    scope: Scope, ids: Sequence[int], user_id: int, mode: Mode = Mode.BEST_EFFORT, reason: str | None = None
) -> Outcome:
    """Give pooled customers to somebody who may claim from their pool.  Uses his capacity, not his quota."""

    def work(db: Session, id: int) -> None:
        customer = scope.load(db, Customer, id, to="assign")
        customer.must_be_pooled()
        pool_id, now = customer.pool_id, scope.person.now
        heir = _eligible(scope, db, user_id, pool_id)
        take_room(db, heir)
        customer.hand_to(heir, now)
        db.flush()
        begin(db, customer, Began.ASSIGN, now, pool_id=pool_id)
        scope.tell(db, f"pool:{pool_id}", customer.id)
        scope.tell(db, f"user:{heir.id}", customer.id)

    return each(scope, "customer.assign", Customer, ids, mode, work, reason=line(reason, "reason"))


def _eligible(scope: Scope, db: Session, user_id: int, pool_id: int | None) -> User:
    """The person, who must be active, present and seated in the pool.  Raises NotFound, Validation, NotEligible."""
    heir = active_user(scope, db, user_id)
    if heir.absent_until is not None and heir.absent_until > scope.person.now:
        raise NotEligible(name=heir.name, reason="absent", reason_zh="不在岗", field="userId")
    if pool_id not in identity.by_id(db.connection(), heir.id, scope.person.now).member_pools:
        raise NotEligible(name=heir.name, reason="no seat in this pool", reason_zh="不是该客户池成员", field="userId")
    return heir


# --- release ---------------------------------------------------------------------------------------------


def release(
    scope: Scope,
    ids: Sequence[int],
    pool_id: int | None = None,
    reason: str | None = None,
    mode: Mode = Mode.BEST_EFFORT,
) -> Outcome:
    """Put customers into a pool: the one named, else the first by priority where their owner has a seat.

    Problems: NOT_FOUND (customer or pool), FORBIDDEN, LOCKED, ALREADY_IN_POOL, RULE_MISSING.
    """
    reason = line(reason, "reason")

    def work(db: Session, id: int) -> None:
        customer = scope.load(db, Customer, id, to="release")
        owner_id, now = customer.owner_id, scope.person.now
        pool = _target(scope, db, pool_id, owner_id)
        customer.return_to(pool, now)
        db.flush()
        end(db, customer.id, Ended.RELEASE, now, reason)
        if owner_id is not None:
            give_room(db, owner_id)
        scope.tell(db, f"pool:{pool.id}", customer.id)

    return each(scope, "customer.release", Customer, ids, mode, work, reason=reason)


def _target(scope: Scope, db: Session, pool_id: int | None, owner_id: int | None) -> Pool:
    open_pools = select(Pool).where(Pool.enabled, Pool.deleted_at.is_(None))
    if pool_id is not None:
        pool = db.execute(open_pools.where(Pool.id == pool_id)).scalar_one_or_none()
        if pool is None:
            raise NotFound(what=noun(Pool), field="poolId")
    else:
        seats = scope.person.pools if owner_id in (None, scope.person.id) else _pools_of(scope, db, owner_id)
        by_priority = open_pools.where(Pool.id.in_(seats)).order_by(Pool.priority.desc(), Pool.id).limit(1)
        pool = db.execute(by_priority, execution_options=UNWALLED).scalar_one_or_none()
        if pool is None:
            raise RuleMissing(
                reason="No open pool takes this customer: its owner has no seat in one. Choose a pool.",
                reason_zh="没有可放入的客户池：负责人不是任何客户池的成员。请选择客户池。",
                field="poolId",
            )
    grant(db, pool, "view")
    return pool


def _pools_of(scope: Scope, db: Session, user_id: int | None) -> frozenset[int]:
    try:
        return identity.by_id(db.connection(), user_id or 0, scope.person.now).pools
    except NotFound:  # who has left has no seats
        return frozenset()
