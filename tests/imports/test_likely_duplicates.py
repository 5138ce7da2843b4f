"""Warnings of a check: records that may be the same as a row's, in the words that its user may read; they prevent nothing."""

from pathlib import Path

import pytest
from sqlalchemy import text

from models import Contact, Customer
from models.import_batch import RowState
from resolvers.imports import applying, correcting
from resolvers.records import recycle_bin
from tests.support.checked_imports import checked, shown, states
from tests.support.importing import Files
from tests.support.world import World

COLUMNS = {0: "name", 1: "phone"}
HEADINGS = ["客户名称", "电话", "列"]


@pytest.fixture
def files(world: World, tmp_path: Path) -> Files:
    """The store of a world in which duplicates count as in a new installation."""
    with world.backend.writer.engine.begin() as connection:
        connection.execute(text("DELETE FROM duplicate_rule"))
    return Files(world, tmp_path / "files")


def warned(world: World, id: int, login: str = "li") -> dict[int, list[str]]:
    found = shown(world, id, login)
    return {number: [x.sentence for x in row.warnings] for number, row in found.items() if row.warnings}


def test_a_row_is_warned_of_what_may_be_the_same_and_where_that_is(world: World, files: Files) -> None:
    mine = world.customer("Northern Harbour Logistics", owner="li", phone="13800138000")
    world.customer("蓝海石材", owner="mei", phone="13900139000")
    world.customer("Golden Pond Teahouse", pool="east", phone="13700137000")
    world.customer("华兴宏达精密科技", owner="li")
    gone = world.customer("Silver Moon Bakery", owner="li", phone="13600136000")
    world.li.do(recycle_bin.delete, Customer, [gone])
    number = world.row(Customer, mine)["number"]
    rows = [
        ["Quite Another", 13800138000, None],
        ["Very Different", "139 0013 9000", None],
        ["Tea For Two", "+86 137 0013 7000", None],
        ["Sun Bread", "13600136000", None],
        ["Nothing Like It", "13000130000", None],
        ["华兴宏远精密科技", None, None],
        ["", 13800138000, None],
    ]

    id = checked(world, files, [HEADINGS, *rows], columns=COLUMNS)

    found = warned(world, id)
    assert found[2] == [
        (
            f"This may be {number} Northern Harbour Logistics, which is there already (of Li Na)."
            " Look at it before you import this row."
        )
    ]
    assert "蓝＊＊＊" in found[3][0]
    assert "of somebody else" in found[3][0] or "Mei Lin" in found[3][0]
    assert "(in a pool)" in found[4][0]
    assert "(in the recycle bin)" in found[5][0]
    assert found.keys() == {2, 3, 4, 5, 7}
    assert {n for n, state in states(world, id).items() if state == RowState.GOOD} == {2, 3, 4, 5, 6, 7}

    world.li.do(correcting.edit_row, id, 2, {1: "13000130001"})
    assert 2 not in warned(world, id)
    world.li.do(applying.confirm, id)
    files.run()
    assert {row["name"] for row in world.rows(Customer)} >= {row[0] for row in rows[:6]}


def test_contacts_are_warned_of_the_same_phone(world: World, files: Files) -> None:
    acme = world.customer("Acme", owner="li")
    world.make(Contact, customer_id=acme, name="Ann Lee", points=[{"kind": "PHONE", "value": "13800138000"}])
    sheet = [["客户", "姓名", "电话"], ["Acme", "Bob Ray", 13800138000], ["Acme", "Cy Fox", 13800138001]]

    id = checked(world, files, sheet, target="contact", columns={0: "customer_id", 1: "name", 2: "phone"})

    (sentence,) = warned(world, id)[2]
    assert sentence.startswith("This may be Ann Lee, which is there already (of Li Na).")
    assert warned(world, id).keys() == {2}
