"""Form schema: every field of an entity that the caller may see or set, with what a front end needs to draw it."""

from collections.abc import Collection, Iterator
from typing import Any

from sqlalchemy import JSON, Boolean, Column, Date, Enum, Integer, Text, select
from sqlalchemy.orm import Session

from models import ENTITIES, AssignmentShare, ClaimCondition, CustomField, DuplicateRule, Entity, NumberRule
from models.base import Money, Utc, column_of, columns, is_customised, trait_of
from models.custom_field import is_custom
from models.duplicates import DEFAULTS
from models.errors import Forbidden, NotFound, Validation
from models.people import LANGUAGES
from policies.objects import FIELDS, field_name

from ..reading.offers import offers
from ..reading.pages import target_of
from ..runtime.ids import camel, global_id
from ..runtime.lifecycle import rules_of
from ..runtime.scope import Scope
from ..runtime.viewer import UNGUARDED
from .custom_fields import CUSTOMISED, TARGETS
from .field_rights import HIDDEN, open_fields
from .form_details import detailed
from .form_fields import FieldType as FieldType
from .form_fields import FormField as FormField
from .form_fields import custom_form_field
from .numbering import NUMBERED


async def form(scope: Scope, entity: str, action: str, id: int | None = None) -> list[FormField]:
    """As `form_schema`, and Forbidden for a new record that the caller could not save, whatever they fill in."""
    model = next((x for x in ENTITIES if x.__name__ == entity and not x.singleton), None)
    if model is not None and action == "create" and model not in (await offers(scope, ())).drafted:
        raise Forbidden(action=f"{model.module}.create")
    return await scope.read(form_schema, entity, action, id)


def form_schema(scope: Scope, db: Session, entity: str, action: str, id: int | None = None) -> list[FormField]:
    """The fields of an entity that the caller may see or set, to create a record, or to edit this one or any.

    No field is editable in a record that the caller may not edit.  One or two queries with an id, none without.
    Raises Forbidden (no right to create), NotFound, Validation (unknown entity or action).
    """
    model = _model(entity)
    if action not in ("create", "edit"):
        raise Validation("action must be create or edit.", "action 必须是 create 或 edit。", field="action")
    creating = action == "create"
    if creating and id is not None:
        raise Validation("A new record has no id yet.", "新建时没有 id。", field="recordId")
    scope.allow("create" if creating else "view", model.module)
    customs = _customs(scope, model)
    keys = [*_keys(model, creating=creating), *customs]
    seen, editable = (
        _in_some(scope, model, keys, creating=creating) if id is None else _in_one(scope, db, model, id, keys)
    )
    editable &= {*settable(model, creating=creating), *(word for word in customs if word in seen)}
    shown = [key for key in keys if key in seen or key in editable]
    fields = [_described(scope, model, key, key in seen, key in editable) for key in shown]
    return detailed(scope, db, model, fields, creating=creating)


def writable(scope: Scope, model: type[Entity], *, creating: bool) -> list[FormField]:
    """The fields that the caller may set in some new record, or in some that is there, in the order of forms.

    Empty for a caller without the right.  No query.
    """
    keys = [*settable(model, creating=creating), *_customs(scope, model)]
    seen, editable = _in_some(scope, model, keys, creating=creating)
    editable = {key for key in editable if key in seen or not is_custom(key)}
    return [_described(scope, model, key, key in seen, True) for key in keys if key in editable]


def visible_field(scope: Scope, model: type[Entity], key: str) -> FormField | None:
    """One field, which nobody sets by this description; None where the caller may see it in no record."""
    return _described(scope, model, key, True, False) if _may_ever(scope, model, key, "view") else None


# --- which fields ----------------------------------------------------------------------------------------


def _model(entity: str) -> type[Entity]:
    found = next((model for model in ENTITIES if model.__name__ == entity), None)
    if found is None:
        known = ", ".join(model.__name__ for model in ENTITIES)
        raise Validation(
            f"There is no entity {entity}; known: {known}.", f"没有实体 {entity}，可选：{known}。", field="entity"
        )
    return found


def _keys(model: type[Entity], *, creating: bool) -> Iterator[str]:
    """The keys that a form sets, and for an existing record also those that it only shows."""
    if creating:
        yield from settable(model, creating=True)
        return
    yield from (column.key for column in columns(model) if column.key not in HIDDEN | UNGUARDED)
    yield from _extra_inputs(model, creating=False)


def _customs(scope: Scope, model: type[Entity]) -> list[str]:
    """The words of the custom fields that a form has after all others."""
    return [x.word for x in scope.policy.book.of(model.module)] if is_customised(model) else []


def settable(model: type[Entity], *, creating: bool) -> Iterator[str]:
    """The keys that a form may set: columns and, as far as they may still change, the extra inputs of the rules."""
    if model.singleton and creating:
        return
    for column in columns(model):
        trait = trait_of(column)
        if not (trait.system_managed or column.primary_key or (trait.immutable and not creating)):
            yield column.key
    yield from _extra_inputs(model, creating=creating)


def _extra_inputs(model: type[Entity], *, creating: bool) -> list[str]:
    rules = rules_of(model)
    keys = rules.extra_inputs if creating else rules.extra_inputs - rules.create_only_inputs
    return sorted(keys, key=EXTRA_INPUTS.index)


