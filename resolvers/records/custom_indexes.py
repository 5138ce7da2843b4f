"""Making a custom field searchable: one index over its values, made without blocking those who write."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select, text
from sqlalchemy.orm import Session

from models import CustomField
from models.custom_field import UNSORTED, Custom, CustomKind
from models.custom_sql import create_index, drop_index, index_name
from models.database.bypass import Because, bypass_policy

from ..runtime.scope import Scope
from ..runtime.write_guard import permit
from .custom_conversion import model_of

_HALF_MADE = text(
    "SELECT count(*) FROM pg_class JOIN pg_index ON indexrelid = pg_class.oid WHERE relname = :name AND NOT indisvalid"
)
"""What a lost process leaves of an index that was made beside those who write."""


@dataclass(frozen=True)
class Wanted:
    """What the index of a field has to be: for which kind, whether at all, and whether it is to be made anew."""

    table: str
    custom: Custom
    is_searchable: bool
    is_made: bool

    @property
    def name(self) -> str:
        return index_name(self.table, self.custom)


def prepare(scope: Scope, id: int) -> Wanted | None:
    """Make or drop the index of a field on PostgreSQL, outside any transaction; None for a field that is gone.

    On SQLite nothing is done yet: its index is made in the transaction of `finish`, in a fraction of a second.
    """
    engine = scope.backend.writer.engine
    with engine.connect() as connection:
        wanted = _wanted(connection, id)
    if wanted is not None and engine.dialect.name == "postgresql":
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("SET lock_timeout = 0; SET statement_timeout = 0")
            _build(connection, wanted)
            connection.exec_driver_sql("RESET lock_timeout; RESET statement_timeout")
    return wanted


def finish(scope: Scope, db: Session, id: int, wanted: Wanted | None) -> bool:
    """Whether the index is as the definition wants it now; the definition notes since when.

    False where the definition was changed meanwhile: then another job is waiting.
    """
    row = db.get(CustomField, id, execution_options=bypass_policy(Because.FOLLOWS_CHECK))
    if wanted is None or row is None or (row.kind, row.is_searchable) != (wanted.custom.kind, wanted.is_searchable):
        return False
    if scope.backend.dialect == "sqlite":
        _build(db.connection(), wanted)
    if row.is_searchable and row.searchable_at is None:
        permit(db, row, "edit")
        row.searchable_at = scope.now()
    return True


def _wanted(connection: Connection, id: int) -> Wanted | None:
    c: Any = CustomField.__table__.c
    asked = select(
        c.for_module, c.key, c.kind, c.label_en, c.is_searchable, c.searchable_at, c.deleted_at, c.converting_at
    )
    row = connection.execute(asked.where(c.id == id), execution_options=bypass_policy(Because.FOLLOWS_CHECK)).first()
    if row is None:
        return None
    custom = Custom(id, row.for_module, row.key, CustomKind(row.kind), row.label_en)
    # A value of another kind cannot stand in the index, so it waits for the conversion.
    is_there = row.deleted_at is None and row.converting_at is None
    is_wanted = row.is_searchable and is_there and custom.kind not in UNSORTED
    return Wanted(model_of(row.for_module).__tablename__, custom, is_wanted, row.searchable_at is not None)


def _build(connection: Connection, wanted: Wanted) -> None:
    """Drop an index of another kind, a half made one, and one that is not wanted; make the one that is."""
    dialect = connection.dialect.name
    is_broken = dialect == "postgresql" and connection.execute(_HALF_MADE, {"name": wanted.name}).scalar()
    if is_broken or not (wanted.is_made and wanted.is_searchable):
        connection.exec_driver_sql(_beside(drop_index(wanted.table, wanted.custom), dialect))
    if wanted.is_searchable:
        connection.exec_driver_sql(create_index(dialect, wanted.table, wanted.custom, concurrently=True))


def _beside(drop: str, dialect: str) -> str:
    return drop.replace("DROP INDEX", "DROP INDEX CONCURRENTLY") if dialect == "postgresql" else drop
