"""Something done for a customer: a call, a visit, a message."""

from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column, relationship

from .base import Entity, Prose, choice, text_type, trait
from .contact import Contact
from .counting import KEY_LENGTH, FollowUpKind, copy_key
from .custom_field import Customised
from .customer import Customer
from .names import Names
from .opportunity import Opportunity
from .people import User

if TYPE_CHECKING:
    from .comment import Comment


class FollowUp(Customised, Entity):
    """One dealing with a customer, visible to whoever sees the customer."""

    __tablename__ = "follow_up"
    module, prefix, visible_through, named_by, order = "followup", "fol", "customer", "id", "-happened_at"
    in_bulk = has_files = True
    names = Names("Follow-up", "Follow-ups", zh="跟进记录")
    search, beside, searched_days = ("content",), ("customer_id", "owner_id"), 14
    together = (frozenset({"contact_id", "opportunity_id"}),)

    customer_id: Mapped[int] = mapped_column(ForeignKey("customer.id"), info=trait(immutable=True))
    """The customer who was contacted; the follow-up is seen by who sees that customer."""
    contact_id: Mapped[int | None] = mapped_column(ForeignKey("contact.id"), index=True)
    """The contact who was spoken to, one of that customer."""
    opportunity_id: Mapped[int | None] = mapped_column(ForeignKey("opportunity.id"), index=True)
    """The opportunity that it was about, one of that customer."""
    kind: Mapped[FollowUpKind] = choice(FollowUpKind)
    """How the customer was contacted."""
    content: Mapped[Prose]
    """What was said or agreed; several lines."""
    happened_at: Mapped[datetime]
    """When it took place; how far back or ahead it may lie, the organisation sets in days."""
    counts: Mapped[bool] = mapped_column(default=True, info=trait(system_managed=True))
    """Whether it is a contact with the customer by the organisation's rule, decided when it was written or edited."""
    content_key: Mapped[str | None] = mapped_column(
        text_type(KEY_LENGTH), info=trait(system_managed=True, key_of="content", by=copy_key), sort_order=98
    )
    """What is compared to find a text that was copied word for word."""
    owner_id: Mapped[int | None] = mapped_column(
        ForeignKey("app_user.id"), index=True, info=trait(immutable=True, historical=True)
    )
    """The user who did it; neither a transfer of the customer nor their leaving changes that."""

    customer: Mapped[Customer] = relationship(foreign_keys=customer_id, lazy="raise_on_sql")
    contact: Mapped[Contact | None] = relationship(foreign_keys=contact_id, lazy="raise_on_sql")
    opportunity: Mapped[Opportunity | None] = relationship(foreign_keys=opportunity_id, lazy="raise_on_sql")
    owner: Mapped[User | None] = relationship(foreign_keys=owner_id, lazy="raise_on_sql")

    comments: Mapped[list["Comment"]] = relationship(
        back_populates="follow_up",
        cascade="all, delete-orphan",
        order_by="Comment.id",
        passive_deletes=True,
        lazy="raise_on_sql",
    )

    __table_args__ = (
        Index("ix_follow_up_customer", "customer_id", "happened_at", "id"),
        Index("ix_follow_up_happened", "happened_at", "id"),
        Index("ix_follow_up_copy", "created_by_id", "content_key", "created_at"),
    )
