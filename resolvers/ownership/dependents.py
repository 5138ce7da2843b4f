"""Dependents: child records of a customer with the same owner, which get its new owner too."""

from collections.abc import Iterator

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


def dependents_of(db: Session, customer_id: int, owner_id: int) -> Iterator[Entity]:
    """The dependents of a customer that this user owns."""
    for child, key in children_of(Customer):
        columns = child.__table__.c
        if child in _STAYS or "owner_id" not in columns:
            continue
        owned = select(child).where(columns[key] == customer_id, columns["owner_id"] == owner_id)
        yield from db.execute(
            owned.order_by(child.id), execution_options=bypass_policy(Because.FOLLOWS_CHECK)
        ).scalars()
