"""Values of a field that has got another kind are written anew: a few with the change itself, many by a job.

The new values of a job are laid down with the change.  From then on the field takes values of its new kind alone.  What a
user writes meanwhile stays: with it the flush drops what was laid down (`resolvers/runtime/held_definitions.py`).
"""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Table, delete, insert, select
from sqlalchemy.orm import Session

from models import CustomField
from models.custom_field import Custom, UnconvertedValue
from models.custom_sql import drop_index
from models.database.bypass import Because, bypass_policy
from models.errors import Validation

from ..runtime.scope import Scope
from ..runtime.write_guard import permit
from .custom_conversion import model_of
from .custom_fields import index_later

AT_ONCE = 200
"""Maximum number of records that are written with the change of kind, because others wait for that transaction."""
_LEFT: Table = UnconvertedValue.__table__  # type: ignore[assignment]  # of a mapped class
_HELD = bypass_policy(Because.FOLLOWS_CHECK)


def convert_later(scope: Scope, db: Session, row: CustomField, wanted: dict[int, Any]) -> None:
    """Lay down these values of the new kind, by record, for a job; the field has that kind already."""
    row.converting_at = scope.now()
    db.flush()
    given = [{"field_id": row.id, "record_id": id, "becomes": value} for id, value in sorted(wanted.items())]
    db.connection().execute(insert(_LEFT), given)
    scope.later("convert_custom_field", {"id": row.id}, order_key=f"customfield:{row.id}", total=len(given))


def convert_next(scope: Scope, db: Session, id: int, size: int) -> tuple[int, bool]:
    """(number of records written, whether some are left): the next values that were laid down.

    Whoever writes the same records is waited for; what they wrote of the field is no longer laid down then.
    """
    row = db.get(CustomField, id, execution_options=_HELD)
    if row is None:
        return 0, False
    mine = _LEFT.c.field_id == id
    ids = list(db.execute(select(_LEFT.c.record_id).where(mine).order_by(_LEFT.c.record_id).limit(size)).scalars())
    count = write_values(db, row, ids) if ids else 0
    db.connection().execute(delete(_LEFT).where(mine, _LEFT.c.record_id.in_(ids)))  # of records that are gone
    if len(ids) < size:
        permit(db, row, "edit")
        row.converting_at = None
        end_conversion(scope, row)
        return count, False
    return count, True


def refuse_while_converting(row: CustomField) -> None:
    """Raise Validation for a field whose values are still becoming those of its kind."""
    if row.converting_at is not None:
        raise _converting(row.label_en, row.label_zh or row.label_en)


def refuse_conversions(fields: Iterable[Custom], dictionary: str | None = None) -> None:
    """Raise Validation while one of these fields is being converted; `dictionary`: one that takes its words from there."""
    for custom in fields:
        if custom.is_converting and dictionary in (None, custom.dictionary):
            raise _converting(custom.label("en"), custom.label("zh"))


def forget_index(db: Session, row: CustomField) -> None:
    """Drop the index over values of the former kind, which refuses those of the new one."""
    table = model_of(row.for_module).__tablename__
    db.connection().exec_driver_sql(drop_index(table, Custom(row.id, row.for_module, row.key, row.kind, row.label_en)))


def _converting(english: str, chinese: str) -> Validation:
    return Validation(
        f"The values of {english} are still being converted. Wait until the job has ended.",
        f"“{chinese}”的值仍在转换中，请等待任务完成。",
        field="kind",
    )


def end_conversion(scope: Scope, row: CustomField) -> None:
    """Have the index made, where one is wanted."""
    if row.is_searchable and row.searchable_at is None:
        index_later(scope, row)


def write_values(db: Session, row: CustomField, wanted: Any) -> int:
    """Write these records anew; `wanted`: values by record, or the records whose values were laid down."""
    model: Any = model_of(row.for_module)
    asked = select(model).where(model.id.in_(sorted(wanted))).order_by(model.id).with_for_update()
    records = db.execute(asked, execution_options={**_HELD, "populate_existing": True}).scalars().all()
    values = wanted if isinstance(wanted, dict) else _laid_down(db, row.id, wanted)
    for record in records:
        if record.id in values and not _came_later(row, record):
            permit(db, record, "edit")
            record.custom = {**(record.custom or {}), row.key: values[record.id]}
    db.flush()
    return len(values)


def _came_later(row: CustomField, record: Any) -> bool:
    """Whether a record was made after the values were laid down: SQLite gives the id of a purged one again."""
    return row.converting_at is not None and record.created_at > row.converting_at


def _laid_down(db: Session, field_id: int, ids: list[int]) -> dict[int, Any]:
    asked = select(_LEFT.c.record_id, _LEFT.c.becomes).where(_LEFT.c.field_id == field_id, _LEFT.c.record_id.in_(ids))
    return {row.record_id: row.becomes for row in db.execute(asked)}
