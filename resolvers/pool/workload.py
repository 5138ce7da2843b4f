"""Workload: customers by stage, and customers held by each user of a team.  Reads under the read guard."""

from typing import Any

from sqlalchemy import func, null, select, true
from sqlalchemy.orm import Session

from models import Customer, OwnerLoad, User

from ..ownership.assignees import Candidate
from ..ownership.capacity import limit_of
from ..reading.clauses import value
from ..reading.order import order_value
from ..runtime.scope import Scope

MOST_PEOPLE = 20


def by_stage(scope: Scope, db: Session) -> dict[str | None, int]:
    """Stage -> number of visible customers; None is the key where a stage is missing or hidden."""
    viewer = scope.viewer
    stage = value(viewer, Customer, Customer, "stage")
    counted = select(stage.label("stage"), func.count(Customer.id).label("held"))
    deleted_at: Any = Customer.deleted_at
    if scope.backend.dialect == "sqlite":  # a scan in table order reads all rows twice as fast as one by an index
        deleted_at = func.coalesce(deleted_at, null())
    counted = counted.where(deleted_at.is_(None)).group_by(stage)
    return {row.stage: row.held for row in db.execute(counted)}


def of_team(scope: Scope, db: Session) -> list[Candidate]:
    """At most MOST_PEOPLE users of the caller's department and below, with what they hold and their limit.

    Ordered by customers held, most first.  Empty for a caller who may not view other users' customers, because the
    numbers would reveal them.
    """
    if not scope.person.subtree or not _sees_the_team(scope):
        return []
    viewer = scope.viewer
    sees = scope.policy.guard(scope.person, User, "capacity", User)
    shown = (value(viewer, User, User, "name"), value(viewer, User, User, "absent_until"))
    people = (
        select(User.id, *shown, func.coalesce(OwnerLoad.held, 0).label("held"), true() if sees is None else sees)
        .outerjoin(OwnerLoad, OwnerLoad.user_id == User.id)
        .where(User.department_id.in_(scope.person.subtree), User.active, User.deleted_at.is_(None))
        .order_by(func.coalesce(OwnerLoad.held, 0).desc(), order_value(viewer, User, User, "name"), User.id)
        .limit(MOST_PEOPLE)
    )
    now = scope.person.now
    return [
        Candidate(id, name or "", held, limit_of(db, id) if sees else None, absent is not None and absent > now)
        for id, name, absent, held, sees in db.execute(people)
    ]


def _sees_the_team(scope: Scope) -> bool:
    """Whether a policy line lets the caller view customers by department, or all of them."""
    cell = scope.policy.cell(scope.person.roles, Customer.module, "view")
    return bool({name for name, _ in cell.allow} & {"all", "team", "subtree"})
