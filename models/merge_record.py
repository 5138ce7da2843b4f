"""Merges of customers, with what each of them changed: from it a merge is undone."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from .base import Base, Key, text_type


class MergeRecord(Base):
    """One merge: the customer that stayed, those that became part of it, and every former value.

    It holds values that some users may not see: only the undoing reads them.
    """

    __tablename__ = "merge_record"

    id: Mapped[Key]
    winner_id: Mapped[int] = mapped_column(ForeignKey("customer.id", ondelete="CASCADE"))
    loser_ids: Mapped[list[int]] = mapped_column(JSON)
    changes: Mapped[dict[str, Any]]
    """What the merge did to rows, in order (`resolvers/merging/moves.py`)."""
    at: Mapped[datetime]
    by_id: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"))
    by_name: Mapped[str] = mapped_column(text_type(200))
    reason: Mapped[str | None] = mapped_column(text_type(200))
    undone_at: Mapped[datetime | None]
    undone_by_id: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"))

    __table_args__ = (Index("ix_merge_record_winner", "winner_id", "id"),)
