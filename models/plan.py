"""A plan: what is to be done for a customer, by whom, and until when."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from .base import Entity, choice, long_text, text_type, trait
from .contact import Contact
from .counting import FollowUpKind
from .customer import Customer
from .follow_up import FollowUp
from .names import Names
from .opportunity import Opportunity
from .people import User
from .plan_errors import PlanEnded

_OPEN: dict[str, Any] = {
    "sqlite_where": text("state = 'OPEN' AND deleted_at IS NULL"),
    "postgresql_where": text("state = 'OPEN' AND deleted_at IS NULL"),
}


class PlanState(StrEnum):
    """How far a plan is.  A released one ended, because its customer went to a pool."""

    OPEN = "OPEN"
    """It is still to be done."""
    DONE = "DONE"
    """It was done; `result` is the follow-up that says what came of it."""
    CANCELLED = "CANCELLED"
    """It was called off, with a reason."""
    RELEASED = "RELEASED"
    """It ended because its customer went to a pool."""


class Plan(Entity):
    """One thing to do for a customer, visible to whoever sees the customer."""

    __tablename__ = "plan"
    module, prefix, visible_through, named_by, order = "plan", "pln", "customer", "id", "due_at"
    in_bulk = True
    names = Names("Plan", "Plans", zh="跟进计划")
    search, beside, searched_days = ("content",), ("customer_id", "owner_id"), 90
    together = (frozenset({"contact_id", "opportunity_id"}), frozenset({"due_at", "remind_minutes"}))

    customer_id: Mapped[int] = mapped_column(ForeignKey("customer.id"), info=trait(immutable=True))
    """The customer for whom it is done; the plan is seen by who sees that customer."""
    contact_id: Mapped[int | None] = mapped_column(ForeignKey("contact.id"), index=True)
    """The contact to reach, one of that customer."""
    opportunity_id: Mapped[int | None] = mapped_column(ForeignKey("opportunity.id"), index=True)
    """The opportunity that it is about, one of that customer."""
    kind: Mapped[FollowUpKind] = choice(FollowUpKind)
    """In which way the customer is to be contacted."""
    content: Mapped[str | None] = mapped_column(long_text())
    """What is to be done; several lines."""
    due_at: Mapped[datetime]
    """The moment until which it is to be done. `reschedulePlan` changes that of an open plan with a reason."""
    remind_minutes: Mapped[int | None] = mapped_column(default=15, info=trait(not_negative=True))
    """Number of minutes before it is due at which its owner is reminded; null for never."""
    state: Mapped[PlanState] = choice(PlanState, default=PlanState.OPEN, info=trait(system_managed=True))
    """Whether it is open, or how it ended."""
    ended_at: Mapped[datetime | None] = mapped_column(info=trait(system_managed=True))
    """When it was done, called off or released; null while it is open."""
    cancel_reason: Mapped[str | None] = mapped_column(text_type(200), info=trait(system_managed=True))
    """Why it was called off."""
    result_id: Mapped[int | None] = mapped_column(
        ForeignKey("follow_up.id"), index=True, info=trait(system_managed=True)
    )
    """The follow-up that says what came of it."""
    owner_id: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"), info=trait(immutable=True, historical=True))
    """The user who is to do it; an open plan goes to the next owner with its customer."""
    handed_over_by_id: Mapped[int | None] = mapped_column(
        ForeignKey("app_user.id"), info=trait(system_managed=True, historical=True)
    )
    """The user who had planned to do it, before the customer was transferred."""
    remind_at: Mapped[datetime | None] = mapped_column(info=trait(system_managed=True, derived=True))
    """When the owner is to be reminded; null once they were, and for a plan that has ended."""

    customer: Mapped[Customer] = relationship(foreign_keys=customer_id, lazy="raise_on_sql")
    contact: Mapped[Contact | None] = relationship(foreign_keys=contact_id, lazy="raise_on_sql")
    opportunity: Mapped[Opportunity | None] = relationship(foreign_keys=opportunity_id, lazy="raise_on_sql")
    result: Mapped[FollowUp | None] = relationship(foreign_keys=result_id, lazy="raise_on_sql")
    owner: Mapped[User | None] = relationship(foreign_keys=owner_id, lazy="raise_on_sql")

    __table_args__ = (
        CheckConstraint("(state = 'OPEN') = (ended_at IS NULL)", name="open_or_ended"),
        Index("ix_plan_customer", "customer_id", "due_at", "id"),
        Index("ix_plan_open", "owner_id", "due_at", "id", **_OPEN),
        Index("ix_plan_remind", "remind_at", "id", **_OPEN),
    )

    @property
    def is_open(self) -> bool:
        return self.state is PlanState.OPEN

    def end(self, state: PlanState, at: datetime) -> None:
        """End it as done, cancelled or released.  Raises PlanEnded."""
        self.must_be_open()
        self.state, self.ended_at, self.remind_at = state, at, None

    def must_be_open(self) -> None:
        """Raise PlanEnded for a plan that has ended."""
        if not self.is_open:
            raise PlanEnded
