"""The clock of releases: dates computed anew after a change of rules, and reminders before customers go back."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Customer, ReleaseReminder, ReleaseRule
from models.database.bypass import Because, bypass_policy
from models.database.prepared import upsert

from ..notices.notify import notify, notify_each, pool_administrators
from ..ownership.release_book import book_of, turn_page
from ..ownership.release_dates import renew
from ..runtime.scope import Scope

KEPT = timedelta(days=400)
"""How long it is kept that an owner was reminded."""
AHEAD = timedelta(days=60)
"""How long before a year begins administrators are told that its calendar is empty."""
_C: Any = Customer.__table__.c
_REMINDER: Any = ReleaseReminder.__table__
_ALL = bypass_policy(Because.KEEPS_RULE)


def renew_next(scope: Scope, db: Session, after: int, limit: int) -> tuple[int | None, int]:
    """Compute the release dates of the next customers with an owner, by id; returns (the last id or None, how many).

    Their rows are locked first: who has changed one is waited for, and who comes later finds the new edition.
    """
    wanted = select(_C.id).where(_C.id > after, _C.owner_id.is_not(None), _C.deleted_at.is_(None))
    ids = list(db.execute(wanted.order_by(_C.id).limit(limit).with_for_update(), execution_options=_ALL).scalars())
    if after == 0:
        book_of(db).know_everybody(db.connection(), scope.person.now)
    renew(db, ids)
    return (ids[-1] if ids else None), len(ids)


def remind(scope: Scope, db: Session, limit: int) -> int:
    """Tell owners of releases that are coming, once for each date and each reminder of the rule; returns how many."""
    told = list(_coming(scope, db, limit))
    if told:
        adding = upsert(db.connection().dialect)(_REMINDER).on_conflict_do_nothing()
        rows = [{"customer_id": id, "due_at": due, "days": days, "at": scope.person.now} for id, _, due, days in told]
        db.connection().execute(adding, rows)
        about = [(owner, (Customer.__tablename__, id), {"due": due}) for id, owner, due, _ in told]
        notify_each(scope, db, "release_coming", about)
    return len(told)


def _coming(scope: Scope, db: Session, limit: int) -> Iterator[tuple[int, int, datetime, int]]:
    """(customer, owner, release date, days before) of the reminders that are due and were not given."""
    now, left = scope.person.now, limit
    for rule_id, days in _reminders(db):
        if left <= 0:
            return
        given = select(_REMINDER.c.customer_id).where(
            _REMINDER.c.customer_id == _C.id, _REMINDER.c.due_at == _C.release_due_at, _REMINDER.c.days <= days
        )
        found = select(_C.id, _C.owner_id, _C.release_due_at).where(
            _C.release_rule_id == rule_id,
            _C.release_due_at > now,
            _C.release_due_at <= now + timedelta(days=days),
            _C.owner_id.is_not(None),
            _C.deleted_at.is_(None),
            ~given.exists(),
        )
        rows = db.execute(found.order_by(_C.release_due_at, _C.id).limit(left), execution_options=_ALL).all()
        left -= len(rows)
        yield from ((id, owner, due, days) for id, owner, due in rows)


def _reminders(db: Session) -> Sequence[tuple[int, int]]:
    """(rule, days before) of every reminder of the rules in force, the shortest time first."""
    kept = select(ReleaseRule.id, ReleaseRule.remind_days, ReleaseRule.remind_again_days)
    kept = kept.where(ReleaseRule.enabled, ReleaseRule.deleted_at.is_(None))
    rows = db.execute(kept, execution_options=bypass_policy(Because.APPLIES_TO_ALL)).all()
    return sorted(((id, n) for id, *days in rows for n in days if n), key=lambda each: (each[1], each[0]))


def begin_check(scope: Scope, db: Session) -> None:
    """Have the pools of all users looked up again, tell administrators of years without a calendar, forget old reminders."""
    turn_page(db.connection())
    db.connection().execute(_REMINDER.delete().where(_REMINDER.c.at < scope.person.now - KEPT))
    book, now = book_of(db), scope.person.now
    counting = [pool for pool, terms in book.terms.items() if any(each.rule.business_days for each in terms)]
    years = {book.calendar.local_day(at).year for at in (now, now + AHEAD)}
    for year in sorted(year for year in years if not book.calendar.is_known(year)):
        for pool_id in counting:
            notify(scope, db, "calendar_unknown", pool_administrators(scope, db, pool_id), year=year)
