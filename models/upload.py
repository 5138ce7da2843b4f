"""Uploads: files that users have sent and not yet used."""

from datetime import datetime, timedelta

from sqlalchemy import BigInteger, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from .base import Base, Hash, Key, Line, text_type
from .names import Names

UPLOAD = Names("Uploaded file", "Uploaded files", zh="已上传的文件")
KEPT = timedelta(days=1)
"""How long a file waits for its use."""


class Upload(Base):
    """One file on the disk, which belongs to its user.  What uses it takes it over, and the row goes."""

    __tablename__ = "upload"

    id: Mapped[Key]
    owner_id: Mapped[int] = mapped_column(ForeignKey("app_user.id", ondelete="CASCADE"))
    name: Mapped[Line]
    """What its user called it, without folders."""
    stored: Mapped[str] = mapped_column(text_type(60))
    """Its name on the disk, which cannot be guessed."""
    hash: Mapped[Hash]
    """SHA-256 of its bytes."""
    size: Mapped[int] = mapped_column(BigInteger)
    """Its bytes."""
    created_at: Mapped[datetime]

    __table_args__ = (Index("ix_upload_owner", "owner_id"), Index("ix_upload_created", "created_at"))
