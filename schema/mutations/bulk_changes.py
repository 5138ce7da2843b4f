"""Bulk changes: `updateCustomersInBulk` and the like, derived from the models, and `undo` of any batch."""

from collections.abc import Mapping
from typing import Any, cast

import strawberry
from strawberry.scalars import JSON

from models import ENTITIES, BulkChange, Entity, User
from models.custom_field import Book
from models.errors import Refusal, Validation
from models.export import ExportRange
from resolvers.bulk import changes, changing, undoing
from resolvers.bulk.wanted import OWNER, TRANSFERABLE, Handover, Words
from resolvers.exports.asked import asked_listing
from resolvers.exports.listing import Listing
from resolvers.runtime.batch import Outcome
from resolvers.runtime.custom_fields import visible_book
from resolvers.runtime.idempotency import run_once
from resolvers.runtime.ids import number_of
from resolvers.runtime.scope import Scope

from ..closed_lists import modules_of
from ..contract import GraphQLInfo, derived, mutation
from ..plan.shape import name_of, plural
from ..problems import Problem, problems_of
from ..queries.bulk_changes import BulkChangeType, read_change
from ..types import make, namespace
from ..types.enums import EntityNameType
from .records import given_of

_LEFT_OUT = frozenset({"id", "version", "idempotency_key", "points", "duplicate_reason"})
"""Inputs of the update of one record that a bulk change does not take."""
IN_BULK = tuple(model for model in ENTITIES if model.in_bulk)


@strawberry.input(description="Words that come into a list or leave it; the others stay.")
class BulkWordsInput:
    field: str
    words: list[str]
    """Keys of words of its dictionary."""


@strawberry.input(description="A new owner, by a transfer. Nothing else changes with it.")
class BulkOwnerInput:
    user_id: strawberry.ID
    """The user who gets the records."""
    related: list[EntityNameType] | None = strawberry.field(
        default=None,
        description="The kinds of the former owner's records at customers that go along: CONTACT, OPPORTUNITY, PLAN. All without it.",
    )
    insist: bool = False
    """Whether the limit of the new owner may be exceeded; it needs the right to insist."""
    lift_lock: bool = False
    """Whether locks of other users are lifted, by who may unlock; else locked records are refused."""


@strawberry.input(description="A batch of the operation log: `batchId` of a bulk change, of a log entry.")
class UndoInput:
    batch_id: str
    """The batch: that of a bulk change, or of the log entries of a request."""
    reason: str | None = None


@strawberry.input(description="One of your bulk changes.")
class BulkChangeInput:
    id: strawberry.ID


@strawberry.type(description="The bulk change, and what was refused as a whole.")
class BulkChangePayload:
    change: BulkChangeType | None = None
    """The change as it stands; null where it was refused."""
    problems: list[Problem] = strawberry.field(default_factory=list)


@derived
def declare_bulk_changes() -> None:
    for model in IN_BULK:
        _declare(model)


def input_name(model: type[Entity]) -> str:
    """`UpdateCustomersInBulkInput`."""
    return f"Update{_plural(model)}InBulkInput"


def _plural(model: type[Entity]) -> str:
    return f"{plural(model)[0].upper()}{plural(model)[1:]}"


def _declare(model: type[Entity]) -> None:
    async def update_in_bulk(info: GraphQLInfo, input: Any) -> BulkChangePayload:
        async def begun(scope: Scope) -> int:
            chosen, given = asked(scope, model, input)

            def call(scope: Scope) -> Outcome:
                return Outcome([changing.begin(scope, model, chosen, given, input.reason)])

            about = {"list": chosen.stored(), "set": {key: str(value) for key, value in given.items()}}
            outcome: Outcome = await scope.run(run_once, input.idempotency_key, info.field_name, about, call)
            return outcome.ids[0]

        return await _answered(info.context.scope, begun)

    _input(model)
    name = f"update{_plural(model)}InBulk"
    doc = f"Change fields of many {model.names.nouns} in the background; asks for the right to change each of them."
    update_in_bulk.__doc__ = doc
    annotations = {"info": GraphQLInfo, "input": input_name(model), "return": BulkChangePayload}
    mutation("user.bulk_changes")(make.function(make.python_name(name), annotations, update_in_bulk))


