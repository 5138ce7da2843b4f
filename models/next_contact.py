"""The next contact of a customer: when its earliest open plan is due, written by the flush that writes the plan."""

from collections.abc import Iterator
from typing import Any, cast

from sqlalchemy import Connection, Table, and_, bindparam, event, func, or_, select, update
from sqlalchemy.orm import Session

from .customer import Customer
from .database.bypass import Because
from .database.prepared import Prepared
from .last_contact import FOLLOWED, LOCK_CUSTOMER, customers_of, is_changed, show
from .plan import Plan, PlanState

WATCHED = ("customer_id", "due_at", "state", "deleted_at")
"""The columns of a plan that a customer's column depends on."""

_customer, _plan = (cast("Table", model.__table__) for model in (Customer, Plan))
_MINE = and_(_plan.c.customer_id == _customer.c.id, _plan.c.deleted_at.is_(None), _plan.c.state == PlanState.OPEN)
_TRUE: Any = select(func.min(_plan.c.due_at)).where(_MINE).correlate(_customer).scalar_subquery()
_AT = bindparam("at", type_=_customer.c.next_follow_up_at.type)
_IS = _customer.c.id == bindparam("id")
_IS_LATER = or_(_customer.c.next_follow_up_at.is_(None), _customer.c.next_follow_up_at > _AT)
_ADVANCE = Prepared(update(_customer).where(_IS, _IS_LATER).values(next_follow_up_at=_AT), because=Because.KEEPS_COPY)
_COUNT_ANEW = Prepared(
    update(_customer).where(_IS).values(next_follow_up_at=_TRUE).returning(_customer.c.next_follow_up_at),
    because=Because.KEEPS_COPY,
)


@event.listens_for(Session, "after_flush")
def _follow_the_flush(session: Session, _context: object) -> None:
    rows = [row for row in (*session.new, *session.dirty, *session.deleted) if isinstance(row, Plan)]
    if not rows:
        return
    new = {row for row in rows if row in session.new}
    stale = {id for row in rows if row not in new and is_changed(session, row, WATCHED) for id in customers_of(row)}
    earliest = {row.customer_id: row for row in sorted(new, key=lambda row: row.due_at, reverse=True) if row.is_open}
    for id in sorted(stale | earliest.keys()):
        if id in stale:
            _count_anew(session, id)
        elif _ADVANCE.run(session, id=id, at=earliest[id].due_at):
            show(session, id, next_follow_up_at=earliest[id].due_at)
    for told in FOLLOWED:
        told(session, sorted(stale | earliest.keys()))


def _count_anew(session: Session, id: int) -> None:
    with session.no_autoflush:
        LOCK_CUSTOMER.rows(session, id=id)
        for (at,) in _COUNT_ANEW.rows(session, id=id):
            show(session, id, next_follow_up_at=at)


# --- rows that are there ---------------------------------------------------------------------------------

_WRONG = _customer.c.next_follow_up_at.is_distinct_from(_TRUE)


def fill_next_contacts(connection: Connection) -> int:
    """Write the next contact of all customers that show another one; returns their number."""
    return connection.execute(update(_customer).where(_WRONG).values(next_follow_up_at=_TRUE)).rowcount


def stale_next_contacts(connection: Connection) -> Iterator[str]:
    """One sentence for each customer whose next contact is not that of its plans."""
    wrong = select(_customer.c.number).where(_WRONG).order_by(_customer.c.id)
    for number in connection.execute(wrong).scalars():
        yield f"Customer {number} shows another next contact than its plans: run millpond reindex."
