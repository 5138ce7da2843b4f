"""The queries `shares` and `shareRequests`: what a user has shared, has received, and is asked for."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any

import strawberry

from models import Contact, Customer, Entity, FollowUp, Opportunity, Plan, Share, ShareRequest, User
from models.pool import GranteeKind
from models.share import RequestState, ShareLevel
from resolvers.customers import share_overview as overview
from resolvers.customers.share_overview import RequestSeen, ShareSeen, ShareSide, ShareState
from resolvers.customers.share_people import GRANTEES
from resolvers.runtime.ids import global_id, number_of
from resolvers.runtime.scope import Scope

from ..closed_lists import entity_of
from ..contract import GraphQLInfo, Pointer, query
from ..nodes import node
from ..types.enums import EntityNameType
from ..types.make import enum_of, record_of
from ..types.namespace import Node

ShareLevelType: Any = enum_of(ShareLevel)
ShareSideType: Any = enum_of(ShareSide)
ShareStateType: Any = enum_of(ShareState)
GranteeKindType: Any = enum_of(GranteeKind)
RequestStateType: Any = enum_of(RequestState)
Waiting = Annotated[bool, strawberry.argument(description="Whether requests that were answered are left out.")]
_MODELS: dict[str, type[Entity]] = {x.module: x for x in (Contact, Opportunity, FollowUp, Plan)}


@strawberry.type(name="Share", description="A customer that is shared with a user, a department or a role.")
class ShareType(Node):
    id: strawberry.ID
    customer: Pointer | None = strawberry.field(graphql_type=record_of(Customer))
    """The customer; null where it is out of your sight."""
    grantee_kind: GranteeKindType
    """Whether it is shared with a user, a department or a role."""
    grantee_id: strawberry.ID
    """The user, department or role."""
    grantee_name: str | None
    """What they are called; null where they are out of your sight."""
    level: ShareLevelType
    """Whether they may edit it, too."""
    include: list[EntityNameType]
    """The kinds of related records that it opens."""
    starts_at: datetime
    """From when on it opens the customer."""
    ends_at: datetime | None
    """The second at which it ends; null for none."""
    revoked_at: datetime | None
    """When it was revoked; null where it was not."""
    may_reshare: bool
    """Whether they may share the customer further."""
    state: ShareStateType
    """How it stands now."""
    note: str | None
    """What the granter wrote to it."""
    granted_by: Pointer | None = strawberry.field(graphql_type=record_of(User))
    """Who shared it; null where they are out of your sight."""


@strawberry.type(name="ShareRequest", description="A user asks the owner of a customer to share it.")
class ShareRequestType(Node):
    id: strawberry.ID
    customer: Pointer | None = strawberry.field(graphql_type=record_of(Customer))
    """The customer; null where it is out of your sight."""
    asked_by: Pointer | None = strawberry.field(graphql_type=record_of(User))
    """Who asks; null where they are out of your sight."""
    level: ShareLevelType
    """What they ask for."""
    reason: str
    """Why they ask."""
    asked_at: datetime
    """When they asked."""
    state: RequestStateType
    """What became of it."""
    answer: str | None
    """Why it was declined."""
    answered_at: datetime | None
    """When it was answered."""
    is_mine: bool
    """Whether you asked."""


@query("customer.view")
async def shares(
    info: GraphQLInfo,
    side: Annotated[ShareSideType, strawberry.argument(description="Those that you gave, or those that you have.")],
    states: Annotated[
        list[ShareStateType] | None, strawberry.argument(description="Only those that stand so; all without it.")
    ] = None,
    customer_id: strawberry.ID | None = None,
    first: int = overview.MOST,
) -> list[ShareType]:
    """What you have shared, or what is shared with you, the newest first; at most 200."""
    id = number_of(Customer, customer_id) if customer_id is not None else None
    chosen = None if states is None else [ShareState(x) for x in states]
    scope = info.context.scope
    return [shown(x) for x in await scope.read(overview.shares, ShareSide(side), chosen, id, first)]


@query("customer.view")
async def share_requests(info: GraphQLInfo, waiting: Waiting = False) -> list[ShareRequestType]:
    """What you have asked for, and what others ask you for; `waiting` leaves out what was answered."""
    scope = info.context.scope
    return [shown_request(x) for x in await scope.read(overview.share_requests, waiting=waiting)]


@node(Share)
async def _share_nodes(scope: Scope, ids: Sequence[int]) -> dict[int, ShareType]:
    found = [
        *await scope.read(overview.shares, ShareSide.RECEIVED, ids=ids),
        *await scope.read(overview.shares, ShareSide.GIVEN, ids=ids),
    ]
    return {x.id: shown(x) for x in found}


@node(ShareRequest)
async def _request_nodes(scope: Scope, ids: Sequence[int]) -> dict[int, ShareRequestType]:
    found = await scope.read(overview.share_requests, ids=ids)
    return {x.row.id: shown_request(x) for x in found}


def shown(seen: ShareSeen) -> ShareType:
    row = seen.row
    return ShareType(
        id=strawberry.ID(global_id(Share, row.id)),
        customer=Pointer(Customer, row.customer_id),
        grantee_kind=row.grantee_kind,
        grantee_id=strawberry.ID(global_id(GRANTEES[row.grantee_kind], row.grantee_id)),
        grantee_name=seen.grantee,
        level=row.level,
        include=[entity_of(_MODELS[module]) for module in sorted(row.include)],
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        revoked_at=row.revoked_at,
        may_reshare=row.may_reshare,
        state=seen.state,
        note=row.note,
        granted_by=Pointer(User, row.granted_by_id) if row.granted_by_id is not None else None,
    )


def shown_request(seen: RequestSeen) -> ShareRequestType:
    row = seen.row
    return ShareRequestType(
        id=strawberry.ID(global_id(ShareRequest, row.id)),
        customer=Pointer(Customer, row.customer_id),
        asked_by=Pointer(User, row.asked_by_id),
        level=row.level,
        reason=row.reason,
        asked_at=row.asked_at,
        state=row.state,
        answer=row.answer,
        answered_at=row.answered_at,
        is_mine=seen.is_mine,
    )
