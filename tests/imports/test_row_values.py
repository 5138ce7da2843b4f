"""Rows of a sheet as inputs: each cell by the kind of its field, corrections in its place, and what is wrong with it."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from models import Contact, Customer, FollowUp, Opportunity, User
from models.choices import choices_of
from resolvers.imports.date_columns import DateOrder, Order
from resolvers.imports.fields import FieldKind, ImportField, named
from resolvers.imports.row_values import MappedColumn, RowValues, Sense, row_values
from resolvers.imports.units import unit_of

SENSE = Sense(
    ZoneInfo("Asia/Shanghai"),
    {"industry": {"互联网": ("internet",), "电商": ("retail",), "网店": ("retail", "internet")}},
)


def field(model: Any, key: str, kind: FieldKind, **more: Any) -> ImportField:
    return named(model, key, kind, **more)


def one(which: ImportField, cell: Any, edits: dict[str, Any] | None = None, **more: Any) -> RowValues:
    return row_values([MappedColumn(0, which, **more)], [cell], edits or {}, SENSE)


PHONE = field(Customer, "phone", FieldKind.PHONE)
INDUSTRY = field(Customer, "industry", FieldKind.WORD, dictionary="industry")
AMOUNT = field(Opportunity, "amount", FieldKind.AMOUNT)
WHEN = field(FollowUp, "happened_at", FieldKind.TIME)
CLOSE = field(Opportunity, "expected_close", FieldKind.DATE)
KIND = field(FollowUp, "kind", FieldKind.CHOICE, choices=choices_of("FollowUpKind", ("CALL", "VISIT")))


@pytest.mark.parametrize(
    ("which", "cell", "value"),
    [
        (PHONE, 13800138000, "13800138000"),
        (PHONE, " 0571-88881234 ", "0571-88881234"),
        (INDUSTRY, "互联网", "internet"),
        (INDUSTRY, " 电商", "retail"),
        (INDUSTRY, "网店", "网店"),
        (INDUSTRY, "养殖", "养殖"),
        (AMOUNT, "1,234.50", Decimal("1234.50")),
        (WHEN, "2023-05-01 10:00", datetime(2023, 5, 1, 2, tzinfo=UTC)),
        (WHEN, ["date", "2023-05-01"], datetime(2023, 4, 30, 16, tzinfo=UTC)),
        (CLOSE, ["time", "2026-06-30T17:39:31"], date(2026, 6, 30)),
        (KIND, "电话", "CALL"),
        (KIND, "visit", "VISIT"),
    ],
)
def test_a_cell_is_understood_by_the_kind_of_its_field(which: ImportField, cell: Any, value: Any) -> None:
    found = one(which, cell)

    assert (found.values, found.refusals) == ({which.input: value}, {})


def test_amounts_come_in_the_unit_of_their_heading() -> None:
    assert one(AMOUNT, "3.5", unit=unit_of("金额（万元）")).values == {"amount": Decimal("35000.0")}


def test_dates_of_a_column_are_read_in_its_order() -> None:
    day_first = DateOrder(Order.DAY_FIRST)

    assert one(CLOSE, "03/04/2026", dates=day_first).values == {"expected_close": date(2026, 4, 3)}
    assert one(CLOSE, "04/25/2026", dates=day_first).refusals["expected_close"].code() == "OTHER_DATE_ORDER"


@pytest.mark.parametrize(
    ("which", "cell", "code"),
    [
        (PHONE, ["error", "#N/A"], "CELL_HOLDS_ERROR"),
        (PHONE, ["lost", "1.38E+10"], "DIGITS_LOST"),
        (AMOUNT, "a lot", "NO_NUMBER"),
        (CLOSE, "soon", "NO_DATE"),
        (KIND, "smoke signal", "NOT_IN_LIST"),
        (AMOUNT, ["formula", ""], "FORMULA_NOT_CALCULATED"),
    ],
)
def test_a_cell_that_cannot_be_understood_is_refused_by_itself(which: ImportField, cell: Any, code: str) -> None:
    columns = [MappedColumn(0, which), MappedColumn(1, INDUSTRY)]

    found = row_values(columns, [cell, "互联网"], {}, SENSE)

    assert {key: refusal.code() for key, refusal in found.refusals.items()} == {which.key: code}
    assert found.refusals[which.key].field is not None
    assert found.values == {"industry": "internet"}


def test_an_unknown_choice_is_told_what_there_is() -> None:
    refusal = one(KIND, "smoke signal").refusals["kind"]

    assert refusal.say("en").endswith("“smoke signal” is not in the list; choose Call, Visit.")
    assert "“smoke signal”不在列表中，可选：" in refusal.say("zh")


def test_what_its_user_has_written_stands_instead_of_the_cell() -> None:
    assert one(PHONE, ["error", "#N/A"], {"0": "10086"}).values == {"phone": "10086"}
    blank = one(PHONE, "12", {"0": None})
    assert (blank.values, blank.blank) == ({}, {"phone"})


@pytest.mark.parametrize("cell", [None, "", "   "])
def test_blank_cells_are_told_apart_from_columns_that_are_not_there(cell: Any) -> None:
    found = one(INDUSTRY, cell)

    assert (found.values, found.blank) == ({}, {"industry"})
    assert row_values([MappedColumn(7, INDUSTRY)], ["x"], {}, SENSE).blank == {"industry"}


def test_phones_and_addresses_of_a_contact_are_points_in_their_order() -> None:
    phone = field(Contact, "phone", FieldKind.PHONE, input="points", has_several=True)
    email = field(Contact, "email", FieldKind.EMAIL, input="points", has_several=True)

    found = row_values([MappedColumn(0, phone), MappedColumn(1, email)], ["10086；10010\n10086", "a@b.cn"], {}, SENSE)

    assert found.values == {
        "points": [
            {"kind": "PHONE", "value": "10086"},
            {"kind": "PHONE", "value": "10010"},
            {"kind": "EMAIL", "value": "a@b.cn"},
        ]
    }


def test_records_that_cells_name_are_left_as_texts() -> None:
    owner = field(Customer, "owner_id", FieldKind.PERSON, reference=User, by=("name", "login"))

    found = one(owner, " 李娜 ")

    assert [(naming.field.key, naming.text) for naming in found.namings] == [("owner_id", "李娜")]
    assert one(owner, "").blank == {"owner_id"}