def _input(model: type[Entity]) -> None:
    one = getattr(namespace, f"Update{name_of(model)}Input")
    fields = {key: kind for key, kind in one.__annotations__.items() if key not in _LEFT_OUT}
    unset = dict.fromkeys(fields, strawberry.UNSET)
    values = f"{name_of(model)}ChangesInput"
    make.new_type(values, fields, f"Fields of {model.names.nouns}; null clears one.", strawberry.input, unset)
    annotations: dict[str, Any] = {
        "ids": list[strawberry.ID] | None,
        "filter": JSON | None,
        "search": str,
        "set": make.named(values) | None,
        "add": list[BulkWordsInput] | None,
        "remove": list[BulkWordsInput] | None,
        "reason": str | None,
        "idempotency_key": str | None,
    }
    members: dict[str, Any] = {**dict.fromkeys(annotations), "search": ""}
    if model in TRANSFERABLE:
        annotations["owner"], members["owner"] = BulkOwnerInput | None, None
    doc = "Which records, `ids` or all that `filter` and `search` find (the condition as saved views take it), and what is set."
    make.new_type(input_name(model), annotations, doc, strawberry.input, members)


def asked(scope: Scope, model: type[Entity], input: Any) -> tuple[Listing, dict[str, Any]]:
    """(which records, what is set) of an input.  Raises Validation."""
    if (input.ids is None) == (input.filter is None and not input.search):
        raise Validation(
            "Say which records: ids, or a filter ({} finds all).",
            "请指定记录：ids 或 filter（{} 表示全部）。",
            field="ids",
        )
    if input.ids is not None:
        ids = [number_of(model, id) for id in input.ids]
        chosen = asked_listing(model, ExportRange.SELECTION, ids=ids)
        if not chosen.ids:
            raise Validation("Nothing is selected.", "未选择任何记录。", field="ids")
        return chosen, _given(scope.policy.book, model, input)
    condition = cast("Mapping[str, Any]", input.filter or {})
    known = visible_book(scope.policy, scope.person)
    found = asked_listing(model, ExportRange.FILTER, condition=condition, search=input.search, book=known)
    return found, _given(scope.policy.book, model, input)


def _given(book: Book, model: type[Entity], input: Any) -> dict[str, Any]:
    given = given_of(model, input.set, book) if input.set is not None else {}
    added = {make.python_name(each.field): tuple(each.words) for each in input.add or ()}
    removed = {make.python_name(each.field): tuple(each.words) for each in input.remove or ()}
    for key in added.keys() | removed.keys():
        given[key] = Words(added.get(key, ()), removed.get(key, ()))
    if (owner := getattr(input, "owner", None)) is not None:
        related = modules_of(owner.related)
        given[OWNER] = Handover(number_of(User, owner.user_id), related, owner.insist, owner.lift_lock)
    return given


@mutation("user.bulk_changes")
async def undo(info: GraphQLInfo, input: UndoInput) -> BulkChangePayload:
    """Take the edits and transfers of a batch back, as far as nobody has changed the same fields since.

    Asked twice, it is undone once; what could not be undone is tried again.
    """

    async def begun(scope: Scope) -> int:
        return cast("int", await scope.run(undoing.undo, input.batch_id, input.reason))

    return await _answered(info.context.scope, begun)


@mutation("user.bulk_changes")
async def stop_bulk_change(info: GraphQLInfo, input: BulkChangeInput) -> BulkChangePayload:
    """End one of yours before its next records; what was changed stays, and can be undone."""
    return await _changed(info.context.scope, changes.stop, input)


@mutation("user.bulk_changes")
async def resume_bulk_change(info: GraphQLInfo, input: BulkChangeInput) -> BulkChangePayload:
    """Let one of yours that was stopped, or has failed, go on."""
    return await _changed(info.context.scope, changes.resume, input)


async def _changed(scope: Scope, use_case: Any, input: BulkChangeInput) -> BulkChangePayload:
    id = number_of(BulkChange, input.id)

    async def done(scope: Scope) -> int:
        await scope.run(use_case, id)
        return id

    return await _answered(scope, done)


async def _answered(scope: Scope, call: Any) -> BulkChangePayload:
    try:
        return BulkChangePayload(change=await read_change(scope, await call(scope)))
    except Refusal as refusal:
        return BulkChangePayload(problems=problems_of([refusal], scope.language))
