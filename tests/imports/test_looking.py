"""What doors show of an import: rows with cells and problems, distinct wrong values, applied rows beside their records."""

from datetime import datetime
from pathlib import Path

import pytest

from models import Customer, DictionaryItem, User
from models.choice_names import in_language
from models.import_batch import ImportMode, RowState
from resolvers.imports import applying, correcting, looking
from resolvers.records import create_update
from tests.support.checked_imports import HEADINGS, asked, checked, imported, shown
from tests.support.importing import Files
from tests.support.world import World

_WHEN = datetime(2026, 11, 20, 10, 30)  # noqa: DTZ001  a sheet says no zone


@pytest.fixture
def files(world: World, tmp_path: Path) -> Files:
    return Files(world, tmp_path / "files")


def test_rows_are_shown_page_by_page_with_cells_problems_and_what_was_meant(world: World, files: Files) -> None:
    rows = [["A", None, None, "Intrenet"], ["", None, "12", None], ["C", None, 13800138000, None]]
    id = checked(world, files, [[*HEADINGS, "备注列"], *([*row, "x"] for row in rows)])

    found = shown(world, id)
    assert [(x.place, x.heading, x.field, x.text, x.is_edited) for x in found[2].cells] == [
        (0, "客户名称", "name", "A", False),
        (1, "客户编号", "number", "", False),
        (2, "电话", "phone", "", False),
        (3, "行业", "industry", "Intrenet", False),
        (4, "备注列", None, "x", False),
    ]
    (problem,) = found[2].problems
    assert (problem.field, problem.place, problem.code, problem.likely) == ("industry", 3, "NOT_IN_LIST", ("Internet",))
    assert problem.sentence == "Industry “Intrenet” is not in the list; choose Internet."
    assert {(x.field, x.place) for x in found[3].problems} <= {("name", 0), ("phone", 2)}
    assert found[4].cells[2].text == "13800138000"
    assert [*shown(world, id, first=1)] == [2]
    assert [*shown(world, id, first=1, after=2)] == [3]
    assert [*shown(world, id, states=[RowState.GOOD])] == [4]
    assert shown(world, id, states=[RowState.CREATED]) == {}


def test_problems_are_in_the_language_of_the_reader(world: World, files: Files) -> None:
    world.system.do(create_update.update, User, world.ids["li"], {"language": "zh"})
    for key in ("retail", "internet"):
        (item,) = world.rows(DictionaryItem, DictionaryItem.key == key)
        label = {"retail": "零售业", "internet": "互联网"}[key]
        world.system.do(create_update.update, DictionaryItem, item["id"], {"label_zh": label, "aliases": ["电商"]})
    id = checked(world, files, [HEADINGS, ["A", None, None, "电商"]])

    (problem,) = shown(world, id)[2].problems

    assert problem.sentence == "行业“电商”不存在，请选择“零售业”或“互联网”。"
    assert problem.likely == ("零售业", "互联网")


def test_wrong_values_are_counted_once_each_and_the_most_frequent_comes_first(world: World, files: Files) -> None:
    taken = world.row(Customer, world.customer("There", owner="li"))["number"]
    rows = [
        ["A", None, None, "none"],
        ["B", None, "12", "Intrenet"],
        ["C", taken, None, "Intrenet "],
        ["", None, None, None],
        ["E", None, None, "steel"],
    ]
    id = checked(world, files, [HEADINGS, *([*row, "x"] for row in rows)])

    found = asked(world, id, looking.wrong_values)

    assert [(x.field, x.text, x.rows) for x in found] == [
        ("industry", "Intrenet", 2),
        ("industry", "none", 1),
        ("phone", "12", 1),
        ("name", "", 1),
    ]
    assert found[0].likely == ("Internet",)
    assert found[0].heading == "行业"
    assert [x.text for x in asked(world, id, looking.wrong_values, first=1)] == ["Intrenet"]


