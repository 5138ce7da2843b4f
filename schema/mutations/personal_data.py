"""Personal data: everything about one person as a file, and its erasure."""

from typing import Any, cast

import strawberry
from strawberry.scalars import JSON

from models import Contact, User
from models.errors import NotFound, Refusal
from resolvers.personal import disclosure, erasure
from resolvers.runtime.ids import number_of

from ..contract import GraphQLInfo, mutation
from ..problems import Problem, problems_of


@strawberry.input(description="One person: a contact, or a user.")
class PersonalDataInput:
    id: strawberry.ID


@strawberry.type(description="What is held of a person, table by table, or what was refused.")
class PersonalDataPayload:
    data: JSON | None = None
    """Name of a table -> its rows about the person; null where it was refused."""
    problems: list[Problem] = strawberry.field(default_factory=list)


@strawberry.input(description="A contact whose personal data is erased. It cannot be undone.")
class ErasePersonalDataInput:
    id: strawberry.ID
    confirm: bool
    """Has to be true, because nothing brings the data back."""
    reason: str | None = None
    """Why, without personal data: it stands in the log."""


@strawberry.type(description="How much was erased, or what was refused.")
class ErasePersonalDataPayload:
    entries: int | None = None
    """The number of log entries that have no values any more; null where it was refused."""
    problems: list[Problem] = strawberry.field(default_factory=list)


@mutation("contact.disclose")
async def export_personal_data(info: GraphQLInfo, input: PersonalDataInput) -> PersonalDataPayload:
    """Everything that is held of a contact or of a user, for that person.  It is logged."""
    scope = info.context.scope
    model = User if number_of(User, input.id) else Contact
    try:
        found = await scope.run(disclosure.disclose, model, number_of(model, input.id))
    except Refusal as refusal:
        return PersonalDataPayload(problems=problems_of([refusal], scope.language))
    return PersonalDataPayload(data=cast("Any", found))


@mutation("contact.erase")
async def erase_personal_data(info: GraphQLInfo, input: ErasePersonalDataInput) -> ErasePersonalDataPayload:
    """Erase name, numbers, addresses and remarks of a contact wherever they stand, in the log too, where hashes and tombstones stay.  It cannot be undone."""
    scope, id = info.context.scope, number_of(Contact, input.id)
    try:
        if not id:
            raise NotFound(what=Contact.names)
        count = await scope.run(erasure.erase, id, confirm=input.confirm, reason=input.reason)
    except Refusal as refusal:
        return ErasePersonalDataPayload(problems=problems_of([refusal], scope.language))
    return ErasePersonalDataPayload(entries=count)
