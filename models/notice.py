"""Notices: what a user is told of what others did, and how each user wants to be told."""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped, mapped_column

from .base import Base, Key, Word, text_type
from .database.prepared import Prepared

KEPT = timedelta(days=180)
"""How long a notice is kept, read or not."""
DIGEST_HOUR = 8
"""The hour of the daily e-mail, in the organisation's time zone, of a user who has chosen none."""


class MailChoice(StrEnum):
    """How a kind of notice is sent by e-mail."""

    NONE = "NONE"
    """No e-mail."""
    AT_ONCE = "AT_ONCE"
    """An e-mail for each, within minutes."""
    DAILY = "DAILY"
    """One e-mail a day with all, at `digestHour`."""


class Notice(Base):
    """One notice to one user.  It holds facts and no sentence: the sentence is made for its reader, as they read it."""

    __tablename__ = "notice"

    id: Mapped[Key]
    receiver_id: Mapped[int] = mapped_column(ForeignKey("app_user.id", ondelete="CASCADE"))
    kind: Mapped[Word]
    """A key of `notice_kinds.py`."""
    actor_id: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"))
    """Who did it; None for the system itself."""
    entity: Mapped[Word | None]
    """The table of the record that it is about."""
    record_id: Mapped[int | None]
    facts: Mapped[dict[str, Any]]
    once_key: Mapped[str | None] = mapped_column(text_type(100))
    """What a receiver is told once only, however often a job runs."""
    at: Mapped[datetime]
    in_panel: Mapped[bool]
    """Whether the receiver wants to see it among their notices."""
    read_at: Mapped[datetime | None]
    mail_due_at: Mapped[datetime | None]
    """When it is sent by e-mail, or tried again; None when it is not, or was."""
    mail_tries: Mapped[int] = mapped_column(default=0)
    mailed_at: Mapped[datetime | None]
    mail_error: Mapped[str | None] = mapped_column(text_type(200))
    """What the mail server answered to the last try."""

    __table_args__ = (
        Index("ix_notice_receiver", "receiver_id", "id"),
        Index("uq_notice_once", "receiver_id", "once_key", unique=True),
        Index(
            "ix_notice_unread",
            "receiver_id",
            sqlite_where=text("read_at IS NULL AND in_panel"),
            postgresql_where=text("read_at IS NULL AND in_panel"),
        ),
        Index(
            "ix_notice_mail",
            "mail_due_at",
            "receiver_id",
            sqlite_where=text("mail_due_at IS NOT NULL"),
            postgresql_where=text("mail_due_at IS NOT NULL"),
        ),
        Index("ix_notice_at", "at"),
    )


class NoticePreference(Base):
    """How one user wants to be told.  Without a row, as the kinds say."""

    __tablename__ = "notice_preference"

    user_id: Mapped[int] = mapped_column(
        ForeignKey("app_user.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    choices: Mapped[dict[str, Any]]
    """Key of a kind -> [whether it is shown in the panel, a MailChoice]."""
    digest_hour: Mapped[int] = mapped_column(default=DIGEST_HOUR)

    __table_args__ = (CheckConstraint("digest_hour BETWEEN 0 AND 23", name="digest_hour"),)


_GIVEN = ("receiver_id", "kind", "actor_id", "entity", "record_id", "facts", "once_key", "at", "in_panel")
_COLUMNS = [*_GIVEN, "mail_due_at", "mail_tries"]
ADD_NOTICE = {
    "sqlite": Prepared(sqlite.insert(Notice).on_conflict_do_nothing(), _COLUMNS),
    "postgresql": Prepared(postgresql.insert(Notice).on_conflict_do_nothing(), _COLUMNS),
}
"""Dialect -> INSERT of a notice, unless its receiver was told already."""
