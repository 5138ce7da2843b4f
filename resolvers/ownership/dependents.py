"""Dependents: child records of a customer with the same owner, which get its new owner too."""

from collections.abc import Iterator, Mapping

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Customer, Entity, FollowUp
from models.database.bypass import Because, bypass_policy

from ..records.create_update import children_of
from ..runtime.write_guard import action_of, permit

_STAYS = {FollowUp}
"""Records that keep their owner, because they say who did something."""


def reassign_dependents(db: Session, customer: Customer, owner_id: int, assignee_id: int | None) -> None:
    """Give the contacts, opportunities and other dependents of the owner to the assignee.

    None is for a customer without an owner.  Records of other owners stay as they are.
    """
    for row in dependents_of(db, customer.id, owner_id):
        permit(db, row, action_of(db))
        setattr(row, "owner_id", assignee_id)  # noqa: B010  only some entities have it


def reassign_dependents_of(db: Session, owners: Mapping[int, int]) -> None:
    """Take the dependents of the owners, by the ids of their customers, out of their hands.  One query per kind."""
    for child, key in _owned_children():
        columns = child.__table__.c
        owned = select(child).where(columns[key].in_(owners), columns["owner_id"].is_not(None)).order_by(child.id)
        for row in db.execute(owned, execution_options=bypass_policy(Because.FOLLOWS_CHECK)).scalars():
            if getattr(row, "owner_id") == owners[getattr(row, key)]:  # noqa: B009  only some entities have it
                permit(db, row, action_of(db))
                setattr(row, "owner_id", None)  # noqa: B010  as above


def dependents_of(db: Session, customer_id: int, owner_id: int) -> Iterator[Entity]:
    """The dependents of a customer that this user owns."""
    for child, key in _owned_children():
        columns = child.__table__.c
        owned = select(child).where(columns[key] == customer_id, columns["owner_id"] == owner_id)
        yield from db.execute(
            owned.order_by(child.id), execution_options=bypass_policy(Because.FOLLOWS_CHECK)
        ).scalars()


def _owned_children() -> Iterator[tuple[type[Entity], str]]:
    """(kind of dependents, its foreign key to the customer)."""
    for child, key in children_of(Customer):
        if child not in _STAYS and "owner_id" in child.__table__.c:
            yield child, key
