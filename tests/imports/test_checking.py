"""The check of an import: every row green or red with its reasons, by the rules of single writes, and nothing is changed."""

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from models import Customer, DictionaryItem, FollowUp, ImportBatch, ImportRow
from models.database.engines import ReadSession
from models.import_batch import ImportMode, ImportState, RowState
from resolvers.imports import checking, mapping
from resolvers.imports.date_columns import Order
from resolvers.imports.mapping import Plan
from resolvers.runtime.stored_refusals import restored_refusal
from tests.support.importing import Files
from tests.support.world import World

HEADINGS = ["客户名称", "客户编号", "电话", "行业"]
COLUMNS = {0: "name", 1: "number", 2: "phone", 3: "industry"}


@pytest.fixture
def files(world: World, tmp_path: Path) -> Files:
    return Files(world, tmp_path / "files")


def checked(
    world: World, files: Files, rows: Sequence[Sequence[Any]], login: str = "li", target: str = "customer", **plan: Any
) -> int:
    """A file that is read, mapped and checked; its headings stand in the first row."""
    id = files.begin(login, files.sheet(rows), target=target)
    files.run()
    columns = plan.pop("columns", COLUMNS)
    world.scope(login).do(mapping.set_mapping, id, Plan(columns, **plan))
    files.run()
    assert world.row(ImportBatch, id)["state"] == ImportState.CHECKED
    return id


def rows_of(world: World, id: int) -> dict[int, dict[str, Any]]:
    return {row["number"]: row for row in world.rows(ImportRow) if row["batch_id"] == id}


def problems(world: World, id: int, language: str = "en") -> dict[int, list[str]]:
    """Number of a bad row -> its sentences."""
    return {
        number: [restored_refusal(each).say(language) for each in row["problems"]]
        for number, row in rows_of(world, id).items()
        if row["state"] == RowState.BAD
    }


def test_every_row_is_good_or_bad_with_its_reasons_and_nothing_is_changed(world: World, files: Files) -> None:
    taken = world.row(Customer, world.customer("There", owner="li"))["number"]
    before = [*world.rows(Customer)]
    mark = world.mark()

    id = checked(
        world,
        files,
        [
            HEADINGS,
            ["Good", None, 13800138000, "Internet"],
            ["", None, None, None],
            ["No such word", None, None, "养殖"],
            ["Bad phone", None, "12", None],
            ["Taken", taken, None, None],
            ["Good too", "C2026777", "0571-88881234", "internet"],
            ["Twice", "C2026777", None, None],
        ],
    )

    found = problems(world, id)
    assert {number for number, row in rows_of(world, id).items() if row["state"] == RowState.GOOD} == {2, 7}
    assert found.keys() == {4, 5, 6, 8}  # the third row of the sheet holds nothing, so it is none
    assert "“养殖” is not in the list; choose" in found[4][0]
    assert found[5] == ["“12” is no phone number."]
    assert taken in found[6][0]
    assert found[8] == ["This is the same as row 7 (number). Change one of the two, or leave this row out."]
    assert all("，" in text or "。" in text for texts in problems(world, id, "zh").values() for text in texts)
    assert world.rows(Customer) == before
    assert [x for x in world.log(since=mark) if x["entity"] == "customer"] == []


def test_a_row_has_all_its_wrong_cells_at_once(world: World, files: Files) -> None:
    columns = {0: "customer_id", 1: "content", 2: "happened_at", 3: "kind"}
    world.customer("Acme", owner="li")

    id = checked(
        world,
        files,
        [
            ["客户", "内容", "时间", "方式"],
            ["Absent", "x", "soon", "smoke"],
            ["Acme", "Spoke", "2026-11-20 10:00", "电话"],
        ],
        target="follow_up",
        columns=columns,
    )

    assert len(problems(world, id)[2]) == 3
    assert rows_of(world, id)[3]["state"] == RowState.GOOD
    assert world.rows(FollowUp) == []


def test_a_spelling_that_the_dictionary_knows_is_understood(world: World, files: Files) -> None:
    item = next(row for row in world.rows(DictionaryItem) if row["key"] == "internet")
    assert "电商" not in item["aliases"]

    id = checked(world, files, [HEADINGS, ["A", None, None, "Internet"], ["B", None, None, item["label_zh"]]])

    assert problems(world, id) == {}


