"""What the system stores for itself: answers already given to a request, events."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, insert
from sqlalchemy.orm import Mapped, mapped_column

from .base import Base, Hash, Key, Word, text_type
from .database.prepared import Prepared


class IdempotencyKey(Base):
    """The answer of a request that carried a key; the same request again gets the same answer and does nothing."""

    __tablename__ = "idempotency_key"

    user_id: Mapped[int] = mapped_column(ForeignKey("app_user.id"), primary_key=True)
    key: Mapped[str] = mapped_column(text_type(100), primary_key=True)
    action: Mapped[Word]
    fingerprint: Mapped[Hash]
    answer: Mapped[dict[str, Any]] = mapped_column(JSON)
    at: Mapped[datetime] = mapped_column(index=True)


class Event(Base):
    """Something that happened, for those who wait for it: the row is the message, written in its transaction."""

    __tablename__ = "event"

    id: Mapped[Key]
    at: Mapped[datetime]
    topic: Mapped[str] = mapped_column(text_type(60))
    """`pool:3`, `customer:12`: what a listener listens to."""
    action: Mapped[str] = mapped_column(text_type(60))
    record_id: Mapped[int | None]

    __table_args__ = (Index("ix_event_topic", "topic", "id"),)


ADD_EVENT = Prepared(insert(Event), ["at", "topic", "action", "record_id"])
