"""The query `customerTimeline`: everything that happened at a customer in one order."""

from datetime import datetime
from typing import Any

import strawberry
from strawberry.scalars import JSON

from models import Customer, FollowUp, Plan
from models.errors import NotFound
from resolvers.audit.history import Change
from resolvers.customers.timeline import Event, EventKind, timeline
from resolvers.runtime.ids import camel, number_of

from ..contract import GraphQLInfo, Pointer, query
from ..types.make import enum_of, record_of

EventKindType: Any = enum_of(EventKind)


@strawberry.type(description="One changed field of a customer, with names for ids and words.")
class TimelineChange:
    field: str
    old: JSON | None
    new: JSON | None
    old_name: str | None
    new_name: str | None


@strawberry.type(description="One event of a timeline; what it is not about is null.")
class TimelineEvent:
    kind: EventKindType
    at: datetime
    who: str | None = strawberry.field(description="Who did it, is to do it, or owned the customer.")
    what: str | None = strawberry.field(description="The kind of follow-up or plan, how an ownership began or ended.")
    text: str | None
    state: str | None = strawberry.field(description="How far a plan is.")
    counts: bool | None = strawberry.field(description="Whether a follow-up counts as a contact.")
    reason: str | None
    changes: list[TimelineChange]
    follow_up: Pointer | None = strawberry.field(graphql_type=record_of(FollowUp))
    plan: Pointer | None = strawberry.field(graphql_type=record_of(Plan))


@strawberry.type(description="A page of a timeline, the newest event first; `after` is the cursor of the next page.")
class Timeline:
    events: list[TimelineEvent]
    after: str | None


@query("customer.view")
async def customer_timeline(
    info: GraphQLInfo,
    customer_id: strawberry.ID,
    kinds: list[EventKindType] | None = None,
    after: str | None = None,
    first: int = 20,
) -> Timeline | None:
    """What happened at a customer, the newest first; null for one that is not there, or that you may not see."""
    try:
        found = await info.context.scope.read(
            timeline, number_of(Customer, customer_id), kinds=kinds or (), after=after, size=first
        )
    except NotFound:
        return None
    return Timeline(events=[_shown(event) for event in found.events], after=found.after)


def _shown(event: Event) -> TimelineEvent:
    entry, values = event.entry, event.row.values if event.row is not None else {}
    begin_or_end = values.get("ended" if event.has_ended else "began")
    return TimelineEvent(
        kind=event.kind,
        at=event.at,
        who=entry.actor if entry is not None else event.row.names.get("owner_id") if event.row is not None else None,
        what=entry.action.rpartition(".")[2] if entry is not None else values.get("kind") or begin_or_end,
        text=values.get("content"),
        state=values.get("state"),
        counts=values.get("counts"),
        reason=entry.reason if entry is not None else values.get("cancel_reason") or values.get("reason"),
        changes=[] if entry is None else [_change(x) for x in entry.changes],
        follow_up=Pointer(FollowUp, event.id) if event.kind is EventKind.FOLLOW_UP else None,
        plan=Pointer(Plan, event.id) if event.kind is EventKind.PLAN else None,
    )


def _change(x: Change) -> TimelineChange:
    return TimelineChange(field=camel(x.key), old=x.old, new=x.new, old_name=x.old_name, new_name=x.new_name)
