"""The undoing of an import: what nobody has touched since goes back, the rest is kept and named."""

import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from models import Contact, ContactPoint, Customer, ImportBatch, ImportRow
from models.errors import ImportEnded, NotFound
from models.import_batch import ImportMode, ImportState, Overwrite, RowState
from resolvers.audit.verification import verify
from resolvers.imports import applying, mapping, undoing
from resolvers.imports.mapping import Plan
from resolvers.records import create_update
from resolvers.runtime.stored_refusals import restored_refusal
from resolvers.setup.invariants import broken
from tests.support.importing import Files
from tests.support.refusals import add_line
from tests.support.world import World


@pytest.fixture
def files(world: World, tmp_path: Path) -> Files:
    return Files(world, tmp_path / "files")


def imported(world: World, files: Files, rows: Sequence[Sequence[Any]], login: str = "li", **plan: Any) -> int:
    id = files.begin(login, files.sheet(rows), target=plan.pop("target", "customer"))
    files.run()
    world.scope(login).do(mapping.set_mapping, id, Plan(plan.pop("columns"), **plan))
    files.run()
    world.scope(login).do(applying.confirm, id)
    files.run()
    return id


def undone(world: World, files: Files, id: int, login: str = "li") -> None:
    world.scope(login).do(undoing.begin_undoing, id)
    files.run()
    assert world.row(ImportBatch, id)["state"] == ImportState.UNDONE
    with world.backend.writer.engine.connect() as connection:
        assert (broken(connection), verify(connection).problems) == ([], [])


def said(world: World) -> dict[int, str]:
    """Number of a row -> why it or its customer stays."""
    rows = [row for row in world.rows(ImportRow) if row["problems"]]
    return {row["number"]: restored_refusal(row["problems"][0]).say("en") for row in rows}


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

    undone(world, files, id)

    assert states(world) == [RowState.UNDONE, RowState.KEPT]
    assert said(world) == {3: "It has been changed since, so it stays as it is."}
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


def test_the_phones_of_a_contact_come_back(world: World, files: Files) -> None:
    customer = world.customer("Acme", owner="li")
    world.make(Contact, customer_id=customer, name="Ann", points=[{"kind": "PHONE", "value": "10010"}])
    id = imported(
        world,
        files,
        [["客户", "联系人", "电话"], ["Acme", "Ann", "10086；10087"]],
        target="contact",
        columns={0: "customer_id", 1: "name", 2: "phone"},
        mode=ImportMode.UPDATE,
        key=("customer_id", "name"),
    )
    assert {row["value"] for row in world.rows(ContactPoint)} == {"10086", "10087"}

    undone(world, files, id)

    assert [row["value"] for row in world.rows(ContactPoint)] == ["10010"]


def test_who_was_the_primary_contact_is_it_again(world: World, files: Files) -> None:
    for name in ("Acme", "Other"):
        world.customer(name, owner="li", contact_name=f"Ann of {name}")
    rows = [["客户", "联系人", "主联系人"], ["Acme", "Bob", "是"], ["Other", "Bob", "是"]]
    columns = {0: "customer_id", 1: "name", 2: "is_primary"}
    id = imported(world, files, rows, target="contact", columns=columns)
    assert _primaries(world) == {"Bob"}
    other = next(row["id"] for row in world.rows(Contact) if row["name"] == "Ann of Other")
    world.li.do(create_update.update, Contact, other, {"title": "worked on"})

    undone(world, files, id)

    assert states(world) == [RowState.UNDONE] * 2
    assert _primaries(world) == {"Ann of Acme"}


def _primaries(world: World) -> set[str]:
    return {row["name"] for row in world.rows(Contact) if row["is_primary"] and row["deleted_at"] is None}


def test_a_record_that_got_a_contact_since_was_touched(world: World, files: Files) -> None:
    id = imported(world, files, [["客户名称"], ["A"], ["B"]], columns={0: "name"})
    second = world.rows(ImportRow)[1]["record_id"]
    world.clock.pass_by(minutes=1)
    world.li.do(create_update.create, Contact, {"customer_id": second, "name": "Ann"})

    undone(world, files, id)

    assert states(world) == [RowState.UNDONE, RowState.KEPT]
    assert said(world) == {3: "Somebody has worked with it since, so it stays."}


def test_what_may_not_be_undone_any_more_keeps_its_state_with_the_reason(world: World, files: Files) -> None:
    id = imported(world, files, [["客户名称"], ["A"]], columns={0: "name"})
    add_line(world, "p, sales, customer, delete, all, any, deny")

    undone(world, files, id)

    assert states(world) == [RowState.CREATED]
    assert said(world)[2].startswith("Your roles do not allow: delete")


