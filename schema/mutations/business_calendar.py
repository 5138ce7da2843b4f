"""The business calendar: fill a year from the public holidays of a country."""

import strawberry

from models.errors import Refusal
from resolvers.records import business_calendar

from ..contract import GraphQLInfo, mutation
from ..problems import Problem, problems_of


@strawberry.input(description="A country by its code of two letters, and a year.")
class FillCalendarInput:
    country: str
    """The country whose public holidays are taken, two letters of ISO 3166, like `CN`."""
    year: int
    """The year whose days are added, like 2027."""


@strawberry.type(description="How many days were added, and what was refused.")
class FillCalendarPayload:
    added: int = 0
    """Number of days that were added."""
    problems: list[Problem] = strawberry.field(default_factory=list)


@mutation("calendar.create")
async def fill_business_calendar(info: GraphQLInfo, input: FillCalendarInput) -> FillCalendarPayload:
    """Add the public holidays of a country to the business calendar; days that are there stay as they are."""
    scope = info.context.scope
    try:
        return FillCalendarPayload(added=await scope.run(business_calendar.fill, input.country.upper(), input.year))
    except Refusal as refusal:
        return FillCalendarPayload(problems=problems_of([refusal], scope.language))
