"""Last contact: the columns of a customer that repeat what its follow-ups say, written by the flush that writes those.

Every way to a follow-up ends in a flush: create, edit, delete, restore, purge, merge and its undoing.  What inserts
follow-ups in bulk calls `fill_last_contacts`.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from operator import itemgetter
from typing import Any, cast

from sqlalchemy import Connection, Table, and_, bindparam, event, inspect, or_, select, update
from sqlalchemy.orm import InstanceState, Session
from sqlalchemy.orm.attributes import set_committed_value
from sqlalchemy.orm.util import identity_key

from .customer import Customer
from .database.bypass import Because, bypass_policy
from .database.prepared import Prepared
from .database.sqlalchemy_internals import former_values
from .follow_up import FollowUp
from .plan import Plan

FOLLOWED: list[Callable[[Session, Sequence[int]], None]] = []
"""Called in the flush with the ids of the customers whose last or next contact may have changed, after it was written."""

WATCHED = ("customer_id", "happened_at", "counts", "deleted_at", "owner_id")
"""The columns of a follow-up that a customer's columns depend on."""
KEPT = ("last_follow_up_at", "last_follow_up_by_id")

_customer, _follow_up = (cast("Table", model.__table__) for model in (Customer, FollowUp))


def _newest(column: str) -> Any:
    """A column of the newest follow-up of a customer that counts."""
    f = _follow_up.c
    mine = and_(f.customer_id == _customer.c.id, f.deleted_at.is_(None), f.counts)
    found = select(f[column]).where(mine).order_by(f.happened_at.desc(), f.id.desc()).limit(1)
    return found.correlate(_customer).scalar_subquery()


_TRUE = {"last_follow_up_at": _newest("happened_at"), "last_follow_up_by_id": _newest("owner_id")}
_TYPES = {key: _customer.c[key].type for key in KEPT}
_AT, _BY = (bindparam(name, type_=_TYPES[key]) for name, key in zip(("at", "by"), KEPT, strict=True))
_IS = _customer.c.id == bindparam("id")
_IS_OLDER = or_(_customer.c.last_follow_up_at.is_(None), _customer.c.last_follow_up_at <= _AT)
_ADVANCE = Prepared(
    update(_customer).where(_IS, _IS_OLDER).values(last_follow_up_at=_AT, last_follow_up_by_id=_BY),
    because=Because.KEEPS_COPY,
)
LOCK_CUSTOMER = Prepared(select(_customer.c.id).where(_IS).with_for_update(key_share=True), because=Because.LOCKS_ROWS)
_COUNT_ANEW = Prepared(
    update(_customer).where(_IS).values(**_TRUE).returning(*(_customer.c[key] for key in KEPT)),
    because=Because.KEEPS_COPY,
)


def lock_customers(session: Session, model: type[FollowUp | Plan], ids: Sequence[int]) -> None:
    """Lock the customers of these records in the order of their ids, so that two batches never wait in a circle."""
    table: Any = model.__table__
    of = select(table.c.customer_id).where(table.c.id.in_(ids))
    rows = select(_customer.c.id).where(_customer.c.id.in_(of)).order_by(_customer.c.id)
    session.execute(rows.with_for_update(key_share=True), execution_options=bypass_policy(Because.LOCKS_ROWS))


@event.listens_for(Session, "after_flush")
def _follow_the_flush(session: Session, _context: object) -> None:
    rows = [row for row in (*session.new, *session.dirty, *session.deleted) if isinstance(row, FollowUp)]
    if not rows:
        return
    new = {row for row in rows if row in session.new}
    stale = {id for row in rows if row not in new and is_changed(session, row, WATCHED) for id in customers_of(row)}
    advanced = {row.customer_id: row for row in sorted(new, key=_place) if row.counts and row.customer_id not in stale}
    for id in sorted(stale | advanced.keys()):
        if id in stale:
            _count_anew(session, id)
        else:
            _advance(session, id, advanced[id].happened_at, advanced[id].owner_id)
    _tell(session, sorted(stale | advanced.keys()))


def follow_new(session: Session, rows: Iterable[Mapping[str, Any]]) -> None:
    """The same for new follow-ups that were written without a flush."""
    newest = {row["customer_id"]: row for row in sorted(rows, key=_PLACE) if row["counts"]}
    for id in sorted(newest):
        _advance(session, id, newest[id]["happened_at"], newest[id]["owner_id"])
    _tell(session, sorted(newest))


_PLACE = itemgetter("happened_at", "id")


def _place(row: FollowUp) -> tuple[datetime, int]:
    return row.happened_at, row.id


def _state_of(row: FollowUp | Plan) -> InstanceState[Any]:
    state: InstanceState[Any] = inspect(row)
    return state


def is_changed(session: Session, row: FollowUp | Plan, watched: Iterable[str]) -> bool:
    """Whether the flush deleted the record, or changed one of these columns."""
    former, state = former_values(row), _state_of(row)
    return row in session.deleted or any(key in former and state.attrs[key].history.has_changes() for key in watched)


def customers_of(row: FollowUp | Plan) -> set[int]:
    """The customer of a follow-up or a plan, and the one before a merge."""
    return {row.customer_id, *(_state_of(row).attrs["customer_id"].history.deleted or ())} - {None}


def _advance(session: Session, id: int, at: datetime, by: int | None) -> None:
    """Put a new follow-up into its customer unless there is a newer one.  The database compares, so that of two users
    who write at once the later time stays."""
    if _ADVANCE.run(session, id=id, at=at, by=by):
        show(session, id, last_follow_up_at=at, last_follow_up_by_id=by)


def _count_anew(session: Session, id: int) -> None:
    """Look for the newest follow-up that is left.  The row is locked first, so that the search sees what a rival wrote."""
    with session.no_autoflush:
        LOCK_CUSTOMER.rows(session, id=id)
        for at, by in _COUNT_ANEW.rows(session, id=id):
            show(session, id, last_follow_up_at=at, last_follow_up_by_id=by)


def show(session: Session, id: int, **values: Any) -> None:
    """Let a customer that the session has loaded show what was written."""
    loaded = session.identity_map.get(identity_key(Customer, id))
    for key, value in values.items() if loaded is not None else ():
        set_committed_value(loaded, key, value)


def _tell(session: Session, ids: Sequence[int]) -> None:
    for told in FOLLOWED if ids else ():
        told(session, ids)


# --- rows that are there ---------------------------------------------------------------------------------

_WRONG = or_(*(_customer.c[key].is_distinct_from(true) for key, true in _TRUE.items()))


def fill_last_contacts(connection: Connection) -> int:
    """Write the last contact of all customers that show another one; returns their number."""
    return connection.execute(update(_customer).where(_WRONG).values(**_TRUE)).rowcount


def stale_last_contacts(connection: Connection) -> Iterator[str]:
    """One sentence for each customer whose last contact is not that of its follow-ups."""
    wrong = select(_customer.c.number).where(_WRONG).order_by(_customer.c.id)
    for number in connection.execute(wrong).scalars():
        yield f"Customer {number} shows another last contact than its follow-ups: run millpond reindex."
