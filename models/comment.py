"""A comment on a follow-up."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column, relationship

from .base import Part, Prose, trait
from .follow_up import FollowUp
from .names import Names
from .people import User


class Comment(Part):
    """What a user says about a follow-up, visible to whoever sees that."""

    __tablename__ = "comment"
    module, prefix, visible_through, part_of = "followup", "com", "follow_up", "follow_up"
    names = Names("Comment", "Comments", zh="评论")

    follow_up_id: Mapped[int] = mapped_column(ForeignKey("follow_up.id", ondelete="CASCADE"))
    """The follow-up that it is about."""
    value: Mapped[Prose]
    """The text; several lines."""
    author_id: Mapped[int | None] = mapped_column(
        ForeignKey("app_user.id"), info=trait(system_managed=True, historical=True)
    )
    """The user who wrote it, and who alone may remove it."""
    at: Mapped[datetime] = mapped_column(info=trait(system_managed=True))
    """When it was written."""

    follow_up: Mapped[FollowUp] = relationship(back_populates="comments", lazy="raise_on_sql")
    author: Mapped[User | None] = relationship(foreign_keys=author_id, lazy="raise_on_sql")

    __table_args__ = (Index("ix_comment_follow_up", "follow_up_id", "id"),)
