"""A record as it was at a moment: the operation log up to then, redacted by the present rights of the reader.

One statement for the record as it is, one for its entries, and those of `redaction.py` and `value_names.py`.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from itertools import accumulate
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import AuditEntry, Entity
from models.audit.entries import Outcome
from models.audit.parts import kinds_of_parts
from models.audit.proof import plain
from models.audit.recording import CUSTOM
from models.base import is_customised
from models.custom_field import PREFIX
from models.errors import NotFound, Validation

from ..reading.condition_fields import HIDDEN
from ..runtime.ids import global_id
from ..runtime.inputs import moment
from ..runtime.scope import Scope
from ..runtime.viewer import Viewer
from . import redaction
from .log_filter import storable_id
from .replay import compared_columns
from .value_names import ValueNames

_ROW = AuditEntry.__table__.alias()
_UNSAID = object()
"""Stands for a value that no entry names."""


@dataclass(frozen=True)
class PastValue:
    """A field then and now, as JSON values of the log, with names for keys.

    `key` is a column key, or the kind of a part (`phone`), whose values are None, one, or a list.  `is_known` is False
    where an entry that the caller cannot read may have changed the field; then `value` is None.
    """

    key: str
    value: Any
    now: Any
    name: str | None = None
    name_now: str | None = None
    is_known: bool = True

    @property
    def has_changed(self) -> bool:
        return not self.is_known or self.value != self.now


@dataclass(frozen=True)
class AsOf:
    """A record as it was at `at`, with the moments of its history that lie around that one.

    `since`: the change that made it so.  `earlier` and `later`: the changes before and after that one, if any; `later`
    is None for the present state.  `untold`: the number of entries whose changes were erased, or are hidden from the
    caller.  `values` has no field that the caller may not see in the record now, and none that repeats other records.
    """

    model: type[Entity]
    id: int
    at: datetime
    since: datetime
    earlier: datetime | None
    later: datetime | None
    untold: int
    values: Sequence[PastValue]

    def __getitem__(self, key: str) -> Any:
        """The value of a field then; None for one that the caller may not see."""
        return next((it.value for it in self.values if it.key == key), None)


def as_of(scope: Scope, db: Session, model: type[Entity], id: int, at: datetime) -> AsOf:
    """The record as it was at this moment, changes of the moment itself included, for every caller who sees it now.

    Raises NotFound for a missing record and for a hidden one alike; Validation for a moment that is yet to come, and
    for one at which the record was not there yet.
    """
    when, viewer = _checked(scope, at), scope.viewer
    told, present = _told(viewer, db, model, storable_id(id))
    until = sum(entry.at <= when for entry in told)
    if not until:
        raise _too_early()
    return _state(viewer, db, model, id, when, told, until, present)


def before_entry(scope: Scope, db: Session, model: type[Entity], id: int, entry_id: int) -> AsOf:
    """The record as it was before the change of one log entry.

    Raises NotFound, also for an entry about another record; Validation for the entry with which the record began.
    """
    viewer = scope.viewer
    told, present = _told(viewer, db, model, storable_id(id))
    until = next((n for n, entry in enumerate(told) if entry.id == entry_id), None)
    if until is None:
        raise NotFound(what=AuditEntry.names)
    if not until:
        raise _too_early()
    return _state(viewer, db, model, id, told[until - 1].at, told, until, present)


@cache
def told_fields(model: type[Entity]) -> tuple[str, ...]:
    """The fields of an entity that a past state has, by their names in the log, in the order of the table.

    Custom fields come beside them: those of the book of the caller's policy, retired ones included.
    """
    own = [column.key for column in compared_columns(model) if column.key not in HIDDEN]
    return *own, *(name for _part, names in kinds_of_parts(model) for name in names)


# --- steps -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Told:
    """An entry about the record: `at` is no earlier than that of the entry before; `changes` is None where untold."""

    id: int
    at: datetime
    changes: Mapping[str, Any] | None


def _checked(scope: Scope, at: datetime) -> datetime:
    when = moment(at, "as_of")
    assert when is not None, "it was given"
    if when > scope.now():
        raise Validation(
            "This moment is yet to come. Choose one in the past.", "该时间尚未到来，请选择过去的时间。", field="asOf"
        )
    return when


def _too_early() -> Validation:
    return Validation(
        "The record was not there yet at this moment. Choose a later one.",
        "该时间此记录尚未创建，请选择更晚的时间。",
        field="asOf",
    )


def _told(viewer: Viewer, db: Session, model: type[Entity], id: int) -> tuple[list[_Told], Mapping[str, Any]]:
    """(the entries about a visible record in their order, its columns as they are).  Raises NotFound.

    The record is read first: what changes meanwhile is in the entries, which say what was before.
    """
    source, row = redaction.few(model)
    keys = [column.key for column in compared_columns(model)]
    keys += [CUSTOM] if is_customised(model) else []
    asked = select(*(getattr(row, key) for key in keys)).select_from(source)
    asked = asked.where(row.id == id, viewer.rows(model, row)).execution_options(policy=True)
    found = db.execute(asked).first() if id else None
    if found is None:
        raise NotFound(what=model.names, record_id=global_id(model, id) if id else None)
    present = {key: plain(value) for key, value in zip(keys, found, strict=True)}
    present |= {f"{PREFIX}{key}": value for key, value in (present.pop(CUSTOM, None) or {}).items()}
    shown = viewer.value(AuditEntry, _ROW.c, "changes")
    about = (_ROW.c.entity == model.__tablename__, _ROW.c.record_id == id, _ROW.c.outcome == Outcome.OK)
    entries = select(_ROW.c.id, _ROW.c.at, shown.label("shown")).where(*about).order_by(_ROW.c.id)
    rows = db.execute(entries.execution_options(policy=True)).all()
    # Two transactions may begin in one order and write in the other; the order of writing is that of the values.
    moments = accumulate((entry.at for entry in rows), max)
    told = [
        _Told(entry.id, at, entry.shown if isinstance(entry.shown, dict) else None)
        for entry, at in zip(rows, moments, strict=True)
    ]
    return told, present


def _state(
    viewer: Viewer,
    db: Session,
    model: type[Entity],
    id: int,
    when: datetime,
    told: Sequence[_Told],
    until: int,
    present: Mapping[str, Any],
) -> AsOf:
    """The state after the first `until` entries.  The rights are read last, so that they are never older than it."""
    visibility = redaction.Visibilities(viewer, db, {model: {id}}).of(model, id)
    if not visibility.seen:
        raise NotFound(what=model.names, record_id=global_id(model, id))
    customs = [it.word for it in viewer.policy.book.all_of(model.module)] if is_customised(model) else []
    keys = [key for key in (*told_fields(model), *customs) if key not in visibility.hidden]
    values = {key: _then_and_now(told, until, present, key) for key in keys}
    names = ValueNames(viewer, db, ((model, key, then, now) for key, (then, now, _known) in values.items()))
    since, moments = told[until - 1].at, sorted({entry.at for entry in told})
    return AsOf(
        model=model,
        id=id,
        at=when,
        since=since,
        earlier=max((each for each in moments if each < since), default=None),
        later=next((each for each in moments if each > since), None),
        untold=sum(entry.changes is None for entry in told),
        values=[
            PastValue(key, then, now, names.of(model, key, then), names.of(model, key, now), known)
            for key, (then, now, known) in values.items()
        ],
    )


def _then_and_now(told: Sequence[_Told], until: int, present: Mapping[str, Any], key: str) -> tuple[Any, Any, bool]:
    """(value after the first `until` entries, value now, whether the former is known).

    Parts are no columns, so their present values are those of the log; so is an empty custom field.
    """
    now = present[key] if key in present else next(_new_values(told, key), None)
    before, after = next(_new_values(told[:until], key), _UNSAID), next(_old_values(told[until:], key), now)
    if all(entry.changes is not None for entry in told):
        return (after if before is _UNSAID else before), now, True
    if before is _UNSAID and told[0].changes is not None:
        before = None  # the first entry names every value that is not empty
    is_known = bool(before == after)
    return (before if is_known else None), now, is_known


def _new_values(told: Sequence[_Told], key: str) -> Iterator[Any]:
    """The values that a field was given, the last first."""
    return (x.changes[key][1] for x in reversed(told) if x.changes is not None and key in x.changes)


def _old_values(told: Sequence[_Told], key: str) -> Iterator[Any]:
    """The values that a field had before its changes, the first change first."""
    return (x.changes[key][0] for x in told if x.changes is not None and key in x.changes)
