"""Release dates, kept by the flush: whatever changes what they follow from writes them again in the same transaction."""

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, event, func, inspect, select, update
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import set_committed_value
from sqlalchemy.orm.util import identity_key

from models import (
    Base,
    CalendarDay,
    Customer,
    Department,
    Dictionary,
    DictionaryItem,
    Opportunity,
    Organisation,
    Pool,
    PoolMember,
    ReleaseRule,
    User,
    UserRole,
)
from models.database.bypass import Because, bypass_policy
from models.database.engines import WriteSession
from models.database.prepared import Prepared
from models.database.sqlalchemy_internals import former_values
from models.last_contact import FOLLOWED
from models.pipeline import StageKind
from models.release_terms import WATCHED

from ..runtime.enqueue import enqueue
from .release_book import book_of, turn_page

RENEWAL = "renew_release_dates"
"""The kind of jobs that compute all release dates anew."""
_CUSTOMER: Any = Customer.__table__
_KEPT = bypass_policy(Because.KEEPS_COPY)
_FACTS = ("id", "created_at", "release_due_at", "release_rule_id", *WATCHED)
_PUT = Prepared(
    update(_CUSTOMER).where(_CUSTOMER.c.id == bindparam("that")),
    ["release_due_at", "release_rule_id"],
    because=Because.KEEPS_COPY,
)
_EXEMPT = Prepared(
    update(_CUSTOMER).where(_CUSTOMER.c.id == bindparam("that")), ["exempt_until"], because=Because.KEEPS_COPY
)
_BOOKED: dict[type[Base], tuple[str, ...]] = {
    ReleaseRule: ("enabled", "deleted_at"),
    Pool: ("enabled", "priority", "deleted_at"),
    PoolMember: ("deleted_at",),
    User: ("department_id", "active", "deleted_at"),
    UserRole: ("starts_at", "ends_at", "deleted_at"),
    Department: ("path", "deleted_at"),
    CalendarDay: ("working", "deleted_at"),
    Organisation: ("time_zone",),
    Dictionary: ("deleted_at",),
    DictionaryItem: ("parent_id", "deleted_at"),
}
"""What the release book is made of: entity -> the columns whose change begins a new edition."""


def renew(session: Session, ids: Collection[int]) -> None:
    """Write the release dates of these customers, as they stand in the database."""
    if not ids:
        return
    connection, now = session.connection(), session.info["now"]
    book, changed = book_of(connection), []
    for row in connection.execute(_facts().where(_CUSTOMER.c.id.in_(ids)), execution_options=_KEPT):
        due_at, rule_id = book.due(connection, row, now)
        if (due_at, rule_id) != (row.release_due_at, row.release_rule_id):
            changed.append({"that": row.id, "release_due_at": due_at, "release_rule_id": rule_id})
            _take(session, row.id, release_due_at=due_at, release_rule_id=rule_id)
    if changed:
        _PUT.run_each(connection, changed)


def exempt(session: Session, id: int, until: datetime) -> None:
    """Let the days of release rules count from this moment on, for a customer that is locked no more."""
    session.flush()
    _EXEMPT.run(session, that=id, exempt_until=until)
    _take(session, id, exempt_until=until)
    renew(session, [id])


def _facts() -> Any:
    return select(*(_CUSTOMER.c[key] for key in _FACTS))


def _take(session: Session, id: int, **values: Any) -> None:
    """Tell a loaded customer what its row has become."""
    loaded = session.identity_map.get(identity_key(Customer, id))
    if loaded is not None:
        for key, value in values.items():
            set_committed_value(loaded, key, value)


# --- with the change of a customer -----------------------------------------------------------------------


@event.listens_for(WriteSession, "before_flush")
def _date_customers(session: Session, _context: object, _instances: object) -> None:
    rows = [row for row in _watched(session) if _is_whole(row)]
    if not rows:
        return
    with session.no_autoflush:
        connection, now = session.connection(), session.info["now"]
        book = book_of(connection)
        for row in rows:
            due = book.due(connection, _Ready(row, now), now)
            if due != (row.release_due_at, row.release_rule_id):
                row.release_due_at, row.release_rule_id = due


@event.listens_for(WriteSession, "after_flush")
def _date_masked_customers(session: Session, _context: object) -> None:
    """A customer of which the user sees but a few columns, like one that they unlock, is read again."""
    renew(session, [row.id for row in _watched(session) if not _is_whole(row)])


