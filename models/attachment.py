"""Attachments: files that users keep with a record."""

from datetime import datetime, timedelta

from sqlalchemy import BigInteger, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from .base import Base, Entity, Hash, Key, Line, Word, text_type
from .names import Names

ATTACHMENT = Names("File", "Files", zh="附件")
KEPT = timedelta(days=30)
"""How long a removed file can be brought back."""
PICTURES = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})
"""The types that a browser may show in its window: none of them can carry a script."""
FIELD = "files"
"""The word of attachments in policy lines and in the log: `customer.files`."""


class Attachment(Base):
    """One file of one record.  Its bytes lie on the disk under their hash, once however many rows name them."""

    __tablename__ = "attachment"

    id: Mapped[Key]
    entity: Mapped[Word]
    """The table of the record."""
    record_id: Mapped[int]
    name: Mapped[Line]
    """What its user called it, without folders."""
    media: Mapped[str] = mapped_column(text_type(100))
    """The type of its content, as its bytes show it."""
    size: Mapped[int] = mapped_column(BigInteger)
    hash: Mapped[Hash]
    """SHA-256 of its bytes, and its name on the disk."""
    created_at: Mapped[datetime]
    created_by_id: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"))
    removed_at: Mapped[datetime | None]
    removed_by_id: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"))

    __table_args__ = (
        Index("ix_attachment_record", "entity", "record_id", "id"),
        Index("ix_attachment_hash", "hash"),
        Index("ix_attachment_removed", "removed_at"),
    )


def with_files() -> dict[str, type[Entity]]:
    """Table -> entity, of the kinds of records that have files: those that say `has_files = True`."""
    return {model.__tablename__: model for model in _entities(Entity) if model.has_files}


def _entities(above: type[Entity]) -> list[type[Entity]]:
    found: list[type[Entity]] = []
    for model in above.__subclasses__():
        found += [model] if "__tablename__" in vars(model) else []
        found += _entities(model)
    return found
