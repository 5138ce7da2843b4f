"""The query `customerTimeline`: everything that happened at a customer in one order."""

from datetime import datetime
from typing import Any

import strawberry
from strawberry.scalars import JSON

from models import Customer, FollowUp, Plan
from models.errors import NotFound
from models.plan import PlanState
from resolvers.audit.history import Change
from resolvers.customers.timeline import Event, EventKind, timeline
from resolvers.runtime.ids import camel, number_of

from ..contract import GraphQLInfo, Pointer, query
from ..types.make import enum_of, record_of

EventKindType: Any = enum_of(EventKind)
PlanStateType: Any = enum_of(PlanState)


@strawberry.type(description="One changed field of a customer, with names for ids and words.")
class TimelineChange:
    field: str
    """The field by its name in the API."""
    old: JSON | None
    """What it held before, as stored."""
    new: JSON | None
    """What it held after, as stored."""
    old_name: str | None
    """What the former value is called: the label of a word, the name of a record."""
    new_name: str | None
    """What the new value is called: the label of a word, the name of a record."""


@strawberry.type(description="One event of a timeline; what it is not about is null.")
class TimelineEvent:
    kind: EventKindType
    """What sort of event it is."""
    at: datetime
    """When it happened."""
    who: str | None = strawberry.field(description="Who did it, is to do it, or owned the customer.")
    what: str | None = strawberry.field(description="The kind of follow-up or plan, how an ownership began or ended.")
    text: str | None
    """What happened, as a sentence in your language."""
    state: PlanStateType | None = strawberry.field(description="How far a plan is.")
    counts: bool | None = strawberry.field(description="Whether a follow-up counts as a contact.")
    reason: str | None
    """Why, in the words of who did it."""
    changes: list[TimelineChange]
    """The fields of an edit; empty for other events."""
    follow_up: Pointer | None = strawberry.field(graphql_type=record_of(FollowUp))
    """The follow-up of such an event."""
    plan: Pointer | None = strawberry.field(graphql_type=record_of(Plan))
    """The plan of such an event."""


@strawberry.type(description="A page of a timeline, the newest event first; `after` is the cursor of the next page.")
class Timeline:
    events: list[TimelineEvent]
    """The events of this page, the newest first."""
    after: str | None
    """The cursor of the next page, for `after`; null at the end."""


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
        state=PlanState(values["state"]) if values.get("state") else None,
        counts=values.get("counts"),
        reason=entry.reason if entry is not None else values.get("cancel_reason") or values.get("reason"),
        changes=[] if entry is None else [_change(x) for x in entry.changes],
        follow_up=Pointer(FollowUp, event.id) if event.kind is EventKind.FOLLOW_UP else None,
        plan=Pointer(Plan, event.id) if event.kind is EventKind.PLAN else None,
    )


def _change(x: Change) -> TimelineChange:
    return TimelineChange(field=camel(x.key), old=x.old, new=x.new, old_name=x.old_name, new_name=x.new_name)
