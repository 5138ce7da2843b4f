"""A chance to sell something to a customer."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from .base import LIVE, Entity, Line, Prose, choice, text_type, trait
from .contact import Contact
from .custom_field import Customised
from .customer import Customer
from .names import Names
from .people import User
from .pipeline import Pipeline, StageKind

_STALE: dict[str, Any] = {
    "sqlite_where": text("deleted_at IS NULL AND stale_at IS NOT NULL"),
    "postgresql_where": text("deleted_at IS NULL AND stale_at IS NOT NULL"),
}


class Opportunity(Customised, Entity):
    """A chance to sell, visible to whoever sees the customer."""

    __tablename__ = "opportunity"
    module, prefix, visible_through = "opportunity", "opp", "customer"
    together = (frozenset({"amount", "currency"}), frozenset({"pipeline_id", "stage"}))
    in_bulk = has_files = True
    names = Names("Opportunity", "Opportunities", zh="商机")
    beside = ("customer_id", "owner_id")

    customer_id: Mapped[int] = mapped_column(ForeignKey("customer.id"), info=trait(immutable=True))
    """The customer to whom something is sold; the opportunity is seen by who sees that customer."""
    contact_id: Mapped[int | None] = mapped_column(ForeignKey("contact.id"), index=True)
    """The contact who decides, one of that customer."""
    name: Mapped[Line]
    """What is sold, in a few words."""
    amount: Mapped[Decimal | None] = mapped_column(info=trait(not_negative=True))
    """What it is worth, in the currency of `currency`. Sums never mix currencies."""
    currency: Mapped[str] = mapped_column(text_type(3), default="CNY")
    """Three letters of ISO 4217, like `CNY`."""
    pipeline_id: Mapped[int | None] = mapped_column(ForeignKey("pipeline.id"))
    """The pipeline whose stages it goes through; the default one where none is given."""
    stage: Mapped[str | None] = mapped_column(text_type(40), info=trait(dictionary="opportunity_stage"))
    """The stage in its pipeline. `moveOpportunity` takes what the next stage asks for along."""
    stage_changed_at: Mapped[datetime | None] = mapped_column(info=trait(system_managed=True, derived=True))
    """When it was opened, changed its stage, or went into or out of the bin."""
    state: Mapped[StageKind] = choice(StageKind, default=StageKind.OPEN, info=trait(system_managed=True, derived=True))
    """The kind of its stage: open, on hold, won or lost."""
    stale_at: Mapped[datetime | None] = mapped_column(info=trait(system_managed=True, derived=True))
    """The moment from which it counts as stale; null where its stage sets no days."""
    probability: Mapped[int | None] = mapped_column(info=trait(not_negative=True))
    """Per cent, 0 to 100: that of its stage, unless a user gave another one since it came there."""
    expected_close: Mapped[date | None]
    """The day on which it is expected to be decided."""
    closed_on: Mapped[date | None]
    """The day on which it was won or lost; None while it is open."""
    lost_reason: Mapped[str | None] = mapped_column(text_type(40), info=trait(dictionary="lost_reason"))
    """Why it was lost."""
    remark: Mapped[Prose | None]
    """What users want to remember; several lines."""
    owner_id: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"), index=True, info=trait(immutable=True))
    """The user who works on it, who may differ from the customer's owner."""

    customer: Mapped[Customer] = relationship(foreign_keys=customer_id, lazy="raise_on_sql")
    contact: Mapped[Contact | None] = relationship(foreign_keys=contact_id, lazy="raise_on_sql")
    pipeline: Mapped[Pipeline | None] = relationship(foreign_keys=pipeline_id, lazy="raise_on_sql")
    owner: Mapped[User | None] = relationship(foreign_keys=owner_id, lazy="raise_on_sql")

    __table_args__ = (
        Index("ix_opportunity_customer", "customer_id", "created_at", "id"),
        Index("ix_opportunity_live", "created_at", "id"),
        Index("ix_opportunity_board", "pipeline_id", "stage", "stage_changed_at", "id", **LIVE),
        Index("ix_opportunity_stale", "stale_at", "id", **_STALE),
        CheckConstraint("probability IS NULL OR probability BETWEEN 0 AND 100", name="probability"),
    )
