"""Dates, numbers, yes and no as people write them; dates by one decision per column."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from models.errors import (
    CellHoldsError,
    DigitsLost,
    FormulaNotCalculated,
    NoDate,
    NoNumber,
    NotYesOrNo,
    OtherDateOrder,
)
from models.refusal import Refusal
from models.sheet_cells import Cell
from resolvers.imports.date_columns import DateOrder, Order, date_of, decide_dates
from resolvers.imports.plain_values import number_of, text_of, yes_no_of
from tests.imports.conftest import Reader

Make = Callable[..., Reader]
DAY = DateOrder(Order.DAY_FIRST)
YEAR = DateOrder(Order.YEAR_FIRST)


def code(read: Callable[[], object]) -> str:
    with pytest.raises(Refusal) as caught:
        read()
    return caught.value.code()


def test_n03_a_text_in_another_order_than_the_rest_is_wrong_alone() -> None:
    column: list[Cell] = [
        ["date", "2026-06-30"],
        ["time", "2026-06-30T17:39:31"],
        "2026-06-30",
        "30/06/2026",
        "2026年7月1日",
    ]

    order = decide_dates(column)

    assert order == YEAR
    assert [date_of(cell, order) for cell in column if cell != "30/06/2026"] == [
        date(2026, 6, 30),
        datetime.fromisoformat("2026-06-30T17:39:31"),
        date(2026, 6, 30),
        date(2026, 7, 1),
    ]
    with pytest.raises(OtherDateOrder) as caught:
        date_of("30/06/2026", order)
    assert caught.value.say() == (
        "“30/06/2026” is written in another order than the other dates of this column (year first). Write it like them."
    )
    assert caught.value.say("zh") == "“30/06/2026”与该列其他日期的顺序（年在前）不同，请按相同格式填写。"


def test_n05_one_day_above_twelve_decides_the_column(reader: Make) -> None:
    column = reader("日期\n03/04/2026\n05/06/2026\n25/12/2026\n".encode()).cells()

    order = decide_dates(column, "zh")

    assert order == DAY
    assert [date_of(cell, order) for cell in column] == [date(2026, 4, 3), date(2026, 6, 5), date(2026, 12, 25)]


@pytest.mark.parametrize(
    ("language", "proposed"), [("en", Order.MONTH_FIRST), ("en-GB", Order.DAY_FIRST), ("zh", Order.MONTH_FIRST)]
)
def test_n05_without_such_a_day_the_user_is_asked_with_an_example(reader: Make, language: str, proposed: Order) -> None:
    column = reader("日期\n05/05/2026\n03/04/2026\n".encode()).cells()

    assert decide_dates(column, language) == DateOrder(
        proposed, decided=False, example="03/04/2026", by_day=date(2026, 4, 3), by_month=date(2026, 3, 4)
    )


@pytest.mark.parametrize(
    ("column", "order"),
    [
        (["12/25/2026", "1/2/2026"], Order.MONTH_FIRST),
        (["25/12/2026", "26/12/2026", "12/25/2026"], Order.DAY_FIRST),
        (["5/5/2026", "6/6/2026"], Order.MONTH_FIRST),
        (["2026/1/2", "2026.3.4", "1/2/2026"], Order.YEAR_FIRST),
        ([], Order.YEAR_FIRST),
        ([["date", "2026-01-02"], "31/01/2026"], Order.DAY_FIRST),
    ],
)
def test_most_cells_decide(column: list[Cell], order: Order) -> None:
    found = decide_dates(column)

    assert (found.order, found.decided) == (order, True)


def test_cells_that_contradict_one_another_leave_the_column_undecided() -> None:
    found = decide_dates(["25/12/2026", "12/25/2026", "1/2/2026"])

    assert (found.decided, found.example) == (False, "1/2/2026")
    assert code(lambda: date_of("12/25/2026", DAY)) == "OTHER_DATE_ORDER"


@pytest.mark.parametrize(
    ("said", "read"),
    [
        ("2026-06-30", date(2026, 6, 30)),
        ("2026/6/3", date(2026, 6, 3)),
        ("2026.06.30", date(2026, 6, 30)),
        ("20260630", date(2026, 6, 30)),
        (20_260_630, date(2026, 6, 30)),
        ("２０２６年６月３０日", date(2026, 6, 30)),
        ("2026年6月30日 星期二", date(2026, 6, 30)),
        ("30 Jun 2026", date(2026, 6, 30)),
        ("June 30, 2026", date(2026, 6, 30)),
        ("30-Jun-26", date(2026, 6, 30)),
        ("3/4/26", date(2026, 4, 3)),
        ("3/4/85", date(1985, 4, 3)),
        ("3.4.2026", date(2026, 4, 3)),
        ("2026-06-30 17:39", datetime.fromisoformat("2026-06-30T17:39:00")),
        ("2026-06-30T17:39:31.250Z", datetime(2026, 6, 30, 17, 39, 31, tzinfo=UTC)),
        ("2026-06-30 05:39 PM", datetime.fromisoformat("2026-06-30T17:39:00")),
        ("2026年6月30日 下午5:39", datetime.fromisoformat("2026-06-30T17:39:00")),
        ("2026/6/30 12:05 AM", datetime.fromisoformat("2026-06-30T00:05:00")),
        ("", None),
        (None, None),
    ],
)
def test_a_date_is_read_as_it_is_written(said: Cell, read: date | None) -> None:
    assert date_of(said, DAY) == read


@pytest.mark.parametrize(
    "said",
    [
        "2026-02-30",
        "31/04/2026",
        "soon",
        "2026",
        "2026-13-01",
        "20261301",
        "2026-06-30 25:00",
        "1/2",
        46_203,
        True,
        "9" * 500,
    ],
)
def test_what_is_no_date_says_so(said: Cell) -> None:
    assert code(lambda: date_of(said, DAY)) == NoDate.code()


@pytest.mark.parametrize(
    ("said", "read"),
    [
        ("1,234.50", "1234.50"),
        ("１２３４．５", "1234.5"),
        ("¥ 1,200", "1200"),
        ("￥1200元", "1200"),
        ("RMB 1,200", "1200"),
        ("1200 CNY", "1200"),
        ("USD 12.5", "12.5"),
        ("3.5万", "35000"),
        ("2亿元", "200000000"),
        ("10十万", None),
        ("十万", None),
        ("1 234.5", "1234.5"),
        ("1.234.567,89", "1234567.89"),
        ("1,5", None),
        ("(120.5)", "-120.5"),
        ("-5", "-5"),
        ("+5", "5"),
        ("−5", "-5"),
        ("15%", "0.15"),
        ("１５％", "0.15"),
        ("ABC 5", None),
        ("((5))", None),
        ("1e5", None),
        ("5 apples", None),
        (True, None),
        (12, "12"),
        (12.5, "12.5"),
        (0.3, "0.3"),
        (1e-05, "0.00001"),
    ],
)
def test_a_number_is_read_as_it_is_written(said: Cell, read: str | None) -> None:
    if read is None:
        assert code(lambda: number_of(said)) == NoNumber.code()
    else:
        assert number_of(said) == Decimal(read)


def test_a_field_that_counts_percent_keeps_them() -> None:
    assert [number_of(said, in_percent=True) for said in ("15%", "15", 15)] == [15, 15, 15]


@pytest.mark.parametrize("said", ["是", "有", "Yes", "Y", "TRUE", "√", "1", 1, True, "启用"])
def test_yes_in_both_languages(said: Cell) -> None:
    assert yes_no_of(said) is True


@pytest.mark.parametrize("said", ["否", "无", "No", "n", "FALSE", "×", "0", 0, False, "停用"])
def test_no_in_both_languages(said: Cell) -> None:
    assert yes_no_of(said) is False


def test_neither_yes_nor_no_says_so() -> None:
    assert yes_no_of("  ") is None
    assert code(lambda: yes_no_of("也许")) == NotYesOrNo.code()


@pytest.mark.parametrize(
    ("cell", "refusal", "sentence"),
    [
        (["error", "#N/A"], CellHoldsError, "单元格为错误值 #N/A，请在表格中更正。"),
        (["lost", "1.38E+10"], DigitsLost, "1.38E+10：该数字的部分位数已丢失。请将该列设为文本格式后重新填写。"),
        (["formula", ""], FormulaNotCalculated, "公式没有计算结果。请用 Excel 打开文件并保存后重新上传。"),
    ],
)
@pytest.mark.parametrize("read", [text_of, number_of, yes_no_of, lambda cell: date_of(cell, YEAR)])
def test_n13_a_cell_without_a_value_is_told_by_name(
    cell: Cell, refusal: type[Refusal], sentence: str, read: Callable[[Cell], object]
) -> None:
    with pytest.raises(refusal) as caught:
        read(cell)
    assert caught.value.say("zh") == sentence
