"""Corrections before an import is confirmed: cells, one wrong value in all rows, rows left out; each judged again."""

from pathlib import Path
from typing import Any

import pytest

from models import Customer, DictionaryItem, ImportBatch, ImportRow, Job
from models.errors import Forbidden, ImportEnded, NotFound, Validation
from models.import_batch import ImportState, RowState
from resolvers.imports import applying, batches, correcting, judging, looking, mapping
from resolvers.imports.batches import Choices
from resolvers.imports.mapping import Plan
from resolvers.records import create_update
from tests.support.checked_imports import COLUMNS, HEADINGS, asked, checked, sentences, shown, states, stored_rows
from tests.support.importing import Files
from tests.support.world import World


@pytest.fixture
def files(world: World, tmp_path: Path) -> Files:
    return Files(world, tmp_path / "files")


def texts(world: World, id: int, number: int) -> list[str]:
    return [cell.text for cell in shown(world, id)[number].cells]


# --- one row ---------------------------------------------------------------------------------------------


def test_an_edited_row_is_judged_again_at_once_and_typed_text_is_taken_as_text(world: World, files: Files) -> None:
    id = checked(world, files, [HEADINGS, ["", None, "12", None], ["Good", None, None, None]])
    assert states(world, id) == {2: RowState.BAD, 3: RowState.GOOD}

    world.li.do(correcting.edit_row, id, 2, {0: "Named", 2: "0571-88881234"})

    assert states(world, id)[2] == RowState.GOOD
    row = shown(world, id)[2]
    assert [(x.text, x.is_edited) for x in row.cells] == [
        ("Named", True),
        ("", False),
        ("0571-88881234", True),
        ("", False),
    ]
    world.li.do(applying.confirm, id)
    files.run()
    made = next(row for row in world.rows(Customer) if row["name"] == "Named")
    assert made["phone"] == "0571-88881234"


def test_an_edit_can_be_taken_back_and_what_says_the_same_is_no_edit(world: World, files: Files) -> None:
    id = checked(world, files, [HEADINGS, ["A", None, 13800138000, None]])

    world.li.do(correcting.edit_row, id, 2, {2: "12"})
    assert states(world, id)[2] == RowState.BAD
    world.li.do(correcting.edit_row, id, 2, {2: None})
    assert (states(world, id)[2], stored_rows(world, id)[2]["edits"]) == (RowState.GOOD, None)
    world.li.do(correcting.edit_row, id, 2, {2: "13800138000", 0: "A"})
    assert stored_rows(world, id)[2]["edits"] is None
    world.li.do(correcting.edit_row, id, 2, {0: ""})
    assert sentences(world, id)[2] == ["Name is required."]


def test_digits_that_the_file_has_lost_are_typed_again(world: World, files: Files) -> None:
    id = checked(world, files, [HEADINGS, ["A", None, 123456789012345678, None]])
    assert states(world, id)[2] == RowState.BAD

    world.li.do(correcting.edit_row, id, 2, {2: "123456789012"})

    assert states(world, id)[2] == RowState.GOOD


@pytest.mark.parametrize(
    ("number", "cells", "sentence"),
    [
        (99, {0: "x"}, "The sheet has no row 99."),
        (2, {7: "x"}, "The sheet has no such column."),
        (2, {0: "x" * 40_000}, "This field is longer than 32767 characters."),
        (2, {0: "a\x00b"}, "This field holds characters that cannot be printed."),
    ],
)
def test_what_no_sheet_holds_is_refused(
    world: World, files: Files, number: int, cells: dict[int, str], sentence: str
) -> None:
    id = checked(world, files, [HEADINGS, ["A", None, None, None]])
    before = stored_rows(world, id)

    with pytest.raises(Validation) as caught:
        world.li.do(correcting.edit_row, id, number, cells)

    assert caught.value.say() == sentence
    assert "，" in caught.value.say("zh") or "。" in caught.value.say("zh")
    assert stored_rows(world, id) == before


def test_nobody_else_corrects_an_import_and_none_that_has_begun(world: World, files: Files) -> None:
    id = checked(world, files, [HEADINGS, ["A", None, None, None], ["", None, None, None, "x"]])
    for login in ("ada", "wu"):
        with pytest.raises(NotFound):
            world.scope(login).do(correcting.edit_row, id, 2, {0: "B"})

    world.li.do(applying.confirm, id)
    for _ in range(2):
        for correct in (
            lambda: world.li.do(correcting.edit_row, id, 2, {0: "B"}),
            lambda: world.li.do(correcting.fix_value, id, 0, "A", "B"),
            lambda: world.li.do(correcting.skip_rows, id, [2]),
        ):
            with pytest.raises(ImportEnded):
                correct()
        files.run()

    assert [row["name"] for row in world.rows(Customer)] == ["A"]


