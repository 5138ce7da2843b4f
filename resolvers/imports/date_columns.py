"""Dates that are text: one decision per column, because 03/04/2026 alone says neither day nor month.

Year first (2026-06-30, 2026年6月30日, 20260630) and names of months have one reading each and need no decision.
"""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone
from enum import StrEnum

from babel import Locale, UnknownLocaleError

from models.errors import NoDate, OtherDateOrder
from models.sheet_cells import DATE, MOMENT, Cell

from .plain_values import text_of

_SHOWN = 40
_LONGEST = 60
_MONTHS = {
    name: at
    for at, name in enumerate(("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"), 1)
}
_YEAR, _MONTH, _DAY, _HOUR, _MINUTE, _SECOND = "年", "月", "日", "时", "分", "秒"
_MORNING, _AFTERNOON = ("上午", "凌晨"), ("下午", "晚上")
_WEEKDAY = "(?:[(]?(?:" + "|".join(("星期", "周")) + ")[" + "一二三四五六日天" + "][)]?)?"
_TIME = (
    rf"(?:[T\s]+(?P<before>{'|'.join((*_MORNING, *_AFTERNOON, '中午'))})?"
    rf"\s*(?P<hour>\d{{1,2}})[:{_HOUR}](?P<minute>\d{{1,2}})(?:[:{_MINUTE}](?P<second>\d{{1,2}})?{_SECOND}?)?(?:[.,]\d+)?"
    r"\s*(?P<half>[AaPp]\.?[Mm]\.?)?\s*(?P<zone>Z|[+-]\d\d:?\d\d)?)?"
)
_YEAR_FIRST = re.compile(
    rf"(?P<year>\d{{4}})\s*(?P<mark>[-/.{_YEAR}])\s*(?P<month>\d{{1,2}})\s*(?:(?P=mark)|{_MONTH})\s*(?P<day>\d{{1,2}})\s*[{_DAY}号]?\s*{_WEEKDAY}{_TIME}"
)
_COMPACT = re.compile(r"(?P<year>(?:19|20)\d\d)(?P<month>\d\d)(?P<day>\d\d)")
_NAMED = re.compile(
    rf"(?:(?P<day>\d{{1,2}})(?:st|nd|rd|th)?[\s-]+(?P<name>[A-Za-z]{{3,9}})\.?|(?P<name2>[A-Za-z]{{3,9}})\.?\s+(?P<day2>\d{{1,2}})(?:st|nd|rd|th)?)"
    rf"[\s,-]+(?P<year>\d{{4}}|\d\d){_TIME}"
)
_YEAR_LAST = re.compile(rf"(?P<one>\d{{1,2}})(?P<mark>[-/.])(?P<two>\d{{1,2}})(?P=mark)(?P<year>\d{{4}}|\d\d){_TIME}")
_CENTURY_ENDS = 70
"""Years of two digits from here on are of the last century."""


class Order(StrEnum):
    """In which order the dates of a column are written."""

    YEAR_FIRST = "year_first"
    """Like 2026/11/24."""
    DAY_FIRST = "day_first"
    """Like 24/11/2026."""
    MONTH_FIRST = "month_first"
    """Like 11/24/2026."""


ORDER_NAMES = {
    Order.YEAR_FIRST: ("year first", "年在前"),
    Order.DAY_FIRST: ("day first", "日在前"),
    Order.MONTH_FIRST: ("month first", "月在前"),
}


@dataclass(frozen=True)
class DateOrder:
    """How the texts of a column are read.  Undecided: `example` can be read both ways, and `order` is a proposal to confirm."""

    order: Order
    decided: bool = True
    example: str | None = None
    by_day: date | None = None
    """The example read with the day first."""
    by_month: date | None = None


def decide_dates(cells: Iterable[Cell], language: str = "en") -> DateOrder:
    """The order of a column, from all of its cells.  `language` gives the proposal where no cell decides."""
    year_first = year_last = 0
    votes = {Order.DAY_FIRST: 0, Order.MONTH_FIRST: 0}
    unclear: re.Match[str] | None = None
    for cell in cells:
        if not isinstance(cell, str) or len(cell) > _LONGEST:
            continue
        plain = _plain(cell)
        if match := _YEAR_LAST.fullmatch(plain):
            year_last += 1
            if (order := _vote(match)) is not None:
                votes[order] += 1
            elif unclear is None or unclear["one"] == unclear["two"]:
                unclear = match
        elif _YEAR_FIRST.fullmatch(plain):
            year_first += 1
    if year_first and year_first >= year_last:
        return DateOrder(Order.YEAR_FIRST)
    return _decision(votes, unclear, language)


