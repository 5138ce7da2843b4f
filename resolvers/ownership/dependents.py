"""Dependents: child records of a customer with the same owner, which get its new owner too."""

from collections.abc import Callable, Iterator, Mapping, Sequence

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from models import Customer, Entity, FollowUp, Plan
from models.database.bypass import Because, bypass_policy
from models.plan import PlanState

from ..reading.clauses import visible
from ..records.create_update import children_of
from ..runtime.scope import Scope
from ..runtime.write_guard import action_of, permit

_STAYS = {FollowUp}
"""Records that keep their owner, because they say who did something."""


GoesAlong = Callable[[Entity], bool]
"""Whether a record of the former owner gets the new one, too."""


def reassign_dependents(
    db: Session,
    customer: Customer,
    owner_id: int,
    assignee_id: int | None,
    goes_along: GoesAlong = lambda _row: True,
) -> None:
    """Give the contacts, opportunities and other dependents of the owner to the assignee, as far as they go along.

    None is for a customer without an owner, at which the owner's open plans end.  Records of other owners stay as they
    are.
    """
    for row in dependents_of(db, customer.id, owner_id):
        if goes_along(row):
            _reassign(db, row, assignee_id)


def kinds_of_dependents() -> dict[type[Entity], str]:
    """The kinds of records that go along with a customer, each with its foreign key to it."""
    return dict(_owned_children())


def count_dependents(scope: Scope, db: Session, owners: Mapping[int, int]) -> dict[type[Entity], int]:
    """Kind -> how many dependents the owners have at these customers, given as customer -> owner, that the caller sees.

    One query per kind.
    """
    found = {}
    for child, key in _owned_children():
        columns = child.__table__.c
        of, owner = columns[key], columns["owner_id"]
        seen = visible(scope.viewer, child, of, owner, func.count()).where(
            of.in_(owners), columns["deleted_at"].is_(None)
        )
        counted = db.execute(seen.where(*_handed_on(child)).group_by(of, owner))
        found[child] = sum(number for customer_id, owner_id, number in counted if owners[customer_id] == owner_id)
    return found


def _reassign(db: Session, row: Entity, assignee_id: int | None) -> None:
    permit(db, row, action_of(db))
    if isinstance(row, Plan):
        _hand_over(db, row, assignee_id)
    else:
        setattr(row, "owner_id", assignee_id)  # noqa: B010  only some entities have it


def _hand_over(db: Session, plan: Plan, assignee_id: int | None) -> None:
    """Give an open plan to the assignee, who sees from whom it came; without one it ends."""
    if assignee_id is None:
        plan.end(PlanState.RELEASED, db.info["now"])
    else:
        plan.handed_over_by_id, plan.owner_id = plan.owner_id, assignee_id


def reassign_dependents_of(db: Session, owners: Mapping[int, int]) -> None:
    """Take the dependents of the owners, by the ids of their customers, out of their hands.  One query per kind."""
    for child, key in _owned_children():
        columns = child.__table__.c
        owned = select(child).where(columns[key].in_(owners), columns["owner_id"].is_not(None), *_handed_on(child))
        for row in db.execute(
            owned.order_by(child.id), execution_options=bypass_policy(Because.FOLLOWS_CHECK)
        ).scalars():
            if getattr(row, "owner_id") == owners[getattr(row, key)]:  # noqa: B009  only some entities have it
                _reassign(db, row, None)


def dependents_of(db: Session, customer_id: int, owner_id: int) -> Iterator[Entity]:
    """The dependents of a customer that this user owns; of plans those that are open and not in the bin."""
    for child, key in _owned_children():
        columns = child.__table__.c
        owned = select(child).where(columns[key] == customer_id, columns["owner_id"] == owner_id, *_handed_on(child))
        yield from db.execute(
            owned.order_by(child.id), execution_options=bypass_policy(Because.FOLLOWS_CHECK)
        ).scalars()


def _owned_children() -> Iterator[tuple[type[Entity], str]]:
    """(kind of dependents, its foreign key to the customer)."""
    for child, key in children_of(Customer):
        if child not in _STAYS and "owner_id" in child.__table__.c:
            yield child, key


def _handed_on(child: type[Entity]) -> Sequence[ColumnElement[bool]]:
    """Which records of a kind are handed on: all, but of plans those that are open and not in the bin."""
    columns = child.__table__.c
    return (columns["state"] == PlanState.OPEN, columns["deleted_at"].is_(None)) if child is Plan else ()
