"""Sensitive reads: who saw whose phone or e-mail, where the panel or an export showed it."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from .base import Base, Key, Word

GUARDED = {"contact": ("points",), "customer": ("phone", "second_phone", "email")}
"""Table -> what is sensitive in its records."""


class SensitiveRead(Base):
    """One user has seen sensitive fields of one record, on one day by one door; or of many, in an exported file."""

    __tablename__ = "sensitive_read"

    id: Mapped[Key]
    at: Mapped[datetime]
    reader_id: Mapped[int] = mapped_column(ForeignKey("app_user.id"))
    door: Mapped[Word]
    entity: Mapped[Word]
    """The table of the record."""
    record_id: Mapped[int | None]
    """The record; None for an export."""
    count: Mapped[int]
    """How many records; 1 for a page."""

    __table_args__ = (
        Index("ix_sensitive_read_record", "entity", "record_id", "id"),
        Index("ix_sensitive_read_reader", "reader_id", "id"),
        Index("ix_sensitive_read_at", "at"),
    )
