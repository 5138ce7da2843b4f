"""Shares: a customer shown to a user, department or role, until a date."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from .base import Base, Key, choice, text_type
from .pool import GranteeKind


class ShareLevel(StrEnum):
    """Whether the other may only look or also edit."""

    VIEW = "VIEW"
    EDIT = "EDIT"


class Share(Base):
    """One customer shared with one person, department or role.  It ends by itself: the policy asks the clock."""

    __tablename__ = "share"

    id: Mapped[Key]
    customer_id: Mapped[int] = mapped_column(ForeignKey("customer.id", ondelete="CASCADE"))
    grantee_kind: Mapped[GranteeKind] = choice(GranteeKind)
    grantee_id: Mapped[int]
    level: Mapped[ShareLevel] = choice(ShareLevel)
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
    granted_by_id: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"))
    note: Mapped[str | None] = mapped_column(text_type(200))

    __table_args__ = (
        CheckConstraint("ends_at IS NULL OR starts_at < ends_at", name="period"),
        Index("ix_share_grantee", "grantee_kind", "grantee_id", "customer_id"),
        Index("ix_share_customer", "customer_id"),
    )
