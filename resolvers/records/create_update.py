"""Use cases of every entity: create and update here; delete, restore and purge in `recycle_bin.py`.

An entity adds its own rules as a subclass of `Rules` (`resolvers/runtime/lifecycle.py`).
"""

from collections.abc import Mapping
from typing import Any, TypeVar

from sqlalchemy.orm import Session

from models import Entity
from models.base import column_of, trait_of
from models.errors import Forbidden, Refusal, Validation

from ..runtime.constraint_errors import translated
from ..runtime.gathering import Gathering
from ..runtime.inputs import clean, invalid, lacking, line, required
from ..runtime.lifecycle import rules_of
from ..runtime.scope import Scope
from ..runtime.trial import trial
from ..runtime.write_guard import check_given_references
from .custom_values import COLUMN, check_emptied, dotted, merged, missing, require_customs, take_customs
from .dictionaries import check_words
from .edit_conflicts import check_version
from .field_rights import check_fields
from .judging import judge, judge_rest, without_refused
from .recycle_bin import delete as delete
from .recycle_bin import purge as purge
from .recycle_bin import restore as restore
from .references import children_of as children_of

E = TypeVar("E", bound=Entity)

_REASON = "duplicate_reason"
"""The input that is no field of the record: the log keeps it."""


def create(scope: Scope, model: type[E], given: Mapping[str, Any]) -> E:
    """A new record.  `given` holds column values and the extra inputs of the entity's rules.

    Raises Forbidden, Validation, Duplicate, NotFound (a reference), CapacityReached and what the rules add; the refusal
    carries the others that were found with it.
    """
    rules = rules_of(model)
    with scope.write(f"{model.module}.create", reason_of(given)) as db:
        check_may_create(scope, model)
        found = Gathering()
        values, extra = split(scope, model, given, creating=True, found=found)
        empty = missing(scope, model, values.get(COLUMN))
        with found.noting():
            rules.prepare(scope, db, values, extra)
        for key in lacking(model, values):
            if not (found and trait_of(column_of(model, key)).generated):
                found.note(required(key))
        with found.noting():
            check_words(scope, db, model, values)
        if found:
            judge_rest(scope, db, rules, model, values, found)
            found.settle()
        row = model(**values)
        with db.no_autoflush:
            judge(scope, db, rules, row, values, found)
        if found:
            _refuse_whole(db, model, values, found)
        db.add(row)
        _flush(scope, db, model, None, "create")
        denied = _denied(scope, db, row, given)
        with found.noting():
            denied.settle()
        with found.noting():
            require_customs(scope, db, row, empty)
        if not denied:  # else what a field tells of other records would be told to who may not fill it in
            with found.noting():
                rules.created(scope, db, row, extra)
        found.settle()
        return row


def update(scope: Scope, model: type[E], id: int, given: Mapping[str, Any], version: int | None = None) -> E:
    """The record after the given fields, and no others, were changed.

    An edit of an older `version` is merged into the newer state, unless the same fields were changed since.
    Raises NotFound, Forbidden, Locked, InBin, Conflict (with both values), Validation, Duplicate; the refusal carries
    the others that were found with it.
    """
    rules = rules_of(model)
    with scope.write(f"{model.module}.edit", reason_of(given)) as db:
        row = scope.load(db, model, id, to="edit")
        found = Gathering()
        values, extra = split(scope, model, given, creating=False, found=found)
        with found.noting():
            check_fields(scope, db, row, given, ("view", "edit"))
        if found:  # nothing may be told of the value of a field that the caller may not see
            values = without_refused(values, found)
            extra = {key: value for key, value in extra.items() if not found.blames(key)}
        plain, customs = {key: value for key, value in values.items() if key != COLUMN}, values.get(COLUMN)
        others = {key: extra[key] for key in extra if key not in {_REASON, *rules.merging_inputs}}
        with found.noting():
            check_version(db, row, {**plain, **dotted(customs), **others}, version)
        with found.noting():
            check_emptied(scope, model, customs)
        with found.noting():
            check_words(scope, db, model, values, row)
        values = without_refused(values, found) if found else values
        values = merge_customs(row, values)
        before = {key: getattr(row, key) for key in values}
        for key, value in values.items():
            with found.noting():
                setattr(row, key, value)
        with db.no_autoflush:
            judge(scope, db, rules, row, values, found, before)
        if found:
            _refuse_whole(db, model, {key: value for key, value in values.items() if value != before[key]}, found)
        _flush(scope, db, model, id, "edit")
        rules.changed(scope, db, row, before, extra)
        return row


def wrong_in(
    scope: Scope, model: type[Entity], given: Mapping[str, Any], id: int | None = None, version: int | None = None
) -> list[Refusal]:
    """What `create` would refuse of these values now, or `update` with an `id`.  Nothing is changed or logged."""
    try:
        with trial(scope, f"{model.module}.{'create' if id is None else 'edit'}"):
            if id is None:
                create(scope, model, given)
            else:
                update(scope, model, id, given, version)
    except Refusal as refusal:
        return refusal.all
    return []


def _denied(scope: Scope, db: Session, row: Entity, given: Mapping[str, Any]) -> Gathering:
    """The fields of a new record that the caller may not fill in."""
    found = Gathering()
    with found.noting():
        check_fields(scope, db, row, given, ("create", "edit"))
    return found


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
    scope: Scope, model: type[Entity], given: Mapping[str, Any], *, creating: bool, found: Gathering | None = None
) -> tuple[dict[str, Any], dict[str, Any]]:
    """(values of columns, extra inputs of the rules).  Custom fields are one value, `custom`, of what is given of them.

    What is wrong with a value is raised; with `found` it is noted there, and the value is left out.
    """
    rules, gathered = rules_of(model), found if found is not None else Gathering()
    given, customs = take_customs(scope, model, given, gathered)
    extra = {key: value for key, value in given.items() if key in rules.extra_inputs}
    for key in sorted(extra.keys() & rules.create_only_inputs):
        if not creating:
            gathered.note(invalid(key, "is only given at creation", "仅可在新建时填写"))
    values = clean(
        model, {key: value for key, value in given.items() if key not in extra}, creating=creating, found=gathered
    )
    if found is None:
        gathered.settle()
    if customs is not None:
        values[COLUMN] = merged(None, customs) if creating else customs
    return values, extra


def merge_customs(row: Entity, values: dict[str, Any]) -> dict[str, Any]:
    """The values of an edit, with the custom fields that the record keeps."""
    if COLUMN not in values:
        return values
    return {**values, COLUMN: merged(getattr(row, COLUMN), values[COLUMN])}


def _refuse_whole(db: Session, model: type[Entity], values: Mapping[str, Any], found: Gathering) -> None:
    """Raise what was found, with the references that the flush would refuse.

    Nothing is flushed, because a value that stands in for a refused one could break a rule of the table, and because
    who gives one wrong value on purpose would learn of duplicates without a record.
    """
    with found.noting():
        check_given_references(db, model, without_refused(values, found))
    found.settle()


def _flush(scope: Scope, db: Session, model: type[Entity], id: int | None, action: str) -> None:
    """Flush; a refusal of the write guard is logged with the record that it is about."""
    try:
        with translated(db):
            db.flush()
    except Forbidden as refusal:
        raise scope.denied(refusal, model, id, action) from None
