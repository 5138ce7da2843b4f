"""Release rules: rehearse them, switch them on and off; put off a release."""

import strawberry

from models import Customer, ReleaseRule
from models.errors import Refusal
from resolvers.pool import extension, release_forecast, release_rules
from resolvers.runtime.batch import Mode
from resolvers.runtime.ids import number_of

from ..contract import Answered, GraphQLInfo, Pointer, mutation
from ..problems import Problem, problems_of
from ..queries.releases import ReleasePreview, preview_of
from ..types.make import record_of
from ..types.payloads import batch_payload_of
from .batches import batch


@strawberry.input(description="The customers whose release is put off, and why.")
class ExtendInput:
    ids: list[strawberry.ID]
    reason: str | None = None
    mode: Mode = Mode.BEST_EFFORT
    idempotency_key: str | None = None


@strawberry.input(description="One release rule.")
class ReleaseRuleInput:
    id: strawberry.ID


@strawberry.input(description="A release rule, and whether it is to be in force.")
class SwitchReleaseRuleInput:
    id: strawberry.ID
    on: bool
    """True puts it in force, false ends that."""


@strawberry.type(description="What the rule would do, and what was refused.")
class RehearsalPayload:
    preview: ReleasePreview | None = None
    """What the rule would do; null where it was refused."""
    problems: list[Problem] = strawberry.field(default_factory=list)


@strawberry.type(description="The rule as it is now, and what was refused.")
class SwitchPayload:
    release_rule: Pointer | None = strawberry.field(graphql_type=record_of(ReleaseRule), default=None)
    """The rule as it stands; null where it was refused."""
    problems: list[Problem] = strawberry.field(default_factory=list)


@mutation("customer.extend", returns=batch_payload_of(Customer), of=extension.extend)
async def extend_ownership(info: GraphQLInfo, input: ExtendInput) -> Answered:
    return await batch(info, Customer, input, lambda scope, ids: extension.extend(scope, ids, input.reason, input.mode))


@mutation("pool.edit")
async def rehearse_release_rule(info: GraphQLInfo, input: ReleaseRuleInput) -> RehearsalPayload:
    """Show what a rule would do, and note that you have seen it, so that you may switch it on."""
    scope, id = info.context.scope, number_of(ReleaseRule, input.id)
    try:
        preview = await release_forecast.rehearse(scope, id)
        await scope.run(release_rules.note_rehearsal, id, preview.terms)
    except Refusal as refusal:
        return RehearsalPayload(problems=problems_of([refusal], scope.language))
    return RehearsalPayload(preview=preview_of(preview))


@mutation("pool.edit")
async def switch_release_rule(info: GraphQLInfo, input: SwitchReleaseRuleInput) -> SwitchPayload:
    """Put a release rule in force or out of force.  What it says must be what you have rehearsed."""
    scope, id, problems = info.context.scope, number_of(ReleaseRule, input.id), []
    try:
        await scope.run(release_rules.switch, id, on=input.on)
    except Refusal as refusal:
        problems += problems_of([refusal], scope.language)
    return SwitchPayload(release_rule=Pointer(ReleaseRule, id), problems=problems)
