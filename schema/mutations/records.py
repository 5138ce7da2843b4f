"""The mutations of every entity, derived from the models: create, update, delete, restore and purge."""

from collections.abc import Callable
from dataclasses import asdict, fields
from types import GenericAlias
from typing import Any, cast

import strawberry

from models import ENTITIES, Entity
from models.base import Trait, column_of, columns, is_customised, trait_of
from models.contact import PointKind
from models.custom_field import Book
from resolvers.records import create_update
from resolvers.runtime.batch import Mode, Outcome
from resolvers.runtime.idempotency import single
from resolvers.runtime.ids import number_of
from resolvers.runtime.lifecycle import rules_of
from resolvers.runtime.scope import Scope

from ..closed_lists import closed_of
from ..contract import Answered, GraphQLInfo, act, derived, mutation
from ..plan.shape import SHAPES, Column, PolymorphicId, name_of, plural
from ..types import make
from ..types.columns import python_type
from ..types.custom import CustomInput, given_customs
from ..types.payloads import batch_payload_of, payload_of
from .batches import RecordsInput, batch


@strawberry.input(description="One phone number, e-mail address or other way to reach somebody.")
class ContactPointInput:
    kind: make.enum_of(PointKind)  # type: ignore[valid-type]  # made from the models' enum
    """What sort of number or address it is."""
    value: str
    """The number or address as it is to be shown. At most 200 characters."""


@strawberry.input(
    description="One option of a custom choice.  Without a key it gets one out of its name; a key that is there already"
    " keeps its records and gets these names."
)
class CustomOptionInput:
    label_en: str | None = None
    """What it is called in English; the Chinese label where it is left out."""
    label_zh: str | None = None
    """What it is called in Chinese; the English label where it is left out."""
    key: str | None = None
    """What records store; it is never changed."""
    aliases: list[str] | None = None
    """Other words for it that an import understands."""
    is_archived: bool = False
    """Whether forms no longer offer it; records keep it."""


_LISTS: dict[str, Any] = {"points": ContactPointInput, "options": CustomOptionInput}
"""Extra inputs that are lists -> the type of their items."""


@strawberry.input(
    description="Which records of the bin are deleted for good; this cannot be undone. With `skipBin` also records that"
    " are not in the bin, under the rights to delete and to purge."
)
class PurgeInput:
    ids: list[strawberry.ID]
    confirm: bool = False
    """Has to be true: this is final."""
    skip_bin: bool = False
    """Whether records outside the recycle bin are purged, too."""
    mode: Mode = Mode.BEST_EFFORT
    reason: str | None = None
    idempotency_key: str | None = None


@derived
def declare_mutations() -> None:
    for model in ENTITIES:
        if not model.singleton:
            _create(model)
        _update(model)
        if not model.singleton:
            _delete(model)
            _restore(model)
            _purge(model)


_DOCS: dict[str, str] = {
    "create": "Create a {one} by the rules of its form: what is required, lists of words, duplicates.  A refused one leaves nothing"
    " behind.",
    "edit": "Change fields of a {one}; those that are left out stay.  An edit of an older `version` is merged into the newer state,"
    " unless the same fields were changed since: the problem CONFLICT tells both values.",
    "delete": "Move {many} to the recycle bin, each together with what belongs to it alone.  Problems: NOT_FOUND, FORBIDDEN, IN_BIN.",
    "restore": "Bring {many} back from the recycle bin, each with what went there together with it.  Problems: NOT_FOUND, FORBIDDEN.",
    "purge": "Delete {many} for good, with what belongs to them alone; the operation log keeps what happened.  This cannot be undone.",
}
"""Action -> what its mutation does."""


def _mutation(
    model: type[Entity], name: str, right: str, input: Any, payload: Any, resolver: Callable[..., Any]
) -> None:
    resolver.__doc__ = _DOCS[right.partition(".")[2]].format(one=model.names.noun, many=model.names.nouns)
    function = make.function(make.python_name(name), {"info": GraphQLInfo, "input": input}, resolver)
    mutation(right, returns=payload)(function)


# --- create and update -----------------------------------------------------------------------------------


def _create(model: type[Entity]) -> None:
    right = f"{model.module}.create"

    async def create(info: GraphQLInfo, input: Any) -> Answered:
        given = given_of(model, input, info.context.scope.policy.book)

        def call(scope: Scope) -> Outcome:
            return single(create_update.create(scope, model, given))

        return await act(info.context, model, right, input.idempotency_key, given, call)

    _mutation(model, f"create{name_of(model)}", right, _input(model, is_new=True), payload_of(model), create)


def _update(model: type[Entity]) -> None:
    right = f"{model.module}.edit"

    async def update(info: GraphQLInfo, input: Any) -> Answered:
        given, id = given_of(model, input, info.context.scope.policy.book), number_of(model, input.id)

        def call(scope: Scope) -> Outcome:
            return single(create_update.update(scope, model, id, given, input.version))

        arguments = {"id": id, "version": input.version, **given}
        return await act(info.context, model, right, input.idempotency_key, arguments, call, subject=id)

    _mutation(model, f"update{name_of(model)}", right, _input(model, is_new=False), payload_of(model), update)


