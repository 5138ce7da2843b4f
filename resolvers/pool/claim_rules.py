"""What a pool asks of whoever claims from it, and every check that follows: passed or not, and when it would pass."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import and_, bindparam, select
from sqlalchemy.orm import Session

from models import ClaimRule, Customer, Pool
from models.database.prepared import Prepared, held
from models.errors import CapacityReached, Cooldown, NotEligible, Protected, Refusal
from policies import Principal

from ..ownership.capacity import Capacity
from ..ownership.periods import last_left
from ..ownership.quota import Quota
from ..records.organisation import ZONE


@dataclass(frozen=True)
class ClaimTerms:
    """Whether one may claim there at all, by which numbers, and where the days begin that they count; no rule is no limit."""

    is_open: bool
    zone: str
    rule: ClaimRule | None

    @property
    def capacity(self) -> int | None:
        return self.rule.capacity if self.rule else None


_POOL: Any = Pool.__table__
_RULE: Any = ClaimRule.__table__
_LIVE = and_(_RULE.c.pool_id == _POOL.c.id, _RULE.c.deleted_at.is_(None))
_IS_OPEN = and_(_POOL.c.enabled, _POOL.c.deleted_at.is_(None))
_ASKED = (
    select(_IS_OPEN, ZONE, *_RULE.c).select_from(_POOL.outerjoin(_RULE, _LIVE)).where(_POOL.c.id == bindparam("pool"))
)
_TERMS = Prepared(_ASKED)
_TERMS_AND_LEFT = Prepared(_ASKED.add_columns(last_left(bindparam("customer"), bindparam("owner"))))


def terms_of(db: Session, pool_id: int) -> ClaimTerms:
    """The terms of a pool, whether or not the person may look into its settings."""
    return _terms(db, _TERMS.rows(db, pool=pool_id)[0])


def terms_for(db: Session, customer: Customer, owner_id: int) -> tuple[ClaimTerms, datetime | None]:
    """The terms of a customer's pool, and when this person last ceased to own the customer; None when he never did."""
    *terms, left_at = _TERMS_AND_LEFT.rows(db, pool=customer.pool_id, customer=customer.id, owner=owner_id)[0]
    return _terms(db, terms), left_at


def _terms(db: Session, row: Sequence[Any]) -> ClaimTerms:
    is_open, zone, *rule = row
    return ClaimTerms(bool(is_open), zone, held(db, ClaimRule, tuple(rule)) if rule[0] is not None else None)


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


def pool_closed(name: str) -> NotEligible:
    """Nobody takes customers out of a pool that is switched off."""
    return NotEligible(name=name, reason="the pool is closed", reason_zh="客户池已停用", field="poolId")


def rule_checks(terms: ClaimTerms, customer: Customer, left_at: datetime | None, p: Principal) -> Iterator[Check]:
    """The rules that ask no counter: an open pool, protection of arrivals, cooldown of who left the customer then."""
    refusal: Refusal | None = None if terms.is_open else pool_closed(p.name)
    yield Check("POOL_OPEN", "the pool is open" if terms.is_open else "the pool is closed", refusal)
    rule = terms.rule
    if rule is not None and rule.protect_days and customer.pooled_at is not None:
        yield _from(rule.open_at(customer.pooled_at), p, "PROTECTION", f"new arrivals wait {_days(rule.protect_days)}")
    if rule is not None and rule.cooldown_days:
        at = rule.cooled_at(left_at) if left_at is not None else None
        yield _from(at, p, "COOLDOWN", f"former owners wait {_days(rule.cooldown_days)}")


def counted_checks(terms: ClaimTerms, quotas: Iterable[Quota], room: Capacity, p: Principal) -> Iterator[Check]:
    """The rules that count.  The claim itself counts again, and exactly."""
    for quota in quotas:
        refusal = quota.refusal() if quota.used >= quota.limit else None
        at = quota.resets_at if refusal else None
        yield Check(f"QUOTA_{quota.kind.upper()}", f"{quota.used} of {quota.limit} claimed", refusal, at)
    room = room.within(terms.capacity)
    detail = f"{room.held} of {room.limit} held" if room.limit is not None else f"{room.held} held, no limit"
    full = CapacityReached(name=p.name, held=room.held, limit=room.limit) if room.full else None
    yield Check("CAPACITY", detail, full)


def _from(at: datetime | None, p: Principal, rule: str, detail: str) -> Check:
    """A rule that is met from `at` on."""
    if at is None or at <= p.now:
        return Check(rule, detail)
    return Check(rule, detail, {"PROTECTION": Protected, "COOLDOWN": Cooldown}[rule](passes_at=at), at)


def _days(number: int) -> str:
    return f"{number} day" if number == 1 else f"{number} days"
