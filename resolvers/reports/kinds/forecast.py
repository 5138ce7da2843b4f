"""The forecast: open opportunities by the month in which they are expected to be decided, weighted, by currency."""

from models import Opportunity

from ..dimensions import Groups
from ..period import ReportPeriod
from ..report import Figure, Report

REPORT = Report(
    key="forecast",
    said=("Opportunity forecast", "商机预测"),
    about=(
        "What open opportunities are expected to bring, by month: the amount, and the amount times its probability. Currencies are never added.",
        "按预计成交月份统计进行中商机的金额及按赢率加权的金额，不同币种不合并。",
    ),
    icon="target",
    place=40,
    model=Opportunity,
    screen="opportunity",
    figures=(
        Figure(
            "open", ("Open opportunities", "进行中商机"), {"state": {"in": ["OPEN", "ON_HOLD"]}}, dated="expectedClose"
        ),
    ),
    fields=(
        ("expectedClose", Groups.MONTH, ("Month of the expected close", "预计成交月份")),
        "ownerId",
        "stage",
        "pipelineId",
    ),
    period=ReportPeriod.ALL,
    has_money=True,
)
