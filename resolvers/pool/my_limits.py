"""The caller's own limits: what is used of their quotas, and how many customers they hold."""

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import ClaimRule
from models.database.bypass import Because, bypass_policy

from ..ownership.capacity import Capacity, capacity
from ..ownership.quota import Quota, quotas
from ..records.organisation import zone_of
from ..runtime.scope import Scope


@dataclass(frozen=True)
class Limits:
    """`quotas`: (pool id, quota) for every limit of every pool where the caller may claim, ordered by pool id."""

    quotas: list[tuple[int, Quota]]
    capacity: Capacity


def my_limits(scope: Scope, db: Session) -> Limits:
    """Quotas and capacity of the caller at this moment."""
    p, zone = scope.person, zone_of(db)
    rules = select(ClaimRule).where(ClaimRule.pool_id.in_(p.member_pools), ClaimRule.deleted_at.is_(None))
    found = (
        db.execute(rules.order_by(ClaimRule.pool_id), execution_options=bypass_policy(Because.APPLIES_TO_ALL))
        .scalars()
        .all()
    )
    used = [(rule.pool_id, quota) for rule in found for quota in quotas(db, rule, scope.me, p.now, zone)]
    return Limits(used, capacity(db, scope.me))