def test_applied_rows_stand_beside_their_records(world: World, files: Files, monkeypatch: pytest.MonkeyPatch) -> None:
    there = world.customer("There", owner="li", phone="10010")
    number = world.row(Customer, there)["number"]
    rows = [[f"Name {n}", None, f"1008{n}", "Internet"] for n in range(7)]
    id = checked(
        world, files, [HEADINGS, *rows, ["There", number, "0571-1", None]], mode=ImportMode.UPSERT, key=("number",)
    )
    assert asked(world, id, looking.samples) == []
    world.li.do(correcting.edit_row, id, 2, {2: "10000"})
    world.li.do(applying.confirm, id)
    files.run()

    found = asked(world, id, looking.samples)
    every = asked(world, id, looking.samples, n=20)

    assert len(found) == 5
    assert found == asked(world, id, looking.samples)
    assert [x.row.number for x in every] == [2, 3, 4, 5, 6, 7, 8, 9]
    first, last = every[0], every[-1]
    assert {("Phone", "10000", "10000"), ("Industry", "Internet", "Internet")} <= {*first.values}
    assert (last.record_id, last.label) == (there, f"{number} There")
    assert asked(world, id, looking.samples, n=0) == []
    monkeypatch.setattr(looking, "_FEW", 3)  # of many rows not all are read
    some = asked(world, id, looking.samples)
    assert 1 < len(some) <= 5
    assert {x.row.number for x in some} <= {x.row.number for x in every}
    assert some == asked(world, id, looking.samples)


def test_dates_are_shown_as_a_reader_writes_them(world: World, files: Files) -> None:
    world.customer("Acme", owner="li")
    sheet = [["客户", "内容", "时间", "方式"], ["Acme", "Spoke of it", _WHEN, "CALL"]]
    columns = {0: "customer_id", 1: "content", 2: "happened_at", 3: "kind"}
    id = checked(world, files, sheet, target="follow_up", columns=columns)
    world.li.do(applying.confirm, id)
    files.run()

    assert shown(world, id)[2].cells[2].text == "2026/11/20 10:30"
    (sample,) = asked(world, id, looking.samples)
    assert ("2026/11/20 10:30", "2026/11/20 10:30") in [(said, kept) for _, said, kept in sample.values]
    assert any("Acme" in kept for _, said, kept in sample.values if said == "Acme")


# --- what is told once -----------------------------------------------------------------------------------


def told(world: World, id: int) -> list[str]:
    return [in_language(each.said, world.principal("li").language) for each in asked(world, id, looking.notices)]


def test_a_plain_import_has_nothing_to_tell(world: World, files: Files) -> None:
    id = checked(world, files, [HEADINGS, ["A", None, None, None]])

    assert told(world, id) == []


def test_what_concerns_the_import_as_a_whole_is_told_once(world: World, files: Files) -> None:
    number = world.row(Customer, world.customer("There", owner="li"))["number"]
    columns = {0: "name", 1: "number", 2: "phone", 3: "owner_id"}
    headings = ["客户名称", "客户编号", "电话", "负责人"]
    sheet = [headings, [], ["There", number, None, "li"], [], [], ["New", None, 123456789012345678, "li"]]
    upsert = {"columns": columns, "mode": ImportMode.UPSERT, "key": ("number",)}
    content = files.sheet(sheet, second=[headings, ["Of the second", None, None, None]])
    first = imported(world, files, content, **upsert)
    world.li.do(applying.confirm, first)
    files.run()
    world.clock.pass_by(days=1)
    second = imported(world, files, content, **upsert)

    english = told(world, second)
    world.system.do(create_update.update, User, world.ids["li"], {"language": "zh"})
    chinese = told(world, second)

    assert english == [
        "This very file came in before, on 2026/11/24 with 2 rows.",
        "Existing records keep what they have in “负责人”: only new ones are given that.",
        (
            "1 row of the sheet has a number of more than 15 digits, whose last digits the file does not hold."
            " Format such columns as text, and enter the numbers again."
        ),
        "1 sheet was not read: Second.",
        "3 blank rows were skipped.",
    ]
    assert chinese[0] == "此文件已于 2026/11/24 导入过（2 行）。"
    assert chinese[1] == "已有记录不更新以下列：“负责人”，仅用于新建记录。"
    assert len(chinese) == len(english)
    assert not any(mark in sentence for sentence in chinese for mark in ",.:;!?()")


def test_dates_that_can_be_read_in_two_ways_are_told_with_an_example(world: World, files: Files) -> None:
    world.customer("Acme", owner="li")
    sheet = [["客户", "内容", "时间", "方式"], ["Acme", "Spoke of it", "03/04/2026", "CALL"]]
    columns = {0: "customer_id", 1: "content", 2: "happened_at", 3: "kind"}

    id = checked(world, files, sheet, target="follow_up", columns=columns)

    assert told(world, id) == [
        (
            "The dates in “时间” can be read in two ways: 03/04/2026 is read as 4 March 2026 (month first)."
            " Choose the other order if that is wrong."
        )
    ]
