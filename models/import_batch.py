"""Imports: a file that a user brings in, its rows as they lie between file and records, and how columns were mapped."""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, BigInteger, CheckConstraint, ForeignKey, Index, Integer, text
from sqlalchemy.orm import Mapped, mapped_column

from .base import Base, Hash, Key, Line, Word, choice, text_type
from .names import Names

IMPORT = Names("Import", "Imports", zh="导入")
KEPT = timedelta(days=30)
"""How long rows and file of an import that has ended are kept: as long as it can be undone."""


_CLASHING: Any = dict.fromkeys(("sqlite_where", "postgresql_where"), text("same_as IS NOT NULL"))
_BIG = BigInteger().with_variant(Integer, "sqlite")


class ImportState(StrEnum):
    """How far an import is.

    UPLOADED: its file is being read.  READ: its columns are to be mapped.  MAPPED: its rows are being checked.  CHECKED: its
    user may correct and confirm it.  PARTLY: some rows stayed behind.  FAILED: its file cannot be read.
    """

    UPLOADED = "UPLOADED"
    """The file is there and is being read."""
    READ = "READ"
    """The file was read: say which column holds which field."""
    MAPPED = "MAPPED"
    """The columns have their fields, and the rows are being checked."""
    CHECKED = "CHECKED"
    """Every row was judged: correct, skip or confirm. Nothing is changed yet."""
    APPLYING = "APPLYING"
    """Rows are being carried out."""
    DONE = "DONE"
    """Every row was carried out or skipped."""
    PARTLY = "PARTLY"
    """It ended with rows that were not carried out."""
    CANCELLED = "CANCELLED"
    """Its user ended it before it was carried out."""
    UNDOING = "UNDOING"
    """It is being taken back."""
    UNDONE = "UNDONE"
    """It was taken back, but for what others have changed since."""
    FAILED = "FAILED"
    """It could not go on; `error` says why."""


MOVING = (ImportState.UPLOADED, ImportState.MAPPED, ImportState.APPLYING, ImportState.UNDOING)
"""States in which a job is at work."""


class ImportMode(StrEnum):
    """What becomes of rows: all are new, all change existing records, or each as its key is found or not."""

    INSERT = "INSERT"
    """New records alone; a row about one that is there is wrong."""
    UPDATE = "UPDATE"
    """Records that are there alone, found by the fields of `key`; a row about none is wrong."""
    UPSERT = "UPSERT"
    """Records that are there are changed, the others created."""


class Overwrite(StrEnum):
    """What the update of a record does with a field: always set it, only where it is empty, or never."""

    ALWAYS = "ALWAYS"
    """The value of the sheet replaces what is there."""
    IF_EMPTY = "IF_EMPTY"
    """The value of the sheet is taken where the record has none."""
    NEVER = "NEVER"
    """The record keeps what it has."""


class RowState(StrEnum):
    """What has become of a row.

    STAGED: as read.  GOOD and BAD: checked.  SKIPPED: left out, because its user or the mode says so.  CREATED, UPDATED, SAME:
    applied; SAME changed nothing.  FAILED: refused when it was applied.  UNDONE, KEPT: after an undoing; KEPT was changed by somebody since.
    """

    STAGED = "STAGED"
    """Read, and not judged yet."""
    GOOD = "GOOD"
    """It can be carried out as it is."""
    BAD = "BAD"
    """Something is wrong with it, which `problems` names."""
    SKIPPED = "SKIPPED"
    """A user has left it out."""
    CREATED = "CREATED"
    """It became a new record."""
    UPDATED = "UPDATED"
    """It changed a record that was there."""
    SAME = "SAME"
    """The record held all of it already."""
    FAILED = "FAILED"
    """It was good, and was refused when it was carried out."""
    UNDONE = "UNDONE"
    """What it did was taken back."""
    KEPT = "KEPT"
    """An undoing left its record alone, because it was changed since."""


