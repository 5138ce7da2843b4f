"""Periods: what the texts of conditions mean as seen from a day."""

from datetime import date

import pytest

from models.periods import period_of, written

SUNDAY = date(2026, 11, 29)
MEANT = {
    "today": ("2026-11-29", "2026-11-29"),
    "yesterday": ("2026-11-28", "2026-11-28"),
    "this week": ("2026-11-23", "2026-11-29"),
    "next week": ("2026-11-30", "2026-12-06"),
    "last month": ("2026-10-01", "2026-10-31"),
    "this quarter": ("2026-10-01", "2026-12-31"),
    "next quarter": ("2027-01-01", "2027-03-31"),
    "last year": ("2025-01-01", "2025-12-31"),
    "last 7 days": ("2026-11-22", "2026-11-29"),
    "next 14 days": ("2026-11-29", "2026-12-13"),
    "last 9 months": ("2026-02-28", "2026-11-29"),
    "next 1 week": ("2026-11-29", "2026-12-06"),
    "more than 30 days ago": (None, "2026-10-29"),
    "more than 2 months ahead": ("2027-01-30", None),
    "on 2026-02-28": ("2026-02-28", "2026-02-28"),
    "from 2026-03-01": ("2026-03-01", None),
    "until 2026-03-01": (None, "2026-03-01"),
    "2026-03-01 to 2026-03-09": ("2026-03-01", "2026-03-09"),
}


@pytest.mark.parametrize("text", MEANT)
def test_a_period_is_a_range_of_days(text: str) -> None:
    period = period_of(text)

    assert tuple(day and day.isoformat() for day in period.on(SUNDAY)) == MEANT[text]
    assert period_of(written(period)) == period


def test_what_is_not_within_the_last_days_is_more_than_so_many_days_ago() -> None:
    for number in (1, 30, 365):
        first, _ = period_of(f"last {number} days").on(SUNDAY)
        _, before = period_of(f"More than {number} day ago").on(SUNDAY)
        assert first is not None
        assert before is not None
        assert (first - before).days == 1


@pytest.mark.parametrize(
    "text",
    [
        "",
        "soon",
        "last 0 days",
        "last 99999 days",
        "last 3651 days",
        "last x days",
        "on 2026-02-30",
        "from 0001-01-01",
        "last 7 hours",
        "today; drop",
    ],
)
def test_another_text_is_no_period(text: str) -> None:
    with pytest.raises(ValueError, match="is no period"):
        period_of(text)
