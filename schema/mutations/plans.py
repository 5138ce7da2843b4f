"""Plans of follow-ups: complete, cancel and put off; a follow-up with the next date; comments."""

from datetime import datetime
from typing import Any

import strawberry

from models import Comment, Contact, Customer, FollowUp, Opportunity, Plan
from models.counting import FollowUpKind
from resolvers.customers import comments, plans
from resolvers.runtime.idempotency import single
from resolvers.runtime.ids import number_of

from ..contract import Answered, GraphQLInfo, act, mutation
from ..types import make
from ..types.payloads import payload_of

KindType: Any = make.enum_of(FollowUpKind)


@strawberry.input(description="What came of a plan, and the next contact.  What is left out is as the plan says.")
class CompletePlanInput:
    id: strawberry.ID
    content: str
    """What came of it, for the follow-up."""
    kind: KindType | None = None
    """How the customer was contacted; without it as it was planned."""
    happened_at: datetime | None = None
    """When it took place; without it now."""
    next_at: datetime | None = strawberry.field(default=None, description="Makes a plan for the next contact.")
    next_text: str | None = None
    """What is to be done at `nextAt`."""
    idempotency_key: str | None = None


@strawberry.input(description="Which plan comes to nothing, and why.")
class CancelPlanInput:
    id: strawberry.ID
    reason: str | None = None
    idempotency_key: str | None = None


@strawberry.input(description="Which plan is put off, and until when.")
class ReschedulePlanInput:
    id: strawberry.ID
    due_at: datetime
    """The moment until which it is to be done now."""
    reason: str | None = None
    idempotency_key: str | None = None


@strawberry.input(description="What was done for a customer, and the next contact.")
class AddFollowUpInput:
    customer_id: strawberry.ID
    """The customer who was contacted."""
    kind: KindType
    """How the customer was contacted."""
    content: str
    """What was said or agreed. At most 20,000 characters."""
    happened_at: datetime | None = strawberry.field(default=None, description="Now, unless it is given.")
    contact_id: strawberry.ID | None = None
    """The contact who was spoken to."""
    opportunity_id: strawberry.ID | None = None
    """The opportunity that it was about."""
    next_at: datetime | None = strawberry.field(default=None, description="Makes a plan for the next contact.")
    next_text: str | None = None
    """What is to be done at `nextAt`."""
    idempotency_key: str | None = None


@strawberry.input(description="What is said about a follow-up.")
class CommentInput:
    follow_up_id: strawberry.ID
    content: str
    """The text. At most 20,000 characters."""
    idempotency_key: str | None = None


@strawberry.input(description="Which comment of one's own is removed.")
class RemoveCommentInput:
    id: strawberry.ID
    idempotency_key: str | None = None


@mutation("plan.edit", returns=payload_of(Plan))
async def complete_plan(info: GraphQLInfo, input: CompletePlanInput) -> Answered:
    """Mark a plan as done by the follow-up that says what came of it.  Asks for the right plan.edit."""
    given = {"content": input.content, "kind": input.kind, "happened_at": input.happened_at}
    after, id = (input.next_at, input.next_text), number_of(Plan, input.id)
    arguments = {"id": id, "after": after, **given}
    return await act(
        info.context,
        Plan,
        "plan.complete",
        input.idempotency_key,
        arguments,
        lambda scope: single(plans.complete(scope, id, given, *after)),
        subject=id,
    )


@mutation("plan.edit", returns=payload_of(Plan))
async def cancel_plan(info: GraphQLInfo, input: CancelPlanInput) -> Answered:
    """Cancel a plan.  Asks for the right plan.edit."""
    id, arguments = number_of(Plan, input.id), {"id": input.id, "reason": input.reason}
    return await act(
        info.context,
        Plan,
        "plan.cancel",
        input.idempotency_key,
        arguments,
        lambda scope: single(plans.cancel(scope, id, input.reason)),
        subject=id,
    )


@mutation("plan.edit", returns=payload_of(Plan))
async def reschedule_plan(info: GraphQLInfo, input: ReschedulePlanInput) -> Answered:
    """Put a plan off; its owner is reminded anew.  Asks for the right plan.edit."""
    id, arguments = number_of(Plan, input.id), {"id": input.id, "due_at": input.due_at, "reason": input.reason}
    return await act(
        info.context,
        Plan,
        "plan.reschedule",
        input.idempotency_key,
        arguments,
        lambda scope: single(plans.reschedule(scope, id, input.due_at, input.reason)),
        subject=id,
    )


@mutation("followup.create", returns=payload_of(FollowUp))
async def add_follow_up(info: GraphQLInfo, input: AddFollowUpInput) -> Answered:
    """Write a follow-up, and plan the next contact if a date is given.  Asks for the right followup.create."""
    given: dict[str, Any] = {"customer_id": number_of(Customer, input.customer_id), "kind": input.kind}
    given |= {"content": input.content, "happened_at": input.happened_at}
    for key, model, id in (
        ("contact_id", Contact, input.contact_id),
        ("opportunity_id", Opportunity, input.opportunity_id),
    ):
        if id is not None:
            given[key] = number_of(model, id)
    after = (input.next_at, input.next_text)
    arguments = {**given, "after": after}
    return await act(
        info.context,
        FollowUp,
        "followup.create",
        input.idempotency_key,
        arguments,
        lambda scope: single(plans.follow_up(scope, given, *after)),
    )


@mutation("followup.comment", returns=payload_of(FollowUp))
async def comment_follow_up(info: GraphQLInfo, input: CommentInput) -> Answered:
    """Say something about a follow-up; its author is told.  Asks for the right followup.comment."""
    id, arguments = number_of(FollowUp, input.follow_up_id), {"id": input.follow_up_id, "content": input.content}
    return await act(
        info.context,
        FollowUp,
        "followup.comment",
        input.idempotency_key,
        arguments,
        lambda scope: single(comments.comment(scope, id, input.content)),
        subject=id,
    )


@mutation("followup.comment", returns=payload_of(FollowUp))
async def remove_comment(info: GraphQLInfo, input: RemoveCommentInput) -> Answered:
    """Remove a comment of one's own.  Asks for the right followup.comment."""
    id = number_of(Comment, input.id)
    return await act(
        info.context,
        FollowUp,
        "followup.remove_comment",
        input.idempotency_key,
        {"id": input.id},
        lambda scope: single(comments.remove_comment(scope, id)),
    )
