"""Bulk changes: one change of many records, how far it is, and what has become of each record."""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from .base import Base, Key, Word, choice, text_type
from .export import LONGEST_SAID
from .names import Names

BULK_CHANGE = Names("Bulk change", "Bulk changes", zh="批量修改")
KEPT = timedelta(days=90)
"""How long it is known what has become of each record.  The operation log knows longer, and undoing reads the log."""


class BulkKind(StrEnum):
    """What is done.  UNDO takes back a batch of the operation log."""

    CHANGE = "CHANGE"
    """Fields of the records are set."""
    TRANSFER = "TRANSFER"
    """The records get another owner."""
    UNDO = "UNDO"
    """An earlier change is taken back."""


class BulkState(StrEnum):
    """How far it is.  FINDING: its records are being found.  STOPPED: its job was cancelled, and can go on."""

    FINDING = "FINDING"
    """The records are being looked up; none is changed yet."""
    RUNNING = "RUNNING"
    """Records are being changed, a chunk at a time."""
    DONE = "DONE"
    """Every record was tried."""
    STOPPED = "STOPPED"
    """Its maker stopped it; what was changed stays, and it can go on."""
    FAILED = "FAILED"
    """Something unexpected ended it; what was changed stays, and it can go on."""


class ItemState(StrEnum):
    """What has become of a record.

    SAME was as wanted already.  KEPT, of an undoing alone, was changed by somebody since.
    """

    OPEN = "OPEN"
    """Not tried yet."""
    DONE = "DONE"
    """The record was changed."""
    SAME = "SAME"
    """The record held the value already, so nothing was written."""
    REFUSED = "REFUSED"
    """A rule or a right stood against it; the message says which."""
    KEPT = "KEPT"
    """An undoing left it alone, because the same field was changed since."""


class BulkChange(Base):
    """One change of many records, with the rights of its maker, to whom it belongs."""

    __tablename__ = "bulk_change"

    id: Mapped[Key]
    owner_id: Mapped[int] = mapped_column(ForeignKey("app_user.id", ondelete="CASCADE"))
    entity: Mapped[Word]
    """The name of the model whose records it is about."""
    kind: Mapped[BulkKind] = choice(BulkKind)
    batch_id: Mapped[str] = mapped_column(text_type(40))
    """Under what all its entries stand in the operation log."""
    undoes: Mapped[str | None] = mapped_column(text_type(40))
    """The batch that an UNDO takes back."""
    given: Mapped[dict[str, Any]]
    """What is set, as `resolvers/bulk/wanted.py` writes it."""
    reason: Mapped[str | None] = mapped_column(text_type(200))
    listing: Mapped[dict[str, Any] | None]
    """The list whose records are found once, when its job begins; None for chosen records."""
    said: Mapped[str] = mapped_column(text_type(LONGEST_SAID))
    """The filter in words, in the maker's language."""
    state: Mapped[BulkState] = choice(BulkState)
    total: Mapped[int | None]
    """How many records it is about; None until they are found."""
    job_id: Mapped[int | None]
    created_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]

    __table_args__ = (
        Index("ix_bulk_change_owner", "owner_id", "id"),
        Index("uq_bulk_change_batch", "batch_id", unique=True),
        Index("uq_bulk_change_undoes", "undoes", unique=True),
        Index("ix_bulk_change_ended", "ended_at"),
    )


class BulkItem(Base):
    """One record of a bulk change."""

    __tablename__ = "bulk_item"

    change_id: Mapped[int] = mapped_column(ForeignKey("bulk_change.id", ondelete="CASCADE"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    """Its place in the order of the list."""
    entity: Mapped[Word]
    """The name of its model: a batch that is undone may be about several."""
    record_id: Mapped[int]
    state: Mapped[ItemState] = choice(ItemState, default=ItemState.OPEN)
    problem: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    """Why it was refused or kept (`resolvers/runtime/stored_refusals.py`)."""

    __table_args__ = (
        Index("ix_bulk_item_state", "change_id", "state", "number"),
        {"sqlite_with_rowid": False},
    )
