"""The queries `releasePreview` and `releaseForecast`: which customers go back to a pool, and when."""

from datetime import date, datetime

import strawberry

from models import Customer, ReleaseRule, User
from resolvers.pool import release_forecast as forecasts
from resolvers.pool.release_forecast import Preview
from resolvers.runtime.ids import number_of

from ..contract import GraphQLInfo, Pointer, query
from ..types.make import record_of


@strawberry.type(description="A day of the organisation, and how many customers go back to a pool on it.")
class ReleaseDay:
    day: date
    """The day, in the time zone of the organisation."""
    count: int
    """Number of customers."""


@strawberry.type(description="An owner, and how many of their customers a rule takes within 30 days.")
class ReleaseOwner:
    owner: Pointer | None = strawberry.field(graphql_type=record_of(User))
    """The owner; null where they are out of your sight."""
    count: int
    """Number of their customers."""


@strawberry.type(description="A customer that a rule takes, and when.")
class ReleaseSample:
    customer: Pointer | None = strawberry.field(graphql_type=record_of(Customer))
    """The customer; null where they are out of your sight."""
    due_at: datetime
    """When the rule takes it."""


@strawberry.type(description="What a release rule would do by itself, whether or not it is in force.")
class ReleasePreview:
    total: int = strawberry.field(description="Customers that it takes sooner or later unless something is done.")
    at_once: int = strawberry.field(description="Customers that it takes as soon as it is in force.")
    days: list[ReleaseDay] = strawberry.field(description="The next 30 days, those without releases left out.")
    owners: list[ReleaseOwner] = strawberry.field(description="WhoseRecords customers, the most first.")
    samples: list[ReleaseSample] = strawberry.field(description="The first ones, as far as you may see them.")
    unknown_years: list[int] = strawberry.field(
        description="Years whose business calendar is empty: their weekdays count."
    )


@query("pool.edit")
async def release_preview(info: GraphQLInfo, rule_id: strawberry.ID) -> ReleasePreview:
    """What a release rule would do: how many customers, whose, and on which days."""
    return preview_of(await forecasts.rehearse(info.context.scope, number_of(ReleaseRule, rule_id)))


@query("customer.view")
async def release_forecast(info: GraphQLInfo, user_id: strawberry.ID, days: int = 30) -> list[ReleaseDay]:
    """The days on which customers of a user go back to a pool, as far as you may see them; past dates count today."""
    found = await info.context.scope.read(forecasts.forecast, number_of(User, user_id), days)
    return [ReleaseDay(day=day, count=count) for day, count in found.items()]


def preview_of(preview: Preview) -> ReleasePreview:
    return ReleasePreview(
        total=preview.total,
        at_once=preview.at_once,
        days=[ReleaseDay(day=day, count=n) for day, n in sorted(preview.by_day.items())],
        owners=[ReleaseOwner(owner=Pointer(User, id), count=n) for id, n in preview.by_owner.most_common()],
        samples=[ReleaseSample(customer=Pointer(Customer, id), due_at=at) for id, at in preview.samples],
        unknown_years=preview.unknown_years,
    )
