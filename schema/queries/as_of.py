"""The query `recordAsOf`: a record of any kind as it was at a moment, field by field, beside what it is now."""

from datetime import datetime

import strawberry
from strawberry.scalars import JSON

from models import Entity
from models.errors import NotFound
from resolvers.audit.as_of import PastValue, as_of
from resolvers.runtime.ids import camel, global_id, number_of

from ..contract import GraphQLInfo, query
from ..past_rows import api_value
from ..roots import model_of


@strawberry.type(description="A field of a record then and now, with names for ids and words.")
class PastField:
    field: str
    """The field by its name in the API; of a custom field its key."""
    value: JSON | None
    """What it held then, as stored; null where it was empty."""
    name: str | None
    """What that value is called: the label of a word, the name of a record."""
    now: JSON | None
    """What it holds now, as stored."""
    name_now: str | None
    """What the present value is called."""
    is_known: bool = strawberry.field(
        description="False where a change that you cannot read may have touched the field; then `value` is null."
    )
    has_changed: bool = strawberry.field(description="Whether the field is another one now.")


@strawberry.type(description="A record as it was at a moment, as far as you may see the record now.")
class RecordAsOf:
    record_id: strawberry.ID
    """The global id of the record."""
    at: datetime
    """The moment that was asked for."""
    since: datetime = strawberry.field(description="The change that made it so.")
    earlier: datetime | None = strawberry.field(description="The change before that one.")
    later: datetime | None = strawberry.field(description="The change after it; null for the present state.")
    untold: int = strawberry.field(description="Changes of the record that were erased, or that you may not read.")
    fields: list[PastField]
    """The fields of the record, in the order of its form."""


@query("system.node")
async def record_as_of(info: GraphQLInfo, id: strawberry.ID, at: datetime) -> RecordAsOf | None:
    """A record of any kind as it was, under the rights of its kind; null when it is missing or out of sight."""
    model = model_of(str(id))
    if model is None or not issubclass(model, Entity):
        return None
    try:
        past = await info.context.scope.read(as_of, model, number_of(model, str(id)), at)
    except NotFound:
        return None
    return RecordAsOf(
        record_id=strawberry.ID(global_id(model, past.id)),
        at=past.at,
        since=past.since,
        earlier=past.earlier,
        later=past.later,
        untold=past.untold,
        fields=[_shown(model, it) for it in past.values],
    )


def _shown(model: type[Entity], it: PastValue) -> PastField:
    return PastField(
        field=camel(it.key),
        value=api_value(model, it.key, it.value),
        name=it.name,
        now=api_value(model, it.key, it.now),
        name_now=it.name_now,
        is_known=it.is_known,
        has_changed=it.has_changed,
    )
