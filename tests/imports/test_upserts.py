"""Rows that change a record or become one: two rows of one record, and what they find of each other."""

from pathlib import Path
from typing import Any

import pytest

from models import Contact, Customer
from models.import_batch import ImportMode, RowState
from resolvers.imports import applying, undoing
from tests.support.checked_imports import HEADINGS, checked, states
from tests.support.importing import Files
from tests.support.world import World


@pytest.fixture
def files(world: World, tmp_path: Path) -> Files:
    return Files(world, tmp_path / "files")


@pytest.mark.parametrize("chunk", [1, 80])
def test_two_rows_of_one_new_record_are_one_record(
    world: World, files: Files, monkeypatch: pytest.MonkeyPatch, chunk: int
) -> None:
    monkeypatch.setattr(applying, "CHUNK", chunk)
    rows: list[list[Any]] = [
        ["Fresh", None, "10086", None],
        ["Other", None, None, None],
        ["FRESH", None, "10010", None],
    ]
    id = checked(world, files, [HEADINGS, *rows], mode=ImportMode.UPSERT, key=("name",))
    world.li.do(applying.confirm, id)
    files.run()

    assert [*states(world, id).values()] == [RowState.CREATED, RowState.CREATED, RowState.UPDATED]
    assert [(row["name"], row["phone"]) for row in world.rows(Customer)] == [("Fresh", "10010"), ("Other", None)]
    world.li.do(undoing.begin_undoing, id)
    files.run()
    assert all(row["deleted_at"] for row in world.rows(Customer))


def test_two_rows_of_one_new_contact_of_one_new_company_are_one_contact(world: World, files: Files) -> None:
    sheet = [["客户", "姓名", "电话"], ["Acme", "Ann", 13800138000], ["ACME", "ann", 13900139000]]

    id = checked(
        world,
        files,
        sheet,
        target="contact",
        columns={0: "customer_id", 1: "name", 2: "phone"},
        mode=ImportMode.UPSERT,
        key=("customer_id", "name"),
        creates_customers=True,
    )
    world.li.do(applying.confirm, id)
    files.run()

    assert [*states(world, id).values()] == [RowState.CREATED, RowState.UPDATED]
    assert (len(world.rows(Customer)), len(world.rows(Contact))) == (1, 1)
