"""Release dates: when a rule takes a customer, from columns of the customer alone.

The forecast, the countdown, the reminders and the release job all read what is computed here.  It does not depend on
the present moment, so a stored date stays right until one of its columns changes.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from .business_calendar import BusinessCalendar
from .release_rule import CONDITIONS, SPARED, Lapse, ReleaseRule


class Facts(Protocol):
    """What release dates depend on: a customer, or a row with its columns."""

    @property
    def claimed_at(self) -> datetime | None: ...
    @property
    def created_at(self) -> datetime: ...
    @property
    def last_follow_up_at(self) -> datetime | None: ...
    @property
    def next_follow_up_at(self) -> datetime | None: ...
    @property
    def exempt_until(self) -> datetime | None: ...
    @property
    def extended_until(self) -> datetime | None: ...
    @property
    def has_open_opportunity(self) -> bool: ...
    @property
    def last_opportunity_at(self) -> datetime | None: ...
    @property
    def last_deal_at(self) -> datetime | None: ...
    @property
    def locked_by_id(self) -> int | None: ...
    @property
    def lock_expires_at(self) -> datetime | None: ...


WATCHED = (
    "owner_id",
    "deleted_at",
    "claimed_at",
    "last_follow_up_at",
    "next_follow_up_at",
    "exempt_until",
    "extended_until",
    "has_open_opportunity",
    "last_opportunity_at",
    "last_deal_at",
    "locked_by_id",
    "lock_expires_at",
    *CONDITIONS,
)
"""The columns of a customer from which its release date follows."""

_BASE = {
    Lapse.NO_FOLLOW_UP: "last_follow_up_at",
    Lapse.NO_OPPORTUNITY: "last_opportunity_at",
    Lapse.NO_DEAL: "last_deal_at",
}

Words = Mapping[str, frozenset[str]]
"""Column of a customer -> words, those below them in their dictionary included."""


@dataclass(frozen=True)
class ReleaseTerms:
    """A release rule, with its words spread over their branches."""

    rule: ReleaseRule
    only: Words
    spared: Words

    @classmethod
    def of(cls, rule: ReleaseRule, branches: Mapping[tuple[str, str], frozenset[str]]) -> "ReleaseTerms":
        """The terms of a rule.  `branches`: (column, word) -> the word and all below it."""

        def spread(lists: Mapping[str, str]) -> Words:
            found = {column: getattr(rule, key) for column, key in lists.items()}
            return {
                column: frozenset().union(*(branches.get((column, word), {word}) for word in words))
                for column, words in found.items()
                if words
            }

        return cls(rule, spread(CONDITIONS), spread(SPARED))

    def takes(self, customer: Facts) -> bool:
        """Whether the rule is about the customer as it is.  A rule that names nothing is about none."""
        rule = self.rule
        if not (rule.everybody or self.only):
            return False
        if rule.spares_opportunities and customer.has_open_opportunity:
            return False
        if rule.spares_deals and customer.last_deal_at is not None:
            return False
        if rule.lapse is Lapse.NO_OPPORTUNITY and customer.has_open_opportunity:
            return False
        return all(getattr(customer, column) in words for column, words in self.only.items()) and not any(
            getattr(customer, column) in words for column, words in self.spared.items()
        )

    def falls_at(self, customer: Facts, calendar: BusinessCalendar) -> datetime | None:
        """When the rule takes the customer; None for never, as for a lock without an end.

        The days count from the last of: its claim, what the rule asks for, the end of a lock.
        """
        rule = self.rule
        if not self.takes(customer) or (customer.locked_by_id is not None and customer.lock_expires_at is None):
            return None
        locked_until = customer.lock_expires_at if customer.locked_by_id is not None else None
        worked = getattr(customer, _BASE[rule.lapse])
        since = max(
            at for at in (customer.claimed_at or customer.created_at, worked, customer.exempt_until, locked_until) if at
        )
        due = calendar.after(since, rule.days, business=rule.business_days)
        planned = customer.next_follow_up_at if rule.spares_plans else None
        return max(at for at in (due, customer.extended_until, rule.starts_at, planned) if at)
