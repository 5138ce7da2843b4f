"""Exports: ask for one, cancel and delete it; keep columns for later."""

from collections.abc import Callable
from typing import Any, cast

import strawberry
from strawberry.scalars import JSON

from models import Export, ExportProfile
from models.errors import Refusal
from models.export import ExportFormat, ExportRange
from resolvers.exports import exports, profiles
from resolvers.exports.asked import asked_listing
from resolvers.exports.exports import Order
from resolvers.exports.kinds import kind_of
from resolvers.runtime.custom_fields import visible_book
from resolvers.runtime.ids import number_of
from resolvers.runtime.scope import Scope

from ..closed_lists import model_name
from ..contract import DonePayload, GraphQLInfo, done, mutation
from ..problems import Problem, problems_of
from ..queries.exports import (
    ExportFormatType,
    ExportProfileType,
    ExportRangeType,
    ExportType,
    read_export,
    shown_profile,
)
from ..types.enums import EntityNameType
from .saved_views import ViewOrderInput


@strawberry.input(
    description="A list to write into a file. `entity` is the type of its records; with `AUDIT_ENTRY` for "
    "the operation log, whose `filter` takes actorId, entity, recordId, action, outcome, since, until, batchId and text."
)
class CreateExportInput:
    entity: EntityNameType
    """The kind of records, by the name of its type."""
    range: ExportRangeType = ExportRange.FILTER
    """Which records: those of `ids`, those that `filter` and `search` find, or all."""
    ids: list[strawberry.ID] = strawberry.field(default_factory=list, description="The records of a SELECTION.")
    filter: JSON | None = strawberry.field(default=None, description="The condition, as saved views take it.")
    search: str = ""
    """Words to search for, as in the list."""
    order: list[ViewOrderInput] = strawberry.field(default_factory=list)
    """The steps of the order; without it that of the list."""
    columns: list[str] = strawberry.field(
        default_factory=list, description="Columns in their order; none for all that you see."
    )
    format: ExportFormatType = ExportFormat.XLSX
    """A workbook or CSV."""
    in_bin: bool = strawberry.field(default=False, description="Whether the list is that of the recycle bin.")


@strawberry.input(description="One of your exports.")
class ExportInput:
    id: strawberry.ID


@strawberry.input(
    description="Columns in their order. With the name of kept ones of yours, or their `id`: instead of those."
)
class SaveExportProfileInput:
    entity: EntityNameType
    """The kind of records, by the name of its type."""
    name: str
    """What the profile is called; one of that name is replaced."""
    columns: list[str]
    """The columns by their names in the API, in their order."""
    is_shared: bool = False
    """Whether other users may use it."""
    id: strawberry.ID | None = None


@strawberry.type(description="The export, and what was refused.")
class ExportPayload:
    export: ExportType | None = None
    """The export; null where it was refused."""
    problems: list[Problem] = strawberry.field(default_factory=list)


@strawberry.type(description="The kept columns, or what was refused.")
class ExportProfilePayload:
    profile: ExportProfileType | None = None
    """The profile as it is stored; null where it was refused."""
    problems: list[Problem] = strawberry.field(default_factory=list)


@mutation("user.exports")
async def create_export(info: GraphQLInfo, input: CreateExportInput) -> ExportPayload:
    """Asks for the right `export` of the kind of record.  The file is written in the background."""
    scope = info.context.scope
    try:
        model, range = kind_of(model_name(input.entity)), ExportRange(input.range)
        listing = asked_listing(
            model,
            range,
            ids=[number_of(model, id) for id in input.ids],
            condition=cast("Any", input.filter),
            search=input.search,
            order=[(step.field, step.descending) for step in input.order],
            binned=input.in_bin,
            book=visible_book(scope.policy, scope.person),
            zone=scope.person.zone,
        )
        order = Order(model, listing, range, tuple(input.columns), ExportFormat(input.format))
        id = await scope.run(exports.start, order)
    except Refusal as refusal:
        return ExportPayload(problems=problems_of([refusal], scope.language))
    return ExportPayload(export=await read_export(scope, id))


@mutation("user.exports")
async def cancel_export(info: GraphQLInfo, input: ExportInput) -> ExportPayload:
    """End an export that waits or runs."""
    return await _changed(info.context.scope, exports.cancel, input)


@mutation("user.drop_export")
async def delete_export(info: GraphQLInfo, input: ExportInput) -> DonePayload:
    """Delete an export with its file."""
    return await done(info.context.scope, exports.delete, number_of(Export, input.id))


@mutation("user.exports")
async def save_export_profile(info: GraphQLInfo, input: SaveExportProfileInput) -> ExportProfilePayload:
    """Keep columns of an export under a name, for yourself or for all.  It asks for nothing, unless everybody shall use them: that asks for the right to share views."""
    scope = info.context.scope
    try:
        id = number_of(ExportProfile, input.id) if input.id is not None else None
        more = {"shared": input.is_shared, "id": id}
        made = await scope.run(
            profiles.save_profile, kind_of(model_name(input.entity)), input.name, input.columns, **more
        )
        profile = await scope.read(profiles.profile_of, made)
    except Refusal as refusal:
        return ExportProfilePayload(problems=problems_of([refusal], scope.language))
    return ExportProfilePayload(profile=shown_profile(profile))


@mutation("user.drop_export")
async def delete_export_profile(info: GraphQLInfo, input: ExportInput) -> DonePayload:
    """Delete columns that you have kept."""
    return await done(info.context.scope, profiles.delete_profile, number_of(ExportProfile, input.id))


async def _changed(scope: Scope, use_case: Callable[[Scope, int], None], input: ExportInput) -> ExportPayload:
    id, problems = number_of(Export, input.id), []
    try:
        await scope.run(use_case, id)
    except Refusal as refusal:
        problems += problems_of([refusal], scope.language)
    return ExportPayload(export=await read_export(scope, id), problems=problems)