def _watched(session: Session) -> list[Customer]:
    """The customers in a flush from whose changes another release date may follow."""
    found = [row for row in (*session.new, *session.dirty) if isinstance(row, Customer)]
    return [row for row in found if row in session.new or not former_values(row).keys().isdisjoint(WATCHED)]


def _is_whole(row: Customer) -> bool:
    state = inspect(row)
    return not state.has_identity or state.unloaded.isdisjoint(WATCHED)


class _Ready:
    """A customer that is about to be written, with the values that the flush will give it."""

    def __init__(self, row: Customer, now: datetime) -> None:
        self._row, self._now = row, now

    def __getattr__(self, key: str) -> Any:
        value = getattr(self._row, key)
        return self._now if value is None and key == "created_at" else value


FOLLOWED.append(renew)


# --- with the change of an opportunity -------------------------------------------------------------------


@event.listens_for(WriteSession, "after_flush")
def _follow_opportunities(session: Session, _context: object) -> None:
    rows = [x for x in (*session.new, *session.dirty, *session.deleted) if isinstance(x, Opportunity)]
    rows = [x for x in rows if _has_changed(session, x, {"stage", "state", "deleted_at", "customer_id"})]
    if rows:
        ids = sorted({id for row in rows for id in _customers_of(row)})
        note_opportunities(session, ids)
        renew(session, ids)


def _has_changed(session: Session, row: Opportunity, keys: set[str]) -> bool:
    former = former_values(row)
    is_other = any(former[key] != getattr(row, key) for key in keys & former.keys())
    return row in session.new or row in session.deleted or is_other


def _customers_of(row: Opportunity) -> set[int]:
    """The customer of an opportunity, and the one before a merge."""
    return {row.customer_id, *(inspect(row).attrs.customer_id.history.deleted or ())} - {None}


def note_opportunities(session: Session, ids: Iterable[int]) -> None:
    """Write down at these customers what their opportunities come to: is one open, when one was changed and won last."""
    for id in ids:
        row = session.connection().execute(_NOTING, {"that": id}).first()
        if row is not None:
            _take(session, id, **row._asdict())


def fill_opportunities(connection: Connection) -> None:
    """The same at all customers that have opportunities, for those that were inserted in bulk."""
    having = select(Opportunity.__table__.c.customer_id)
    filling = update(_CUSTOMER).where(_CUSTOMER.c.id.in_(having)).values(_opportunities())
    connection.execute(filling, execution_options=_KEPT)


def _opportunities() -> dict[str, Any]:
    """Column of a customer -> what its opportunities come to, within a statement."""
    o: Any = Opportunity.__table__.c
    mine = o.customer_id == _CUSTOMER.c.id
    is_live, is_over = o.deleted_at.is_(None), o.state.in_([StageKind.WON, StageKind.LOST])
    is_open = select(o.id).where(mine, is_live, ~is_over).correlate(_CUSTOMER).exists()
    last = select(func.max(o.stage_changed_at)).where(mine).correlate(_CUSTOMER)
    return {
        "has_open_opportunity": is_open,
        "last_opportunity_at": last.scalar_subquery(),
        "last_deal_at": last.where(is_live, o.state == StageKind.WON).scalar_subquery(),
    }


def _noting() -> Any:
    values = _opportunities()
    setting = update(_CUSTOMER).where(_CUSTOMER.c.id == bindparam("that")).values(values)
    return setting.returning(*(_CUSTOMER.c[key] for key in values)).execution_options(**_KEPT)


_NOTING = _noting()


# --- with the change of a rule ---------------------------------------------------------------------------


@event.listens_for(WriteSession, "after_flush")
def _begin_edition(session: Session, _context: object) -> None:
    """Begin a new edition, and have all dates computed anew, where there are any or a rule has changed."""
    rows = [x for x in (*session.new, *session.dirty, *session.deleted) if _is_booked(session, x)]
    if not rows:
        return
    connection = session.connection()
    turn_page(connection)
    if any(isinstance(row, ReleaseRule) for row in rows) or book_of(connection).terms:
        begin_renewal(connection, session.info["now"])


def _is_booked(session: Session, row: object) -> bool:
    watched = _BOOKED.get(type(row)) if isinstance(row, Base) else None
    if watched is None:
        return False
    if row in session.new or row in session.deleted:
        return not isinstance(row, ReleaseRule) or row.enabled
    if isinstance(row, ReleaseRule) and row.enabled:
        return True
    return not former_values(row).keys().isdisjoint(watched)


def begin_renewal(connection: Connection, now: datetime) -> None:
    """Have all release dates computed anew, after this transaction."""
    enqueue(connection, None, now, RENEWAL, {}, order_key=RENEWAL)
