"""The queries `exports`, `export` and `exportProfiles`: files that the caller has asked for, and columns kept for them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import strawberry

from models import Export, ExportProfile
from models.export import ExportFormat, ExportRange, ExportState
from resolvers.exports import exports as use_cases
from resolvers.exports import profiles
from resolvers.exports.exports import Made
from resolvers.exports.kinds import kind_of
from resolvers.exports.profiles import Profile
from resolvers.runtime.ids import global_id, number_of
from resolvers.runtime.scope import Scope

from ..closed_lists import EntityName, entity_of, model_name, snake
from ..contract import GraphQLInfo, query
from ..nodes import node
from ..types.enums import EntityNameType
from ..types.make import enum_of
from ..types.namespace import Node

ExportFormatType: Any = enum_of(ExportFormat)
ExportRangeType: Any = enum_of(ExportRange)
ExportStateType: Any = enum_of(ExportState)


@strawberry.type(name="Export", description="A file of records that you have asked for. Nobody else can download it.")
class ExportType(Node):
    id: strawberry.ID
    entity: EntityNameType = strawberry.field(description="The type of the records.")
    title: str
    """What the list was called, in the language of its maker."""
    range: ExportRangeType
    """Which records it holds."""
    format: ExportFormatType
    """A workbook or CSV."""
    state: ExportStateType
    """How far it is."""
    filter: str = strawberry.field(description="What the list is narrowed to, in words; empty for all records.")
    columns: list[str]
    """The columns by their names in the API, in their order."""
    done: int = strawberry.field(description="Rows written.")
    total: int | None = strawberry.field(description="Records found; null until they are counted.")
    size: int | None = strawberry.field(description="Bytes of the finished file.")
    file_name: str
    """The name under which a browser stores it."""
    address: str | None = strawberry.field(description="Where the file is downloaded, once it is finished.")
    downloads: int
    """How often the file was fetched."""
    error: str | None = strawberry.field(description="Why it failed, in your language.")
    created_at: datetime
    """When it was asked for."""
    ended_at: datetime | None
    """When it was done, failed or cancelled; null before that."""
    expires_at: datetime = strawberry.field(description="The file is deleted then.")


@strawberry.type(name="ExportProfile", description="Columns in an order, kept under a name.")
class ExportProfileType(Node):
    id: strawberry.ID
    entity: EntityNameType
    """The kind of records, by the name of its type."""
    name: str
    """What the profile is called."""
    columns: list[str] = strawberry.field(description="Those that you see.")
    is_mine: bool
    """Whether it is yours, so that you may change and delete it."""
    is_shared: bool
    """Whether other users may use it."""


@query("user.exports")
async def exports(info: GraphQLInfo, before: strawberry.ID | None = None, first: int = 50) -> list[ExportType]:
    """Your exports, the newest first; `before` is an id."""
    scope = info.context.scope
    last = number_of(Export, before) if before is not None else None
    return [shown(scope, made) for made in await scope.read(use_cases.exports, before=last, first=first)]


@query("user.exports")
async def export(info: GraphQLInfo, id: strawberry.ID) -> ExportType | None:
    """One of your exports; null for one that is not there, or is somebody else's."""
    return await read_export(info.context.scope, number_of(Export, id))


@query("user.exports")
async def export_profiles(info: GraphQLInfo, entity: EntityNameType | None = None) -> list[ExportProfileType]:
    """Your kept columns and those that others share; `entity` is the type of the records."""
    scope = info.context.scope
    model = kind_of(model_name(entity)) if entity is not None else None
    return [shown_profile(each) for each in await scope.read(profiles.profiles, model)]


@node(Export)
async def _nodes(scope: Scope, ids: Sequence[int]) -> dict[int, ExportType]:
    found = await scope.read(use_cases.exports, ids=ids, first=len(ids))
    return {made.row.id: shown(scope, made) for made in found}


@node(ExportProfile)
async def _profiles(scope: Scope, ids: Sequence[int]) -> dict[int, ExportProfileType]:
    found = await scope.read(profiles.profiles)
    return {each.id: shown_profile(each) for each in found if each.id in ids}


async def read_export(scope: Scope, id: int) -> ExportType | None:
    made = await scope.read(use_cases.export, id)
    return shown(scope, made) if made is not None else None


def shown(scope: Scope, made: Made) -> ExportType:
    row, id = made.row, global_id(Export, made.row.id)
    is_done = made.state is ExportState.DONE
    return ExportType(
        id=strawberry.ID(id),
        entity=EntityName(snake(row.entity)),
        title=row.title,
        range=row.range,
        format=row.format,
        state=made.state,
        filter=row.said,
        columns=[*row.columns],
        done=row.done,
        total=row.total,
        size=row.size if is_done else None,
        file_name=use_cases.name_of(row, scope.person.zone),
        address=f"/files/{id}" if is_done else None,
        downloads=row.downloads,
        error=made.error[scope.language.startswith("zh")] if made.error else None,
        created_at=row.created_at,
        ended_at=row.ended_at,
        expires_at=row.expires_at,
    )


def shown_profile(profile: Profile) -> ExportProfileType:
    return ExportProfileType(
        id=strawberry.ID(global_id(ExportProfile, profile.id)),
        entity=entity_of(profile.model),
        name=profile.name,
        columns=[*profile.columns],
        is_mine=profile.is_mine,
        is_shared=profile.is_shared,
    )