def _input(model: type[Entity], *, is_new: bool) -> str:
    """The name of an input type with each column that may be set, and the extra inputs of the entity's rules."""
    annotations: dict[str, Any] = {} if is_new else {"id": strawberry.ID, "version": int}
    members: dict[str, Any] = {}
    for column in columns(model):
        trait = trait_of(column)
        if trait.system_managed or column.primary_key or (trait.immutable and not is_new):
            continue
        annotations[column.key] = _input_type(model, column.key) | None
        members[column.key] = strawberry.UNSET
        if is_new and _is_required(column, trait):
            annotations[column.key] = _input_type(model, column.key)
            del members[column.key]
    rules = rules_of(model)
    for extra in sorted(rules.extra_inputs if is_new else rules.extra_inputs - rules.create_only_inputs):
        annotations[extra] = GenericAlias(list, _LISTS[extra]) | None if extra in _LISTS else str | None
        members[extra] = strawberry.UNSET
    if is_customised(model):
        annotations["custom"], members["custom"] = list[CustomInput] | None, strawberry.UNSET
    annotations["idempotency_key"], members["idempotency_key"] = str | None, None
    name = f"{'Create' if is_new else 'Update'}{name_of(model)}Input"
    doc = f"A new {name_of(model)}." if is_new else "What is given changes, everything else stays."
    make.new_type(
        name, dict(sorted(annotations.items(), key=lambda x: x[0] in members)), doc, strawberry.input, members
    )
    return name


def _is_required(column: Any, trait: Trait) -> bool:
    return not column.nullable and column.default is None and not trait.generated


def _input_type(model: type[Entity], key: str) -> Any:
    if any(isinstance(x, PolymorphicId) and x.column.key == key for x in SHAPES[model].values()):
        return strawberry.ID
    return python_type(column_of(model, key))


def given_of(model: type[Entity], input: Any, book: Book) -> dict[str, Any]:
    """The given inputs by column keys, with numbers for ids; inputs that were left out are missing."""
    given = {
        f.name: getattr(input, f.name) for f in fields(input) if f.name not in ("id", "version", "idempotency_key")
    }
    given = {key: value for key, value in given.items() if value is not strawberry.UNSET}
    customs = given_customs(book, model.module, given.pop("custom", None) or ()) if is_customised(model) else {}
    by_key: dict[str, Any] = {x.column.key: x for x in SHAPES[model].values() if isinstance(x, Column | PolymorphicId)}
    return {key: _plain(given, by_key.get(key), value) for key, value in given.items()} | customs


def _plain(given: dict[str, Any], shape: Any, value: Any) -> Any:
    if value is None:
        return None
    if isinstance(shape, PolymorphicId):
        target = shape.targets.get(given.get(shape.kind, ""))
        return number_of(target, value) if target is not None else 0
    if isinstance(shape, Column) and shape.target is not None:
        return number_of(shape.target, value)
    if isinstance(shape, Column) and (closed := closed_of(shape.column)) is not None:
        return closed.text_of(value)
    if isinstance(value, list):
        return [asdict(cast("Any", x)) if isinstance(x, tuple(_LISTS.values())) else x for x in value]
    return value


# --- the recycle bin -------------------------------------------------------------------------------------


def _batch_name(verb: str, model: type[Entity]) -> str:
    return f"{verb}{plural(model)[0].upper()}{plural(model)[1:]}"


def _delete(model: type[Entity]) -> None:
    async def delete(info: GraphQLInfo, input: RecordsInput) -> Answered:
        def call(scope: Scope, ids: list[int]) -> Outcome:
            return create_update.delete(scope, model, ids, input.mode, input.reason)

        return await batch(info, model, input, call)

    right = f"{model.module}.delete"
    _mutation(model, _batch_name("delete", model), right, RecordsInput, batch_payload_of(model), delete)


def _restore(model: type[Entity]) -> None:
    async def restore(info: GraphQLInfo, input: RecordsInput) -> Answered:
        def call(scope: Scope, ids: list[int]) -> Outcome:
            return create_update.restore(scope, model, ids, input.mode, input.reason)

        return await batch(info, model, input, call)

    right = f"{model.module}.restore"
    _mutation(model, _batch_name("restore", model), right, RecordsInput, batch_payload_of(model), restore)


def _purge(model: type[Entity]) -> None:
    async def purge(info: GraphQLInfo, input: PurgeInput) -> Answered:
        def call(scope: Scope, ids: list[int]) -> Outcome:
            return create_update.purge(
                scope,
                model,
                ids,
                confirm=input.confirm,
                skip_bin=input.skip_bin,
                mode=input.mode,
                reason=input.reason,
            )

        return await batch(info, model, input, call)

    right = f"{model.module}.purge"
    _mutation(model, _batch_name("purge", model), right, PurgeInput, batch_payload_of(model), purge)
