"""The query `poolHealth`: the fairness report of a pool, for its administrators."""

from datetime import date, timedelta
from typing import Annotated, Any

import strawberry

from models import Pool, User
from models.pool_assignment import Strategy
from resolvers.pool import health
from resolvers.runtime.ids import number_of

from ..contract import GraphQLInfo, Pointer, query
from ..types.make import enum_of, record_of

AssignmentStrategy: Any = enum_of(Strategy)


@strawberry.type(description="What one user got out of the pool.")
class PoolHealthPerson:
    user: Pointer | None = strawberry.field(graphql_type=record_of(User))
    """The user; null where they are out of your sight."""
    claimed: int
    """Number of customers that they claimed."""
    assigned: int
    """Number of customers that they were given."""
    most_in_a_day: int = strawberry.field(description="Claims of their busiest day, beside `dailyQuota`.")


@strawberry.type(description="What came into the pool on a day, and what left it.")
class PoolHealthDay:
    day: date
    """The day, in the time zone of the organisation."""
    arrived: int
    """Number of customers that came into the pool."""
    left: int
    """Number of customers that left it, by whatever way."""
    claimed: int
    """Number of customers that were claimed."""
    assigned: int
    """Number of customers that were assigned."""
    deleted: int
    """Number of customers that went into the recycle bin."""


@strawberry.type(description="Customers that lie there for at least `days` and fewer than `below` days.")
class PoolHealthAge:
    days: int
    """The fewest days of this class."""
    below: int | None
    """The days at which the next class begins; null for the last one."""
    count: int
    """Number of customers."""


@strawberry.type(description="Automatic assignments by one strategy.")
class PoolHealthAssignments:
    strategy: AssignmentStrategy
    """How the member was chosen."""
    assigned: int
    """Number of customers that found an owner."""
    nobody: int = strawberry.field(description="Decisions that found nobody.")


@strawberry.type(description="Customers that go back into the pool on a day, unless they are worked on before.")
class PoolHealthReleases:
    day: date
    """The day, in the time zone of the organisation."""
    count: int
    """Number of customers."""


@strawberry.type(
    description="Who claims how much from a pool, what comes and goes, how long it takes, and what lies there."
)
class PoolHealth:
    pool: Pointer | None = strawberry.field(graphql_type=record_of(Pool))
    """The pool that was asked for; null where it is out of your sight."""
    daily_quota: int | None
    """Number of customers that a user may claim in a day; null is no limit."""
    weekly_quota: int | None
    """Number of customers that a user may claim from Monday to Sunday; null is no limit."""
    people: list[PoolHealthPerson]
    """What each user got, the most first."""
    days: list[PoolHealthDay]
    """What came and went, day by day."""
    median_hours_to_claim: float | None
    """Hours in the pool that half of the claimed customers did not exceed; null without claims."""
    p90_hours_to_claim: float | None
    """Hours in the pool that nine of ten claimed customers did not exceed; null without claims."""
    ages: list[PoolHealthAge]
    """How long those have lain there that are there now."""
    assignments: list[PoolHealthAssignments]
    """Automatic assignments, by strategy."""
    releases: list[PoolHealthReleases]
    """How many customers will come back, day by day."""


@query("pool.edit")
async def pool_health(
    info: GraphQLInfo, pool_id: strawberry.ID, from_: Annotated[date, strawberry.argument(name="from")], to: date
) -> PoolHealth:
    """The report of a pool over up to 92 days, for its administrators."""
    found = await info.context.scope.read(health.pool_health, number_of(Pool, pool_id), from_, to)
    return PoolHealth(
        pool=Pointer(Pool, found.pool_id),
        daily_quota=found.daily_quota,
        weekly_quota=found.weekly_quota,
        people=[
            PoolHealthPerson(user=_user(x.user_id), claimed=x.claimed, assigned=x.assigned, most_in_a_day=x.most)
            for x in found.people
        ],
        days=[_day(x) for x in found.days],
        median_hours_to_claim=_hours(found.median),
        p90_hours_to_claim=_hours(found.ninetieth),
        ages=[PoolHealthAge(days=x.days, below=x.below, count=x.count) for x in found.ages],
        assignments=[
            PoolHealthAssignments(strategy=x.strategy, assigned=x.assigned, nobody=x.nobody) for x in found.assignments
        ],
        releases=[PoolHealthReleases(day=day, count=count) for day, count in found.releases],
    )


def _day(x: health.DayHealth) -> PoolHealthDay:
    return PoolHealthDay(
        day=x.day, arrived=x.arrived, left=x.left, claimed=x.claimed, assigned=x.assigned, deleted=x.deleted
    )


def _user(id: int) -> Pointer:
    return Pointer(User, id)


def _hours(time: timedelta | None) -> float | None:
    return None if time is None else round(time.total_seconds() / 3600, 2)
