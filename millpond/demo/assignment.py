"""Assignment of the demo: weights, a condition, what happens to customers that lie too long, and a few decisions."""

import json

from sqlalchemy import select

from models import AssignmentRule, AssignmentShare, ClaimCondition, Customer, Pool
from models.claim_condition import Effect
from models.pool import GranteeKind, OnExpire
from models.pool_assignment import Strategy
from resolvers.pool.auto_assign import auto_assign
from resolvers.records import create_update
from resolvers.runtime.backend import Backend
from resolvers.runtime.scope import Scope

COUNT = 5
"""Number of customers that are assigned automatically."""
WEIGHTS = {"li": 3, "wu": 2, "mei": 1, "lead": 0}


def rules(scope: Scope, east: int, west: int, people: dict[str, int], departments: dict[str, int]) -> None:
    """The national pool assigns by weight and keeps the largest customers for the eastern team; what lies in the western
    pool for too long goes on to it."""
    create_update.create(scope, AssignmentRule, {"pool_id": east, "strategy": Strategy.WEIGHTED})
    for login, weight in WEIGHTS.items():
        filtered = json.dumps({"not": {"region": {"in": ["east"]}}}) if login == "mei" else None
        share = {"pool_id": east, "user_id": people[login], "weight": weight, "condition": filtered}
        create_update.create(scope, AssignmentShare, share)
    kept = {"pool_id": east, "name": "A 级客户归东区 Level A in the East", "effect": Effect.RESERVES}
    wanted = json.dumps({"level": {"in": ["a"]}, "region": {"in": ["east"]}})
    team = {"grantee_kind": GranteeKind.DEPARTMENT, "grantee_id": departments["east"]}
    create_update.create(scope, ClaimCondition, {**kept, **team, "condition": wanted})
    create_update.update(scope, Pool, east, {"notice_days": 14})
    moved = {"on_expire": OnExpire.MOVE_TO_POOL, "expire_pool_id": east, "notice_days": 7}
    create_update.update(scope, Pool, west, moved)


def decide(backend: Backend) -> None:
    """Assign the latest customers of the national pool, as the head of sales."""
    pooled = select(Customer.__table__.c.id).where(Customer.pool_id.is_not(None), Customer.deleted_at.is_(None))
    with backend.writer.engine.connect() as connection:
        pool = connection.execute(select(Pool.id).order_by(Pool.id).limit(1)).scalar_one()
        latest = pooled.where(Customer.pool_id == pool).order_by(Customer.pooled_at.desc(), Customer.id.desc())
        ids = list(connection.execute(latest.limit(COUNT)).scalars())
    backend.scope(backend.person("lead"), "demo").do(auto_assign, sorted(ids))
