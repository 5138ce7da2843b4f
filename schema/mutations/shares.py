"""Shares of customers: give, change, revoke; ask for one, and answer."""

from collections.abc import Callable, Iterable
from datetime import datetime

import strawberry

from models import Customer, Department, Role, Share, ShareRequest, User
from models.pool import GranteeKind
from models.share import INCLUDED, ShareLevel
from resolvers.customers import share_requests, sharing
from resolvers.customers.sharing import Terms
from resolvers.runtime.batch import Mode
from resolvers.runtime.ids import number_of
from resolvers.runtime.scope import Scope

from ..closed_lists import modules_of
from ..contract import Answered, DonePayload, GraphQLInfo, done, mutation
from ..queries.shares import ShareLevelType
from ..types.enums import EntityNameType
from ..types.payloads import batch_payload_of
from .batches import batch

_INCLUDE = "The kinds of related records that it opens: CONTACT, OPPORTUNITY, FOLLOW_UP, PLAN. All without it."


@strawberry.input(description="What a share opens, and for how long.")
class ShareTermsInput:
    level: ShareLevelType = ShareLevel.VIEW
    """Whether they may edit it, too."""
    include: list[EntityNameType] | None = strawberry.field(default=None, description=_INCLUDE)
    starts_at: datetime | None = None
    """From when on; at once without it."""
    ends_at: datetime | None = None
    """The second at which it ends; without it, it lasts until it is revoked."""
    may_reshare: bool = False
    """Whether they may share the customer further: not longer, not at a higher level, with no more records."""
    note: str | None = None
    """A line for the overview and the log."""


@strawberry.input(description="Which customers are shared with whom.")
class ShareInput:
    ids: list[strawberry.ID]
    user_ids: list[strawberry.ID] = strawberry.field(default_factory=list)
    """Users who get them."""
    department_ids: list[strawberry.ID] = strawberry.field(default_factory=list)
    """Departments whose users get them, with all below them."""
    role_ids: list[strawberry.ID] = strawberry.field(default_factory=list)
    """Roles whose holders get them."""
    terms: ShareTermsInput = strawberry.field(default_factory=ShareTermsInput)
    """What the share opens."""
    mode: Mode = Mode.BEST_EFFORT
    idempotency_key: str | None = None


@strawberry.input(description="Which shares get which terms; all or none.")
class UpdateSharesInput:
    ids: list[strawberry.ID]
    """The shares."""
    terms: ShareTermsInput
    """What they open from now on."""


@strawberry.input(description="Which shares end; all or none.")
class RevokeSharesInput:
    ids: list[strawberry.ID]
    """The shares."""
    reason: str | None = None


@strawberry.input(description="For which customer a share is asked: by its id, or by its whole number.")
class RequestShareInput:
    customer_id: strawberry.ID | None = None
    """A customer that you see, for more than you have."""
    number: str | None = None
    """The whole number of a customer, seen or not."""
    level: ShareLevelType = ShareLevel.VIEW
    """What you ask for."""
    reason: str
    """Why you ask; the owner reads it."""


@strawberry.input(description="Which request is granted, by which terms.")
class GrantShareRequestInput:
    id: strawberry.ID
    terms: ShareTermsInput | None = None
    """What the share opens; what was asked for without it."""


@strawberry.input(description="Which request is declined, and why.")
class DeclineShareRequestInput:
    id: strawberry.ID
    reason: str
    """Why; the user who asked reads it."""


@mutation("customer.view", returns=batch_payload_of(Customer), of=sharing.share_customers)
async def share_customers(info: GraphQLInfo, input: ShareInput) -> Answered:
    wanted = {
        GranteeKind.USER: (User, input.user_ids),
        GranteeKind.DEPARTMENT: (Department, input.department_ids),
        GranteeKind.ROLE: (Role, input.role_ids),
    }
    to = [(kind, number_of(model, id)) for kind, (model, ids) in wanted.items() for id in ids]
    return await batch(
        info,
        Customer,
        input,
        lambda scope, ids: sharing.share_customers(scope, ids, to, _terms(input.terms), input.mode),
    )


@mutation("customer.view", of=sharing.update_shares)
async def update_shares(info: GraphQLInfo, input: UpdateSharesInput) -> DonePayload:
    return await _done(info, lambda scope: sharing.update_shares(scope, _ids(input.ids), _terms(input.terms)))


@mutation("customer.view", of=sharing.revoke_shares)
async def revoke_shares(info: GraphQLInfo, input: RevokeSharesInput) -> DonePayload:
    return await _done(info, lambda scope: sharing.revoke_shares(scope, _ids(input.ids), input.reason))


@mutation("customer.ask_share", of=share_requests.request_share)
async def request_share(info: GraphQLInfo, input: RequestShareInput) -> DonePayload:
    id = number_of(Customer, input.customer_id) if input.customer_id is not None else None
    level = ShareLevel(input.level)
    return await _done(
        info,
        lambda scope: share_requests.request_share(
            scope, customer_id=id, number=input.number, level=level, reason=input.reason
        ),
    )


@mutation("customer.share", of=share_requests.grant_share_request)
async def grant_share_request(info: GraphQLInfo, input: GrantShareRequestInput) -> DonePayload:
    id = number_of(ShareRequest, input.id)
    return await _done(
        info,
        lambda scope: share_requests.grant_share_request(
            scope, id, None if input.terms is None else _terms(input.terms)
        ),
    )


@mutation("customer.share", of=share_requests.decline_share_request)
async def decline_share_request(info: GraphQLInfo, input: DeclineShareRequestInput) -> DonePayload:
    id = number_of(ShareRequest, input.id)
    return await _done(info, lambda scope: share_requests.decline_share_request(scope, id, input.reason))


async def _done(info: GraphQLInfo, work: Callable[[Scope], object]) -> DonePayload:
    return await done(info.context.scope, work)


def _ids(ids: Iterable[object]) -> list[int]:
    return [number_of(Share, id) for id in ids]


def _terms(input: ShareTermsInput) -> Terms:
    modules = modules_of(input.include)
    return Terms(
        level=ShareLevel(input.level),
        include=frozenset(INCLUDED if modules is None else modules),
        starts_at=input.starts_at,
        ends_at=input.ends_at,
        may_reshare=input.may_reshare,
        note=input.note,
    )
