"""How far the retention of a pool has come, and which pooled customers were looked at."""

from datetime import date, datetime

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from .base import Base


class RetentionState(Base):
    """Up to which arrival the administrators of a pool were told and reminded; (time, id) of a customer."""

    __tablename__ = "retention_state"

    pool_id: Mapped[int] = mapped_column(ForeignKey("pool.id", ondelete="CASCADE"), primary_key=True)
    told_until: Mapped[datetime | None]
    told_id: Mapped[int] = mapped_column(default=0)
    reminded_until: Mapped[datetime | None]
    reminded_id: Mapped[int] = mapped_column(default=0)
    tried_on: Mapped[date | None]
    """The day on which customers that nobody could take were tried last."""


class PoolView(Base):
    """A pooled customer whose page a user opened on a day of the organisation."""

    __tablename__ = "pool_view"

    user_id: Mapped[int] = mapped_column(ForeignKey("app_user.id"), primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("customer.id", ondelete="CASCADE"), primary_key=True)
    pool_id: Mapped[int] = mapped_column(ForeignKey("pool.id"))
    at: Mapped[datetime]
    until: Mapped[datetime]
    """The end of that day, until which the page shows again without a count."""

    __table_args__ = (
        Index("ix_pool_view_customer", "customer_id"),
        Index("ix_pool_view_count", "pool_id", "user_id", "day"),
    )
