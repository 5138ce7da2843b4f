"""The application of an import: good rows become records exactly once, whatever is pressed twice, stopped or killed."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from models import Contact, Customer, FollowUp, ImportBatch, ImportRow, OwnershipPeriod
from models.errors import ImportEnded, NotFound, Validation
from models.import_batch import ImportMode, ImportState, RowState
from resolvers.audit.verification import verify
from resolvers.customers.lock import lock
from resolvers.imports import applying, mapping
from resolvers.imports.mapping import Plan
from resolvers.setup.invariants import broken
from tasks.engine import Engine
from tests.support.importing import Files
from tests.support.world import World

HEADINGS = ["客户名称", "联系人", "联系人手机", "行业"]
COLUMNS = {0: "name", 1: "contact_name", 2: "contact_phone", 3: "industry"}


@pytest.fixture
def files(world: World, tmp_path: Path) -> Files:
    return Files(world, tmp_path / "files")


def checked(world: World, files: Files, rows: Sequence[Sequence[Any]], login: str = "li", **plan: Any) -> int:
    id = files.begin(login, files.sheet(rows), target=plan.pop("target", "customer"))
    files.run()
    world.scope(login).do(mapping.set_mapping, id, Plan(plan.pop("columns", COLUMNS), **plan))
    files.run()
    return id


def some(count: int) -> list[list[Any]]:
    return [HEADINGS, *([f"Firm {n}", f"Person {n}", 13800000000 + n, "Internet"] for n in range(count))]


def states(world: World, id: int) -> list[str]:
    return [row["state"] for row in world.rows(ImportRow) if row["batch_id"] == id]


def test_good_rows_become_records_and_bad_ones_stay_behind(world: World, files: Files) -> None:
    mark = world.mark()
    id = checked(world, files, [*some(2), ["Bad", "x", "12", None]])
    world.li.do(applying.confirm, id)
    files.run()

    row = world.row(ImportBatch, id)
    assert (row["state"], row["confirmed_at"] is not None) == (ImportState.PARTLY, True)
    assert states(world, id) == [RowState.CREATED, RowState.CREATED, RowState.BAD]
    made = [x for x in world.rows(Customer) if x["name"].startswith("Firm")]
    assert [x["owner_id"] for x in made] == [world.ids["li"]] * 2
    assert [x["record_id"] for x in world.rows(ImportRow)][:2] == [x["id"] for x in made]
    assert [x["name"] for x in world.rows(Contact)] == ["Person 0", "Person 1"]
    assert {x["began"] for x in world.rows(OwnershipPeriod)} == {"IMPORT"}
    assert {x["action"] for x in world.log(since=mark) if x["entity"] == "customer"} == {"customer.import"}
    with world.backend.writer.engine.connect() as connection:
        assert (broken(connection), verify(connection).problems) == ([], [])


def test_n17_pressed_twice_and_killed_it_is_carried_out_once(
    world: World, files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(applying, "CHUNK", 5)
    id = checked(world, files, some(17))
    note, noted = applying._note, 0

    def dies(*args: Any) -> None:
        nonlocal noted
        noted += 1
        note(*args)
        if noted in (2, 3):
            raise RuntimeError("killed")

    monkeypatch.setattr(applying, "_note", dies)
    for _ in range(2):
        world.li.do(applying.confirm, id)
    engine = Engine(world.backend, "worker")
    for _ in range(4):
        engine.run_due()
        world.clock.pass_by(hours=2)

    assert world.row(ImportBatch, id)["state"] == ImportState.DONE
    assert sorted(x["name"] for x in world.rows(Customer)) == sorted(f"Firm {n}" for n in range(17))
    assert states(world, id) == [RowState.CREATED] * 17
    with pytest.raises(ImportEnded):
        world.li.do(applying.confirm, id)


def test_n17_what_is_stopped_keeps_what_it_has_written(
    world: World, files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(applying, "CHUNK", 5)
    id = checked(world, files, some(12))
    world.li.do(applying.confirm, id)
    version = world.row(ImportBatch, id)["version"]
    world.li.do(_apply, id, version)

    world.li.do(applying.stop, id)
    files.run()

    assert world.row(ImportBatch, id)["state"] == ImportState.PARTLY
    assert states(world, id) == [RowState.CREATED] * 5 + [RowState.GOOD] * 7
    assert len(world.rows(Customer)) == 5

    world.li.do(applying.confirm, id)  # goes on with those that are left
    files.run()

    assert world.row(ImportBatch, id)["state"] == ImportState.DONE
    assert states(world, id) == [RowState.CREATED] * 12
    assert len(world.rows(Customer)) == 12
    with pytest.raises(ImportEnded):
        world.li.do(applying.confirm, id)


def _apply(scope: Any, id: int, version: int) -> Any:
    with scope.write("job.view") as db:
        return applying.apply(scope, db, id, version)


def test_an_update_changes_what_is_given_and_keeps_what_it_was_for_an_undoing(world: World, files: Files) -> None:
    there = world.customer("There", owner="li", phone="10010", remark="kept")
    number = world.row(Customer, there)["number"]
    id = checked(
        world,
        files,
        [["客户编号", "电话", "行业"], [number, "10086", None]],
        columns={0: "number", 1: "phone", 2: "industry"},
        mode=ImportMode.UPDATE,
        key=("number",),
    )
    world.li.do(applying.confirm, id)
    files.run()

    row = world.row(Customer, there)
    assert (row["phone"], row["remark"], row["number"], row["owner_id"]) == ("10086", "kept", number, world.ids["li"])
    (staged,) = world.rows(ImportRow)
    assert staged["before"] == {"from": 1, "version": row["version"], "values": {"phone": "10010"}}


def test_imp_06_an_update_never_takes_a_customer_out_of_its_pool_or_past_a_lock(world: World, files: Files) -> None:
    pooled, locked = world.customer("Pooled", pool="north"), world.customer("Locked", owner="wu")
    world.wu.do(lock, [locked], "mine", None)
    id = checked(
        world,
        files,
        [["客户名称", "电话", "负责人"], ["Pooled", "10086", "li"], ["Locked", "10086", "li"]],
        login="ada",
        columns={0: "name", 1: "phone", 2: "owner_id"},
        mode=ImportMode.UPDATE,
        key=("name",),
    )

    assert states(world, id) == [RowState.GOOD, RowState.BAD]  # to her the locked one is not there
    world.ada.do(applying.confirm, id)
    files.run()
    with world.backend.writer.engine.connect() as connection:
        assert broken(connection) == []
    row = world.row(Customer, pooled)
    assert (row["pool_id"], row["owner_id"], row["phone"]) == (world.ids["north"], None, "10086")
    assert world.row(Customer, locked)["phone"] is None


def test_what_was_good_and_is_taken_meanwhile_fails_alone(world: World, files: Files) -> None:
    id = checked(
        world,
        files,
        [["客户名称", "客户编号"], ["A", "C2026500"], ["B", "C2026501"]],
        columns={0: "name", 1: "number"},
    )
    world.customer("Quicker", owner="li", number="C2026500")
    world.li.do(applying.confirm, id)
    files.run()

    assert states(world, id) == [RowState.FAILED, RowState.CREATED]
    assert world.row(ImportBatch, id)["state"] == ImportState.PARTLY


def test_n19_follow_ups_keep_author_and_time_and_restart_no_clock(world: World, files: Files) -> None:
    customer = world.customer("Acme", owner="li")
    due = world.row(Customer, customer)["release_due_at"]
    id = checked(
        world,
        files,
        [
            ["客户", "跟进内容", "跟进时间", "跟进方式", "跟进人"],
            ["Acme", "Spoke about it", "2023-05-01 10:00", "CALL", "wu"],
        ],
        login="lead",
        target="follow_up",
        columns={0: "customer_id", 1: "content", 2: "happened_at", 3: "kind", 4: "owner_id"},
    )
    world.lead.do(applying.confirm, id)
    files.run()

    (made,) = world.rows(FollowUp)
    assert (made["owner_id"], made["happened_at"].year, made["counts"]) == (world.ids["wu"], 2023, False)
    row = world.row(Customer, customer)
    assert (row["last_follow_up_at"], row["release_due_at"]) == (None, due)


def test_customers_into_a_pool_go_there(world: World, files: Files) -> None:
    id = checked(world, files, some(2), login="ada", target="pooled_customer", given={"pool_id": world.ids["north"]})
    world.ada.do(applying.confirm, id)
    files.run()

    assert {(x["pool_id"], x["owner_id"]) for x in world.rows(Customer)} == {(world.ids["north"], None)}


def test_only_its_user_confirms_it_and_only_with_something_to_do(world: World, files: Files) -> None:
    id = checked(world, files, [HEADINGS, ["Bad", "x", "12", None]])

    with pytest.raises(NotFound):
        world.ada.do(applying.confirm, id)
    with pytest.raises(Validation):
        world.li.do(applying.confirm, id)
    with pytest.raises(ImportEnded):
        world.li.do(applying.stop, id)


def test_a_sheet_of_headings_alone_brings_in_nothing_and_says_so(world: World, files: Files) -> None:
    id = checked(world, files, [HEADINGS, [None, " ", None, None]])

    with pytest.raises(Validation) as caught:
        world.li.do(applying.confirm, id)

    assert caught.value.say() == (
        "The sheet has no rows below its headings. Choose another row of headings, or another file."
    )
