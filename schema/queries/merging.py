"""The query `mergePreview`: what a merge of customers would ask."""

from typing import Any

import strawberry

from models import Contact, Customer, Entity, Pool, User
from models.audit.entries import plain
from resolvers.merging.comparison import PLACE, Comparison, Difference, SamePerson
from resolvers.merging.merge import preview
from resolvers.runtime.ids import camel, global_id, number_of

from ..contract import GraphQLInfo, Pointer, query
from ..types.make import record_of


@strawberry.type(description="The value of a field in one of the records; `mayStay`: whether it may be chosen.")
class MergeValue:
    record_id: strawberry.ID
    """The record that holds it."""
    value: str | None
    """The value as a person reads it; null where it is empty or hidden."""
    hidden: bool
    """Whether there may be a value that you do not see."""
    may_stay: bool
    """Whether you may choose it."""


@strawberry.type(
    description="A field that differs, and the record whose value stays unless another one is chosen.  `owner` stands for owner or pool."
)
class MergeField:
    field: str
    """The field by its name in the API."""
    values: list[MergeValue]
    """What each customer holds in it."""
    proposed_id: strawberry.ID
    """The customer whose value would stay unless another one is chosen."""


@strawberry.type(description="Contacts that are one person: the first one stays.")
class MergePerson:
    contact_ids: list[strawberry.ID]
    """The contacts who are the same person."""
    name: str
    """What the person is called."""
    fields: list[MergeField]
    """The fields in which these contacts differ."""


@strawberry.type(description="One of the customers, and whether it is the one that stays.")
class MergeCandidate:
    customer_id: strawberry.ID
    """The global id of the customer, `cus_…`."""
    stays: bool
    """Whether it is the one that the others become part of."""
    customer: Pointer = strawberry.field(graphql_type=record_of(Customer))
    """The customer as it is now; null where they are out of your sight."""


@strawberry.type(description="What a merge of these customers would ask.")
class MergePreview:
    customers: list[MergeCandidate]
    """The customers, the one that stays first."""
    fields: list[MergeField]
    """The fields in which they differ, with the value that would stay."""
    contacts: list[MergePerson]
    """Contacts who are the same person, and would become one."""


@query("customer.merge")
async def merge_preview(info: GraphQLInfo, winner_id: strawberry.ID, loser_ids: list[strawberry.ID]) -> MergePreview:
    """The fields in which these customers differ, and their contacts that are one person.  Changes nothing."""
    losers = [number_of(Customer, id) for id in loser_ids]
    found: Comparison = await info.context.scope.read(preview, number_of(Customer, winner_id), losers)
    return MergePreview(
        customers=[_candidate(row.id, stays=row is found.customers[0]) for row in found.customers],
        fields=[_field(Customer, x) for x in found.differences],
        contacts=[_person(x) for x in found.people],
    )


def _candidate(id: int, *, stays: bool) -> MergeCandidate:
    return MergeCandidate(
        customer_id=strawberry.ID(global_id(Customer, id)), stays=stays, customer=Pointer(Customer, id)
    )


def _person(person: SamePerson) -> MergePerson:
    ids = [strawberry.ID(global_id(Contact, id)) for id in person.ids]
    return MergePerson(contact_ids=ids, name=person.name, fields=[_field(Contact, x) for x in person.differences])


def _field(model: type[Entity], x: Difference) -> MergeField:
    ids = [*x.values, *sorted(x.hidden)]
    values = [
        MergeValue(
            record_id=strawberry.ID(global_id(model, id)),
            value=_text(x, x.values.get(id)),
            hidden=id in x.hidden,
            may_stay=id in x.choices,
        )
        for id in ids
    ]
    return MergeField(field=camel(x.key), values=values, proposed_id=strawberry.ID(global_id(model, x.proposed)))


def _text(x: Difference, value: Any) -> str | None:
    if x.key == PLACE and value is not None:
        owner_id, pool_id = value
        return global_id(User, owner_id) if owner_id is not None else global_id(Pool, pool_id)
    return None if value is None else str(plain(value))
