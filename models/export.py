"""Exports: files of records that users have asked for, and the columns that they keep under a name for it."""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from .base import Base, Key, Word, choice, text_type
from .names import Names

EXPORT = Names("Export", "Exports", zh="导出")
PROFILE = Names("Column profile", "Column profiles", zh="列方案")
LONGEST_NAME = 60
LONGEST_SAID = 1_000
KEPT = timedelta(days=7)
"""How long a file can be downloaded."""


class ExportFormat(StrEnum):
    """The kind of file."""

    XLSX = "XLSX"
    """A workbook for Excel."""
    CSV = "CSV"
    """Text with commas, in UTF-8."""


class ExportRange(StrEnum):
    """Which records of a list are exported."""

    SELECTION = "SELECTION"
    """The records that `ids` names."""
    FILTER = "FILTER"
    """The records that filter and search find."""
    ALL = "ALL"
    """All records of the kind that you may export."""


class ExportState(StrEnum):
    """How far an export is.  EXPIRED: its file is deleted."""

    WAITING = "WAITING"
    """Enqueued; no row is written yet."""
    RUNNING = "RUNNING"
    """Rows are being written."""
    DONE = "DONE"
    """The file is there until `expiresAt`."""
    FAILED = "FAILED"
    """It ended without a file; `message` says why."""
    CANCELLED = "CANCELLED"
    """Its maker cancelled it."""
    EXPIRED = "EXPIRED"
    """The file was kept until then and is deleted."""


class Export(Base):
    """One file, which belongs to who asked for it.  It gives no right: its records are read with the maker's rights."""

    __tablename__ = "export"

    id: Mapped[Key]
    owner_id: Mapped[int] = mapped_column(ForeignKey("app_user.id", ondelete="CASCADE"))
    entity: Mapped[Word]
    """The name of the model whose records it holds."""
    title: Mapped[str] = mapped_column(text_type(100))
    """What the list is called, in the maker's language: the name of the file begins with it."""
    range: Mapped[ExportRange] = choice(ExportRange)
    listing: Mapped[dict[str, Any]]
    """The list as it was then, as `resolvers/exports/listing.py` writes it."""
    said: Mapped[str] = mapped_column(text_type(LONGEST_SAID))
    """The filter in words, in the maker's language; empty for all records."""
    columns: Mapped[list[str]]
    format: Mapped[ExportFormat] = choice(ExportFormat)
    language: Mapped[str] = mapped_column(text_type(8))
    state: Mapped[ExportState] = choice(ExportState)
    done: Mapped[int] = mapped_column(default=0)
    """Rows written."""
    total: Mapped[int | None]
    """Records found; None until they are counted.  Some may leave the maker's sight before they are written."""
    written: Mapped[int] = mapped_column(BigInteger, default=0)
    """Bytes of the rows that are written for good; what follows them is written anew."""
    size: Mapped[int | None] = mapped_column(BigInteger)
    """Bytes of the finished file."""
    file: Mapped[str] = mapped_column(text_type(60))
    """The name of its files on the disk, which cannot be guessed."""
    found: Mapped[str | None] = mapped_column(text_type(60))
    """The name of the file with the ids of the records."""
    part: Mapped[str | None] = mapped_column(text_type(60))
    """The name of the file with the rows that are written for good.  Each process has its own, so that one which comes
    back after another has taken over spoils nothing."""
    job_id: Mapped[int | None]
    """The job that writes it; None where a command writes it."""
    downloads: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    expires_at: Mapped[datetime]

    __table_args__ = (
        Index("ix_export_owner", "owner_id", "id"),
        Index("ix_export_expires", "expires_at"),
        Index("ix_export_job", "job_id"),
    )


class ExportProfile(Base):
    """Columns in an order, under a name.  It gives no right: who uses it gets the columns that they see."""

    __tablename__ = "export_profile"

    id: Mapped[Key]
    owner_id: Mapped[int] = mapped_column(ForeignKey("app_user.id", ondelete="CASCADE"))
    entity: Mapped[Word]
    name: Mapped[str] = mapped_column(text_type(LONGEST_NAME))
    columns: Mapped[list[str]]
    shared: Mapped[bool] = mapped_column(default=False)
    """Whether everybody may use it."""
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]

    __table_args__ = (
        CheckConstraint("name <> ''", name="name"),
        Index("uq_export_profile_name", "owner_id", "entity", "name", unique=True),
        Index("ix_export_profile_entity", "entity", "shared"),
    )
