"""Follow-ups of each person: all of them, and those that count as a contact by the rule of the organisation."""

from models import FollowUp

from ..period import ReportPeriod
from ..report import Figure, Report

REPORT = Report(
    key="follow-ups",
    said=("Follow-ups per person", "人员跟进统计"),
    about=(
        "How often each person was in touch with customers, and how much of it counts as a contact.",
        "统计每人跟进客户的次数，以及其中计为有效跟进的次数。",
    ),
    icon="phone",
    place=30,
    model=FollowUp,
    screen="follow-up",
    figures=(
        Figure("all", ("Follow-ups", "跟进"), dated="happenedAt"),
        Figure("counting", ("That count", "有效跟进"), {"counts": {"eq": True}}, dated="happenedAt"),
    ),
    fields=("ownerId", "kind"),
    period=ReportPeriod.QUARTER,
    periods=tuple(x for x in ReportPeriod if x is not ReportPeriod.ALL),
)
