"""Rehearsals of release rules, and the forecast of releases: from the very dates by which the job releases."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Customer, ReleaseRule
from models.business_calendar import BusinessCalendar
from models.database.bypass import Because, bypass_policy
from models.errors import NotFound, Validation
from models.release_terms import WATCHED, ReleaseTerms

from ..ownership.release_book import book_of, calendar_of, terms_of
from ..reading.clauses import value
from ..runtime.scope import Scope

DAYS = 30
"""Number of days of a rehearsal that are told one by one."""
LONGEST_FORECAST = 366
SAMPLES = 20
PAGE = 4_000
"""Number of customers that are looked at before other requests are answered."""
_CUSTOMER: Any = Customer.__table__


@dataclass
class Preview:
    """What a rule does: number of customers that it takes in the end, at once, by day, and by owner."""

    terms: str
    """What the rule says, as it is put in force only if it still says that."""
    total: int = 0
    at_once: int = 0
    by_day: Counter[date] = field(default_factory=Counter)
    """Day of the organisation -> number of customers that go back then, for the next DAYS days."""
    by_owner: Counter[int] = field(default_factory=Counter)
    """Owner -> number of customers that go back within DAYS days."""
    samples: list[tuple[int, datetime]] = field(default_factory=list)
    """(customer, release date) of the first that go back, as far as the caller may see them."""
    unknown_years: list[int] = field(default_factory=list)
    """Years without a business calendar that the rule counts in: their weekdays count."""


async def rehearse(scope: Scope, rule_id: int) -> Preview:
    """What the rule would do by itself, whether or not it is in force.  Raises NotFound.

    It counts all customers that the rule takes, because whoever puts it in force sees them fall into the pool; samples
    are those that the caller may see.
    """
    terms, calendar, owners = await scope.read(_rule, rule_id)
    preview, after, now = Preview(terms.rule.terms()), 0, scope.now()
    first: list[tuple[datetime, int]] = []
    while True:
        rows = await scope.read(_page, owners, after)
        for row in rows:
            _count(preview, first, row, terms.falls_at(row, calendar), calendar, now)
        first = sorted(first)[: 10 * SAMPLES]
        if len(rows) < PAGE:
            break
        after = rows[-1].id
    seen = await scope.read(_visible, [id for _, id in first])
    preview.samples = [(id, at) for at, id in first if id in seen][:SAMPLES]
    if terms.rule.business_days:
        years = range(now.year, (now + timedelta(days=DAYS)).year + 1)
        preview.unknown_years = [year for year in years if not calendar.is_known(year)]
    return preview


def _rule(scope: Scope, db: Session, id: int) -> tuple[ReleaseTerms, BusinessCalendar, list[int]]:
    rule = db.execute(select(ReleaseRule).where(ReleaseRule.id == id)).scalar_one_or_none()
    if rule is None:
        raise NotFound(what=ReleaseRule.names)
    connection = db.connection()
    book = book_of(connection)
    book.know_everybody(connection, scope.now())
    db.expunge(rule)
    return terms_of(connection, rule), calendar_of(connection), book.owners_in(rule.pool_id)


def _page(_scope: Scope, db: Session, owners: Sequence[int], after: int) -> Sequence[Any]:
    c = _CUSTOMER.c
    facts = select(c.id, c.created_at, *(c[key] for key in WATCHED)).where(c.id > after, c.deleted_at.is_(None))
    facts = facts.where(c.owner_id.in_(owners)).order_by(c.id).limit(PAGE)
    return db.execute(facts, execution_options=bypass_policy(Because.KEEPS_RULE)).all()


def _count(
    preview: Preview,
    first: list[tuple[datetime, int]],
    row: Any,
    due: datetime | None,
    calendar: BusinessCalendar,
    now: datetime,
) -> None:
    if due is None:
        return
    preview.total += 1
    preview.at_once += due <= now
    if due <= now + timedelta(days=DAYS):
        preview.by_owner[row.owner_id] += 1
        preview.by_day[max(due, now).astimezone(ZoneInfo(calendar.zone)).date()] += 1
        first.append((due, row.id))


def _visible(_scope: Scope, db: Session, ids: Sequence[int]) -> set[int]:
    return set(db.execute(select(Customer.id).where(Customer.id.in_(ids))).scalars())


def forecast(scope: Scope, db: Session, user_id: int, days: int) -> dict[date, int]:
    """Day of the organisation -> number of this user's customers that go back then, as far as the caller may see them.

    Dates that have passed count for today.  Raises Validation for a number of days out of bounds.
    """
    if not 0 < days <= LONGEST_FORECAST:
        raise Validation(
            f"A forecast has 1 to {LONGEST_FORECAST} days.",
            f"预测天数须在 1 至 {LONGEST_FORECAST} 之间。",
            field="days",
        )
    now, zone = scope.person.now, ZoneInfo(scope.person.zone)
    due = value(scope.viewer, Customer, Customer, "release_due_at")
    owner = value(scope.viewer, Customer, Customer, "owner_id")
    found = select(due).where(owner == user_id, due < now + timedelta(days=days), Customer.deleted_at.is_(None))
    return dict(sorted(Counter(max(at, now).astimezone(zone).date() for at in db.execute(found).scalars()).items()))