def test_an_update_finds_its_records_and_refuses_what_is_not_there(world: World, files: Files) -> None:
    mine, hidden = world.customer("Mine", owner="li"), world.customer("Hidden", owner="mei")
    number, other = (world.row(Customer, each)["number"] for each in (mine, hidden))

    id = checked(
        world,
        files,
        [HEADINGS, ["Mine", number.lower(), "10086", None], ["Hidden", other, "10086", None], ["x", "C1", None, None]],
        mode=ImportMode.UPDATE,
        key=("number",),
    )

    assert rows_of(world, id)[2]["record_id"] == mine
    assert problems(world, id).keys() == {3, 4}
    assert problems(world, id)[3] == problems(world, id)[4] == ["Number names no record that is there."]


def test_an_upsert_changes_who_is_there_and_adds_the_others(world: World, files: Files) -> None:
    there = world.customer("There", owner="li")

    id = checked(
        world,
        files,
        [["客户名称", "电话"], ["there", "10086"], ["New", "10010"]],
        columns={0: "name", 1: "phone"},
        mode=ImportMode.UPSERT,
        key=("name",),
    )

    assert {n: row["record_id"] for n, row in rows_of(world, id).items()} == {2: there, 3: None}
    assert problems(world, id) == {}


def test_of_namesakes_an_update_takes_none(world: World, files: Files) -> None:
    for _ in range(2):
        world.customer("Twin", owner="li")

    id = checked(
        world,
        files,
        [["客户名称", "电话"], ["Twin", "10086"]],
        columns={0: "name", 1: "phone"},
        mode=ImportMode.UPDATE,
        key=("name",),
    )

    assert problems(world, id)[2] == ["Name belongs to 2 records: choose another key."]


def test_n05_dates_that_can_be_read_both_ways_are_shown_and_read_as_their_user_says(world: World, files: Files) -> None:
    world.customer("Acme", owner="li")
    sheet = [["客户", "内容", "时间", "方式"], ["Acme", "Spoke of it", "03/04/2026", "CALL"]]
    plan: dict[str, Any] = {
        "target": "follow_up",
        "columns": {0: "customer_id", 1: "content", 2: "happened_at", 3: "kind"},
    }

    asked = world.row(ImportBatch, checked(world, files, sheet, **plan))["options"]
    told = world.row(ImportBatch, checked(world, files, sheet, **plan, dates={2: Order.MONTH_FIRST}))["options"]

    assert (asked["undecided"], asked["dates"]) == ({"2": "03/04/2026"}, {"2": "month_first"})
    assert (told.get("undecided", {}), told["dates"]) == ({}, {"2": "month_first"})


def test_what_is_mapped_anew_is_checked_anew(world: World, files: Files) -> None:
    id = checked(world, files, [HEADINGS, ["Good", None, "12", None]])
    assert problems(world, id).keys() == {2}

    world.li.do(mapping.set_mapping, id, Plan({0: "name"}))
    files.run()

    assert problems(world, id) == {}
    assert world.row(ImportBatch, id)["state"] == ImportState.CHECKED


def test_a_column_of_dates_is_decided_from_all_of_its_cells_page_by_page(
    world: World, files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checking, "AT_ONCE", 2)
    read, sessions = checking._texts_at, list[type]()
    monkeypatch.setattr(checking, "_texts_at", lambda db, *more: sessions.append(type(db)) or read(db, *more))
    days = ["03/04/2026", None, date(2026, 4, 1), "04/05/2026", 20260301, "25/04/2026"]
    sheet = [["客户", "内容", "时间", "方式"], *(["Acme", "Spoke of it", day, "CALL"] for day in days)]
    plan: dict[str, Any] = {
        "target": "follow_up",
        "columns": {0: "customer_id", 1: "content", 2: "happened_at", 3: "kind"},
    }

    options = world.row(ImportBatch, checked(world, files, sheet, **plan))["options"]

    assert (options["dates"], options["undecided"]) == ({"2": "day_first"}, {})
    assert sessions == [ReadSession]  # beside the writes, once
