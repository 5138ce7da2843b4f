"""Jobs: work that is done after the request, with its progress.  A row is truth, checkpoint and place in the queue."""

from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar

from sqlalchemy import ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from .base import Base, Key, Word, choice, text_type

LONGEST_SENTENCE = 400


class JobState(StrEnum):
    """How far a job is."""

    WAITING = "WAITING"
    """Enqueued, until its time comes."""
    RUNNING = "RUNNING"
    """A worker is at it."""
    DONE = "DONE"
    """It ended well."""
    FAILED = "FAILED"
    """It ended with an error, which `error` names; `retryJob` tries again."""
    CANCELLED = "CANCELLED"
    """A user cancelled it; what was done stays."""


def _where(condition: str) -> dict[str, Any]:
    """A partial index, on both databases."""
    return {"sqlite_where": text(condition), "postgresql_where": text(condition)}


class Job(Base):
    """One piece of background work.  Its progress is committed with what was done, so the two never disagree."""

    __tablename__ = "job"
    module = "job"
    policy_columns: ClassVar[dict[str, str]] = {"owner_id": "actor_id"}

    id: Mapped[Key]
    kind: Mapped[Word]
    """Which function of `tasks/` does it."""
    slot: Mapped[datetime | None]
    """The moment of a schedule that it stands for; None for a job that a use case enqueued."""
    order_key: Mapped[str | None] = mapped_column(text_type(100))
    """Jobs with the same key run one after the other, in the order of their ids."""
    arguments: Mapped[dict[str, Any]]
    actor_id: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"))
    """The user who started it, with whose rights it runs; None for the clock."""
    state: Mapped[JobState] = choice(JobState)
    due_at: Mapped[datetime]
    worker: Mapped[str | None] = mapped_column(text_type(40))
    """The worker that runs it, or ran it last."""
    turn: Mapped[int] = mapped_column(default=0)
    """How often a worker has taken it.  A worker that comes back after another took it finds a newer turn, and stops."""
    seen_at: Mapped[datetime | None]
    """The last sign of life of its worker."""
    position: Mapped[int] = mapped_column(default=0)
    """Where the next chunk begins; what it counts is up to the kind."""
    done: Mapped[int] = mapped_column(default=0)
    failed: Mapped[int] = mapped_column(default=0)
    total: Mapped[int | None]
    tries: Mapped[int] = mapped_column(default=0)
    """Failures since its last progress."""
    stopping: Mapped[bool] = mapped_column(default=False)
    """Whether a user has asked it to stop."""
    error_code: Mapped[str | None] = mapped_column(text_type(40))
    error: Mapped[str | None] = mapped_column(text_type(LONGEST_SENTENCE))
    error_zh: Mapped[str | None] = mapped_column(text_type(LONGEST_SENTENCE))
    created_at: Mapped[datetime]
    started_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    """None exactly while it waits or runs."""

    __table_args__ = (
        Index("ix_job_open", "due_at", "id", **_where("ended_at IS NULL")),
        Index("uq_job_slot", "kind", "slot", unique=True),
        Index("uq_job_running_key", "order_key", unique=True, **_where("state = 'RUNNING'")),
        Index("ix_job_order_key", "order_key", "id", **_where("ended_at IS NULL")),
        Index("ix_job_actor", "actor_id", "id"),
        Index("ix_job_ended", "ended_at"),
    )
