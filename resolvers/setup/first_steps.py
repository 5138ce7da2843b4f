"""First steps: what an administrator does before others can work, each with its state in the data."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from models import ClaimRule, Customer, Department, Organisation, Pool, PoolMember, User

from ..runtime.scope import Scope


class Step(StrEnum):
    """The steps, in the order in which each has what it needs."""

    REGION = "region"
    DEPARTMENTS = "departments"
    PEOPLE = "people"
    POOL = "pool"
    MEMBERS = "members"
    RULE = "rule"
    CUSTOMERS = "customers"


@dataclass(frozen=True)
class FirstStep:
    """A step with its state.  `pool_id`: the pool that a member or a rule is for, None where there is none yet."""

    step: Step
    is_done: bool
    pool_id: int | None = None


RIGHTS = (
    ("edit", "organisation"),
    ("create", "department"),
    ("create", "user"),
    ("create", "pool"),
    ("create", "customer"),
)
"""(action, module) of all steps: a caller who lacks one of them is led by another user."""


def takes_first_steps(scope: Scope) -> bool:
    """Whether the caller may take every step."""
    return all(scope.policy.ever(scope.person, action, module) for action, module in RIGHTS)


def first_steps(scope: Scope, db: Session) -> list[FirstStep]:
    """Every step with its state; [] for a caller who may not take them, and once all are done.  Seven short queries."""
    if not takes_first_steps(scope):
        return []
    pool = db.execute(select(Pool.id).where(Pool.deleted_at.is_(None)).order_by(Pool.id).limit(1)).scalar()
    is_set = or_(Organisation.version > 1, Organisation.time_zone != "UTC")
    done = {
        Step.REGION: _is_there(db, Organisation, is_set),
        Step.DEPARTMENTS: _is_there(db, Department),
        Step.PEOPLE: _is_there(db, User, User.id != scope.me, User.active),
        Step.POOL: pool is not None,
        Step.MEMBERS: _is_there(db, PoolMember),
        Step.RULE: _is_there(db, ClaimRule),
        Step.CUSTOMERS: _is_there(db, Customer),
    }
    steps = [FirstStep(step, is_done, pool) for step, is_done in done.items()]
    return steps if not all(done.values()) else []


def _is_there(db: Session, model: Any, *conditions: Any) -> bool:
    return db.execute(select(model.id).where(model.deleted_at.is_(None), *conditions).limit(1)).first() is not None
