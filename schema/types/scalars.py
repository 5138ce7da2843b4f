"""The scalars of the API: times, days and amounts as exact text.  Text from the compiled statement passes unchanged."""

import re
from contextvars import ContextVar
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

import strawberry

from models.audit.entries import plain
from models.moments import moment_of_local

_AMOUNT = re.compile(r"-?\d{1,14}(\.\d{1,2})?")
_NUMBER = re.compile(r"-?\d{1,15}(\.\d{1,6})?")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:?\d\d)?", re.IGNORECASE)


ZONE: ContextVar[str] = ContextVar("zone", default="UTC")
"""The time zone of the organisation, while one of its requests is read: that of times which name none."""


def _serialized(value: Any) -> Any:
    return value if isinstance(value, str) else plain(value)


def _moment(value: Any) -> datetime:
    if not isinstance(value, str) or not _MOMENT.fullmatch(value):
        raise ValueError("A time looks like 2026-11-24T08:30:00Z.")
    try:
        return moment_of_local(datetime.fromisoformat(value), ZONE.get())
    except (ValueError, OverflowError):
        raise ValueError("There is no such time.") from None


def _day(value: Any) -> date:
    if not isinstance(value, str) or not re.fullmatch(r"\d{4}-\d\d-\d\d", value):
        raise ValueError("A day looks like 2026-11-24.")
    try:
        return date.fromisoformat(value)
    except ValueError:
        raise ValueError("There is no such day.") from None


def _amount(value: Any) -> Decimal:
    text = str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value
    if not isinstance(text, str) or not _AMOUNT.fullmatch(text):
        raise ValueError('An amount has at most two decimals, like "1234.50".')
    try:
        return Decimal(text)
    except InvalidOperation:
        raise ValueError("There is no such amount.") from None


class Number(Decimal):
    """A number with as many decimals as it has."""


def _number(value: Any) -> Decimal:
    text = str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value
    if not isinstance(text, str) or not _NUMBER.fullmatch(text):
        raise ValueError('A number has at most 15 digits, 6 of them after the point, like "4.25".')
    return Decimal(text)


SCALARS: dict[object, Any] = {
    datetime: strawberry.scalar(
        name="DateTime",
        description=(
            "A moment in UTC to the millisecond: 2026-11-24T08:30:00.000Z. An input without a zone is a time of the "
            "organisation; one that comes twice is the first, one that the clocks leave out is that much later."
        ),
        serialize=_serialized,
        parse_value=_moment,
    ),
    date: strawberry.scalar(name="Date", description="A day: 2026-11-24.", serialize=_serialized, parse_value=_day),
    Decimal: strawberry.scalar(
        name="Decimal",
        description='An exact amount with two decimals, as text: "1234.50".',
        serialize=_serialized,
        parse_value=_amount,
    ),
    Number: strawberry.scalar(
        name="Number",
        description='An exact number, as text: "4.25".',
        serialize=_serialized,
        parse_value=_number,
    ),
}
