"""Merging customers, and undoing it."""

from collections import defaultdict

import strawberry

from models import Contact, Customer, MergeRecord
from models.errors import Refusal
from resolvers.merging.merge import Choices, merge
from resolvers.merging.merges import past_merge
from resolvers.merging.unmerge import unmerge
from resolvers.runtime.batch import Outcome
from resolvers.runtime.idempotency import run_once
from resolvers.runtime.ids import global_id, number_of
from resolvers.runtime.scope import Scope

from ..contract import GraphQLInfo, Pointer, mutation
from ..problems import Problem, problems_of
from ..types.make import python_name, record_of


@strawberry.input(
    description="The record whose value of a field stays; what is left out is as `mergePreview` proposes it."
)
class MergeChoiceInput:
    field: str
    from_id: strawberry.ID
    """The customer whose value stays."""


@strawberry.input(
    description="The same for a contact that is the same person in several customers: the one that stays."
)
class MergeContactChoiceInput:
    contact_id: strawberry.ID
    """The contact who stays."""
    field: str
    from_id: strawberry.ID
    """The contact whose value stays."""


@strawberry.input(description="Up to five customers: which one stays, and which become part of it.")
class MergeCustomersInput:
    winner_id: strawberry.ID
    """The customer that stays."""
    loser_ids: list[strawberry.ID]
    """The customers that become part of it."""
    fields: list[MergeChoiceInput] = strawberry.field(default_factory=list)
    """Values to keep other than those that `mergePreview` proposes."""
    contacts: list[MergeContactChoiceInput] = strawberry.field(default_factory=list)
    """Values of contacts to keep other than those that `mergePreview` proposes."""
    reason: str | None = None
    idempotency_key: str | None = None


@strawberry.input(description="A merge by its id, or the last merge into a customer.")
class UnmergeCustomersInput:
    merge_id: strawberry.ID | None = None
    """The merge, as `mergeCustomers` has named it."""
    winner_id: strawberry.ID | None = None
    """The customer that stayed; its last merge is undone. In place of `mergeId`."""
    reason: str | None = None
    idempotency_key: str | None = None


@strawberry.type(description="The customer that stayed, and the ids of those that became part of it.")
class MergeCustomersPayload:
    merge_id: strawberry.ID | None = None
    """The merge, for `unmergeCustomers`."""
    ids: list[strawberry.ID] = strawberry.field(default_factory=list)
    customer: Pointer | None = strawberry.field(default=None, graphql_type=record_of(Customer))
    """The customer that stays; null where it was refused."""
    problems: list[Problem] = strawberry.field(default_factory=list)


@strawberry.type(
    description="The customers that are whole again, and in sentences what stays as it is because it was changed since."
)
class UnmergeCustomersPayload:
    ids: list[strawberry.ID] = strawberry.field(default_factory=list)
    kept: list[str] = strawberry.field(default_factory=list)
    """What was changed since and so stays with the other customer, in words."""
    customer: Pointer | None = strawberry.field(default=None, graphql_type=record_of(Customer))
    """The customer that had stayed; null where it was refused."""
    problems: list[Problem] = strawberry.field(default_factory=list)


@mutation("customer.merge")
async def merge_customers(info: GraphQLInfo, input: MergeCustomersInput) -> MergeCustomersPayload:
    """Make customers part of another one, with everything that hangs on them; `unmergeCustomers` undoes it."""
    scope, winner = info.context.scope, number_of(Customer, input.winner_id)
    losers, choices = [number_of(Customer, id) for id in input.loser_ids], _choices(input)

    def call(scope: Scope) -> Outcome:
        return Outcome([merge(scope, winner, losers, choices, input.reason).id])

    given = {"winner": winner, "losers": losers, "choices": choices, "reason": input.reason}
    try:
        outcome = await scope.run(run_once, input.idempotency_key, info.field_name, given, call)
    except Refusal as refusal:
        return MergeCustomersPayload(problems=problems_of([refusal], scope.language))
    found = await scope.read(past_merge, outcome.ids[0])
    ids = [strawberry.ID(global_id(Customer, id)) for id in (found.loser_ids if found else ())]
    merge_id = strawberry.ID(global_id(MergeRecord, outcome.ids[0]))
    return MergeCustomersPayload(merge_id=merge_id, ids=ids, customer=Pointer(Customer, winner))


@mutation("customer.merge")
async def unmerge_customers(info: GraphQLInfo, input: UnmergeCustomersInput) -> UnmergeCustomersPayload:
    """Undo a merge: what was not changed since is as it was before, the rest is named in `kept`."""
    scope = info.context.scope
    merge_id = number_of(MergeRecord, input.merge_id) if input.merge_id is not None else None
    winner_id = number_of(Customer, input.winner_id) if input.winner_id is not None else None

    def call(scope: Scope) -> Outcome:
        return Outcome([unmerge(scope, merge_id=merge_id, winner_id=winner_id, reason=input.reason).id])

    given = {"merge": merge_id, "winner": winner_id, "reason": input.reason}
    try:
        outcome = await scope.run(run_once, input.idempotency_key, info.field_name, given, call)
    except Refusal as refusal:
        return UnmergeCustomersPayload(problems=problems_of([refusal], scope.language))
    found = await scope.read(past_merge, outcome.ids[0])
    if found is None:
        return UnmergeCustomersPayload()
    return UnmergeCustomersPayload(
        ids=[strawberry.ID(global_id(Customer, id)) for id in found.loser_ids],
        kept=[note.say(scope.language) for note in found.kept],
        customer=Pointer(Customer, found.winner_id),
    )


def _choices(input: MergeCustomersInput) -> Choices:
    fields = {python_name(x.field): number_of(Customer, x.from_id) for x in input.fields}
    contacts: dict[int, dict[str, int]] = defaultdict(dict)
    for x in input.contacts:
        contacts[number_of(Contact, x.contact_id)][python_name(x.field)] = number_of(Contact, x.from_id)
    return Choices(fields, dict(contacts))
