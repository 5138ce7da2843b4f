"""What a reader asks of a report: its period, what it is grouped by, whose records; as kept reports and addresses hold it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from typing import Any

from models.errors import Validation

from ..reading.conditions import Condition
from .dimensions import Dimension
from .period import Days, ReportPeriod


class WhoseRecords(StrEnum):
    """WhoseRecords records count, among those that the reader sees."""

    ALL = "ALL"
    """All of them."""
    MINE = "MINE"
    """Those of the reader."""
    TEAM = "TEAM"
    """Those of the reader's department and of all departments below it."""


_OWNERS: Mapping[WhoseRecords, Condition] = {
    WhoseRecords.ALL: {},
    WhoseRecords.MINE: {"ownerId": {"eq": "me"}},
    WhoseRecords.TEAM: {"ownerId": {"in": ["my-team"]}},
}


@dataclass(frozen=True)
class Settings:
    """How a report is run.  None means: as usual.  `first`: a day in the period; `last`: of days of the user's own."""

    period: ReportPeriod | None = None
    first: date | None = None
    last: date | None = None
    by: str | None = None
    whose: WhoseRecords = WhoseRecords.ALL
    compares: bool = True

    def stored(self) -> dict[str, Any]:
        """What the database keeps; `settings_of` reads it."""
        held = {"period": self.period, "by": self.by, "whose": self.whose, "compares": self.compares}
        days = {"first": self.first, "last": self.last}
        return held | {name: day.isoformat() for name, day in days.items() if day is not None}

    def floating(self) -> "Settings":
        """The settings for a later day: a unit of the calendar is the one of that day."""
        return self if self.period is ReportPeriod.CUSTOM else replace(self, first=None, last=None)


def settings_of(stored: Mapping[str, Any]) -> Settings:
    """Settings as `stored` or an address holds them.  Raises Validation for what is no day, period or owner."""
    period, whose = str(stored.get("period") or "").upper(), str(stored.get("whose") or WhoseRecords.ALL).upper()
    if period and period not in tuple(ReportPeriod):
        raise Validation("A report has no such period.", "报表没有该时间段。", field="period")
    if whose not in tuple(WhoseRecords):
        raise Validation("Choose all, mine or my team.", "请选择全部、我的或我的团队。", field="whose")
    return Settings(
        period=ReportPeriod(period) if period else None,
        first=_day(stored, "first"),
        last=_day(stored, "last"),
        by=str(stored.get("by") or "")[:60] or None,
        whose=WhoseRecords(whose),
        compares=bool(stored.get("compares", True)),
    )


def _day(stored: Mapping[str, Any], name: str) -> date | None:
    text = str(stored.get(name) or "").strip()
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise Validation(
            f"“{text[:20]}” is no day. Choose one in the calendar.",
            f"“{text[:20]}”不是有效日期，请在日历中选择。",
            field="from" if name == "first" else "to",
        ) from None


@dataclass(frozen=True)
class Asked:
    """Settings that are checked, with the days that they mean today."""

    period: ReportPeriod
    days: Days | None
    before: Days | None
    dimension: Dimension | None
    whose: WhoseRecords

    @property
    def owners(self) -> Condition:
        """The condition of whose records count."""
        return _OWNERS[self.whose]
