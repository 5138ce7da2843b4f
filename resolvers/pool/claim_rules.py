"""Claim rules of a pool, and the checks that follow from them: passed or not, and when each would pass."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import and_, bindparam, case, select
from sqlalchemy.orm import Session

from models import Approval, ClaimCondition, ClaimRule, Customer, Pool
from models.database.bypass import Because
from models.database.prepared import Prepared, attach
from models.errors import Archived, CapacityReached, Cooldown, NotApproved, NotEligible, Protected, Refusal
from policies import Principal

from ..ownership.capacity import Capacity
from ..ownership.periods import last_left
from ..ownership.quota import Quota
from ..records.organisation import ZONE
from ..runtime.batch import Note


@dataclass(frozen=True)
class ClaimTerms:
    """Whether the pool is open, its claim rule, and the time zone in which the rule counts days.

    A pool without a rule has no limits.  `archive` is the name of a pool that is one, `pool_id` that of a pool with
    claim conditions: a pool without them costs no further statement.
    """

    is_open: bool
    archive: str | None
    pool_id: int | None
    zone: str
    rule: ClaimRule | None

    @property
    def capacity(self) -> int | None:
        return self.rule.capacity if self.rule else None


_POOL: Any = Pool.__table__
_RULE: Any = ClaimRule.__table__
_LIVE = and_(_RULE.c.pool_id == _POOL.c.id, _RULE.c.deleted_at.is_(None))
_IS_OPEN = and_(_POOL.c.enabled, _POOL.c.deleted_at.is_(None))
_ARCHIVE = case((_POOL.c.is_archive, _POOL.c.name), else_=None)
_CONDITION: Any = ClaimCondition.__table__
_CONDITIONAL = (
    select(_CONDITION.c.pool_id).where(_CONDITION.c.pool_id == _POOL.c.id, _CONDITION.c.deleted_at.is_(None)).limit(1)
)
_ASKED = (
    select(_IS_OPEN, _ARCHIVE, _CONDITIONAL.scalar_subquery(), ZONE, *_RULE.c)
    .select_from(_POOL.outerjoin(_RULE, _LIVE))
    .where(_POOL.c.id == bindparam("pool"))
)
_TERMS = Prepared(_ASKED, because=Because.APPLIES_TO_ALL)
_TERMS_AND_LEFT = Prepared(
    _ASKED.add_columns(last_left(bindparam("customer"), bindparam("owner"))), because=Because.APPLIES_TO_ALL
)


def terms_of(db: Session, pool_id: int) -> ClaimTerms:
    """The claim terms of a pool, whether or not the caller may view its settings.  One statement."""
    return _terms(db, _TERMS.rows(db, pool=pool_id)[0])


def terms_for(db: Session, customer: Customer, owner_id: int) -> tuple[ClaimTerms, datetime | None]:
    """(claim terms of the customer's pool, when the user last ceased to own it or None).  One statement."""
    *terms, left_at = _TERMS_AND_LEFT.rows(db, pool=customer.pool_id, customer=customer.id, owner=owner_id)[0]
    return _terms(db, terms), left_at


def _terms(db: Session, row: Sequence[Any]) -> ClaimTerms:
    is_open, archive, pool_id, zone, *rule = row
    held = attach(db, ClaimRule, tuple(rule)) if rule[0] is not None else None
    return ClaimTerms(bool(is_open), archive, pool_id, zone, held)


@dataclass(frozen=True)
class Check:
    """The result of one rule about one claim: what it says in words and numbers, why it fails, when it would pass."""

    rule: str
    detail: Note
    refusal: Refusal | None = None
    passes_at: datetime | None = None

    @property
    def passed(self) -> bool:
        return self.refusal is None


def pool_closed(name: str) -> NotEligible:
    """The refusal to claim or assign from a pool that is switched off."""
    return NotEligible(name=name, reason="the pool is closed", reason_zh="公海已停用", field="poolId")


def rule_checks(terms: ClaimTerms, customer: Customer, left_at: datetime | None, p: Principal) -> Iterator[Check]:
    """The checks that need no counter: approval, open pool, protection of new arrivals, cooldown of former owners.

    `left_at` is when the claiming user last ceased to own the customer.
    """
    if customer.approval in (Approval.PENDING, Approval.REJECTED):
        yield Check("APPROVAL", _UNAPPROVED, NotApproved(label=customer.label))
    refusal: Refusal | None = None if terms.is_open else pool_closed(p.name)
    yield Check("POOL_OPEN", _OPEN if terms.is_open else _CLOSED, refusal)
    if terms.archive is not None:
        yield Check("ARCHIVE", _IN_ARCHIVE, Archived(pool=terms.archive))
    rule = terms.rule
    if rule is not None and rule.protect_days and customer.pooled_at is not None:
        wait = _wait("new arrivals wait", "新入公海客户须等待", rule.protect_days)
        yield _from(rule.open_at(customer.pooled_at), terms, p, "PROTECTION", wait)
    if rule is not None and rule.cooldown_days:
        at = rule.cooled_at(left_at) if left_at is not None else None
        yield _from(at, terms, p, "COOLDOWN", _wait("former owners wait", "原负责人须等待", rule.cooldown_days))


def counted_checks(terms: ClaimTerms, quotas: Iterable[Quota], room: Capacity, p: Principal) -> Iterator[Check]:
    """The checks that count: quotas and capacity.  A claim counts again, under a lock."""
    for quota in quotas:
        refusal = quota.refusal() if quota.used >= quota.limit else None
        at = quota.resets_at if refusal else None
        detail = Note(f"{quota.used} of {quota.limit} claimed", f"已领取 {quota.used} 个，上限 {quota.limit} 个")
        yield Check(f"QUOTA_{quota.kind.upper()}", detail, refusal, at)
    room = room.within(terms.capacity)
    detail = Note(f"{room.held} held, no limit", f"已持有 {room.held} 个，无上限")
    if room.limit is not None:
        detail = Note(f"{room.held} of {room.limit} held", f"已持有 {room.held} 个，上限 {room.limit} 个")
    full = CapacityReached(name=p.name, held=room.held, limit=room.limit) if room.full else None
    yield Check("CAPACITY", detail, full)


def _from(at: datetime | None, terms: ClaimTerms, p: Principal, rule: str, detail: Note) -> Check:
    """The check of a rule that passes from `at` on, which its refusal says in the organisation's time zone."""
    if at is None or at <= p.now:
        return Check(rule, detail)
    refusal = {"PROTECTION": Protected, "COOLDOWN": Cooldown}[rule]
    return Check(rule, detail, refusal(passes_at=at.astimezone(ZoneInfo(terms.zone))), at)


_UNAPPROVED = Note("it is not approved yet", "尚未通过审批")
_IN_ARCHIVE = Note("the pool is an archive", "公海为归档公海")
_OPEN, _CLOSED = Note("the pool is open", "公海已启用"), Note("the pool is closed", "公海已停用")


def _wait(english: str, chinese: str, days: int) -> Note:
    unit = "day" if days == 1 else "days"
    return Note(f"{english} {days} {unit}", f"{chinese} {days} 天")
