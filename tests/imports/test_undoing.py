"""The undoing of an import: what nobody has touched since goes back, the rest is kept and named."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from models import Contact, Customer, ImportBatch, ImportRow
from models.errors import ImportEnded, NotFound
from models.import_batch import ImportMode, ImportState, RowState
from resolvers.imports import applying, mapping, undoing
from resolvers.imports.mapping import Plan
from resolvers.records import create_update
from resolvers.setup.invariants import broken
from tests.support.importing import Files
from tests.support.world import World


@pytest.fixture
def files(world: World, tmp_path: Path) -> Files:
    return Files(world, tmp_path / "files")


def imported(world: World, files: Files, rows: Sequence[Sequence[Any]], login: str = "li", **plan: Any) -> int:
    id = files.begin(login, files.sheet(rows))
    files.run()
    world.scope(login).do(mapping.set_mapping, id, Plan(plan.pop("columns"), **plan))
    files.run()
    world.scope(login).do(applying.confirm, id)
    files.run()
    return id


def states(world: World) -> list[str]:
    return [row["state"] for row in world.rows(ImportRow)]


def test_what_was_created_goes_to_the_bin_and_what_was_touched_since_stays(world: World, files: Files) -> None:
    rows = [["客户名称", "联系人"], ["A", "Ann"], ["B", "Bob"], ["C", "Cid"]]
    id = imported(world, files, rows, columns={0: "name", 1: "contact_name"})
    ids = [row["record_id"] for row in world.rows(ImportRow)]
    world.li.do(create_update.update, Customer, ids[1], {"remark": "worked on"})
    world.li.do(create_update.delete, Customer, [ids[2]])

    for _ in range(2):
        world.li.do(undoing.begin_undoing, id)
    files.run()

    assert world.row(ImportBatch, id)["state"] == ImportState.UNDONE
    assert states(world) == [RowState.UNDONE, RowState.KEPT, RowState.KEPT]
    gone = {row["name"]: row["deleted_at"] is not None for row in world.rows(Customer)}
    assert gone == {"A": True, "B": False, "C": True}
    assert {row["name"] for row in world.rows(Contact) if row["deleted_at"] is None} == {"Bob"}
    with world.backend.writer.engine.connect() as connection:
        assert broken(connection) == []


def test_what_was_changed_gets_its_old_values(world: World, files: Files) -> None:
    first, second = (world.customer(name, owner="li", phone="10010", industry="retail") for name in ("First", "Second"))
    id = imported(
        world,
        files,
        [["客户名称", "电话", "行业"], ["First", "10086", "Internet"], ["Second", "10086", "Internet"]],
        columns={0: "name", 1: "phone", 2: "industry"},
        mode=ImportMode.UPDATE,
        key=("name",),
    )
    assert states(world) == [RowState.UPDATED] * 2
    world.li.do(create_update.update, Customer, second, {"remark": "worked on"})

    world.li.do(undoing.begin_undoing, id)
    files.run()

    assert states(world) == [RowState.UNDONE, RowState.KEPT]
    found = {id: (world.row(Customer, id)["phone"], world.row(Customer, id)["industry"]) for id in (first, second)}
    assert found == {first: ("10010", "retail"), second: ("10086", "internet")}


def test_only_its_user_undoes_it_and_only_once_it_was_carried_out(world: World, files: Files) -> None:
    id = imported(world, files, [["客户名称"], ["A"]], columns={0: "name"})

    with pytest.raises(NotFound):
        world.ada.do(undoing.begin_undoing, id)
    world.li.do(undoing.begin_undoing, id)
    files.run()
    with pytest.raises(ImportEnded):
        world.li.do(undoing.begin_undoing, id)
