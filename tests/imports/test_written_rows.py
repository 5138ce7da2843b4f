"""Rows that are records by now: when an import goes on with what stayed behind, nothing corrects them any more."""

import re
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from models import Customer, ImportBatch
from models.errors import RowsWritten
from models.import_batch import ImportState, RowState
from resolvers.imports import advance, applying, batches, correcting, mapping, undoing
from resolvers.jobs import control
from resolvers.runtime.ids import global_id
from tests.imports.test_panel import of_row, page, said
from tests.imports.test_returning import ROWS, corrected
from tests.support.panel import Panel
from tests.support.result_books import ResultBooks
from tests.support.world import World


@pytest.fixture
def books(world: World, tmp_path: Path) -> ResultBooks:
    return ResultBooks(world, tmp_path / "files")


@pytest.fixture
def id(world: World, books: ResultBooks) -> int:
    """An import whose row 2 is a customer; rows 3 and 4 stayed behind, and row 3 was corrected since."""
    id = books.checked(ROWS)
    world.li.do(applying.confirm, id)
    books.run()
    corrected(books, id, lambda page: setattr(page["F3"], "value", "10010"))
    assert books.batch(id)["state"] == ImportState.CHECKED
    return id


def rows(books: ResultBooks, id: int) -> dict[int, tuple[str, Any, Any]]:
    return {number: (row["state"], row["record_id"], row["edits"]) for number, row in books.rows_of(id).items()}


def test_a_row_that_is_a_record_is_neither_edited_nor_left_out(world: World, books: ResultBooks, id: int) -> None:
    before = rows(books, id)

    for change in (
        lambda: world.li.do(correcting.edit_row, id, 2, {0: "Another"}),
        lambda: world.li.do(correcting.skip_rows, id, [3, 2]),
        lambda: world.li.do(correcting.skip_rows, id, [2], skipped=False),
    ):
        with pytest.raises(RowsWritten):
            change()

    assert rows(books, id) == before


def test_a_value_is_fixed_in_the_rows_that_stayed_behind_alone(world: World, books: ResultBooks, id: int) -> None:
    assert world.li.do(correcting.fix_value, id, 0, "Good", "Better") == 0
    assert world.li.do(correcting.fix_value, id, 3, "养殖", "Internet") == 1
    assert [state for state, _, _ in rows(books, id).values()] == [RowState.CREATED, RowState.GOOD, RowState.GOOD]

    world.li.do(applying.confirm, id)
    books.run()
    assert sorted(row["name"] for row in world.rows(Customer)) == ["Bad phone", "Bad word", "Good"]
    world.li.do(undoing.begin_undoing, id)
    books.run()
    assert [row["deleted_at"] is not None for row in world.rows(Customer)] == [True] * 3


def test_columns_that_are_mapped_anew_leave_records_alone(world: World, books: ResultBooks, id: int) -> None:
    world.li.do(mapping.set_mapping, id, mapping.Plan({0: "name", 2: "phone"}))
    books.run()

    assert [state for state, _, _ in rows(books, id).values()] == [RowState.CREATED, RowState.GOOD, RowState.GOOD]


def test_the_page_offers_no_correction_of_a_row_that_is_a_record(world: World, books: ResultBooks, id: int) -> None:
    browser, address = Panel(world).of("li"), f"/admin/imports/{global_id(ImportBatch, id)}"

    html = page(browser, address, "?state=all&edit=2")

    assert "Good" in of_row(html, 2)
    assert not re.search("<form|<input|<a ", of_row(html, 2))
    assert "Leave out" in of_row(html, 3)
    answer = browser.post(f"{address}/skip", {"number": "2", "skipped": "y"})
    assert (answer.status_code, said(unescape(answer.text))) == (
        422,
        "What has been imported already stays as it is (rows: 1). Change the records instead.",
    )


def test_the_progress_is_that_of_the_rows_which_stayed_behind(
    world: World, books: ResultBooks, id: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def now(scope: Any, db: Any) -> tuple[int, int | None]:
        found = advance.advance(scope, db, batches.own(scope, db, id))
        return found.done, found.total

    world.li.do(correcting.fix_value, id, 3, "养殖", "Internet")
    world.li.do(applying.confirm, id)
    assert world.run(world.li.read(now)) == (0, 2)
    monkeypatch.setattr(applying, "CHUNK", 1)
    with monkeypatch.context() as patch:
        patch.setattr(applying, "next_rows", once(applying.next_rows))
        books.run()
    assert world.run(world.li.read(now)) == (1, 2)

    world.li.do(control.cancel, books.batch(id)["job_id"])
    world.li.do(batches.go_on, id)
    assert world.run(world.li.read(now)) == (0, 1)


def once(call: Any) -> Any:
    """The same function, which fails from its second call on."""
    calls = iter([call])

    def called(*args: Any) -> Any:
        return next(calls)(*args)

    return called
