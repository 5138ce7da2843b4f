"""Amounts as people type them, and the currencies that there are."""

from decimal import Decimal

import pytest

from models.amounts import amount_of, currencies

WRITTEN = {
    "1234.56": "1234.56",
    "1,234.56": "1234.56",
    "1，234．56": "1234.56",
    "１，２３４．５": "1234.5",
    "1 234 567": "1234567",
    "1\u202f234.5": "1234.5",
    "1'234": "1234",
    "¥ 1,234": "1234",
    "￥1,234": "1234",
    "−5": "-5",
    " 0.10 ": "0.10",
}
NO_AMOUNTS = (
    "",
    "1e5",
    "1E5",
    "1.234,56",
    "1,23",
    "12,345,67",
    "1,234'567",
    "5.",
    ".5",
    "0x10",
    "NaN",
    "Infinity",
    "１e３",
    "--1",
    "一百",
)


@pytest.mark.parametrize("text", WRITTEN)
def test_an_amount_is_understood(text: str) -> None:
    assert amount_of(text) == Decimal(WRITTEN[text])


@pytest.mark.parametrize("text", NO_AMOUNTS)
def test_what_could_mean_something_else_is_no_amount(text: str) -> None:
    with pytest.raises(ValueError, match="is no amount"):
        amount_of(text)


def test_currencies_are_those_in_use() -> None:
    assert {"CNY", "USD", "EUR", "JPY", "HKD", "TWD", "MOP", "CHF"} <= currencies()
    assert currencies().isdisjoint({"ZZZ", "XXX", "DEM", "FRF", "cny"})


def test_an_amount_of_marks_is_refused_before_it_is_sorted() -> None:
    with pytest.raises(ValueError, match="is no amount"):
        amount_of("1" + "\u0301\u0323" * 500_000)
