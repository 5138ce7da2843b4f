"""Workload: customers by stage and category, and customers held by each user of a team.  Reads under the read guard."""

from collections import Counter
from collections.abc import Iterable
from typing import Any

from sqlalchemy import func, null, select, true
from sqlalchemy.orm import Session

from models import Customer, User

from ..ownership.assignees import Candidate
from ..ownership.capacity import limit_of
from ..reading.clauses import value
from ..reading.order import order_value
from ..runtime.scope import Scope

MOST_PEOPLE = 20


def by_stage(scope: Scope, db: Session) -> dict[str | None, int]:
    """Stage -> number of visible customers; None is the key where a stage is missing or hidden."""
    return by_words(scope, db)[0]


def by_words(scope: Scope, db: Session) -> tuple[dict[str | None, int], dict[str | None, int]]:
    """The same for stages and for categories, of one reading of the table."""
    viewer = scope.viewer
    stage, category = (value(viewer, Customer, Customer, key) for key in ("stage", "category"))
    counted = select(stage.label("stage"), category.label("category"), func.count(Customer.id).label("held"))
    deleted_at: Any = Customer.deleted_at
    if scope.backend.dialect == "sqlite":  # a scan in table order reads all rows twice as fast as one by an index
        deleted_at = func.coalesce(deleted_at, null())
    counted = counted.where(deleted_at.is_(None)).group_by(stage, category)
    stages: Counter[str | None] = Counter()
    categories: Counter[str | None] = Counter()
    for row in db.execute(counted):
        stages[row.stage] += row.held
        categories[row.category] += row.held
    return dict(stages), dict(categories)


def of_team(scope: Scope, db: Session) -> list[Candidate]:
    """At most MOST_PEOPLE users of the caller's department and below, with the customers that the caller sees, and the
    limit.

    Ordered by customers, most first.  What is hidden, as a locked customer, does not count, because the numbers would
    reveal it.  Empty for a caller who may not view other users' customers.
    """
    if not scope.person.subtree or not _sees_the_team(scope):
        return []
    viewer = scope.viewer
    sees = scope.policy.guard(scope.person, User, "capacity", User)
    shown = (value(viewer, User, User, "name"), value(viewer, User, User, "absent_until"))
    team = User.department_id.in_(scope.person.subtree), User.active, User.deleted_at.is_(None)
    by_name = select(User.id, *shown, true() if sees is None else sees).where(*team)
    by_name = by_name.order_by(order_value(viewer, User, User, "name"), User.id)
    people = {id: (name or "", absent, is_seen) for id, name, absent, is_seen in db.execute(by_name)}
    held = _counted(scope, db, people)
    most = sorted(people, key=lambda who: -held.get(who, 0))[:MOST_PEOPLE]
    now = scope.person.now
    return [
        Candidate(id, name, held.get(id, 0), limit_of(db, id) if is_seen else None, absent is not None and absent > now)
        for id, (name, absent, is_seen) in ((id, people[id]) for id in most)
    ]


def _counted(scope: Scope, db: Session, people: Iterable[int]) -> dict[int, int]:
    """User id -> number of visible customers whose owner, as the caller sees it, that user is."""
    owner: Any = value(scope.viewer, Customer, Customer, "owner_id")
    wanted = sorted(people)
    everyone = select(func.count()).select_from(User).where(User.active, User.deleted_at.is_(None))
    if scope.backend.dialect == "sqlite" and 2 * len(wanted) > (db.scalar(everyone) or 0):
        owner = func.coalesce(owner, null())  # most customers are read, so as above no index is wanted
    owned = select(owner, func.count(Customer.id)).where(owner.in_(wanted), Customer.deleted_at.is_(None))
    return {id: count for id, count in db.execute(owned.group_by(owner)) if id is not None}


def _sees_the_team(scope: Scope) -> bool:
    """Whether a policy line lets the caller view customers by department, or all of them."""
    cell = scope.policy.cell(scope.person.roles, Customer.module, "view")
    return bool({name for name, _ in cell.allow} & {"all", "team", "subtree"})
