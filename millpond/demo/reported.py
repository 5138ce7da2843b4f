"""What the demo's reports are about: deals of this month and the next ones, won and lost ones, and kept reports."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Customer, Opportunity
from resolvers.customers import opportunity_stages
from resolvers.records import create_update
from resolvers.reports import kept
from resolvers.reports.period import ReportPeriod
from resolvers.reports.settings import Settings, WhoseRecords
from resolvers.runtime.backend import Backend
from resolvers.runtime.scope import Scope
from resolvers.views import saved_views

DEALS: tuple[tuple[str, int, str, int, str], ...] = (
    ("维保服务续签", 36_500, "CNY", 0, "won"),
    ("Pilot line", 58_000, "EUR", 0, "lost"),
    ("年度框架合同", 180_000, "CNY", 12, ""),
    ("二期扩容 Second phase", 96_000, "CNY", 45, ""),
    ("Spare parts for next year", 42_000, "EUR", 70, ""),
)
"""(name, amount, currency, days until it is expected to be decided, how it ended) of the deals of each sales person."""


def add(backend: Backend) -> None:
    """Make the deals as their owners would, and keep the reports as the lead would."""
    for login in ("li", "wu", "mei"):
        scope = backend.scope(backend.person(login), "panel")
        for customer, deal in zip(scope.do(_customers), DEALS, strict=False):
            _deal(scope, customer, *deal)
    lead = backend.scope(backend.person("lead"), "panel")
    year = Settings(ReportPeriod.YEAR, by="source")
    made = lead.do(kept.keep_report, "new-and-lost", "今年新增与流失 New and lost", year)
    lead.do(saved_views.share_view, made, everyone=True)
    weekly = Settings(ReportPeriod.WEEK, whose=WhoseRecords.TEAM)
    lead.do(kept.keep_report, "follow-ups", "团队每周跟进 Team, weekly", weekly)


def _customers(scope: Scope) -> list[int]:
    """Customers of the caller that have no open opportunity, the oldest first."""
    with scope.write("user.views") as db:
        return _free(scope, db)


def _free(scope: Scope, db: Session) -> list[int]:
    mine: Any = select(Customer.id).where(Customer.owner_id == scope.me, Customer.deleted_at.is_(None))
    free = mine.where(Customer.has_open_opportunity.is_(False), Customer.approval.is_(None))
    return [*db.execute(free.order_by(Customer.created_at).limit(len(DEALS))).scalars()]


def _deal(scope: Scope, customer: int, name: str, amount: int, currency: str, days: int, ended: str) -> None:
    day = (scope.now() + timedelta(days=days)).date()
    given = {"customer_id": customer, "name": name, "amount": Decimal(amount), "currency": currency}
    made = scope.do(create_update.create, Opportunity, {**given, "expected_close": day})
    if ended == "won":
        scope.do(opportunity_stages.win, made.id)
    elif ended == "lost":
        scope.do(opportunity_stages.lose, made.id, reason="price")
