"""Definitions of custom fields stay as they are while values of them are written, so that no value is of another kind."""

from collections.abc import Iterable, Iterator
from typing import Any, cast

from sqlalchemy import Table, bindparam, delete, inspect, select
from sqlalchemy.orm import Session

from models import CustomField
from models.custom_field import PREFIX, Custom, Customised, UnconvertedValue
from models.database.bypass import Because, bypass_policy
from models.database.prepared import Prepared
from models.errors import Validation
from policies import Snapshot

_LEFT: Any = UnconvertedValue.__table__
_CONVERTED = Prepared(
    delete(_LEFT).where(_LEFT.c.field_id == bindparam("field"), _LEFT.c.record_id == bindparam("record"))
)
"""What is written while a field is converting is of its present kind."""
_C: Any = cast("Table", CustomField.__table__).c


def hold_definitions(session: Session, policy: Snapshot, rows: Iterable[Any]) -> None:
    """Keep whoever changes the kind of a field waiting until the new values in these rows are stored.

    One statement on PostgreSQL, where others write meanwhile.  Raises Validation for a field that has been given
    another kind, or deleted, since this transaction began.
    """
    each: list[tuple[Any, Custom]] = [
        (row, custom) for row in rows if isinstance(row, Customised) for custom in _written(policy, row)
    ]
    for row, custom in each:
        if custom.is_converting and row.id is not None:
            _CONVERTED.run(session, field=custom.id, record=row.id)
    written = {custom.id: custom for _, custom in each}
    if not written or session.get_bind().dialect.name != "postgresql":
        return
    asked = (
        select(_C.id, _C.kind, _C.dictionary).where(_C.id.in_(sorted(written)), _C.deleted_at.is_(None)).order_by(_C.id)
    )
    held = session.execute(
        asked.with_for_update(read=True, key_share=True), execution_options=bypass_policy(Because.LOCKS_ROWS)
    )
    same = {id for id, *now in held if [written[id].kind, written[id].dictionary] == now}
    for id, custom in written.items():
        if id not in same:
            raise Validation(
                f"{custom.label('en')} was given another kind, or deleted, meanwhile. Try again.",
                f"{custom.label('zh')}刚刚被更改类型或删除，请重试。",
                field=custom.word,
            )


def _written(policy: Snapshot, row: Any) -> Iterator[Custom]:
    """The fields of which a row is about to hold another value than before, or none any more."""
    history = inspect(row).attrs["custom"].history
    before, after = (next(iter(values or ()), None) or {} for values in (history.deleted, history.added))
    for key in {**before, **after} if history.has_changes() else ():
        custom = policy.book.find(row.module, f"{PREFIX}{key}")
        if custom is not None and before.get(key) != after.get(key):
            yield custom
