"""The query `changes`: what became of records since a cursor, for a program that keeps a copy."""

import strawberry

from resolvers.audit import changes as following
from resolvers.runtime.ids import global_id

from ..closed_lists import entity_of, model_name
from ..contract import GraphQLInfo, Pointer, Siblings, query
from ..types.enums import EntityNameType
from ..types.make import enum_of
from ..types.namespace import Node

ChangeKind = enum_of(following.ChangeKind)


@strawberry.type(description="What became of one record for you.")
class RecordChange:
    kind: ChangeKind = strawberry.field(  # type: ignore[valid-type]  # made at run time
        description="CREATED: it came into sight; CHANGED: something of it that you see; GONE: it left your sight."
    )
    type: EntityNameType = strawberry.field(description="The type of the record.")
    record_id: strawberry.ID = strawberry.field(
        description="The id of what changed; `node` answers it while the record is in sight."
    )
    record: Pointer | None = strawberry.field(
        graphql_type=Node | None, description="The record as it is now; null where it is gone."
    )


@strawberry.type(description="A page of changes, in the order in which they happened; each record comes once in it.")
class RecordChanges:
    nodes: list[RecordChange] = strawberry.field(description="What became of records; empty where nothing has changed.")
    cursor: str = strawberry.field(description="Where the next page begins: `since` of the next request.")
    has_more: bool = strawberry.field(description="Whether to ask again at once.")


@query("system.node")
async def changes(
    info: GraphQLInfo, since: str | None = None, first: int = following.USUAL, types: list[EntityNameType] | None = None
) -> RecordChanges:
    """What has changed for you since a cursor: records created, changed, and gone from sight (deleted, transferred, merged).

    Without `since` nothing, and the cursor of this moment: take it, read the lists, then follow. `first` is 1 to 200; what
    one act did comes together. `types` narrows to some kinds of records. CHANGES_EXPIRED says to begin anew: the cursor
    is older than 30 days, or your rights have changed since. Changes of fields that you do not see are not told.
    """
    names = None if types is None else [model_name(x) for x in types]
    found = await following.changes(info.context.scope, since, first, names)
    there: dict[type, list[int]] = {}
    for change in found.changes:
        if change.kind is not following.ChangeKind.GONE:
            there.setdefault(change.model, []).append(change.id)
    siblings = {model: Siblings(model, ids) for model, ids in there.items()}
    return RecordChanges(
        nodes=[_shown(change, siblings) for change in found.changes], cursor=found.cursor, has_more=found.has_more
    )


def _shown(change: following.RecordChange, siblings: dict[type, Siblings]) -> RecordChange:
    is_gone = change.kind is following.ChangeKind.GONE
    return RecordChange(
        kind=change.kind,
        type=entity_of(change.model),
        record_id=strawberry.ID(global_id(change.model, change.id)),
        record=None if is_gone else Pointer(change.model, change.id, siblings[change.model]),
    )
