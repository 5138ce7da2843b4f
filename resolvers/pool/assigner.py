"""The candidates of automatic assignment: every member of a pool, and why they may take a customer or may not.

The same for a decision and for its preview, which reads on another session and gives no turn.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models import AssignmentRule, AssignmentShare, OwnershipPeriod, User
from models.claim_condition import Covers
from models.database.bypass import Because, bypass_policy
from models.errors import RuleMissing
from models.pool_assignment import Reason, Strategy
from policies import Principal

from ..ownership.capacity import Capacity, capacities
from ..ownership.locate import may_claim_from
from ..runtime import principals
from ..runtime.scope import Scope
from .claim_rules import ClaimTerms, terms_of
from .conditions import Judged, judged, matches, obstacle
from .turns import Fit, Turns


@dataclass(frozen=True)
class Member:
    """A user with a seat from which they claim, or with a share in the assignment."""

    user_id: int
    person: Principal | None
    """None for a user who is not active."""
    absent: bool
    weight: int
    condition: str | None


@dataclass(frozen=True)
class Candidate:
    """A member and one customer: why they get it or do not, and what they hold."""

    user_id: int
    reason: Reason
    held: int
    limit: int | None
    weight: int

    def stored(self) -> dict[str, Any]:
        facts = {"held": self.held, "limit": self.limit, "weight": self.weight}
        return {"user": self.user_id, "reason": self.reason.value, **facts}


@dataclass(frozen=True)
class Decision:
    """Who gets a customer, None for nobody, with every candidate."""

    customer_id: int
    pool_id: int
    strategy: Strategy
    chosen: int | None
    candidates: tuple[Candidate, ...]


class Assigner:
    """The automatic assignment of one pool, for as long as one request or chunk takes."""

    def __init__(self, scope: Scope, db: Session, pool_id: int) -> None:
        """Raises RuleMissing for a pool that is closed, or is not assigned automatically."""
        self.scope, self.pool_id, self.now = scope, pool_id, scope.person.now
        self.terms: ClaimTerms = terms_of(db, pool_id)
        self.strategy = self._strategy(db)
        self.members = [*self._members(db)]

    def decide(self, db: Session, customer_id: int, turns: Turns, without: Mapping[int, Reason]) -> Decision:
        """Who gets the customer now; `without` are members who turned out not to be able to.  Gives no turn."""
        found = self._candidates(db, customer_id, without)
        fits = fits_in(found)
        chosen = turns.choose(self.strategy, fits) if fits else None
        marked = (replace(x, reason=Reason.CHOSEN) if x.user_id == chosen else x for x in found)
        return Decision(customer_id, self.pool_id, self.strategy, chosen, tuple(marked))

    # -- members -----------------------------------------------------------------------------------------

    def _strategy(self, db: Session) -> Strategy:
        if not self.terms.is_open:
            raise RuleMissing(
                reason="The pool is closed, so nothing is assigned from it. Open it first.",
                reason_zh="公海已停用，无法自动分配。请先启用。",
                field="poolId",
            )
        asked = select(AssignmentRule.strategy).where(AssignmentRule.pool_id == self.pool_id)
        found = db.execute(asked.where(AssignmentRule.deleted_at.is_(None)), execution_options=_BINDS).scalar()
        if found is None:
            raise RuleMissing(
                reason="The pool has no rule for automatic assignment. Its administrator sets one on its page.",
                reason_zh="该公海尚未设置自动分配规则，请由公海管理员在公海页面设置。",
                field="poolId",
            )
        return found

    def _members(self, db: Session) -> Iterator[Member]:
        """Every user who may claim from the pool, and those with a share who may not any more, by id."""
        people = {x.id: x for x in principals.everybody(db.connection(), self.now) if x.id is not None}
        seated = {id for id, person in people.items() if self._sits(person)}
        share = AssignmentShare
        asked = select(share.user_id, share.weight, share.condition).where(share.pool_id == self.pool_id)
        rows = db.execute(asked.where(share.deleted_at.is_(None)), execution_options=_BINDS)
        shares = {id: (weight, condition) for id, weight, condition in rows}
        away = select(User.id).where(User.id.in_(seated), User.absent_until > self.now)
        absent = set(db.execute(away, execution_options=_BINDS).scalars())
        for id in sorted(seated | shares.keys()):
            yield Member(id, people.get(id), id in absent, *shares.get(id, (1, None)))

    def _sits(self, person: Principal) -> bool:
        return self.pool_id in person.member_pools and may_claim_from(self.scope.policy, person, self.pool_id)

    def loads(self, db: Session) -> dict[int, Capacity]:
        """What each member holds now, and may hold."""
        return capacities(db, [x.user_id for x in self.members])

    # -- candidates --------------------------------------------------------------------------------------

    def _candidates(self, db: Session, id: int, without: Mapping[int, Reason]) -> list[Candidate]:
        conditions = judged(self.scope, db, self.pool_id, [id]).get(id, []) if self.terms.pool_id else []
        filters = sorted({x.condition for x in self.members if x.condition is not None})
        met = matches(self.scope, db, [id], [(text, False) for text in filters]).get(id, [])
        filtered = dict(zip(filters, met, strict=False))
        left = self._left_at(db, id)
        loads = self.loads(db)
        return [
            self._candidate(x, without.get(x.user_id), conditions, filtered, left, loads.get(x.user_id))
            for x in self.members
        ]

    def _candidate(
        self,
        member: Member,
        given: Reason | None,
        conditions: Sequence[Judged],
        filtered: Mapping[str, bool],
        left: Mapping[int, datetime],
        load: Capacity | None,
    ) -> Candidate:
        load = load or Capacity(0, None)
        reason = given or self._reason(member, conditions, filtered, left.get(member.user_id), load)
        return Candidate(member.user_id, reason, load.held, load.limit, member.weight)

    def _reason(
        self,
        member: Member,
        conditions: Sequence[Judged],
        filtered: Mapping[str, bool],
        left_at: datetime | None,
        load: Capacity,
    ) -> Reason:
        if member.person is None:
            return Reason.INACTIVE
        if not self._sits(member.person):
            return Reason.NO_SEAT
        if member.absent:
            return Reason.ABSENT
        if member.weight == 0:
            return Reason.NO_SHARE
        if obstacle(conditions, member.person, Covers.ASSIGN) is not None:
            return Reason.CONDITION
        if member.condition is not None and not filtered.get(member.condition, False):
            return Reason.FILTERED
        rule = self.terms.rule
        if rule is not None and rule.cooldown_days and left_at is not None and rule.cooled_at(left_at) > self.now:
            return Reason.COOLDOWN
        return Reason.FULL if load.full else Reason.FITS

    def _left_at(self, db: Session, id: int) -> dict[int, datetime]:
        """User -> when they last ceased to own the customer, in a pool whose former owners wait."""
        if self.terms.rule is None or not self.terms.rule.cooldown_days:
            return {}
        period = OwnershipPeriod
        asked = select(period.owner_id, func.max(period.ended_at)).where(period.customer_id == id)
        asked = asked.where(period.ended_at.is_not(None)).group_by(period.owner_id)
        found = db.execute(asked, execution_options=bypass_policy(Because.KEEPS_RULE))
        return {owner: at for owner, at in found if at is not None}


_BINDS = bypass_policy(Because.APPLIES_TO_ALL)


def fits_in(candidates: Sequence[Candidate]) -> list[Fit]:
    """The members who could take the customer."""
    able = (Reason.FITS, Reason.CHOSEN)
    return [Fit(x.user_id, x.weight, x.held, x.limit) for x in candidates if x.reason in able]
