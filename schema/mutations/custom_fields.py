"""Custom fields beyond creating and changing them: retire, bring back, put in order, another kind, tell people."""

from typing import Any

import strawberry

from models import CustomField
from models.custom_field import CustomKind
from resolvers.notices.custom_fields import announce
from resolvers.records import custom_fields
from resolvers.records.custom_kinds import change_kind
from resolvers.runtime.batch import Outcome
from resolvers.runtime.idempotency import single
from resolvers.runtime.ids import number_of
from resolvers.runtime.scope import Scope

from ..closed_lists import module_of
from ..contract import Answered, GraphQLInfo, act, mutation
from ..types import make
from ..types.enums import EntityNameType
from ..types.payloads import batch_payload_of, payload_of
from .batches import RecordsInput, batch, numbers_of

KindType: Any = make.enum_of(CustomKind)


@strawberry.input(
    description="Which field gets which kind. `dictionary`: the code of that with the options of a choice, or `anew` for one"
    " of the texts that are there. `target`: the records of a reference."
)
class ChangeCustomFieldKindInput:
    id: strawberry.ID
    kind: KindType
    """The kind that the field gets."""
    dictionary: str | None = None
    """For a choice: the code of the dictionary of its words."""
    target: EntityNameType | None = None
    """For a reference: the kind of records, by its word in the policy."""
    idempotency_key: str | None = None


@strawberry.input(description="Fields of one kind of records in their new order.")
class ArrangeCustomFieldsInput:
    ids: list[strawberry.ID]
    idempotency_key: str | None = None


@mutation("customfield.edit", returns=batch_payload_of(CustomField))
async def retire_custom_fields(info: GraphQLInfo, input: RecordsInput) -> Answered:
    """Takes fields out of forms, lists and filters; every value stays.  Asks for the right customfield.edit."""
    return await batch(info, CustomField, input, lambda scope, ids: custom_fields.retire(scope, ids, input.mode))


@mutation("customfield.edit", returns=batch_payload_of(CustomField))
async def bring_back_custom_fields(info: GraphQLInfo, input: RecordsInput) -> Answered:
    """Offers retired fields again, with their values.  Asks for the right customfield.edit."""
    return await batch(info, CustomField, input, lambda scope, ids: custom_fields.bring_back(scope, ids, input.mode))


@mutation("customfield.edit", returns=batch_payload_of(CustomField))
async def announce_custom_fields(info: GraphQLInfo, input: RecordsInput) -> Answered:
    """Tells every user who sees the fields in some record.  Asks for the right customfield.edit."""
    return await batch(info, CustomField, input, lambda scope, ids: announce(scope, ids, input.mode))


@mutation("customfield.edit", returns=batch_payload_of(CustomField))
async def arrange_custom_fields(info: GraphQLInfo, input: ArrangeCustomFieldsInput) -> Answered:
    """Puts fields in order; those that are not named follow.  Asks for the right customfield.edit."""
    ids = numbers_of(CustomField, input.ids)

    def call(scope: Scope) -> Outcome:
        return Outcome(custom_fields.arrange(scope, ids))

    return await act(info.context, CustomField, "customfield.edit", input.idempotency_key, {"ids": ids}, call)


@mutation("customfield.edit", returns=payload_of(CustomField))
async def change_custom_field_kind(info: GraphQLInfo, input: ChangeCustomFieldKindInput) -> Answered:
    """Changes what a field holds, where every stored value converts.  Asks for the right customfield.edit."""
    id = number_of(CustomField, input.id)
    given = (CustomKind(input.kind), input.dictionary, module_of(input.target))
    return await act(
        info.context,
        CustomField,
        "customfield.edit",
        input.idempotency_key,
        {"id": id, "given": given},
        lambda scope: single(change_kind(scope, id, *given)),
        subject=id,
    )
