"""Contacts: transfer them to another owner."""

from models import Contact, User
from resolvers.customers import contacts
from resolvers.runtime.ids import number_of

from ..contract import Answered, GraphQLInfo, mutation
from ..types.payloads import batch_payload_of
from .batches import HandInput, batch


@mutation("contact.transfer", returns=batch_payload_of(Contact))
async def transfer_contacts(info: GraphQLInfo, input: HandInput) -> Answered:
    owner = number_of(User, input.user_id)
    return await batch(
        info, Contact, input, lambda scope, ids: contacts.transfer(scope, ids, owner, input.mode, input.reason)
    )
