"""Custom fields: defining them, with options or a dictionary that is there, changing, ordering, retiring, bringing back."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models import ENTITIES, Contact, Customer, CustomField, Entity, Opportunity
from models.base import is_customised
from models.custom_field import CHOICES, UNSORTED, CustomKind
from models.database.bypass import Because, bypass_policy
from models.errors import NotFound, Validation

from ..reading.clauses import in_bin, visible
from ..reading.matching import matching
from ..runtime.batch import Mode, Outcome, each
from ..runtime.form_terms import FormTerms, holds
from ..runtime.inputs import invalid, not_offered, required
from ..runtime.lifecycle import Rules
from ..runtime.scope import Scope
from .custom_conversion import refuse_if_held
from .custom_docs import renew_later
from .custom_options import begin_dictionary, cleaned, dictionary_of, key_from, take_options
from .custom_uses import refuse_if_asked

MOST_FIELDS = 100
"""Maximum number of custom fields of one kind of records, retired ones included."""
OPTIONS = "options"
CUSTOMISED: dict[str, type[Entity]] = {model.module: model for model in ENTITIES if is_customised(model)}
"""Module -> the entity whose records have custom fields."""
TARGETS: dict[str, type[Entity]] = {model.module: model for model in (Customer, Contact, Opportunity)}
"""Module -> the entity that a REFERENCE can hold.  A PERSON holds a user."""


class CustomFieldRules(Rules[CustomField]):
    """A field has a key of its own, what its kind needs, and stays as long as a record holds a value of it."""

    extra_inputs = merging_inputs = frozenset({OPTIONS})
    form: ClassVar[FormTerms] = FormTerms(
        one_of=(("label_en", "label_zh"),),
        required_when={"target": holds("kind", CustomKind.REFERENCE.name)},
    )

    def prepare(self, scope: Scope, db: Session, values: dict[str, Any], extra: dict[str, Any]) -> None:
        """The names, the key and the place where they are not given, and the dictionary that comes with the options."""
        module = values.get("for_module")
        if module not in CUSTOMISED:
            raise not_offered("for_module")
        values["label_en"] = values.get("label_en") or values.get("label_zh")
        if values["label_en"] is None:
            raise required("label_en")
        there = _keys(db, module)
        if len(there) >= MOST_FIELDS:
            raise Validation(
                f"There are {MOST_FIELDS} custom fields already; delete one that no record uses.",
                f"自定义字段已达 {MOST_FIELDS} 个，请先删除未使用的字段。",
            )
        values["key"] = values.get("key") or key_from(values["label_en"], there, "field")
        values["position"] = values.get("position") or _last_place(db, module) + 1
        if values.get("kind") in CHOICES and not values.get("dictionary"):
            values["dictionary"] = begin_dictionary(scope, values, cleaned(extra.pop(OPTIONS, None) or []))

    def check(self, scope: Scope, db: Session, row: CustomField, values: dict[str, Any]) -> None:
        """Judge kind, options and target together."""
        if row.for_module not in CUSTOMISED:
            raise not_offered("for_module")
        check_kind(db, row.kind, row.dictionary, row.target)
        if row.is_searchable and row.kind in UNSORTED:
            raise invalid("is_searchable", "is for kinds that lists are ordered by", "不适用于该类型")

    def created(self, scope: Scope, db: Session, row: CustomField, extra: dict[str, Any]) -> None:
        if extra.get(OPTIONS):
            raise _own_options()
        if row.is_searchable:
            index_later(scope, row)

    def changed(
        self, scope: Scope, db: Session, row: CustomField, before: dict[str, Any], extra: dict[str, Any]
    ) -> None:
        """Take over the options, and have the index made or dropped."""
        if extra.get(OPTIONS) and row.kind not in CHOICES:
            raise _own_options()
        if extra.get(OPTIONS) is not None and row.kind in CHOICES:
            take_options(scope, db, row, cleaned(extra[OPTIONS]))
        if "is_searchable" in before and before["is_searchable"] != row.is_searchable:
            row.searchable_at = None
            index_later(scope, row)

    def deleted(self, scope: Scope, db: Session, row: CustomField) -> None:
        """Raise InUse while a record holds a value: a field that is no longer wanted is retired."""
        refuse_if_asked(db, row)
        refuse_if_held(db, row)

    def purged(self, scope: Scope, db: Session, row: CustomField) -> None:
        refuse_if_held(db, row)


def check_kind(db: Session, kind: CustomKind, dictionary: str | None, target: str | None) -> None:
    """Raise Validation for a kind without what it needs, or with what it has no use for."""
    if (kind in CHOICES) != bool(dictionary):
        raise (
            required("dictionary")
            if kind in CHOICES
            else invalid("dictionary", "is for choices only", "仅用于选项字段")
        )
    if dictionary:
        dictionary_of(db, dictionary)
    if (kind is CustomKind.REFERENCE) != bool(target) or (target and target not in TARGETS):
        raise not_offered("target")


def index_later(scope: Scope, row: CustomField) -> None:
    """Have the index of a field made or dropped by a job, in the open transaction."""
    scope.later("index_custom_field", {"id": row.id}, order_key=f"customfield:{row.id}")


def retire(scope: Scope, ids: Sequence[int], mode: Mode = Mode.BEST_EFFORT) -> Outcome:
    """Take fields out of forms, lists and filters.  Every value stays, and history shows it.

    Problems: NOT_FOUND, FORBIDDEN, IN_BIN, VALIDATION (retired already).
    """

    def work(db: Session, id: int) -> None:
        row = scope.load(db, CustomField, id, to="edit")
        if row.retired_at is not None:
            raise Validation(f"{row.label} is retired already.", f"“{row.label_zh or row.label}”已停用。")
        row.retired_at = scope.now()
        renew_later(scope, row)

    return each(scope, "customfield.retire", CustomField, ids, mode, work)


def bring_back(scope: Scope, ids: Sequence[int], mode: Mode = Mode.BEST_EFFORT) -> Outcome:
    """Offer retired fields again, with all their values.

    Problems: NOT_FOUND, FORBIDDEN, IN_BIN, VALIDATION (not retired).
    """

    def work(db: Session, id: int) -> None:
        row = scope.load(db, CustomField, id, to="edit")
        if row.retired_at is None:
            raise Validation(f"{row.label} is in use.", f"“{row.label_zh or row.label}”正在使用中。")
        row.retired_at = None
        renew_later(scope, row)

    return each(scope, "customfield.bring_back", CustomField, ids, mode, work)


def arrange(scope: Scope, ids: Sequence[int]) -> list[int]:
    """Put fields of one kind of records into this order; those that are not named follow in theirs.  Returns all ids.

    Raises NotFound, Forbidden, InBin, Validation (fields of two kinds of records).
    """
    with scope.write("customfield.edit") as db:
        rows = [scope.load(db, CustomField, id, to="edit") for id in dict.fromkeys(ids)]
        if len({row.for_module for row in rows}) > 1:
            raise Validation("Only fields of one kind of records have an order.", "只能对同一对象的字段排序。")
        rest = _others(db, rows) if rows else []
        for place, row in enumerate([*rows, *rest], 1):
            if row.position != place:
                row.position = place
        return [row.id for row in (*rows, *rest)]


def definitions(scope: Scope, db: Session, module: str) -> list[CustomField]:
    """The fields of a kind of records in their order, retired ones included, as far as the caller sees definitions."""
    scope.allow("view", CustomField.module)
    asked = select(CustomField).where(CustomField.for_module == module, CustomField.deleted_at.is_(None))
    return list(db.execute(asked.order_by(CustomField.position, CustomField.id)).scalars())


@dataclass(frozen=True)
class Use:
    """How far a field is filled in: records with a value and without one, as far as the caller sees them."""

    filled: int
    missing: int


def use_of(scope: Scope, db: Session, id: int) -> Use:
    """How many live records hold a value of the field, and how many lack one.  Raises NotFound.

    Counts what the caller sees, so it tells nobody about records of others.
    """
    scope.allow("view", CustomField.module)
    row = db.get(CustomField, id)
    if row is None:
        raise NotFound(what=CustomField.names)
    model, word = CUSTOMISED[row.for_module], f"custom.{row.key}"
    return Use(*(_count(scope, db, model, {word: {"is_null": empty}}) for empty in (False, True)))


def _count(scope: Scope, db: Session, model: type[Entity], tree: dict[str, Any]) -> int:
    e: Any = model
    where = (matching(scope.viewer, model, e, tree), in_bin(model, e, wanted=False))
    found = visible(scope.viewer, model, e.id).where(*where).subquery()
    return db.execute(select(func.count()).select_from(found)).scalar_one()


# --- steps -----------------------------------------------------------------------------------------------


def _keys(db: Session, module: str) -> list[str]:
    asked = select(CustomField.key).where(CustomField.for_module == module, CustomField.deleted_at.is_(None))
    return list(db.execute(asked, execution_options=bypass_policy(Because.KEEPS_RULE)).scalars())


def _last_place(db: Session, module: str) -> int:
    asked = select(func.max(CustomField.position)).where(CustomField.for_module == module)
    return db.execute(asked, execution_options=bypass_policy(Because.KEEPS_RULE)).scalar_one() or 0


def _others(db: Session, rows: Sequence[CustomField]) -> list[CustomField]:
    f = CustomField
    asked = select(f).where(f.for_module == rows[0].for_module, f.deleted_at.is_(None))
    asked = asked.where(f.id.not_in([row.id for row in rows])).order_by(f.position, f.id)
    return list(db.execute(asked, execution_options=bypass_policy(Because.FOLLOWS_CHECK)).scalars())


def _own_options() -> Validation:
    return invalid("options", "belong to a choice with a list of its own", "仅用于自带列表的选项字段")
