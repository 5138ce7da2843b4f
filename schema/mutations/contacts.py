"""Contacts and opportunities: transfer them to another owner."""

from models import Contact, Opportunity, User
from resolvers.customers.transfer_related import transfer
from resolvers.runtime.ids import number_of

from ..contract import Answered, GraphQLInfo, mutation
from ..types.payloads import batch_payload_of
from .batches import HandInput, batch


@mutation("contact.transfer", returns=batch_payload_of(Contact), of=transfer)
async def transfer_contacts(info: GraphQLInfo, input: HandInput) -> Answered:
    owner = number_of(User, input.user_id)
    return await batch(
        info, Contact, input, lambda scope, ids: transfer(scope, Contact, ids, owner, input.mode, input.reason)
    )


@mutation("opportunity.transfer", returns=batch_payload_of(Opportunity), of=transfer)
async def transfer_opportunities(info: GraphQLInfo, input: HandInput) -> Answered:
    owner = number_of(User, input.user_id)
    return await batch(
        info, Opportunity, input, lambda scope, ids: transfer(scope, Opportunity, ids, owner, input.mode, input.reason)
    )
