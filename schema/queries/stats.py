"""The queries `customerStats` and `opportunityStats`: a list by groups, with counts and sums per currency."""

import enum
from collections.abc import Mapping, Sequence
from decimal import Decimal
from functools import partial
from typing import Any

import strawberry
from graphql import FieldNode

from models import Base, Customer, Opportunity
from resolvers.reading.grouping import CUSTOMER_GROUPS, GROUP_DOCS, OPPORTUNITY_GROUPS, Group

from ..contract import derived
from ..plan.compile import Compiler
from ..plan.dialect import Value
from ..plan.shape import name_of, singular
from ..plan.stats import GROUPS, MAX_GROUPS, asked_of
from ..plan.stats import Stats as Compiled
from ..roots import compiled_query
from ..types import namespace
from ..types.filters import filter_name


def _groups(model: type[Base], known: Mapping[str, Group]) -> Any:
    """The enum of what records of a model are grouped by."""
    name = f"{name_of(model)}GroupBy"
    members = {key: strawberry.enum_value(key, description=GROUP_DOCS[key]) for key in known}
    made: Any = enum.Enum(name, members, module=__name__)  # type: ignore[misc]  # from the groups
    return strawberry.enum(made, description=f"By what {singular(model)} statistics are grouped.")


CustomerGroupBy = _groups(Customer, CUSTOMER_GROUPS)
OpportunityGroupBy = _groups(Opportunity, OPPORTUNITY_GROUPS)


@strawberry.enum(description="In which order groups come.")
class StatsOrder(enum.Enum):
    COUNT = strawberry.enum_value("COUNT", description="The largest first, then as by KEY.")
    KEY = strawberry.enum_value(
        "KEY", description="Words by their place, people and pools by name, months by time; empty last."
    )


@strawberry.type(
    description="A value that the records of a group have in common; all null where it is empty, or hidden from you."
)
class StatsKey:
    record_id: strawberry.ID | None = strawberry.field(description="The id of the user, department, pool or pipeline.")
    value: str | None = strawberry.field(description="The key of a word, or a month like `2026-11`.")
    label: str | None = strawberry.field(
        description="What people read, in your language; null where you may not see what the record is called."
    )


@strawberry.type(description="Sums in one currency; amounts of different currencies are never added.")
class StatsSum:
    currency: str = strawberry.field(description="The currency, like `CNY`.")
    amount: Decimal = strawberry.field(description="The sum of the amounts that you may see.")
    weighted: Decimal = strawberry.field(description="What is open, times its probability; rounded once, half up.")


@strawberry.type(description="One group of records, or several together.")
class StatsRow:
    key: list[StatsKey] = strawberry.field(
        description="One for each member of `groupBy`, in that order; none for several groups together."
    )
    count: int = strawberry.field(description="The number of records that you may see.")
    sums: list[StatsSum] = strawberry.field(
        description="By currency, in its order: of these opportunities; of customers, of their open opportunities."
    )


@strawberry.type(description="The records of a list by groups.")
class Stats:
    rows: list[StatsRow] = strawberry.field(description="The first groups.")
    other: StatsRow | None = strawberry.field(description="All groups after the first ones together; null without any.")
    total: StatsRow = strawberry.field(description="All groups together.")


STATS_TYPES = ("Stats", "StatsRow", "StatsKey", "StatsSum")
"""Object types whose rows the compiled statement builds."""
for _type in (Stats, CustomerGroupBy, OpportunityGroupBy, StatsOrder):
    setattr(namespace, _type.__name__, _type)


@derived
def declare_stats() -> None:
    _declare(Customer, CUSTOMER_GROUPS)
    _declare(Opportunity, OPPORTUNITY_GROUPS)


def _declare(model: type[Base], known: Mapping[str, Group]) -> None:
    name = f"{singular(model)}Stats"
    annotations: dict[str, Any] = {
        "group_by": f"List[{name_of(model)}GroupBy]",
        "filter": f"Optional[{filter_name(model)}]",
        "order_by": "Optional[StatsOrder]",
        "first": "Optional[int]",
        "branch_level": "Optional[int]",
        "return": "Stats",
    }
    if getattr(model, "search", ()):
        annotations["search"] = "Optional[str]"
    doc = (
        f"The {singular(model)} list by groups: by one or two things, with the same filter and under the same policy. "
        f"`first` groups are shown one by one ({GROUPS}, at most {MAX_GROUPS}), the others together."
    )
    compiled_query(name, f"{model.module}.view", annotations, doc, partial(_compile, model, known))


def _compile(
    model: type[Base],
    known: Mapping[str, Group],
    compiler: Compiler,
    nodes: Sequence[FieldNode],
    arguments: Mapping[str, Any],
) -> Value:
    return Compiled(model, asked_of(known, arguments), compiler, arguments).json(nodes)
