"""The queries `duplicateCheck` and `duplicateCheckMany`: which customers or contacts are there already."""

import enum
from typing import Any

import strawberry

from models import Contact, Customer
from models.duplicates import Evidence, Verdict
from resolvers.duplicates.check import Match, NextStep, Place
from resolvers.duplicates.notice import checked, checked_many
from resolvers.runtime.ids import global_id, number_of

from ..contract import GraphQLInfo, Pointer, query
from ..types.make import enum_of, record_of


@strawberry.enum(description="What is checked.")
class DuplicateEntity(enum.Enum):
    CUSTOMER = "CUSTOMER"
    """Customers."""
    CONTACT = "CONTACT"
    """Contacts."""


for _kind, _name, _doc in (
    (Place, "DuplicatePlace", "Where a record is."),
    (NextStep, "DuplicateNextStep", "What you may do with a record that is there already."),
):
    strawberry.enum(_kind, name=_name, description=_doc)
_MEANING: dict[str, str] = {
    Verdict.NOTHING: "It does not count.",
    Verdict.POSSIBLE: "It only warns.",
    Verdict.CERTAIN: "Saving asks for a reason: the input `duplicateReason`.",
    Verdict.REFUSED: "Saving is refused, whatever the reason.",
    Evidence.REGISTRATION: "The registration number is the same.",
    Evidence.EMAIL: "An e-mail address is the same.",
    Evidence.NAME: "The name is the same, without its legal form, in either script, in the same place.",
    Evidence.SOUND: "The names sound the same in pinyin.",
    Evidence.TYPING_ERROR: "The names differ by one typing error.",
    Evidence.PHONE_AND_NAME: "A phone number is the same, and the names are similar.",
    Evidence.SIMILAR_NAME: "The names are similar.",
    Evidence.PHONE: "A phone number is the same.",
    Evidence.DOMAIN: "The domain of an e-mail address is the same.",
    Evidence.NAME_ELSEWHERE: "The name is the same, but in another place.",
    Place.OWNED: "It has an owner, or belongs to nobody.",
    Place.POOL: "It is in a pool.",
    Place.BIN: "It is in the recycle bin.",
    NextStep.OPEN: "Open it: you may see it.",
    NextStep.CLAIM: "Claim it from its pool.",
    NextStep.RESTORE: "Restore it from the recycle bin.",
    NextStep.ASK_OWNER: "Ask its owner: you may not see it.",
    NextStep.ASK_ADMINISTRATOR: "Ask an administrator: you may not see it.",
}
for _described in (Verdict, Evidence, Place, NextStep):
    for _value in enum_of(_described).__strawberry_definition__.values:
        _value.description = _MEANING[_value.value]

_MODELS: dict[str, type[Customer] | type[Contact]] = {"CUSTOMER": Customer, "CONTACT": Contact}


@strawberry.input(
    description="What is known of a customer or contact: a name, phones, e-mail addresses or a registration number."
)
class DuplicateCheckRow:
    name: str | None = None
    """The name as it was typed; forms of companies, case and script do not matter."""
    phones: list[str] = strawberry.field(default_factory=list)
    """Phone numbers in any form; their digits are compared."""
    emails: list[str] = strawberry.field(default_factory=list)
    """E-mail addresses; case does not matter."""
    registration_number: str | None = strawberry.field(default=None, description="Of customers.")
    customer_id: strawberry.ID | None = strawberry.field(
        default=None,
        description="Of a contact: its customer.  A name alone is compared with those of the same customer.",
    )


@strawberry.input(description="What is known of a customer or contact that is entered or edited.")
class DuplicateCheckInput(DuplicateCheckRow):
    entity: DuplicateEntity = DuplicateEntity.CUSTOMER
    """Whether customers or contacts are looked for."""
    except_: strawberry.ID | None = strawberry.field(
        default=None, name="except", description="The record that is being edited."
    )


@strawberry.input(description="Many customers or contacts, 200 at most; each costs as much as one check.")
class DuplicateCheckManyInput:
    rows: list[DuplicateCheckRow]
    """The records to check; the answer has one result for each, in this order."""
    entity: DuplicateEntity = DuplicateEntity.CUSTOMER
    """Whether customers or contacts are looked for."""


@strawberry.type(description="A record that is probably the same, as far as you may know it.")
class DuplicateMatch:
    verdict: Verdict
    """What the organisation makes of it."""
    evidence: list[Evidence] = strawberry.field(description="What both have in common, that which says most first.")
    name: str = strawberry.field(description="Characters that you neither typed nor may read are ＊.")
    number: str | None
    """The number of the record that is there; null where you may not know it."""
    place: Place
    """Where that record is: with an owner, in a pool, in the recycle bin."""
    owner_name: str | None
    """Who owns it; null where you may not know it."""
    next_step: NextStep
    """What you can do about it."""
    record_id: strawberry.ID | None = strawberry.field(description="Null for a record that you may not see.")
    customer: Pointer | None = strawberry.field(graphql_type=record_of(Customer))
    """The customer; null where they are out of your sight."""
    contact: Pointer | None = strawberry.field(graphql_type=record_of(Contact))
    """The contact; null where they are out of your sight."""


@strawberry.type(description="The matches of one row.")
class DuplicateCheckResult:
    matches: list[DuplicateMatch]
    """The records that may be the same, the surest first; empty for none."""


@query("customer.dupcheck")
async def duplicate_check(info: GraphQLInfo, input: DuplicateCheckInput) -> list[DuplicateMatch]:
    """What is probably there already, the most certain first, five at most.  All records are compared."""
    model = _MODELS[input.entity.value]
    but = number_of(model, input.except_) if input.except_ else None
    return [_match(model, x) for x in await checked(info.context.scope, model, _given(input), but)]


@query("customer.dupcheck")
async def duplicate_check_many(info: GraphQLInfo, input: DuplicateCheckManyInput) -> list[DuplicateCheckResult]:
    """The same for each of many rows, in their order."""
    model = _MODELS[input.entity.value]
    found = await checked_many(info.context.scope, model, [_given(row) for row in input.rows])
    return [DuplicateCheckResult(matches=[_match(model, x) for x in matches]) for matches in found]


def _given(row: DuplicateCheckRow) -> dict[str, Any]:
    return {
        "name": row.name,
        "phone": row.phones,
        "email": row.emails,
        "registration_number": row.registration_number,
        "customer_id": number_of(Customer, row.customer_id) if row.customer_id else None,
    }


def _match(model: type[Customer] | type[Contact], match: Match) -> DuplicateMatch:
    pointer = Pointer(model, match.id) if match.id else None
    return DuplicateMatch(
        verdict=match.verdict,
        evidence=list(match.evidence),
        name=match.name,
        number=match.number or None,
        place=match.place,
        owner_name=match.owner or None,
        next_step=match.next_step,
        record_id=strawberry.ID(global_id(model, match.id)) if match.id else None,
        customer=pointer if model is Customer else None,
        contact=pointer if model is Contact else None,
    )
