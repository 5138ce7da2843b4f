"""The query `attachments`: the files of a record."""

from collections.abc import Sequence
from datetime import datetime

import strawberry

from models import Attachment
from models.errors import NotFound
from resolvers.files import attachments as use_cases
from resolvers.files.attachments import Kept
from resolvers.runtime.ids import global_id
from resolvers.runtime.scope import Scope

from ..contract import GraphQLInfo, query
from ..nodes import node
from ..types.namespace import Node


@strawberry.type(
    description="A file that is kept with a record. It is downloaded from `address`, and never shown in the window."
)
class AttachedFile(Node):
    id: strawberry.ID
    name: str
    """What its user called it."""
    media: str
    """The type of its content, as its bytes show it."""
    size: float
    """Its bytes."""
    added_at: datetime
    """When it was added."""
    added_by: str | None
    """The name of the user who added it."""
    address: str
    """The path from which it is downloaded."""
    picture: str | None
    """The path at which a browser may show it; null for all but pictures."""


@query("user.files")
async def attachments(info: GraphQLInfo, record: strawberry.ID) -> list[AttachedFile]:
    """The files of a customer, contact, opportunity or follow-up, the newest first; none where you may not see them."""
    scope = info.context.scope
    try:
        found = await scope.read(use_cases.files_of, *use_cases.record_of(record))
    except NotFound:
        return []
    return [shown(each) for each in found]


@node(Attachment)
async def _nodes(scope: Scope, ids: Sequence[int]) -> dict[int, AttachedFile]:
    found = await scope.read(use_cases.files_with, ids)
    return {each.row.id: shown(each) for each in found}


def shown(kept: Kept) -> AttachedFile:
    """A file as the API shows it."""
    id = global_id(Attachment, kept.row.id)
    return AttachedFile(
        id=strawberry.ID(id),
        name=kept.row.name,
        media=kept.row.media,
        size=float(kept.row.size),
        added_at=kept.row.created_at,
        added_by=kept.by,
        address=f"/files/{id}",
        picture=f"/files/{id}/picture" if kept.is_picture else None,
    )
