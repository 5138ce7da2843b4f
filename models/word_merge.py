"""Merges of words of a dictionary, with what each of them changed: from it a merge is undone."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from .base import Base, Key, Word, choice, text_type


class MovedState(StrEnum):
    """What has become of a changed value: it holds, it was taken back, or it stays because it was changed since."""

    MOVED = "MOVED"
    UNDONE = "UNDONE"
    KEPT = "KEPT"


class WordMerge(Base):
    """One merge: the word that stays, and the one that became part of it."""

    __tablename__ = "word_merge"

    id: Mapped[Key]
    winner_id: Mapped[int] = mapped_column(ForeignKey("dictionary_item.id", ondelete="CASCADE"))
    loser_id: Mapped[int] = mapped_column(ForeignKey("dictionary_item.id", ondelete="CASCADE"))
    aliases: Mapped[list[str]] = mapped_column(JSON)
    """What the winner is called besides since then."""
    archived_at: Mapped[datetime | None]
    """When the loser was archived before."""
    moved: Mapped[int] = mapped_column(default=0)
    """Number of values that were changed."""
    job_id: Mapped[int | None]
    """The job that goes on with what was too much for one transaction: of the merge, then of its undoing."""
    done_at: Mapped[datetime | None]
    """When nothing held the loser any more; None while a job is at it."""
    at: Mapped[datetime]
    by_id: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"))
    by_name: Mapped[str] = mapped_column(text_type(200))
    reason: Mapped[str | None] = mapped_column(text_type(200))
    undone_at: Mapped[datetime | None]
    """When its undoing began."""

    __table_args__ = (Index("ix_word_merge_winner", "winner_id", "id"), Index("ix_word_merge_loser", "loser_id", "id"))


class WordMove(Base):
    """One value that a merge has changed: of a record, a condition or a view."""

    __tablename__ = "word_move"

    id: Mapped[Key]
    merge_id: Mapped[int] = mapped_column(ForeignKey("word_merge.id", ondelete="CASCADE"))
    holder: Mapped[Word]
    """The table that holds it."""
    record_id: Mapped[int]
    key: Mapped[Word]
    before: Mapped[Any] = mapped_column(JSON)
    after: Mapped[Any] = mapped_column(JSON)
    state: Mapped[MovedState] = choice(MovedState, default=MovedState.MOVED)

    __table_args__ = (Index("ix_word_move_merge", "merge_id", "state", "id"),)