def test_n15_a_company_goes_with_its_last_row_unless_somebody_has_worked_with_it(world: World, files: Files) -> None:
    names = ["Alone", "Worked", "Alone ", "Edited"]
    id = imported(
        world,
        files,
        [["客户", "联系人"], *([name, f"Person {n}"] for n, name in enumerate(names))],
        target="contact",
        columns={0: "customer_id", 1: "name"},
        creates_customers=True,
    )
    ids = {row["name"]: row["id"] for row in world.rows(Customer)}
    world.clock.pass_by(minutes=1)
    world.li.do(create_update.create, Contact, {"customer_id": ids["Worked"], "name": "Another"})
    world.li.do(create_update.update, Customer, ids["Edited"], {"remark": "worked on"})

    undone(world, files, id)

    assert states(world) == [RowState.UNDONE] * 4
    live = {row["name"] for row in world.rows(Customer) if row["deleted_at"] is None}
    assert live == {"Worked", "Edited"}
    stays = "The customer that came with it has been worked with since, so it stays."
    assert said(world) == {3: stays, 5: stays}
    assert [row["name"] for row in world.rows(Contact) if row["deleted_at"] is None] == ["Another"]


def test_rows_of_one_record_are_undone_from_the_last_to_the_first(
    world: World, files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (applying, undoing):
        monkeypatch.setattr(module, "CHUNK", 2)
    there, other = (world.customer(name, owner="li", phone="1000") for name in ("There", "Other"))
    rows = [["客户名称", "电话"], ["There", "1001"], ["There", "1002"], ["Other", "1001"], ["There", "1003"]]
    id = imported(world, files, rows, columns={0: "name", 1: "phone"}, mode=ImportMode.UPDATE, key=("name",))

    undone(world, files, id)

    assert states(world) == [RowState.UNDONE] * 4
    assert {world.row(Customer, each)["phone"] for each in (there, other)} == {"1000"}


@pytest.mark.sampled(sqlite=8, postgresql=4)
@pytest.mark.parametrize("seed", [*range(3), *(pytest.param(seed, marks=pytest.mark.long) for seed in range(3, 60))])
def test_imp_08_after_any_import_and_any_edits_the_lists_are_right_and_the_rest_is_as_it_was(
    world: World, files: Files, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    dice = random.Random(seed)
    for module in (applying, undoing):
        monkeypatch.setattr(module, "CHUNK", dice.choice([2, 3, 7]))
    for n in range(8):
        phone = dice.choice([None, "10010"])
        contacts = dice.choice([{}, {"contact_name": "Ann"}])
        world.customer(f"Firm {n}", owner="li", phone=phone, industry=dice.choice([None, "retail"]), **contacts)
    before = {row["id"]: row for row in world.rows(Customer)}
    rows = [
        [f"Firm {dice.randrange(16)}", dice.choice([None, "10086", "10087"]), dice.choice([None, "Internet"])]
        for _ in range(dice.randrange(1, 18))
    ]
    id = imported(
        world,
        files,
        [["客户名称", "电话", "行业"], *rows],
        columns={0: "name", 1: "phone", 2: "industry"},
        mode=ImportMode.UPSERT,
        key=("name",),
        overwrite={"phone": dice.choice([*Overwrite])},
        clears=dice.random() < 0.5,
    )
    written = {row["number"]: row for row in world.rows(ImportRow)}
    world.clock.pass_by(minutes=1)
    touched = _touch(world, dice, [row["id"] for row in world.rows(Customer)])

    undone(world, files, id)

    created = {row["record_id"] for row in written.values() if row["state"] == RowState.CREATED}
    for row in world.rows(ImportRow):
        was = written[row["number"]]["state"]
        how = touched.get(row["record_id"])
        is_kept = how is not None and (how != "contact" or was == RowState.CREATED)
        if was in (RowState.CREATED, RowState.UPDATED):
            assert row["state"] == (RowState.KEPT if is_kept else RowState.UNDONE), row
        else:
            assert row["state"] == was
    for row in world.rows(Customer):
        if row["id"] in before and touched.get(row["id"]) in (None, "contact"):
            assert _plain(row) == _plain(before[row["id"]])
        elif row["id"] in created and row["id"] not in touched:
            assert row["deleted_at"] is not None
    gone = {row["id"] for row in world.rows(Customer) if row["deleted_at"] is not None}
    assert all((row["deleted_at"] is not None) == (row["customer_id"] in gone) for row in world.rows(Contact))


def _touch(world: World, dice: random.Random, ids: Sequence[int]) -> dict[int, str]:
    """Record -> what was done to it."""
    touched = {}
    for id in ids:
        how = dice.choice([None, None, "edit", "delete", "contact"])
        if how == "edit":
            world.li.do(create_update.update, Customer, id, {"remark": "worked on"})
        elif how == "delete":
            world.li.do(create_update.delete, Customer, [id])
        elif how == "contact":
            world.li.do(create_update.create, Contact, {"customer_id": id, "name": "New"})
        if how is not None:
            touched[id] = how
    return touched


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    """What people see of a record."""
    return {key: value for key, value in row.items() if key not in ("version", "updated_at", "updated_by_id")}
