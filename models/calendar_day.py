"""The business calendar: which days the organisation works, where that does not follow from the day of the week."""

from datetime import date

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from .base import LIVE, Entity, Line, trait
from .names import Names


class CalendarDay(Entity):
    """A day on which the organisation is closed although it is a weekday, or works although it is a weekend."""

    __tablename__ = "calendar_day"
    module, prefix, named_by, order = "calendar", "cal", "name", "day"
    names = Names("Calendar day", "Business calendar", zh="工作日历")
    search = ("name",)

    day: Mapped[date] = mapped_column(info=trait(immutable=True))
    """The day that differs from its weekday; each once."""
    working: Mapped[bool] = mapped_column(default=False)
    """Whether the organisation works on it."""
    name: Mapped[Line]
    """Why it differs, like the name of a holiday."""

    __table_args__ = (Index("uq_calendar_day", "day", unique=True, **LIVE),)
