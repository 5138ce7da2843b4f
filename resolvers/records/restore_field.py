"""Restoring one field from history: an edit by the rules of single edits, whose value comes from the log."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import inspect
from sqlalchemy.orm import Session

from models import Entity
from models.audit.column_values import stored
from models.audit.parts import kinds_of_parts
from models.base import column_of, is_customised
from models.custom_field import Book, is_custom, past_value
from models.errors import Forbidden, Validation

from ..audit.as_of import AsOf, PastValue, as_of, before_entry
from ..runtime.custom_fields import known_field, may_not_set
from ..runtime.inputs import invalid
from ..runtime.scope import Scope
from .create_update import update
from .form_schema import settable

E = TypeVar("E", bound=Entity)


def restore_field(
    scope: Scope,
    model: type[E],
    id: int,
    key: str,
    *,
    entry_id: int | None = None,
    at: datetime | None = None,
    version: int | None = None,
) -> E:
    """The record after one field got back its value from before a log entry, or from a moment.

    `key` is the field by its name in the log: a column, or a kind of parts (`phone`).  `version` is that of an edit.
    Raises what `update` raises, NotFound (no such entry of the record), and Validation: neither or both of entry and
    moment, a moment outside the life of the record, a field that no edit sets, a value that is unknown or is there.
    """
    if (entry_id is None) == (at is None):
        raise Validation(
            "Say from when: a moment, or an entry of the log.", "请指明来源：某个时间，或某条日志。", field="asOf"
        )
    with scope.write(f"{model.module}.edit") as db:
        scope.load(db, model, id, to="edit")
        if is_custom(key) and is_customised(model):
            known_field(scope.policy, scope.person, model, key, "field")
        past = _past(scope, db, model, id, entry_id, at)
        field = next((it for it in past.values if it.key == key), None)
        if field is None:
            raise _not_offered(scope, model, id, key)
        book = scope.policy.book
        return update(scope, model, id, _given(book, model, past, _restorable(book, model, field)), version)


def restorable_keys(book: Book, model: type[Entity]) -> frozenset[str]:
    """The fields that can be restored, by their names in the log: those that an edit sets."""
    open_to_edits = set(settable(model, creating=False))
    parts = {name for part, names in kinds_of_parts(model) if _relation(model, part) in open_to_edits for name in names}
    customs = {it.word for it in book.of(model.module)} if is_customised(model) else set()
    return frozenset(open_to_edits & set(model.__table__.c.keys()) | parts | customs)


# --- steps -----------------------------------------------------------------------------------------------


def _past(scope: Scope, db: Session, model: type[Entity], id: int, entry_id: int | None, at: datetime | None) -> AsOf:
    if entry_id is not None:
        return before_entry(scope, db, model, id, entry_id)
    assert at is not None, "one of them is given"
    return as_of(scope, db, model, id, at)


def _not_offered(scope: Scope, model: type[Entity], id: int, key: str) -> Forbidden | Validation:
    """The refusal of a field that the past has not, or that is hidden from the caller."""
    if key in restorable_keys(scope.policy.book, model):
        refusal = may_not_set(scope.policy, model, key)
        refusal.field = "field"
        scope.denied(refusal, model, id, "edit")
        return refusal
    return invalid(key, "cannot be set", "不能设置")


def _restorable(book: Book, model: type[Entity], field: PastValue) -> PastValue:
    """The field, if an edit may set it to its past value."""
    if field.key not in restorable_keys(book, model):
        raise invalid(field.key, "cannot be set", "不能设置")
    if not field.is_known:
        raise invalid(field.key, "is not known as it was then", "当时的值已无从得知")
    if not field.has_changed:
        raise invalid(field.key, "has this value already", "已是该值，无需恢复")
    return field


def _given(book: Book, model: type[Entity], past: AsOf, field: PastValue) -> Mapping[str, Any]:
    """The input of `update` for the past value; parts of other kinds stay as they are."""
    if field.key in model.__table__.c:
        return {field.key: stored(column_of(model, field.key), field.value)}
    if (custom := book.find(model.module, field.key)) is not None:
        return {field.key: past_value(custom.kind, field.value)}
    for part, names in kinds_of_parts(model):
        if field.key in names:
            values = {it.key: it.value if it is field else it.now for it in past.values if it.key in names}
            parts = [{"kind": name.upper(), "value": value} for name in names for value in _listed(values.get(name))]
            return {_relation(model, part): parts}
    raise AssertionError(f"{field.key} is restorable")


def _relation(model: type[Entity], part: type[Any]) -> str:
    return next(it.key for it in inspect(model).relationships if it.uselist and it.mapper.class_ is part)


def _listed(value: Any) -> list[Any]:
    return [] if value is None else value if isinstance(value, list) else [value]
