"""The queries `bulkChanges`, `bulkChange` and `bulkChangeItems`: one's own bulk changes, and what became of each record."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import strawberry

from models import BulkChange, Job
from models.bulk_change import BulkKind, BulkState, ItemState
from models.errors import Refusal
from resolvers.bulk import changes
from resolvers.bulk.changes import Item, Made
from resolvers.runtime.ids import global_id, number_of
from resolvers.runtime.scope import Scope

from ..closed_lists import EntityName, snake
from ..contract import GraphQLInfo, query
from ..nodes import node
from ..problems import Problem
from ..types.enums import EntityNameType
from ..types.make import enum_of
from ..types.namespace import Node

BulkKindType: Any = enum_of(BulkKind)
BulkStateType: Any = enum_of(BulkState)
ItemStateType: Any = enum_of(ItemState)


@strawberry.type(
    name="BulkChange", description="One change of many records, or the undoing of one, which a job carries out."
)
class BulkChangeType(Node):
    id: strawberry.ID
    entity: EntityNameType = strawberry.field(description="The type of the records.")
    kind: BulkKindType
    """Whether it sets fields, transfers, or takes back another one."""
    state: BulkStateType
    """How far it is."""
    batch_id: str = strawberry.field(description="Its batch in the operation log; `undo` takes it.")
    undoes: str | None = strawberry.field(description="The batch that it takes back.")
    undone_by: strawberry.ID | None = strawberry.field(description="The undoing of it.")
    filter: str = strawberry.field(description="Which records, in words; empty for all.")
    reason: str | None
    """Why, in the words of its maker."""
    job_id: strawberry.ID | None
    """The job that does the work; `jobProgress` tells of it."""
    total: int | None = strawberry.field(description="How many records it is about; null until they are found.")
    done: int = strawberry.field(description="Records that were changed, or undone.")
    same: int = strawberry.field(description="Records that were as wanted already.")
    refused: int = strawberry.field(description="Records that were refused, or could not be undone.")
    kept: int = strawberry.field(description="Records that were changed since, and so are kept by an undoing.")
    error: str | None = strawberry.field(description="Why its job failed, in your language.")
    created_at: datetime
    """When it was asked for."""
    ended_at: datetime | None
    """When the last record was tried; null before that."""


@strawberry.type(description="One record of a bulk change, and why it was refused or kept.")
class BulkChangeItem:
    number: int = strawberry.field(description="Its place in the list; `after` takes it.")
    record_id: strawberry.ID
    """The global id of the record."""
    name: str = strawberry.field(description="Empty for a record that you do not see.")
    state: ItemStateType
    """What became of the record."""
    problem: Problem | None
    """Why it was refused or left alone; null for a record that was changed."""


@query("user.bulk_changes")
async def bulk_changes(info: GraphQLInfo, before: strawberry.ID | None = None, first: int = 50) -> list[BulkChangeType]:
    """Your bulk changes and undoings, the newest first; `before` is an id."""
    scope = info.context.scope
    last = number_of(BulkChange, before) if before is not None else None
    return [shown(scope, made) for made in await scope.read(changes.bulk_changes, before=last, first=first)]


@query("user.bulk_changes")
async def bulk_change(info: GraphQLInfo, id: strawberry.ID) -> BulkChangeType | None:
    """One of your bulk changes; null for one that is not there, or is somebody else's."""
    return await read_change(info.context.scope, number_of(BulkChange, id))


@query("user.bulk_changes")
async def bulk_change_items(
    info: GraphQLInfo,
    id: strawberry.ID,
    states: list[ItemStateType] | None = None,
    after: int = 0,
    first: int = 50,
) -> list[BulkChangeItem]:
    """Its records in the order of the list, behind the number `after`; none of one that is not yours."""
    scope = info.context.scope
    try:
        found = await scope.read(changes.items, number_of(BulkChange, id), states or (), after=after, first=first)
    except Refusal:
        return []
    return [_item(scope, number, item) for number, item in found]


@node(BulkChange)
async def _nodes(scope: Scope, ids: Sequence[int]) -> dict[int, BulkChangeType]:
    found = await scope.read(changes.bulk_changes, ids=ids, first=len(ids))
    return {made.row.id: shown(scope, made) for made in found}


async def read_change(scope: Scope, id: int) -> BulkChangeType | None:
    made = await scope.read(changes.bulk_change, id)
    return shown(scope, made) if made is not None else None


def shown(scope: Scope, made: Made) -> BulkChangeType:
    row, number = made.row, made.counts.get
    return BulkChangeType(
        id=strawberry.ID(global_id(BulkChange, row.id)),
        entity=EntityName(snake(row.entity)),
        kind=row.kind,
        state=made.state,
        batch_id=row.batch_id,
        undoes=row.undoes,
        undone_by=strawberry.ID(global_id(BulkChange, made.undone_by.id)) if made.undone_by else None,
        filter=row.said,
        reason=row.reason,
        job_id=strawberry.ID(global_id(Job, row.job_id)) if row.job_id else None,
        total=row.total,
        done=number(ItemState.DONE, 0),
        same=number(ItemState.SAME, 0),
        refused=number(ItemState.REFUSED, 0),
        kept=number(ItemState.KEPT, 0),
        error=made.error[scope.language.startswith("zh")] if made.error else None,
        created_at=row.created_at,
        ended_at=row.ended_at,
    )


def _item(scope: Scope, number: int, item: Item) -> BulkChangeItem:
    return BulkChangeItem(
        number=number,
        record_id=strawberry.ID(global_id(item.model, item.id)),
        name=item.name,
        state=item.state,
        problem=Problem.of(item.refusal, scope.language) if item.refusal else None,
    )
