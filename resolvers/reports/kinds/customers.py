"""Customers by stage, category, region, source and owner: those that there are, or those that came in a period."""

from models import Customer

from ..dimensions import Groups
from ..period import ReportPeriod
from ..report import Figure, Report

REPORT = Report(
    key="customers",
    said=("Customers", "客户构成"),
    about=(
        "How many customers there are in each stage, category, region or source, and with whom; or how many of them came in a period.",
        "按阶段、分类、地区、来源或负责人统计客户数量，可限定为某一时间段内新建的客户。",
    ),
    icon="users",
    place=10,
    model=Customer,
    screen="customer",
    figures=(Figure("customers", ("Customers", "客户"), dated="createdAt"),),
    fields=(
        "stage",
        ("category", Groups.BRANCH, ("Category branch", "一级分类")),
        "category",
        "region",
        "source",
        "ownerId",
        "departmentId",
        "poolId",
        "industry",
        "level",
    ),
    period=ReportPeriod.ALL,
)
