"""Contacts, follow-ups and opportunities that name a company which is not there: one new customer for each company."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from models import (
    Contact,
    Customer,
    DuplicateRule,
    FollowUp,
    ImportBatch,
    ImportRow,
    Opportunity,
    OwnershipPeriod,
    User,
)
from models.errors import Forbidden
from models.import_batch import ImportState, RowState
from resolvers.audit.verification import verify
from resolvers.imports import applying, mapping
from resolvers.imports.mapping import Plan
from resolvers.merging.merge import merge
from resolvers.records import create_update
from resolvers.runtime.stored_refusals import restored_refusal
from resolvers.setup.invariants import broken
from tests.support.importing import Files
from tests.support.refusals import add_line
from tests.support.world import World

HEADINGS = ["客户", "联系人", "电话"]
COLUMNS = {0: "customer_id", 1: "name", 2: "phone"}


@pytest.fixture
def files(world: World, tmp_path: Path) -> Files:
    return Files(world, tmp_path / "files")


def checked(world: World, files: Files, rows: Sequence[Sequence[Any]], login: str = "li", **plan: Any) -> int:
    id = files.begin(login, files.sheet(rows), target=plan.pop("target", "contact"))
    files.run()
    chosen: dict[str, Any] = {"columns": COLUMNS, "creates_customers": True, **plan}
    world.scope(login).do(mapping.set_mapping, id, Plan(**chosen))
    files.run()
    assert world.row(ImportBatch, id)["state"] == ImportState.CHECKED
    return id


def applied(world: World, files: Files, rows: Sequence[Sequence[Any]], login: str = "li", **plan: Any) -> int:
    id = checked(world, files, rows, login, **plan)
    world.scope(login).do(applying.confirm, id)
    files.run()
    with world.backend.writer.engine.connect() as connection:
        assert (broken(connection), verify(connection).problems) == ([], [])
    return id


def states(world: World, id: int) -> list[str]:
    return [row["state"] for row in world.rows(ImportRow) if row["batch_id"] == id]


def problems(world: World, id: int, language: str = "en") -> dict[int, list[str]]:
    rows = [row for row in world.rows(ImportRow) if row["batch_id"] == id and row["problems"]]
    return {row["number"]: [restored_refusal(each).say(language) for each in row["problems"]] for row in rows}


def test_n15_rows_of_one_new_company_get_one_customer(
    world: World, files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(applying, "CHUNK", 3)  # the last row of the company lies in another chunk
    spellings = ["远华（杭州）科技", "远华（杭州）科技 ", "远华(杭州)科技", "远华（杭州）科技"]
    mark = world.mark()

    id = applied(
        world, files, [HEADINGS, *([name, f"Person {n}", f"1380013800{n}"] for n, name in enumerate(spellings))]
    )

    assert states(world, id) == [RowState.CREATED] * 4
    (made,) = world.rows(Customer)
    assert (made["name"], made["owner_id"]) == ("远华（杭州）科技", world.ids["li"])
    assert {row["customer_id"] for row in world.rows(Contact)} == {made["id"]}
    assert [row["began"] for row in world.rows(OwnershipPeriod)] == ["IMPORT"]
    (logged,) = world.log("customer", made["id"], since=mark)
    assert (logged["action"], logged["actor_id"]) == ("customer.import", world.ids["li"])


def test_n15_each_name_has_its_right_answer(world: World, files: Files) -> None:
    for _ in range(2):
        world.customer("Twin", owner="li")
    world.customer("Hidden", owner="mei")
    gone, kept, part = (world.customer(name, owner="li") for name in ("Gone", "Kept", "Part"))
    world.li.do(create_update.delete, Customer, [gone])
    world.lead.do(merge, kept, [part])
    names = ["Twin", "Gone", "Part", "Hidden", "Absent"]
    rows = [HEADINGS, *([name, f"Person {n}", None] for n, name in enumerate(names))]
    there = len(world.rows(Customer))

    without = problems(world, checked(world, files, rows, "lead", creates_customers=False))
    chinese = problems(world, checked(world, files, rows, "lead", creates_customers=False), "zh")
    id = applied(world, files, rows, "lead")

    assert without[2] == ["Customer “Twin” is the name of 2 customers: give the number."]
    assert without[3] == ["Customer “Gone” is in the recycle bin."]
    assert 4 not in without
    option = "was not found: correct it, or let the import create the customers that are not there."
    assert without[5] == [f"Customer “Hidden” {option}"]
    assert without[6] == [f"Customer “Absent” {option}"]
    assert chinese[6] == ["客户未找到“Absent”，请修改，或选择由导入新建缺少的客户。"]
    assert states(world, id) == [RowState.BAD, RowState.BAD, *[RowState.CREATED] * 3]
    assert problems(world, id) == {n: without[n] for n in (2, 3)}
    made = world.rows(Customer)[there:]
    assert [(row["name"], row["owner_id"]) for row in made] == [(x, world.ids["lead"]) for x in ("Hidden", "Absent")]
    assert [row["customer_id"] for row in world.rows(Contact)] == [kept, *(row["id"] for row in made)]


@pytest.mark.parametrize(
    ("target", "headings", "cells", "columns", "model"),
    [
        (
            "follow_up",
            ["客户", "内容", "时间", "方式"],
            ["Spoke of it", "2026-11-20 10:00", "CALL"],
            {0: "customer_id", 1: "content", 2: "happened_at", 3: "kind"},
            FollowUp,
        ),
        (
            "opportunity",
            ["客户", "商机", "金额"],
            ["Deal", 100],
            {0: "customer_id", 1: "name", 2: "amount"},
            Opportunity,
        ),
    ],
)
def test_n15_follow_ups_and_opportunities_get_one_likewise(
    world: World, files: Files, target: str, headings: list[str], cells: list[Any], columns: dict[int, str], model: Any
) -> None:
    id = applied(world, files, [headings, ["New", *cells], ["new ", *cells]], target=target, columns=columns)

    assert states(world, id) == [RowState.CREATED] * 2
    (made,) = world.rows(Customer)
    assert [row["customer_id"] for row in world.rows(model)] == [made["id"]] * 2


def test_a_row_that_is_refused_leaves_no_company_behind(world: World, files: Files) -> None:
    columns = {0: "customer_id", 1: "content", 2: "happened_at", 3: "kind", 4: "contact_id"}
    headings = ["客户", "内容", "时间", "方式", "联系人"]
    rows = [
        headings,
        ["Lost", "Spoke", "1800-01-01", "CALL", None],
        ["Half", "Spoke", "2026-11-20", "CALL", None],
        ["Half", "Spoke", "2999-01-01", "CALL", None],
        ["None", "Spoke", "2026-11-20", "CALL", "Ann"],
    ]
    id = checked(world, files, rows, target="follow_up", columns=columns)
    assert states(world, id) == [RowState.BAD, RowState.GOOD, RowState.BAD, RowState.BAD]
    assert problems(world, id)[5] == ["Contact “Ann” was not found."]
    table: Any = ImportRow.__table__
    with world.backend.writer.engine.begin() as connection:  # as if they had been good when they were checked
        connection.execute(table.update().where(table.c.number < 5).values(state=RowState.GOOD))

    world.li.do(applying.confirm, id)
    files.run()

    assert states(world, id) == [RowState.FAILED, RowState.CREATED, RowState.FAILED, RowState.BAD]
    assert [row["name"] for row in world.rows(Customer)] == ["Half"]
    with world.backend.writer.engine.connect() as connection:
        assert (broken(connection), verify(connection).problems) == ([], [])


def test_customers_are_created_under_capacity_and_duplicate_rules(world: World, files: Files) -> None:
    world.customer("杭州远华科技有限公司", owner="mei", registration_number="91330100MA2B2CXY7J")
    users: Any = User.__table__
    with world.backend.writer.engine.begin() as connection:
        connection.execute(DuplicateRule.__table__.delete())  # type: ignore[attr-defined]  # a table, as all are
        connection.execute(users.update().where(users.c.id == world.ids["li"]).values(capacity=2))
    rows = [[name, f"Person {name}", None] for name in ("One", "杭州远华科技有限公司", "Two", "Three")]

    id = applied(world, files, [HEADINGS, *rows])

    assert states(world, id) == [RowState.CREATED, RowState.BAD, RowState.CREATED, RowState.BAD]
    told = problems(world, id)
    assert told[3][0].startswith("Customer “杭州远华科技有限公司” cannot become a customer: ")
    assert told[5][0].startswith("Customer “Three” cannot become a customer: Li Na holds 2 customers")
    assert "无法新建为客户：" in problems(world, id, "zh")[5][0]


def test_without_the_right_to_create_customers_there_is_no_option(world: World, files: Files) -> None:
    add_line(world, "p, sales, customer, create, all, any, deny")
    rows = [HEADINGS, ["Absent", "Ann", None]]

    with pytest.raises(Forbidden):
        checked(world, files, rows)
    id = checked(world, files, rows, creates_customers=False)

    assert problems(world, id) == {2: ["Customer “Absent” was not found."]}
