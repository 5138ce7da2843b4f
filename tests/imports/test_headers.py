"""Headings of real sheets: a labelled set of exports of other systems and of sheets that people keep, in both languages.

The field of a column is right or wrong; a foreign column is one that Millpond has no field for.  The set has two halves,
split by the names of sheets: the headings are tuned on one of them.
"""

from collections import Counter
from collections.abc import Iterator

import pytest

from resolvers.imports.matching import Column, propose
from resolvers.imports.meaning import Strategy
from tests.support.headings import KEPT, LABELLED, TUNED_ON, Score, fields_of, halves, judged, labelled, spellings

VALUES = (
    ("13800138000", "021-68881234", "", "无", "13900139000"),
    ("上海华兴科技有限公司", "盛达贸易有限公司", "", "Apex Trading Ltd"),
    ("张三", "李娜", "", "王建国"),
    ("a@163.com", "b@qq.com", "", "c.d@apex.com"),
    ("零售业", "互联网", "", "华东", "展会", "报价"),
    ("2024-05-01", "2024/5/2", "", "2024年5月3日"),
    ("12,500.00", "300", "", "8"),
    ("91330000MA1234B123", "C2024001", "", "91330000MA1234B124"),
)
"""What columns may hold: phones, companies, people, addresses, words of dictionaries, dates, amounts, codes."""


def foreign() -> Iterator[tuple[str, str]]:
    """(target, heading) of each foreign heading of `foreign.txt`."""
    for line in (LABELLED.parent / "foreign.txt").read_text(encoding="utf-8").splitlines():
        target, *headers = line.split(" | ")
        yield from ((target, header) for header in headers)


@pytest.fixture(scope="module")
def scores() -> dict[str, Score]:
    return {half: judged(sheets) for half, sheets in halves()}


def test_the_set_is_large_and_holds_what_sheets_hold() -> None:
    sheets = labelled()
    columns = [(right, column) for sheet in sheets for right, column in zip(sheet.right, sheet.columns, strict=True)]

    assert len(columns) >= 300
    assert sum(not right for right, _ in columns) >= 100
    assert sum(any(not cell for cell in column.cells) for _, column in columns) >= 300
    assert Counter(sheet.target for sheet in sheets).keys() == {
        "customer",
        "pooled_customer",
        "contact",
        "follow_up",
        "opportunity",
        "dictionary_item",
        "person",
    }


@pytest.mark.parametrize("half", [TUNED_ON, KEPT])
def test_no_foreign_column_is_captured(scores: dict[str, Score], half: str) -> None:
    assert [bad for bad in scores[half].bad if not bad[2]] == []


@pytest.mark.parametrize("half", [TUNED_ON, KEPT])
def test_at_least_95_of_100_columns_with_a_field_get_it(scores: dict[str, Score], half: str) -> None:
    counts = scores[half].counts
    right, all_of_them = counts["right"], counts["right"] + counts["wrong"] + counts["unmatched"]

    assert right / all_of_them >= 0.95, scores[half].bad


@pytest.mark.parametrize("cells", [(), *VALUES], ids=["no values", *map(str, range(len(VALUES)))])
def test_no_heading_of_a_long_list_of_foreign_ones_is_captured_whatever_its_values(cells: tuple[str, ...]) -> None:
    captured = []
    for target, header in foreign():
        beside = [Column("联系人")] if target == "customer" else []
        first = propose(fields_of(target), [Column(header, cells), *beside], words=spellings())[0]
        captured += [(target, header, first.field.key)] if first.field else []

    assert sum(1 for _ in foreign()) > 600
    assert captured == []


def test_each_way_of_looking_finds_more_and_captures_nothing() -> None:
    sheets = labelled()
    ways = [Strategy.LABEL, Strategy.SYNONYM, Strategy.WITHIN, Strategy.SPELLING]
    found = [judged(sheets, frozenset(ways[:count])).counts for count in range(1, len(ways) + 1)]

    assert [each["captured"] for each in found] == [0] * len(ways)
    rights = [each["right"] for each in found]
    assert rights == sorted(rights)
    assert rights[0] < rights[1] < rights[2] < rights[3]
