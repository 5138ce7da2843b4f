"""The query `duplicateGroups`: customers that are probably one, page by page."""

import strawberry

from models import Customer
from models.duplicates import Evidence
from resolvers.duplicates.groups import Group, groups
from resolvers.runtime.ids import global_id

from ..contract import GraphQLInfo, Pointer, query
from ..types.make import enum_of, record_of


@strawberry.type(description="One of the customers of a group.")
class DuplicateMember:
    customer_id: strawberry.ID
    """The global id of the customer, `cus_…`."""
    customer: Pointer = strawberry.field(graphql_type=record_of(Customer))
    """The customer; null where they are out of your sight."""


@strawberry.type(description="Customers that are certainly the same by the rules, and what they have in common.")
class DuplicateGroup:
    evidence: list[enum_of(Evidence)]  # type: ignore[valid-type]  # Strawberry's enum
    """What the customers have in common."""
    members: list[DuplicateMember]
    """The customers of the group."""


@strawberry.type(description="Groups, and where the next page begins: null at the end.  A page may have no group.")
class DuplicateGroups:
    groups: list[DuplicateGroup]
    """Groups of customers that may be the same, the surest first."""
    after: str | None
    """The place of the next page; null at the end."""


@query("customer.merge")
async def duplicate_groups(info: GraphQLInfo, first: int = 20, after: str | None = None) -> DuplicateGroups | None:
    """Groups of customers that are probably one, among those that you see.  Pairs that were told apart are left out."""
    page = await info.context.scope.read(groups, first, after)
    return DuplicateGroups(groups=[_group(each) for each in page.groups], after=page.after)


def _group(group: Group) -> DuplicateGroup:
    members = [
        DuplicateMember(customer_id=strawberry.ID(global_id(Customer, id)), customer=Pointer(Customer, id))
        for id in group.ids
    ]
    return DuplicateGroup(evidence=list(group.evidence), members=members)
