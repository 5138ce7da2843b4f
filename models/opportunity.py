"""A chance to sell something to a customer."""

from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column, relationship

from .base import Entity, Line, Prose, text_type, trait
from .contact import Contact
from .custom_field import Customised
from .customer import Customer
from .names import Names
from .people import User


class Opportunity(Customised, Entity):
    """A chance to sell, visible to whoever sees the customer."""

    __tablename__ = "opportunity"
    module, prefix, visible_through = "opportunity", "opp", "customer"
    together = (frozenset({"amount", "currency"}),)
    names = Names("Opportunity", "Opportunities", zh="商机")
    beside = ("customer_id", "owner_id")

    customer_id: Mapped[int] = mapped_column(ForeignKey("customer.id"), info=trait(immutable=True))
    contact_id: Mapped[int | None] = mapped_column(ForeignKey("contact.id"), index=True)
    name: Mapped[Line]
    amount: Mapped[Decimal | None] = mapped_column(info=trait(not_negative=True))
    currency: Mapped[str] = mapped_column(text_type(3), default="CNY")
    stage: Mapped[str | None] = mapped_column(text_type(40), info=trait(dictionary="opportunity_stage"))
    stage_changed_at: Mapped[datetime | None] = mapped_column(info=trait(system_managed=True, derived=True))
    """When it was opened, changed its stage, or went into or out of the bin."""
    expected_close: Mapped[date | None]
    remark: Mapped[Prose | None]
    owner_id: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"), index=True, info=trait(immutable=True))

    customer: Mapped[Customer] = relationship(foreign_keys=customer_id, lazy="raise_on_sql")
    contact: Mapped[Contact | None] = relationship(foreign_keys=contact_id, lazy="raise_on_sql")
    owner: Mapped[User | None] = relationship(foreign_keys=owner_id, lazy="raise_on_sql")

    __table_args__ = (
        Index("ix_opportunity_customer", "customer_id", "created_at", "id"),
        Index("ix_opportunity_live", "created_at", "id"),
    )
