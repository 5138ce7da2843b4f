"""What hangs on a customer and was looked after by its owner: it goes where the customer goes."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Customer, FollowUp
from models.database.bypass import Because, bypass_policy

from ..records.create_update import children_of
from ..runtime.write_guard import action_of, permit

_STAYS = {FollowUp}
"""Who did something stays who did it."""


def reassign_dependents(db: Session, customer: Customer, owner_id: int, heir_id: int | None) -> None:
    """Give the owner's contacts, opportunities and their like to the heir; None leaves them to the customer's owner.

    What somebody else looks after stays with him.
    """
    for child, key in children_of(Customer):
        columns = child.__table__.c
        if child in _STAYS or "owner_id" not in columns:
            continue
        owned = select(child).where(columns[key] == customer.id, columns["owner_id"] == owner_id)
        for row in db.execute(
            owned.order_by(child.id), execution_options=bypass_policy(Because.FOLLOWS_CHECK)
        ).scalars():
            permit(db, row, action_of(db))
            setattr(row, "owner_id", heir_id)  # noqa: B010  only some entities have it
