"""Days as the oracle of the life cycle counts them: written from the promises, without the product's calendar."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

DAY = timedelta(days=1)


def on_the_clocks(day: date, at: time, zone: str) -> datetime:
    """The moment at which the clocks of a zone show this: the first of two, and later by the jump where there is none."""
    wanted = datetime.combine(day, at, UTC)
    offsets = [_offset(wanted + n * DAY, zone) for n in (-1, 1)]  # before and after a jump of the clocks
    shown = [wanted - x for x in offsets if wanted - x + _offset(wanted - x, zone) == wanted]
    return min(shown, default=wanted - offsets[0])


def local(moment: datetime, zone: str) -> datetime:
    return moment.astimezone(ZoneInfo(zone))


def _offset(moment: datetime, zone: str) -> timedelta:
    found = local(moment, zone).utcoffset()
    assert found is not None
    return found


class Days:
    """The organisation's time zone, and the days that it entered in its calendar: day -> whether it is worked."""

    def __init__(self, zone: str) -> None:
        self.zone = zone
        self.entered: dict[date, bool] = {}

    def after(self, moment: datetime, number: int, *, business: bool) -> datetime:
        """The moment so many days later, at the same time of day."""
        here = local(moment, self.zone)
        day, left = here.date(), number
        while left:
            day += DAY
            left -= not business or self.entered.get(day, day.weekday() < 5)
        return on_the_clocks(day, here.time(), self.zone)

    def keys(self, moment: datetime) -> tuple[str, str]:
        """The day and the week of a moment, as quota counters name them."""
        year, week, _ = local(moment, self.zone).isocalendar()
        return local(moment, self.zone).date().isoformat(), f"{year}-W{week:02d}"