EXTRA_INPUTS = [
    "contact_name",
    "contact_title",
    "contact_phone",
    "contact_email",
    "points",
    "duplicate_reason",
    "options",
]
"""Every extra input of a form, in order."""


# --- rights on them --------------------------------------------------------------------------------------


def _in_some(scope: Scope, model: type[Entity], keys: list[str], *, creating: bool) -> tuple[set[str], set[str]]:
    """(keys that the caller may see, keys that they may set) in some record.  A new field needs create and edit."""
    actions = ("create", "edit") if creating else ("view", "edit")
    may = scope.policy.ever(scope.person, "create" if creating else "edit", model.module)
    seen = {key for key in keys if _may_ever(scope, model, key, "view")}
    editable = {key for key in keys if may and all(_may_ever(scope, model, key, action) for action in actions)}
    return seen, editable


def _may_ever(scope: Scope, model: type[Entity], key: str, action: str) -> bool:
    field = field_name(key)
    if f"{model.module}.{field}" not in FIELDS:
        return True
    if scope.policy.guard(scope.person, model, field, model.__table__.c, action) is None:
        return True
    return scope.policy.ever(scope.person, action, f"{model.module}.{field}")


def _in_one(scope: Scope, db: Session, model: type[Entity], id: int, keys: list[str]) -> tuple[set[str], set[str]]:
    """(keys that the caller may see, keys that they may set) in this record.  Raises NotFound."""
    table: Any = model.__table__
    may = scope.policy.where(scope.person, "edit", model, table.c).label("may")
    seen = scope.policy.where(scope.person, "view", model, table.c)
    asked = select(may, table.c.deleted_at.is_(None).label("live")).where(table.c.id == id, seen)
    row = db.execute(asked.execution_options(policy=True)).first() if id else None
    if row is None:
        raise NotFound(what=model.names, field="recordId", record_id=global_id(model, id) if id else None)
    shown = open_fields(scope, db, model, id, keys, ("view",))
    return shown, open_fields(scope, db, model, id, keys) if row.may and row.live else set()


def _described(scope: Scope, model: type[Entity], key: str, visible: bool, editable: bool) -> FormField:
    custom = scope.policy.book.find(model.module, key)
    return _field(model, key, visible, editable) if custom is None else custom_form_field(custom, visible, editable)


# --- kinds of fields -------------------------------------------------------------------------------------


def _field(model: type[Entity], key: str, visible: bool, editable: bool) -> FormField:
    if key not in model.__table__.c:
        return FormField(key, camel(key), _LISTS.get(key, FieldType.TEXT), False, visible, editable)
    column = column_of(model, key)
    trait, target = trait_of(column), target_of(model, key)
    choices = _choices(model, column)
    return FormField(
        key,
        camel(key),
        _kind(model, column, choices),
        (not column.nullable and column.default is None and not trait.generated and not trait.system_managed)
        or trait.required,
        visible,
        editable,
        length=getattr(column.type, "length", None) if not choices else None,
        dictionary=trait.dictionary or trait.words_of,
        choices=choices,
        reference=target.__name__ if target else None,
        kind_in="granteeKind" if key == "grantee_id" else None,
    )


_LISTS = {"points": FieldType.POINTS, "options": FieldType.OPTIONS}
"""The extra inputs that are lists of objects."""


def _kind(model: type[Entity], column: Column[Any], choices: tuple[str, ...]) -> FieldType:
    if target_of(model, column.key) or column.key == "grantee_id":
        return FieldType.RECORD
    if choices:
        return FieldType.CHOICE
    if trait_of(column).words_of:
        return FieldType.WORDS
    return FieldType.CONDITION if (model, column.key) in CONDITIONS else _type(column)


CONDITIONS: frozenset[tuple[type[Entity], str]] = frozenset(
    {(ClaimCondition, "condition"), (AssignmentShare, "condition")}
)
"""Columns that hold a condition on customers, as JSON."""


def _choices(model: type[Entity], column: Column[Any]) -> tuple[str, ...]:
    """The names of an enum's members as in the API, or the fixed choices of a language or a numbered module."""
    if isinstance(column.type, Enum):
        return tuple(member.name for member in column.type.enum_class or ())
    if column.key == "language":
        return tuple(LANGUAGES)
    return tuple(_MODULES.get((model, column.key), ()))


_MODULES: dict[tuple[type[Entity], str], Collection[str]] = {
    (NumberRule, "for_module"): NUMBERED,
    (DuplicateRule, "for_module"): DEFAULTS,
    (CustomField, "for_module"): CUSTOMISED,
    (CustomField, "target"): TARGETS,
}
"""Columns that hold the name of a module, with those that they offer."""


def _type(column: Column[Any]) -> FieldType:
    if trait_of(column).dictionary:
        return FieldType.WORD
    for sql, kind in _TYPES:
        if isinstance(column.type, sql):
            return kind
    return FieldType.TEXT


_TYPES: tuple[tuple[type[Any], FieldType], ...] = (
    (Utc, FieldType.TIME),
    (Date, FieldType.DATE),
    (Money, FieldType.AMOUNT),
    (Boolean, FieldType.YES_NO),
    (Integer, FieldType.WHOLE_NUMBER),
    (JSON, FieldType.LIST),
    (Text, FieldType.LONG_TEXT),
)
