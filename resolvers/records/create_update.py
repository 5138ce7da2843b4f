"""Use cases of every entity: create and update here; delete, restore and purge in `recycle_bin.py`.

An entity adds its own rules as a subclass of `Rules` (`resolvers/runtime/lifecycle.py`).
"""

from collections.abc import Mapping
from typing import Any, TypeVar

from sqlalchemy.orm import Session

from models import Entity
from models.errors import Forbidden, Validation

from ..runtime.inputs import clean, invalid, line, require
from ..runtime.lifecycle import rules_of
from ..runtime.scope import Scope
from .custom_values import COLUMN, check_emptied, dotted, merged, missing, require_customs, take_customs
from .dictionaries import check_words
from .edit_conflicts import check_version
from .field_rights import check_fields
from .recycle_bin import delete as delete
from .recycle_bin import purge as purge
from .recycle_bin import restore as restore
from .references import children_of as children_of

E = TypeVar("E", bound=Entity)

_REASON = "duplicate_reason"
"""The input that is no field of the record: the log keeps it."""


def create(scope: Scope, model: type[E], given: Mapping[str, Any]) -> E:
    """A new record.  `given` holds column values and the extra inputs of the entity's rules.

    Raises Forbidden, Validation, Duplicate, NotFound (a reference), CapacityReached and what the rules add.
    """
    rules = rules_of(model)
    with scope.write(f"{model.module}.create", reason_of(given)) as db:
        check_may_create(scope, model)
        values, extra = split(scope, model, given, creating=True)
        lacking = missing(scope, model, values.get(COLUMN))
        rules.prepare(scope, db, values, extra)
        require(model, values)
        check_words(scope, db, model, values)
        row = model(**values)
        with db.no_autoflush:
            rules.check(scope, db, row, values)
        db.add(row)
        _flush(scope, db, model, None, "create")
        check_fields(scope, db, row, given, ("create", "edit"))
        require_customs(scope, db, row, lacking)
        rules.created(scope, db, row, extra)
        return row


def update(scope: Scope, model: type[E], id: int, given: Mapping[str, Any], version: int | None = None) -> E:
    """The record after the given fields, and no others, were changed.

    An edit of an older `version` is merged into the newer state, unless the same fields were changed since.
    Raises NotFound, Forbidden, Locked, InBin, Conflict (with both values), Validation, Duplicate.
    """
    rules = rules_of(model)
    with scope.write(f"{model.module}.edit", reason_of(given)) as db:
        row = scope.load(db, model, id, to="edit")
        values, extra = split(scope, model, given, creating=False)
        check_fields(scope, db, row, given, ("view", "edit"))
        plain, customs = {key: value for key, value in values.items() if key != COLUMN}, values.get(COLUMN)
        others = {key: extra[key] for key in extra if key not in {_REASON, *rules.merging_inputs}}
        check_version(db, row, {**plain, **dotted(customs), **others}, version)
        check_emptied(scope, model, customs)
        check_words(scope, db, model, values, row)
        values = merge_customs(row, values)
        before = {key: getattr(row, key) for key in values}
        for key, value in values.items():
            setattr(row, key, value)
        with db.no_autoflush:
            rules.check(scope, db, row, values)
        _flush(scope, db, model, id, "edit")
        rules.changed(scope, db, row, before, extra)
        return row


# --- steps -----------------------------------------------------------------------------------------------


def reason_of(given: Mapping[str, Any]) -> str | None:
    """Why a record is entered although one like it is there; the log keeps it."""
    return line(given.get(_REASON), _REASON)


def check_may_create(scope: Scope, model: type[Entity]) -> None:
    if not scope.policy.ever(scope.person, "create", model.module):
        raise scope.denied(Forbidden(action=f"{model.module}.create"), model, None, "create")
    if model.singleton:
        raise Validation("There is one of this already, and only one.", "此项有且仅有一条。")


def split(
    scope: Scope, model: type[Entity], given: Mapping[str, Any], *, creating: bool
) -> tuple[dict[str, Any], dict[str, Any]]:
    """(values of columns, extra inputs of the rules).  Custom fields are one value, `custom`, of what is given of them."""
    rules = rules_of(model)
    given, customs = take_customs(scope, model, given)
    extra = {key: value for key, value in given.items() if key in rules.extra_inputs}
    for key in sorted(extra.keys() & rules.create_only_inputs):
        if not creating:
            raise invalid(key, "is only given at creation", "仅可在新建时填写")
    values = clean(model, {key: value for key, value in given.items() if key not in extra}, creating=creating)
    if customs is not None:
        values[COLUMN] = merged(None, customs) if creating else customs
    return values, extra


def merge_customs(row: Entity, values: dict[str, Any]) -> dict[str, Any]:
    """The values of an edit, with the custom fields that the record keeps."""
    if COLUMN not in values:
        return values
    return {**values, COLUMN: merged(getattr(row, COLUMN), values[COLUMN])}


def _flush(scope: Scope, db: Session, model: type[Entity], id: int | None, action: str) -> None:
    """Flush; a refusal of the write guard is logged with the record that it is about."""
    try:
        db.flush()
    except Forbidden as refusal:
        raise scope.denied(refusal, model, id, action) from None
