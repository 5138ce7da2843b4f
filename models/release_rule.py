"""Release rules: after how many days without work a customer goes back to the pool."""

import json
from datetime import datetime
from enum import StrEnum
from hashlib import sha256
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column, relationship

from .audit.entries import plain
from .base import LIVE, Base, Entity, Hash, Line, choice, columns, trait, trait_of
from .names import Names
from .pool import Pool


class Lapse(StrEnum):
    """What has to be missing for a customer to go back."""

    NO_FOLLOW_UP = "NO_FOLLOW_UP"
    """No follow-up that counts for that many days."""
    NO_OPPORTUNITY = "NO_OPPORTUNITY"
    """No opportunity was opened, changed or closed for that many days."""
    NO_DEAL = "NO_DEAL"
    """No opportunity was won for that many days."""


def _words(dictionary: str, **more: Any) -> Any:
    return mapped_column(default=list, info=trait(words_of=dictionary), **more)


class ReleaseRule(Entity):
    """When customers of a pool's members go back to the pool.

    A rule is about all customers, or about those that have one of the words of each list that is not empty.
    """

    __tablename__ = "release_rule"
    module, prefix = "pool", "rru"
    names = Names("Release rule", "Release rules", zh="回收规则")

    pool_id: Mapped[int] = mapped_column(ForeignKey("pool.id"), info=trait(immutable=True))
    """The pool to which the customers of its members go back."""
    name: Mapped[Line]
    """What reminders and the log call the rule."""
    lapse: Mapped[Lapse] = choice(Lapse, default=Lapse.NO_FOLLOW_UP)
    """What has to be missing."""
    days: Mapped[int]
    """Number of days without it after which a customer goes back; 1 to 3,650."""
    business_days: Mapped[bool] = mapped_column(default=False)
    """Whether days of the business calendar are counted, instead of all days."""
    everybody: Mapped[bool] = mapped_column(default=False)
    """Whether the rule is about all customers; else one of the lists below says about which."""
    levels: Mapped[list[str]] = _words("level")
    """Only customers of these levels."""
    categories: Mapped[list[str]] = _words("category")
    """Only customers of these categories, or of one below them."""
    stages: Mapped[list[str]] = _words("stage")
    """Only customers in these stages."""
    regions: Mapped[list[str]] = _words("region")
    """Only customers of these regions, or of one below them."""
    industries: Mapped[list[str]] = _words("industry")
    """Only customers of these industries, or of one below them."""
    sources: Mapped[list[str]] = _words("source")
    """Only customers from these sources."""
    spared_levels: Mapped[list[str]] = _words("level")
    """Customers of these levels stay."""
    spared_categories: Mapped[list[str]] = _words("category")
    """Customers of these categories, or of one below them, stay."""
    spared_stages: Mapped[list[str]] = _words("stage")
    """Customers in these stages stay."""
    spares_opportunities: Mapped[bool] = mapped_column(default=False)
    """Whether a customer with an open opportunity stays."""
    spares_deals: Mapped[bool] = mapped_column(default=False)
    """Whether a customer with a won opportunity stays."""
    spares_plans: Mapped[bool] = mapped_column(default=False)
    """Whether a customer stays until its next plan is due."""
    starts_at: Mapped[datetime | None]
    """The first moment at which the rule takes a customer."""
    remind_days: Mapped[int | None] = mapped_column(default=3)
    """Number of days before the release on which the owner is told; null for never."""
    remind_again_days: Mapped[int | None] = mapped_column(default=1)
    """Number of days before the release on which the owner is told once more; null for never."""
    max_extensions: Mapped[int] = mapped_column(default=1, info=trait(not_negative=True))
    """How often an owner may put off the release of one customer."""
    extension_days: Mapped[int] = mapped_column(default=7)
    """Number of days of one extension, counted as the days of the rule."""

    enabled: Mapped[bool] = mapped_column(default=False, info=trait(system_managed=True))
    """Whether it takes customers. `switchReleaseRule` switches it on, which needs a rehearsal of these terms."""
    rehearsed_by_id: Mapped[int | None] = mapped_column(
        ForeignKey("app_user.id"), info=trait(system_managed=True, historical=True)
    )
    """The user who rehearsed it last."""
    rehearsed_at: Mapped[datetime | None] = mapped_column(info=trait(system_managed=True))
    """When it was rehearsed last."""
    rehearsed_terms: Mapped[Hash | None] = mapped_column(info=trait(system_managed=True, derived=True))
    """The terms that were rehearsed; others need another rehearsal."""

    pool: Mapped[Pool] = relationship(lazy="raise_on_sql")

    __table_args__ = (
        CheckConstraint("days > 0", name="days"),
        CheckConstraint("extension_days > 0", name="extension_days"),
        CheckConstraint("remind_days IS NULL OR remind_days > 0", name="remind_days"),
        CheckConstraint("remind_again_days IS NULL OR remind_again_days > 0", name="remind_again_days"),
        Index("ix_release_rule_pool", "pool_id", "id", **LIVE),
    )

    def terms(self) -> str:
        """A hash of all that decides which customers the rule takes, and when."""
        said = {key: plain(getattr(self, key)) for key in TERMS}
        return sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()


_SAID_ASIDE = {"name", "remind_days", "remind_again_days"}
TERMS = tuple(
    column.key
    for column in columns(ReleaseRule)
    if not (trait_of(column).system_managed or column.primary_key or column.key in _SAID_ASIDE)
)
"""The columns that decide which customers a rule takes, and when."""
CONDITIONS = {
    "level": "levels",
    "category": "categories",
    "stage": "stages",
    "region": "regions",
    "industry": "industries",
    "source": "sources",
}
"""Column of a customer -> the list of the words that a rule is about."""
SPARED = {"level": "spared_levels", "category": "spared_categories", "stage": "spared_stages"}
"""Column of a customer -> the list of the words that a rule leaves alone."""


class ReleaseBook(Base):
    """One row that changes whenever rules, pools, their members, people or the calendar do: release dates are made anew."""

    __tablename__ = "release_book"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    edition: Mapped[Hash]
    """Random, so that what was undone is never taken for what is in force."""

    __table_args__ = (CheckConstraint("id = 1", name="only_one"),)


class ReleaseReminder(Base):
    """That an owner was told of a coming release, so that nobody is told twice."""

    __tablename__ = "release_reminder"

    customer_id: Mapped[int] = mapped_column(ForeignKey("customer.id", ondelete="CASCADE"), primary_key=True)
    due_at: Mapped[datetime] = mapped_column(primary_key=True)
    days: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(index=True)
