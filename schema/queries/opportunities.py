"""The queries `opportunityBoard` and `opportunitySums`: a pipeline column by column, and what opportunities come to."""

from decimal import Decimal
from typing import Any

import strawberry
from strawberry.scalars import JSON

from models import Department, Opportunity, Pipeline, User
from models.pipeline import StageKind
from resolvers.customers import opportunity_board as boards
from resolvers.customers import opportunity_sums as sums
from resolvers.runtime.ids import global_id, number_of

from ..contract import GraphQLInfo, Pointer, Siblings, query
from ..types.make import enum_of, record_of

StageKindType: Any = enum_of(StageKind)
ByType: Any = enum_of(sums.SumsBy)


@strawberry.type(
    description="Sums of opportunities in one currency; `weighted` is what is open, times its probability."
)
class OpportunityTotal:
    currency: str
    """Three letters of ISO 4217."""
    open: Decimal
    """The sum of those that are open or on hold."""
    weighted: Decimal
    """The sum of those, each times its probability, rounded to 2 decimals at the end."""
    won: Decimal
    """The sum of those that were won."""
    lost: Decimal
    """The sum of those that were lost."""


@strawberry.type(
    description="One group of opportunities; `key` is a stage, the id of a person, department or pipeline, or the first day of a month."
)
class OpportunityGroup:
    key: str | None
    """What the group has in common; null for those that have no such value."""
    open: int
    """Number of those that are open or on hold."""
    won: int
    """Number of those that were won."""
    lost: int
    """Number of those that were lost."""
    totals: list[OpportunityTotal]
    """What they come to, by currency."""


@strawberry.type(description="One stage of a board; `stage` is null for what stands in no stage of the pipeline.")
class OpportunityBoardColumn:
    stage: str | None
    """The key of the stage."""
    stage_label: str | None
    """What the stage is called, in your language."""
    kind: StageKindType
    """Whether opportunities in it are open, on hold, won or lost."""
    probability: int | None
    """Per cent that an opportunity gets here; null where the stage sets none."""
    count: int
    """Number of opportunities in the column, not only of those in `nodes`."""
    totals: list[OpportunityTotal]
    """What they come to, by currency."""
    nodes: list[Pointer] = strawberry.field(graphql_type=list[record_of(Opportunity)])  # type: ignore[misc]  # a type made at start
    """The first opportunities of the column, the last stage change first."""
    after: str | None = strawberry.field(
        description="The cursor of the next ones: `after` of `opportunities`, filtered by pipeline and stage, the last stage change first."
    )


@strawberry.type(description="A pipeline, its stages as columns, those opportunities first that came last.")
class OpportunityBoard:
    pipeline: Pointer | None = strawberry.field(graphql_type=record_of(Pipeline))
    """The pipeline that is shown; null where it is out of your sight."""
    columns: list[OpportunityBoardColumn]
    """Its stages in their order, and last what stands in none of them."""


@query("opportunity.view")
async def opportunity_board(
    info: GraphQLInfo, pipeline: strawberry.ID | None = None, filter: JSON | None = None, first: int = boards.USUAL
) -> OpportunityBoard:
    """The board of a pipeline, of the default one unless it is named; `filter` is a condition as saved views take it."""
    id = number_of(Pipeline, pipeline) if pipeline is not None else None
    found = await info.context.scope.read(boards.board, id, filter or {}, size=first)
    siblings = Siblings(Opportunity, [row.id for column in found.columns for row in column.page.rows])
    return OpportunityBoard(
        pipeline=Pointer(Pipeline, found.pipeline.id), columns=[_column(column, siblings) for column in found.columns]
    )


@query("opportunity.view")
async def opportunity_sums(info: GraphQLInfo, by: ByType, filter: JSON | None = None) -> list[OpportunityGroup]:
    """What the opportunities that you may see come to, by stage, person, team, pipeline or month."""
    found = await info.context.scope.read(sums.groups, by, filter or {})
    return [
        OpportunityGroup(key=_key(by, x.key), open=x.open, won=x.won, lost=x.lost, totals=_totals(x)) for x in found
    ]


def _column(column: boards.Column, siblings: Siblings) -> OpportunityBoardColumn:
    return OpportunityBoardColumn(
        stage=column.key,
        stage_label=column.word.label if column.word is not None else None,
        kind=column.kind,
        probability=column.terms.probability if column.terms is not None else None,
        count=column.sums.count,
        totals=_totals(column.sums),
        nodes=[Pointer(Opportunity, row.id, siblings) for row in column.page.rows],
        after=column.page.after,
    )


def _totals(group: sums.Group) -> list[OpportunityTotal]:
    return [
        OpportunityTotal(currency=x.currency, open=x.open, weighted=x.weighted, won=x.won, lost=x.lost)
        for x in group.totals
    ]


_MODELS: dict[sums.SumsBy, Any] = {
    sums.SumsBy.PERSON: User,
    sums.SumsBy.TEAM: Department,
    sums.SumsBy.PIPELINE: Pipeline,
}


def _key(by: sums.SumsBy, key: Any) -> str | None:
    if key is None:
        return None
    return global_id(_MODELS[by], key) if by in _MODELS else str(key)
