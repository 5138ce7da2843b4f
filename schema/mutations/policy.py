"""Change the policy: drafts, activation, rollback, and roles copied with their lines."""

from collections.abc import Callable

import strawberry

from models import PolicyDraft, Role
from models.errors import Refusal
from resolvers.access import policy_drafts
from resolvers.runtime.batch import Outcome
from resolvers.runtime.ids import global_id, number_of
from resolvers.runtime.scope import Scope

from ..contract import Answered, DonePayload, GraphQLInfo, act, done, mutation
from ..problems import Problem, problems_of
from ..types.payloads import payload_of


@strawberry.input(description="A policy text to keep as your draft, whatever is wrong with it.")
class DraftPolicyInput:
    text: str
    """The whole text of the policy, one line for each right."""


@strawberry.input(description="Which draft, why, and the `reviewed` of the review that you have read.")
class ActivatePolicyInput:
    draft_id: strawberry.ID
    """The draft to put in force."""
    reason: str
    reviewed: str
    """The `reviewed` of the review that you have read; an older one is refused."""


@strawberry.input(description="Which revision comes back, and why.")
class RollbackPolicyInput:
    number: int
    """The number of the revision that is brought back."""
    reason: str


@strawberry.input(description="A new role with the lines of another, and why.")
class CopyRoleInput:
    role_id: strawberry.ID
    """The role whose lines are copied."""
    code: str
    """The code of the new role: 2 to 40 small letters, digits and `_`, a letter first."""
    name: str
    """What the new role is called."""
    reason: str


@strawberry.type(description="The draft, or the revision in force now; or what was refused.")
class PolicyPayload:
    draft_id: strawberry.ID | None = None
    """The draft that was stored; null otherwise."""
    number: int | None = None
    """The number of the revision that is in force now; null otherwise."""
    problems: list[Problem] = strawberry.field(default_factory=list)


@mutation("policy.edit")
async def draft_policy(info: GraphQLInfo, input: DraftPolicyInput) -> PolicyPayload:
    """Keeps your draft; it has no effect."""
    scope = info.context.scope
    try:
        draft = await scope.run(policy_drafts.draft_policy, input.text)
    except Refusal as refusal:
        return PolicyPayload(problems=problems_of([refusal], scope.language))
    return PolicyPayload(draft_id=strawberry.ID(global_id(PolicyDraft, draft)))


@mutation("policy.edit")
async def discard_policy_draft(info: GraphQLInfo) -> DonePayload:
    """Gives up your draft."""
    return await done(info.context.scope, policy_drafts.discard_draft)


@mutation("policy.edit")
async def catch_up_policy_draft(info: GraphQLInfo) -> PolicyPayload:
    """Puts what you have changed on top of the newest revision, whose number it gives."""
    return await _revision(info.context.scope, policy_drafts.catch_up)


@mutation("policy.activate")
async def activate_policy(info: GraphQLInfo, input: ActivatePolicyInput) -> PolicyPayload:
    """Puts a reviewed draft in force."""
    id = number_of(PolicyDraft, input.draft_id)
    return await _revision(info.context.scope, policy_drafts.activate_policy, id, input.reason, input.reviewed)


@mutation("policy.activate")
async def rollback_policy(info: GraphQLInfo, input: RollbackPolicyInput) -> PolicyPayload:
    """Brings an older text back, as a new revision."""
    return await _revision(info.context.scope, policy_drafts.rollback_policy, input.number, input.reason)


async def _revision(scope: Scope, use_case: Callable[..., int], *arguments: object) -> PolicyPayload:
    """The payload of a use case that returns the number of a revision."""
    try:
        return PolicyPayload(number=await scope.run(use_case, *arguments))
    except Refusal as refusal:
        return PolicyPayload(problems=problems_of([refusal], scope.language))


@mutation("role.create", returns=payload_of(Role))
async def copy_role(info: GraphQLInfo, input: CopyRoleInput) -> Answered:
    """Makes a role that may do what another may. Asks for role.create and policy.activate."""
    id = number_of(Role, input.role_id)
    values = {"id": id, "code": input.code, "name": input.name, "reason": input.reason}

    def call(scope: Scope) -> Outcome:
        return Outcome([policy_drafts.copy_role(scope, id, input.code, input.name, input.reason)])

    return await act(info.context, Role, "role.copy", None, values, call)
