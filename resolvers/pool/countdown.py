"""The countdown of one customer: when it goes back to a pool and by which rule, as far as the user may see."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Customer, ReleaseRule
from models.business_calendar import BusinessCalendar

from ..ownership.release_book import calendar_of
from ..reading.clauses import value
from ..runtime.scope import Scope


@dataclass(frozen=True)
class Countdown:
    """`rule`: the name of the rule, None for a user who may not see it.  `left`: how often the owner may put it off."""

    due_at: datetime
    rule: str | None
    left: int | None
    calendar: BusinessCalendar

    def days(self, now: datetime) -> int:
        """Number of calendar days of the organisation from today to the release, 0 for today and the past."""
        there, here = (self.calendar.local_day(moment) for moment in (self.due_at, now))
        return max(0, (there - here).days)


def countdown(scope: Scope, db: Session, customer_id: int) -> Countdown | None:
    """The countdown of a visible customer; None for one that no rule takes.  Under the read guard."""
    viewer = scope.viewer
    due, rule_id, used = (
        value(viewer, Customer, Customer, key) for key in ("release_due_at", "release_rule_id", "extensions")
    )
    asked = select(due, rule_id, used).where(Customer.id == customer_id, Customer.deleted_at.is_(None))
    found = db.execute(asked).first()
    if found is None or found[0] is None:
        return None
    due_at, id, extensions = found
    rule = db.execute(select(ReleaseRule).where(ReleaseRule.id == id)).scalar_one_or_none()
    left = None if rule is None or extensions is None else max(0, rule.max_extensions - extensions)
    return Countdown(due_at, None if rule is None else rule.name, left, calendar_of(db.connection()))
