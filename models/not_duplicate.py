"""Pairs of customers that look like one and are not, as users have said."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from .base import Base, text_type


class NotDuplicate(Base):
    """Two customers that a user told apart; `first_id` is the smaller id."""

    __tablename__ = "not_duplicate"

    first_id: Mapped[int] = mapped_column(ForeignKey("customer.id", ondelete="CASCADE"), primary_key=True)
    second_id: Mapped[int] = mapped_column(ForeignKey("customer.id", ondelete="CASCADE"), primary_key=True)
    at: Mapped[datetime]
    by_id: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"))
    reason: Mapped[str | None] = mapped_column(text_type(200))

    __table_args__ = (Index("ix_not_duplicate_second", "second_id"),)
