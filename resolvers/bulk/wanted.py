"""What a bulk change sets: values of fields, words of a list that come or go, or a new owner; and how it is stored."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from models import ENTITIES, Contact, Customer, Entity, Opportunity
from models.base import is_customised
from models.custom_field import is_custom
from models.errors import Validation
from models.field_names import field_in_words

from ..exports.listing import Listing, as_json, from_json
from ..records.create_update import split
from ..records.form_schema import EXTRA_INPUTS, FieldType, FormField, settable, writable
from ..runtime.custom_fields import called, known_field, may_not_set
from ..runtime.gathering import Gathering
from ..runtime.ids import camel
from ..runtime.scope import Scope

OWNER = "owner_id"
TRANSFERABLE: tuple[type[Entity], ...] = (Customer, Contact, Opportunity)
"""The kinds of records whose owner changes by a transfer."""
MOST_FIELDS = 20
MOST_CHOSEN = 1_000
"""Maximum number of records of a selection."""
_WORDS, _OWNER = "$words", "$owner"
"""Marks of what JSON does not know."""


@dataclass(frozen=True)
class Words:
    """Words that come into a list and that leave it; the others stay."""

    add: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()

    def within(self, held: Iterable[str] | None) -> list[str]:
        """The list with the change made."""
        kept = [word for word in held or () if word not in self.remove]
        return [*kept, *(word for word in self.add if word not in kept)]


@dataclass(frozen=True)
class Handover:
    """A new owner.  `related`: the kinds of the former owner's records at a customer that go along, by module; None for all.

    `insist`, `lift_lock`: as `customers.transfer` takes them.
    """

    user_id: int
    related: tuple[str, ...] | None = None
    insist: bool = False
    lift_lock: bool = False


Given = Mapping[str, Any]
"""Key of a field -> the value that it gets, None to clear it, Words, or for `owner_id` a Handover."""


def takes_part(entity: str) -> type[Entity]:
    """The kind of record with this name, which is changed in bulk.  Raises Validation."""
    found = next((model for model in ENTITIES if model.__name__ == entity and model.in_bulk), None)
    if found is None:
        said = entity[:40]
        raise Validation(f"“{said}” cannot be changed in bulk.", f"“{said}”不能批量修改。", field="entity")
    return found


def changeable(scope: Scope, model: type[Entity]) -> list[FormField]:
    """The fields that the caller may set in some record by a bulk change, in the order of forms.  No query."""
    fields = writable(scope, model, creating=False)
    return [each for each in fields if each.type is not FieldType.POINTS and each.key not in EXTRA_INPUTS]


def may_transfer(scope: Scope, model: type[Entity]) -> bool:
    """Whether the caller may give some record of this kind to another owner."""
    return model in TRANSFERABLE and scope.policy.ever(scope.person, "transfer", model.module)


def check(scope: Scope, model: type[Entity], given: Given, chosen: Listing) -> None:
    """Refuse what would be refused for every record, and more than MOST_CHOSEN of a selection.

    Raises Forbidden, and Validation for nothing at all, a field that cannot be set in bulk, or a value that it cannot have.
    """
    if len(chosen.ids) > MOST_CHOSEN:
        raise Validation(
            f"At most {MOST_CHOSEN} records can be chosen one by one.", f"最多选择 {MOST_CHOSEN} 条记录。", field="ids"
        )
    if not given:
        raise Validation("Choose what to change.", "请选择要修改的内容。", field="set")
    if isinstance(given.get(OWNER), Handover):
        _check_handover(scope, model, given)
        return
    scope.allow("edit", model.module)
    known, found = {each.key: each for each in changeable(scope, model)}, Gathering()
    for key, value in given.items():
        with found.noting():
            _check_field(scope, model, key, known)
            if isinstance(value, Words):
                _check_words(known[key], value)
    if len(given) > MOST_FIELDS:
        raise Validation(f"At most {MOST_FIELDS} fields at once.", f"一次最多修改 {MOST_FIELDS} 个字段。", field="set")
    plain = {key: value for key, value in given.items() if not isinstance(value, Words)}
    with found.noting():
        split(scope, model, plain, creating=False)
    found.settle()


def _check_handover(scope: Scope, model: type[Entity], given: Given) -> None:
    if len(given) > 1:
        raise Validation(
            "Change the owner by itself, and other fields before or after.",
            "更换负责人须单独进行，其他字段请另行修改。",
            field=camel(OWNER),
        )
    if model not in TRANSFERABLE:
        raise Validation(
            f"{model.names.many} have no owner to change.", f"{model.names.zh}不能更换负责人。", field=camel(OWNER)
        )
    scope.allow("transfer", model.module)


def _check_field(scope: Scope, model: type[Entity], key: str, known: Mapping[str, FormField]) -> None:
    if key in known:
        return
    if is_custom(key) and is_customised(model):
        is_set = not known_field(scope.policy, scope.person, model, key, key).is_retired
    else:
        is_set = key in _set_by_forms(model)
    if is_set:
        raise scope.denied(may_not_set(scope.policy, model, key), model, None, "edit")
    english, chinese = called(scope.policy, model, key)
    raise Validation(f"{english} cannot be changed in bulk.", f"{chinese}不能批量修改。", field=camel(key))


def _set_by_forms(model: type[Entity]) -> set[str]:
    return {key for key in settable(model, creating=False) if key not in (*EXTRA_INPUTS, "points")}


def _check_words(field: FormField, value: Words) -> None:
    if field.type not in (FieldType.LIST, FieldType.WORDS):
        english, chinese = field.custom.named.names if field.custom else field_in_words(field.key)
        raise Validation(
            f"{english} holds one value: set it.", f"{chinese}只有一个值，请直接设置。", field=camel(field.key)
        )
    if not (value.add or value.remove):
        raise Validation("Choose what to change.", "请选择要修改的内容。", field=camel(field.key))


# --- for one record --------------------------------------------------------------------------------------


def held(row: Any, key: str) -> Any:
    """What a record holds in a field: a column, or `custom.…` in the column of custom values."""
    head, _dot, name = key.partition(".")
    value = getattr(row, head)
    return (value or {}).get(name) if name else value


def for_record(given: Given, row: Any) -> dict[str, Any]:
    """The inputs of the single use case for this record."""
    return {key: value.within(held(row, key)) if isinstance(value, Words) else value for key, value in given.items()}


def depends_on_record(given: Given) -> bool:
    return any(isinstance(value, Words) for value in given.values())


# --- in the database -------------------------------------------------------------------------------------


def stored(given: Given) -> dict[str, Any]:
    """As JSON, which `restored` reads."""
    return {key: _stored(value) for key, value in given.items()}


def _stored(value: Any) -> Any:
    if isinstance(value, Words):
        return {_WORDS: asdict(value)}
    return {_OWNER: asdict(value)} if isinstance(value, Handover) else as_json(value)


def restored(json: Mapping[str, Any]) -> dict[str, Any]:
    """What `stored` has written."""
    return {key: _restored(value) for key, value in json.items()}


def _restored(value: Any) -> Any:
    if isinstance(value, dict) and _WORDS in value:
        return Words(*(tuple(value[_WORDS][name]) for name in ("add", "remove")))
    if isinstance(value, dict) and _OWNER in value:
        kept: dict[str, Any] = value[_OWNER]
        return Handover(**{**kept, "related": None if kept["related"] is None else tuple(kept["related"])})
    return from_json(value)