def test_a_row_is_edited_before_it_is_mapped_and_keeps_that_when_it_is_mapped_anew(world: World, files: Files) -> None:
    id = files.begin("li", files.sheet([HEADINGS, ["", None, None, None, "x"]]))
    with pytest.raises(Validation, match="still being read"):
        world.li.do(correcting.edit_row, id, 2, {0: "A"})
    files.run()
    world.li.do(correcting.edit_row, id, 2, {0: "A"})
    for columns in (COLUMNS, {0: "name"}):
        world.li.do(mapping.set_mapping, id, Plan(columns))
        files.run()
        assert states(world, id) == {2: RowState.GOOD}

    world.li.do(batches.read_anew, id, Choices())
    files.run()
    assert stored_rows(world, id)[2]["edits"] is None


def test_what_is_edited_while_the_check_runs_is_judged(
    world: World, files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(judging, "CHUNK", 2)
    id = checked(world, files, [HEADINGS, *([f"Name {n}", None, None, None] for n in range(6))], columns={0: "name"})
    world.li.do(mapping.set_mapping, id, Plan(COLUMNS))
    version = world.row(ImportBatch, id)["version"]
    world.li.do(_chunk, id, version)

    world.li.do(correcting.edit_row, id, 2, {2: "12"})  # judged already
    world.li.do(correcting.edit_row, id, 7, {2: "12"})  # not yet
    files.run()

    assert [number for number, state in states(world, id).items() if state == RowState.BAD] == [2, 7]
    assert world.row(ImportBatch, id)["state"] == ImportState.CHECKED


def _chunk(scope: Any, id: int, version: int) -> Any:
    with scope.write("job.view") as db:
        return judging.check(scope, db, id, version)


# --- one wrong value -------------------------------------------------------------------------------------


def test_a_wrong_value_is_fixed_once_for_all_rows_that_read_so(world: World, files: Files) -> None:
    rows = [
        ["A", None, None, "电商"],
        ["B", None, None, " 电商 "],
        ["C", None, None, "steel"],
        ["D", None, None, "电商网"],
    ]
    id = checked(world, files, [HEADINGS, *rows])
    assert [number for number, state in states(world, id).items() if state == RowState.BAD] == [2, 3, 5]
    world.li.do(correcting.skip_rows, id, [3])

    assert world.li.do(correcting.fix_value, id, 3, "电商", "Retail") == 2

    assert states(world, id) == {2: RowState.GOOD, 3: RowState.SKIPPED, 4: RowState.GOOD, 5: RowState.BAD}
    assert [texts(world, id, number)[3] for number in (2, 3, 4, 5)] == ["Retail", "Retail", "steel", "电商网"]
    assert world.li.do(correcting.fix_value, id, 3, "电商", "Retail") == 0


@pytest.mark.parametrize(("cell", "reads"), [(12, "12"), (1.5, "1.5"), (True, "TRUE"), ("50%_", "50%_"), ("", "")])
def test_any_value_of_a_sheet_can_be_fixed(world: World, files: Files, cell: Any, reads: str) -> None:
    id = checked(world, files, [HEADINGS, ["A", None, cell, None], ["B", None, "10086", None]])

    assert world.li.do(correcting.fix_value, id, 2, reads, "10010") == 1

    assert [texts(world, id, number)[2] for number in (2, 3)] == ["10010", "10086"]


def test_many_rows_are_judged_by_a_job_and_confirmed_after_it(
    world: World, files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    id = checked(
        world, files, [HEADINGS, *([f"Name {n}", None, None, "none"] for n in range(5)), ["", None, None, "x"]]
    )
    for module in (judging, correcting):
        monkeypatch.setattr(module, "CHUNK", 2)

    assert world.li.do(correcting.fix_value, id, 3, "none", "steel") == 5

    assert set(states(world, id).values()) == {RowState.STAGED, RowState.BAD}
    with pytest.raises(Validation, match="still being checked"):
        world.li.do(applying.confirm, id)
    world.li.do(correcting.edit_row, id, 7, {0: "Named", 3: "steel"})  # while that job waits
    files.run()
    assert set(states(world, id).values()) == {RowState.GOOD}
    assert [job["done"] for job in world.rows(Job) if job["kind"] == batches.CHECK][-1] == 5


def test_in_a_very_large_sheet_the_check_fixes_the_rows_that_are_left(
    world: World, files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(correcting, "LOOKED_AT", 4)
    monkeypatch.setattr(correcting, "FIXED_AT_ONCE", 2)
    id = checked(
        world, files, [HEADINGS, *([f"Firm {n}", None, None, "Web"] for n in range(8)), ["Z", None, "12", None]]
    )
    world.li.do(correcting.skip_rows, id, [9])

    assert world.li.do(correcting.fix_value, id, 3, "Web", "电商") == 3
    assert world.li.do(correcting.fix_value, id, 3, "电商", "Internet") == 3
    assert world.li.do(correcting.fix_value, id, 2, "12", "10086") == 0
    with pytest.raises(Validation, match="still being checked"):
        world.li.do(applying.confirm, id)
    world.li.do(mapping.set_mapping, id, Plan(COLUMNS))
    files.run()

    assert [texts(world, id, n)[3] for n in range(2, 10)] == ["Internet"] * 8
    assert {n: state for n, state in states(world, id).items() if state != RowState.GOOD} == {9: RowState.SKIPPED}
    assert "fixes" not in world.row(ImportBatch, id)["options"]
    world.li.do(applying.confirm, id)
    files.run()
    assert len(world.rows(Customer)) == 8


def test_a_fixed_word_is_learnt_by_who_may_edit_the_dictionary(world: World, files: Files) -> None:
    for key in ("retail", "internet"):
        (item,) = world.rows(DictionaryItem, DictionaryItem.key == key)
        world.system.do(create_update.update, DictionaryItem, item["id"], {"aliases": ["电商"]})
    sheet = [HEADINGS, ["A", None, None, "电商"]]
    mine, theirs = checked(world, files, sheet), checked(world, files, sheet, login="ada")
    assert sentences(world, mine)[2] == ["Industry “电商” is not in the list; choose Retail or Internet."]
    assert shown(world, mine)[2].problems[0].likely == ("Retail", "Internet")

    with pytest.raises(Forbidden):
        world.li.do(correcting.fix_value, mine, 3, "电商", "Retail", learn=True)
    assert states(world, mine)[2] == RowState.BAD
    with pytest.raises(Validation, match="“Banana” is no word"):
        world.ada.do(correcting.fix_value, theirs, 3, "电商", "Banana", learn=True)
    with pytest.raises(Validation, match="Only words of a dictionary"):
        world.ada.do(correcting.fix_value, theirs, 0, "A", "B", learn=True)
    assert world.ada.do(correcting.fix_value, theirs, 3, "电商", "Retail", learn=True) == 1

    aliases = {row["key"]: row["aliases"] for row in world.rows(DictionaryItem)}
    assert (aliases["retail"], aliases["internet"]) == (["电商"], [])
    assert states(world, checked(world, files, sheet)) == {2: RowState.GOOD}


# --- rows that are left out ------------------------------------------------------------------------------


def test_rows_are_left_out_and_taken_back(world: World, files: Files) -> None:
    id = checked(world, files, [HEADINGS, ["A", None, None, None], ["", None, "12", None], ["C", None, None, None]])

    assert world.li.do(correcting.skip_rows, id, [3, 4]) == 2
    assert world.li.do(correcting.skip_rows, id, [3, 4]) == 0
    assert states(world, id) == {2: RowState.GOOD, 3: RowState.SKIPPED, 4: RowState.SKIPPED}
    assert sentences(world, id) == {}
    assert world.li.do(correcting.skip_rows, id, [4], skipped=False) == 1
    with pytest.raises(Validation):
        world.li.do(correcting.skip_rows, id, [4, 400])

    world.li.do(applying.confirm, id)
    files.run()
    assert world.row(ImportBatch, id)["state"] == ImportState.DONE
    assert states(world, id) == {2: RowState.CREATED, 3: RowState.SKIPPED, 4: RowState.CREATED}
    assert sorted(row["name"] for row in world.rows(Customer)) == ["A", "C"]


def test_a_row_that_is_left_out_is_edited_and_judged_when_it_is_taken_back(world: World, files: Files) -> None:
    id = checked(world, files, [HEADINGS, ["", None, "12", None]])
    world.li.do(correcting.skip_rows, id, [2])

    world.li.do(correcting.edit_row, id, 2, {0: "A"})
    assert states(world, id) == {2: RowState.SKIPPED}
    world.li.do(correcting.skip_rows, id, [2], skipped=False)

    assert sentences(world, id)[2] == ["“12” is no phone number."]


def test_rows_that_are_left_out_stay_so_when_columns_are_mapped_anew(world: World, files: Files) -> None:
    id = checked(world, files, [HEADINGS, ["A", None, None, None], ["B", None, None, None]])
    world.li.do(correcting.skip_rows, id, [2])

    world.li.do(mapping.set_mapping, id, Plan({0: "name"}))
    files.run()

    assert states(world, id) == {2: RowState.SKIPPED, 3: RowState.GOOD}


def test_a_whole_session_of_corrections(world: World, files: Files) -> None:
    """The guide's story: an industry that is none, an empty name, a bad phone; all green in the end."""
    rows = [["A", None, None, "电商"], ["", None, None, "steel"], ["C", None, "12", "电商"], ["D", None, None, None]]
    id = checked(world, files, [HEADINGS, *rows])
    (value, *_) = [x for x in asked(world, id, looking.wrong_values) if x.field == "industry"]
    assert (value.text, value.rows) == ("电商", 2)

    world.li.do(correcting.fix_value, id, value.place, value.text, "Internet")
    world.li.do(correcting.edit_row, id, 3, {0: "B"})
    world.li.do(correcting.edit_row, id, 4, {2: "10086"})
    world.li.do(applying.confirm, id)
    files.run()

    assert world.row(ImportBatch, id)["state"] == ImportState.DONE
    assert {row["name"] for row in world.rows(Customer)} == {"A", "B", "C", "D"}
    assert len(world.rows(ImportRow)) == 4
