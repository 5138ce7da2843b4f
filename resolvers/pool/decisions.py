"""Decisions of automatic assignment, as users read them beside the customer."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, true
from sqlalchemy.orm import Session

from models import AssignmentDecision, Customer, User
from models.pool_assignment import Reason, Strategy
from policies import Facts

from ..reading.clauses import value
from ..runtime.scope import Scope
from .assigner import Candidate, Decision

MOST_DECISIONS = 20
"""Maximum number of decisions about one customer that are shown, the latest."""


@dataclass(frozen=True)
class Shown:
    """A candidate as a reader may know it: the name is None for a user out of sight, the numbers where they are hidden."""

    user_id: int
    name: str | None
    reason: Reason
    held: int | None
    limit: int | None
    weight: int


@dataclass(frozen=True)
class DecisionShown:
    """A decision as a reader may know it.  Without the right to assign from the pool there are no candidates."""

    customer_id: int
    pool_id: int
    strategy: Strategy
    chosen: int | None
    chosen_name: str | None
    actor_id: int | None
    at: datetime | None
    candidates: tuple[Shown, ...]


def decisions_of(scope: Scope, db: Session, customer_id: int) -> list[DecisionShown]:
    """The latest decisions about a customer that the caller sees, with its owner."""
    owner = scope.viewer.guard(Customer, "owner", Customer)
    seen = select(Customer.id).where(Customer.id == customer_id, true() if owner is None else owner)
    if db.execute(seen).first() is None:
        return []
    row = AssignmentDecision
    latest = select(row).where(row.customer_id == customer_id).order_by(row.id.desc()).limit(MOST_DECISIONS)
    found = list(db.execute(latest).scalars())
    made = [
        (
            Decision(
                x.customer_id,
                x.pool_id,
                x.strategy,
                x.chosen_id,
                tuple(
                    Candidate(c["user"], Reason(c["reason"]), c["held"], c["limit"], c["weight"]) for c in x.candidates
                ),
            ),
            x.actor_id,
            x.at,
        )
        for x in found
    ]
    return shown(scope, db, made)


def shown(
    scope: Scope, db: Session, decisions: Sequence[tuple[Decision, int | None, datetime | None]]
) -> list[DecisionShown]:
    """These decisions as the caller may know them.  One statement."""
    ids = {x.user_id for decision, _, _ in decisions for x in decision.candidates}
    ids |= {decision.chosen for decision, _, _ in decisions if decision.chosen is not None}
    sees = scope.policy.guard(scope.person, User, "capacity", User)
    people = select(User.id, value(scope.viewer, User, User, "name"), true() if sees is None else sees)
    names = {id: (name, bool(known)) for id, name, known in db.execute(people.where(User.id.in_(ids)))}
    return [
        DecisionShown(
            decision.customer_id,
            decision.pool_id,
            decision.strategy,
            decision.chosen,
            names.get(decision.chosen or 0, (None, False))[0],
            actor,
            at,
            tuple(_candidate(x, *names.get(x.user_id, (None, False))) for x in decision.candidates)
            if may_see_candidates(scope, decision.pool_id)
            else (),
        )
        for decision, actor, at in decisions
    ]


def may_see_candidates(scope: Scope, pool_id: int) -> bool:
    """Whether the caller may assign from the pool, and so weighs the members."""
    return scope.policy.might(scope.person, "assign", Customer.module, Facts(pool_id=pool_id))


def _candidate(x: Candidate, name: str | None, known: bool) -> Shown:
    return Shown(x.user_id, name, x.reason, x.held if known else None, x.limit if known else None, x.weight)
