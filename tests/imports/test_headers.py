"""Headings of real sheets: a labelled set of exports of other systems and of sheets that people keep, in both languages.

The field of a column is right or wrong; a foreign column is one that Millpond has no field for.  The set has two halves,
split by the names of sheets: the headings are tuned on one of them.
"""

from collections import Counter

import pytest

from resolvers.imports.meaning import Strategy
from tests.support.headings import KEPT, TUNED_ON, Score, halves, judged, labelled


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


def test_each_way_of_looking_finds_more_and_captures_nothing() -> None:
    sheets = labelled()
    ways = [Strategy.LABEL, Strategy.SYNONYM, Strategy.WITHIN, Strategy.SPELLING]
    found = [judged(sheets, frozenset(ways[:count])).counts for count in range(1, len(ways) + 1)]

    assert [each["captured"] for each in found] == [0] * len(ways)
    rights = [each["right"] for each in found]
    assert rights == sorted(rights)
    assert rights[0] < rights[1] < rights[2] < rights[3]
