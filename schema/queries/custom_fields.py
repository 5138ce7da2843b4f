"""What stored values of a custom field allow: how far it is filled in, and what another kind would do."""

from typing import Any

import strawberry

from models import CustomField
from models.custom_field import CustomKind
from resolvers.records import custom_fields
from resolvers.records.custom_conversion import model_of
from resolvers.records.custom_kinds import preview_kind
from resolvers.runtime.ids import global_id, number_of

from ..closed_lists import module_of
from ..contract import GraphQLInfo, query
from ..types import make
from ..types.enums import EntityNameType

KindType: Any = make.enum_of(CustomKind)


@strawberry.type(description="How many records that you see have a value in a field, and how many lack one.")
class CustomFieldUse:
    filled: int
    """Number of records with a value."""
    missing: int
    """Number of records without one."""


@strawberry.type(description="A value that is none of the wanted kind, with its record as far as you see it.")
class StuckValue:
    record_id: strawberry.ID | None
    """The global id of the record."""
    name: str | None
    """What the record is called."""
    text: str
    """The value that cannot become one of the new kind."""


@strawberry.type(description="What another kind would do to the stored values of a field.")
class CustomFieldKindPreview:
    possible: bool
    """Whether the change is possible at all."""
    total: int
    """Number of records with a value in the field."""
    converts: int
    """Number of values that become one of the new kind."""
    stuck: list[StuckValue] = strawberry.field(description="The first values that do not convert.")
    options: list[str] = strawberry.field(description="The options that would be made of the texts that are there.")


@query("customfield.view")
async def custom_field_use(info: GraphQLInfo, id: strawberry.ID) -> CustomFieldUse:
    """How many live records have a value in the field, and how many lack one, as far as you see them."""
    found = await info.context.scope.read(custom_fields.use_of, number_of(CustomField, id))
    return CustomFieldUse(filled=found.filled, missing=found.missing)


@query("customfield.edit")
async def custom_field_kind_preview(
    info: GraphQLInfo,
    id: strawberry.ID,
    kind: KindType,
    dictionary: str | None = None,
    target: EntityNameType | None = None,
) -> CustomFieldKindPreview:
    """What `changeCustomFieldKind` would do to the stored values, without doing it."""
    scope, number = info.context.scope, number_of(CustomField, id)
    found = await scope.read(preview_kind, number, CustomKind(kind), dictionary, module_of(target))
    stuck = [
        StuckValue(
            record_id=strawberry.ID(global_id(model_of(found.module), x.id)) if x.name is not None else None,
            name=x.name,
            text=x.text,
        )
        for x in found.stuck
    ]
    return CustomFieldKindPreview(
        possible=found.is_possible,
        total=found.total,
        converts=found.converts,
        stuck=stuck,
        options=list(found.options),
    )
