"""Saved views: a list as a user has arranged it, under a name, alone or shared with others."""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column, relationship

from .base import Base, Key, Word, choice, text_type
from .names import Names
from .pool import GranteeKind

SAVED_VIEW = Names("Saved view", "Saved views", zh="视图")
LONGEST_NAME = 60


class SavedView(Base):
    """One view of a list.  It gives no right: each reader finds in it what their own rights let them see."""

    __tablename__ = "saved_view"

    id: Mapped[Key]
    owner_id: Mapped[int] = mapped_column(ForeignKey("app_user.id", ondelete="CASCADE"))
    entity: Mapped[Word]
    """The name of the model whose records it lists."""
    name: Mapped[str] = mapped_column(text_type(LONGEST_NAME))
    settings: Mapped[dict[str, Any]]
    """Condition, search, columns, order, density and page size, as `resolvers/views/settings.py` writes them."""
    position: Mapped[int] = mapped_column(default=0)
    for_everyone: Mapped[bool] = mapped_column(default=False)
    version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]

    shares: Mapped[list["SavedViewShare"]] = relationship(
        cascade="all, delete-orphan", passive_deletes=True, lazy="selectin", order_by="SavedViewShare.id"
    )

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012  SQLAlchemy reads it
    __table_args__ = (
        CheckConstraint("name <> ''", name="name"),
        Index("uq_saved_view_name", "owner_id", "entity", "name", unique=True),
        Index("ix_saved_view_entity", "entity", "for_everyone"),
    )


class SavedViewShare(Base):
    """A role or department with which a view is shared."""

    __tablename__ = "saved_view_share"

    id: Mapped[Key]
    view_id: Mapped[int] = mapped_column(ForeignKey("saved_view.id", ondelete="CASCADE"), index=True)
    grantee_kind: Mapped[GranteeKind] = choice(GranteeKind)
    grantee_id: Mapped[int]

    __table_args__ = (Index("uq_saved_view_share", "grantee_kind", "grantee_id", "view_id", unique=True),)
