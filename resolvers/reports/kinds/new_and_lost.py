"""New customers and lost ones: who came, with whom a deal was made or lost, and who fell back into a pool."""

from models import Customer

from ...reading.conditions import Condition
from ..dimensions import Groups
from ..period import ReportPeriod
from ..report import Figure, Report


def _with(state: str, during: str, **more: object) -> Condition:
    return {"opportunities": {"some": {"state": {"eq": state}, "closedOn": {"during": during}}}, **more}


def _won(during: str) -> Condition:
    return _with("WON", during)


def _lost(during: str) -> Condition:
    return _with("LOST", during, hasOpenOpportunity={"eq": False})


REPORT = Report(
    key="new-and-lost",
    said=("New and lost customers", "新增与流失客户"),
    about=(
        "Customers that were entered in a period, that bought, that were lost, and that fell back into a pool. Lost: an opportunity was lost in the period, and none is open now.",
        "统计某一时间段内新建、成交、流失以及回到公海的客户。流失指该时间段内有商机输单且目前没有进行中商机的客户。",
    ),
    icon="arrows-exchange",
    place=20,
    model=Customer,
    screen="customer",
    figures=(
        Figure("new", ("New", "新增"), dated="createdAt"),
        Figure("won", ("Bought", "成交"), dated=_won),
        Figure("lost", ("Lost", "流失"), dated=_lost),
        Figure("pooled", ("Back in a pool", "回到公海"), dated="pooledAt"),
    ),
    fields=(
        "source",
        "region",
        ("category", Groups.BRANCH, ("Category branch", "一级分类")),
        "industry",
        "level",
        "ownerId",
        "departmentId",
        "poolId",
    ),
    period=ReportPeriod.YEAR,
    periods=tuple(x for x in ReportPeriod if x is not ReportPeriod.ALL),
)