def date_of(cell: Cell, order: DateOrder) -> date | datetime | None:
    """The day, or the moment if the cell has a time: without a zone unless the text names one.

    Raises NoDate; OtherDateOrder for a text in another order than the column's; and what `text_of` raises.
    """
    if isinstance(cell, list) and cell[0] == DATE:
        return date.fromisoformat(cell[1])
    if isinstance(cell, list) and cell[0] == MOMENT:
        return datetime.fromisoformat(cell[1])
    if (said := text_of(cell)) is None:
        return None
    try:
        return _date(said, order.order)
    except ValueError:
        raise NoDate(text=said[:_SHOWN]) from None


def _decision(votes: dict[Order, int], unclear: re.Match[str] | None, language: str) -> DateOrder:
    day, month = votes[Order.DAY_FIRST], votes[Order.MONTH_FIRST]
    if day != month:
        return DateOrder(Order.DAY_FIRST if day > month else Order.MONTH_FIRST)
    if unclear is None or unclear["one"] == unclear["two"]:
        return DateOrder(_proposal(language)) if day or unclear is not None else DateOrder(Order.YEAR_FIRST)
    return DateOrder(
        _proposal(language),
        decided=False,
        example=unclear[0],
        by_day=_by_order(unclear, Order.DAY_FIRST),
        by_month=_by_order(unclear, Order.MONTH_FIRST),
    )


def _vote(match: re.Match[str]) -> Order | None:
    one, two = int(match["one"]), int(match["two"])
    if one > 12 >= two:
        return Order.DAY_FIRST
    return Order.MONTH_FIRST if two > 12 >= one else None


def _proposal(language: str) -> Order:
    """What the language of the person writes first, day or month."""
    try:
        pattern = Locale.parse(language.replace("-", "_")).date_formats["short"].pattern
    except (UnknownLocaleError, ValueError):
        return Order.DAY_FIRST
    return Order.DAY_FIRST if pattern.index("d") < pattern.index("M") else Order.MONTH_FIRST


def _date(said: str, order: Order) -> date | datetime:
    if len(said) > _LONGEST:
        raise ValueError
    plain = _plain(said)
    if match := _YEAR_FIRST.fullmatch(plain):
        return _with_time(_day(match["year"], match["month"], match["day"]), match)
    if match := _COMPACT.fullmatch(plain):
        return _day(match["year"], match["month"], match["day"])
    if match := _NAMED.fullmatch(plain):
        month = _MONTHS.get((match["name"] or match["name2"])[:3].lower(), 0)
        return _with_time(_day(_year(match["year"]), month, match["day"] or match["day2"]), match)
    if match := _YEAR_LAST.fullmatch(plain):
        if order is Order.YEAR_FIRST or _vote(match) not in (None, order):
            english, chinese = ORDER_NAMES[order]
            raise OtherDateOrder(text=said[:_SHOWN], order=english, order_zh=chinese)
        return _with_time(_by_order(match, order), match)
    raise ValueError


def _by_order(match: re.Match[str], order: Order) -> date:
    day, month = (match["one"], match["two"]) if order is Order.DAY_FIRST else (match["two"], match["one"])
    return _day(_year(match["year"]), month, day)


def _day(year: str | int, month: str | int, day: str | int) -> date:
    return date(int(year), int(month), int(day))


def _year(text: str) -> int:
    year = int(text)
    return year if len(text) == 4 else year + (2000 if year < _CENTURY_ENDS else 1900)


def _with_time(day: date, match: re.Match[str]) -> date | datetime:
    if match["hour"] is None:
        return day
    hour, half = int(match["hour"]), (match["half"] or "").lower()
    if (half.startswith("p") or match["before"] in _AFTERNOON) and hour < 12:
        hour += 12
    elif (half.startswith("a") or match["before"] in _MORNING) and hour == 12:
        hour = 0
    return datetime.combine(
        day, time(hour, int(match["minute"]), int(match["second"] or 0), tzinfo=_zone(match["zone"]))
    )


def _zone(text: str | None) -> timezone | None:
    if text is None:
        return None
    if text == "Z":
        return UTC
    sign = -1 if text[0] == "-" else 1
    return timezone(sign * timedelta(hours=int(text[1:3]), minutes=int(text[-2:])))


def _plain(text: str) -> str:
    return unicodedata.normalize("NFKC", text).strip()