class ImportBatch(Base):
    """One file on its way in.  It belongs to its user, with whose rights everything is done."""

    __tablename__ = "import_batch"

    id: Mapped[Key]
    owner_id: Mapped[int] = mapped_column(ForeignKey("app_user.id", ondelete="CASCADE"))
    target: Mapped[Word]
    """The code of what it brings in (`resolvers/imports/targets.py`)."""
    file_name: Mapped[Line]
    """What its user called the file."""
    file: Mapped[str] = mapped_column(text_type(60))
    """The name of the file on the disk, which cannot be guessed."""
    file_hash: Mapped[Hash]
    """SHA-256 of the file, by which the same file is known when it comes again."""
    signature: Mapped[str | None] = mapped_column(text_type(32))
    """Hash of its headings; None until it is read."""
    choices: Mapped[dict[str, Any]]
    """Sheet, heading row, encoding and the like, as far as its user chose them."""
    overview: Mapped[dict[str, Any] | None]
    """What the file holds: sheets, columns with samples, numbers of rows."""
    mapping: Mapped[dict[str, Any] | None]
    """Place of a column -> the key of its field; columns that are left out are missing."""
    options: Mapped[dict[str, Any]]
    """Key fields, inputs for all rows, orders of dates, what is overwritten, what blanks do."""
    mode: Mapped[ImportMode] = choice(ImportMode, default=ImportMode.INSERT)
    state: Mapped[ImportState] = choice(ImportState)
    job_id: Mapped[int | None]
    """The job that reads, checks, applies or undoes it, or did so last."""
    rows: Mapped[int] = mapped_column(default=0)
    """Rows that are staged."""
    position: Mapped[int] = mapped_column(default=0)
    """The number of the last row that the present step has dealt with."""
    version: Mapped[int] = mapped_column(default=1)
    """Grows with each change of mapping, options or cells: what was checked before a change is checked again."""
    error_code: Mapped[Word | None]
    error: Mapped[str | None] = mapped_column(text_type(400))
    error_zh: Mapped[str | None] = mapped_column(text_type(400))
    """Why the file cannot be read."""
    result: Mapped[str | None] = mapped_column(text_type(60))
    """The name of the result workbook on the disk, finished or being written."""
    result_at: Mapped[datetime | None]
    """When the result workbook was finished."""
    returned: Mapped[str | None] = mapped_column(text_type(60))
    """The name of a corrected file on the disk while its corrections are taken over."""
    created_at: Mapped[datetime]
    confirmed_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]

    @property
    def is_resting(self) -> bool:
        """Whether nothing is done until its user says what is next."""
        return self.state not in MOVING and self.returned is None

    __table_args__ = (
        CheckConstraint("rows >= 0", name="rows"),
        Index("ix_import_batch_owner", "owner_id", "id"),
        Index("ix_import_batch_file", "file_hash"),
        Index("ix_import_batch_ended", "ended_at"),
    )


class ImportRow(Base):
    """One row of a sheet on its way in."""

    __tablename__ = "import_row"

    batch_id: Mapped[int] = mapped_column(ForeignKey("import_batch.id", ondelete="CASCADE"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    """The number of the row in its sheet, as Excel shows it."""
    state: Mapped[RowState] = choice(RowState, default=RowState.STAGED)
    cells: Mapped[list[Any]] = mapped_column(JSON)
    """As they were read (`models/sheet_cells.py`)."""
    edits: Mapped[dict[str, Any] | None]
    """Place of a column -> what its user wrote into the cell instead."""
    problems: Mapped[list[Any] | None] = mapped_column(JSON)
    """[{field, code, params, likely}] of a bad, failed or skipped row."""
    warnings: Mapped[list[Any] | None] = mapped_column(JSON)
    """The same of what a user should look at, although it prevents nothing: records that may be the same."""
    same_as: Mapped[int | None]
    """The number of the row before it of which it is a duplicate."""
    record_id: Mapped[int | None]
    """The record that it creates or changes; None while it is not known."""
    before: Mapped[dict[str, Any] | None]
    """The values of the record before the row changed them, and its version after, for an undoing."""

    __table_args__ = (
        Index("ix_import_row_state", "batch_id", "state", "number"),
        Index("ix_import_row_same_as", "batch_id", "same_as", **_CLASHING),
    )


class ImportKey(Base):
    """One key under which two rows of an import may be duplicates.  It may be out of date: rows are judged by their cells."""

    __tablename__ = "import_key"

    batch_id: Mapped[int] = mapped_column(ForeignKey("import_batch.id", ondelete="CASCADE"), primary_key=True)
    key: Mapped[int] = mapped_column(_BIG, primary_key=True, autoincrement=False)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    """That of the row."""

    __table_args__ = ({"sqlite_with_rowid": False},)


class ImportMapping(Base):
    """How the columns of one set of headings were mapped last: by a user, or by anybody."""

    __tablename__ = "import_mapping"

    id: Mapped[Key]
    owner_id: Mapped[int] = mapped_column(ForeignKey("app_user.id", ondelete="CASCADE"))
    target: Mapped[Word]
    signature: Mapped[str] = mapped_column(text_type(32))
    fields: Mapped[dict[str, Any]]
    """Heading -> the key of its field, or null for one that is left out."""
    used_at: Mapped[datetime]

    __table_args__ = (
        Index("uq_import_mapping", "owner_id", "target", "signature", unique=True),
        Index("ix_import_mapping_signature", "target", "signature", "used_at"),
    )
