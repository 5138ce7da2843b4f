"""Definitions of custom fields stay as they are while values of them are written, so that no value is of another kind."""

from collections.abc import Iterable, Iterator
from typing import Any, cast

from sqlalchemy import Table, inspect, select
from sqlalchemy.orm import Session

from models import CustomField
from models.custom_field import PREFIX, Custom, Customised
from models.database.bypass import Because, bypass_policy
from models.errors import Validation
from policies import Snapshot

_C: Any = cast("Table", CustomField.__table__).c


def hold_definitions(session: Session, policy: Snapshot, rows: Iterable[Any]) -> None:
    """Keep whoever changes the kind of a field waiting until the new values in these rows are stored.

    One statement on PostgreSQL, where others write meanwhile.  Raises Validation for a field that has been given
    another kind, or deleted, since this transaction began.
    """
    written = {custom.id: custom for row in rows if isinstance(row, Customised) for custom in _written(policy, row)}
    if not written or session.get_bind().dialect.name != "postgresql":
        return
    asked = select(_C.id, _C.kind).where(_C.id.in_(sorted(written)), _C.deleted_at.is_(None)).order_by(_C.id)
    held = session.execute(
        asked.with_for_update(read=True, key_share=True), execution_options=bypass_policy(Because.LOCKS_ROWS)
    )
    same = {id for id, kind in held if written[id].kind is kind}
    for id, custom in written.items():
        if id not in same:
            raise Validation(
                f"{custom.label('en')} was given another kind, or deleted, meanwhile. Try again.",
                f"{custom.label('zh')}刚刚被更改类型或删除，请重试。",
                field=custom.word,
            )


def _written(policy: Snapshot, row: Any) -> Iterator[Custom]:
    """The fields of which a row is about to hold another value than before."""
    history = inspect(row).attrs["custom"].history
    before = next(iter(history.deleted or ()), None) or {}
    for key, value in (next(iter(history.added or ()), None) or {}).items():
        custom = policy.book.find(row.module, f"{PREFIX}{key}")
        if custom is not None and before.get(key) != value:
            yield custom
