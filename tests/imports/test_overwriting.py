"""What an update may do: overwrite or fill, keep or clear, change nothing, and enter a duplicate with a reason."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from models import Contact, ContactPoint, Customer, DuplicateRule, ImportBatch, ImportRow
from models.errors import Validation
from models.import_batch import ImportMode, ImportState, Overwrite, RowState
from resolvers.customers.lock import lock
from resolvers.imports import applying, mapping
from resolvers.imports.mapping import Plan
from resolvers.records import create_update
from resolvers.runtime.stored_refusals import restored_refusal
from tests.support.importing import Files
from tests.support.refusals import add_line
from tests.support.world import World

HEADINGS = ["客户名称", "电话", "备注", "行业"]
COLUMNS = {0: "name", 1: "phone", 2: "remark", 3: "industry"}
UPDATE: dict[str, Any] = {"mode": ImportMode.UPDATE, "key": ("name",)}


@pytest.fixture
def files(world: World, tmp_path: Path) -> Files:
    return Files(world, tmp_path / "files")


def checked(world: World, files: Files, rows: Sequence[Sequence[Any]], login: str = "li", **plan: Any) -> int:
    id = files.begin(login, files.sheet(rows), target=plan.pop("target", "customer"))
    files.run()
    world.scope(login).do(mapping.set_mapping, id, Plan(plan.pop("columns", COLUMNS), **plan))
    files.run()
    assert world.row(ImportBatch, id)["state"] == ImportState.CHECKED
    return id


def applied(world: World, files: Files, rows: Sequence[Sequence[Any]], login: str = "li", **plan: Any) -> int:
    id = checked(world, files, rows, login, **plan)
    world.scope(login).do(applying.confirm, id)
    files.run()
    return id


def states(world: World, id: int) -> list[str]:
    return [row["state"] for row in world.rows(ImportRow) if row["batch_id"] == id]


def sentences(world: World, id: int, language: str = "en") -> list[str]:
    rows = [row for row in world.rows(ImportRow) if row["batch_id"] == id]
    return [restored_refusal(each).say(language) for row in rows for each in row["problems"] or ()]


def fields(world: World, id: int) -> tuple[Any, ...]:
    row = world.row(Customer, id)
    return row["phone"], row["remark"], row["industry"]


# --- fields and blanks -----------------------------------------------------------------------------------


def test_imp_06_each_field_is_overwritten_filled_or_left_as_its_user_says(world: World, files: Files) -> None:
    full = world.customer("Full", owner="li", phone="10010", remark="old", industry="retail")
    bare = world.customer("Bare", owner="li")

    applied(
        world,
        files,
        [HEADINGS, ["Full", "10086", "new", "Internet"], ["Bare", "10086", "new", "Internet"]],
        overwrite={"remark": Overwrite.IF_EMPTY, "industry": Overwrite.NEVER},
        **UPDATE,
    )

    assert fields(world, full) == ("10086", "old", "retail")
    assert fields(world, bare) == ("10086", "new", None)


@pytest.mark.parametrize(("clears", "left"), [(False, ("10010", "old", "retail")), (True, (None, "old", "retail"))])
def test_imp_06_blank_cells_keep_a_value_or_clear_it_where_it_is_overwritten(
    world: World, files: Files, clears: bool, left: tuple[Any, ...]
) -> None:
    there = world.customer("There", owner="li", phone="10010", remark="old", industry="retail")

    applied(
        world,
        files,
        [HEADINGS, ["There", None, None, "  "]],
        overwrite={"remark": Overwrite.IF_EMPTY, "industry": Overwrite.NEVER},
        clears=clears,
        **UPDATE,
    )

    assert fields(world, there) == left


def test_a_required_field_is_not_cleared(world: World, files: Files) -> None:
    there = world.customer("There", owner="li")
    number = world.row(Customer, there)["number"]

    id = checked(
        world,
        files,
        [["客户编号", "客户名称"], [number, None]],
        columns={0: "number", 1: "name"},
        mode=ImportMode.UPDATE,
        key=("number",),
        clears=True,
    )

    assert (states(world, id), sentences(world, id)) == ([RowState.BAD], ["Name is required."])


def test_what_a_new_record_leaves_empty_is_not_cleared(world: World, files: Files) -> None:
    id = applied(
        world, files, [HEADINGS, ["New", None, None, None]], clears=True, mode=ImportMode.UPSERT, key=("name",)
    )

    assert states(world, id) == [RowState.CREATED]


@pytest.mark.parametrize("how", [Overwrite.ALWAYS, Overwrite.IF_EMPTY])
def test_a_value_that_the_caller_may_not_see_is_never_overwritten(world: World, files: Files, how: Overwrite) -> None:
    full, bare = (
        world.li.do(create_update.create, Customer, {"name": name, "phone": phone}).id
        for name, phone in (("Full", "10010"), ("Bare", None))
    )
    seen = world.customer("Seen", owner="li")
    add_line(world, "p, sales, customer.phone, view, created, any, deny")

    id = applied(
        world,
        files,
        [["客户名称", "电话"], ["Full", "10086"], ["Bare", "10086"], ["Seen", "10086"]],
        columns={0: "name", 1: "phone"},
        overwrite={"phone": how},
        **UPDATE,
    )

    assert states(world, id) == [RowState.BAD, RowState.BAD, RowState.UPDATED]  # nothing tells whether there is one
    assert [fields(world, each)[0] for each in (full, bare, seen)] == ["10010", None, "10086"]


# --- phones and addresses of contacts --------------------------------------------------------------------

PHONE, EMAIL = ("PHONE", "10010"), ("EMAIL", "ann@acme.cn")


@pytest.mark.parametrize(
    ("cells", "plan", "left"),
    [
        (["10086", None], {}, [("PHONE", "10086"), EMAIL]),
        (["10086；10087", "a@b.cn"], {}, [("PHONE", "10086"), ("PHONE", "10087"), ("EMAIL", "a@b.cn")]),
        (["10086", None], {"clears": True}, [("PHONE", "10086")]),
        (["10086", "a@b.cn"], {"overwrite": {"phone": Overwrite.IF_EMPTY}}, [PHONE, ("EMAIL", "a@b.cn")]),
        (["10086", None], {"overwrite": {"phone": Overwrite.NEVER}, "clears": True}, [PHONE]),
        (["+86 10010", None], {}, [("PHONE", "+86 10010"), EMAIL]),
        (["100 10", None], {}, [PHONE, EMAIL]),
    ],
)
def test_an_update_changes_phones_and_addresses_by_their_kind(
    world: World, files: Files, cells: list[Any], plan: dict[str, Any], left: list[tuple[str, str]]
) -> None:
    customer = world.customer("Acme", owner="li")
    points = [{"kind": kind, "value": value} for kind, value in (PHONE, EMAIL)]
    ann = world.make(Contact, customer_id=customer, name="Ann", points=points)

    applied(
        world,
        files,
        [["客户", "联系人", "电话", "邮箱"], ["Acme", "Ann", *cells]],
        target="contact",
        columns={0: "customer_id", 1: "name", 2: "phone", 3: "email"},
        mode=ImportMode.UPDATE,
        key=("customer_id", "name"),
        **plan,
    )

    found = [(x["kind"], x["value"]) for x in world.rows(ContactPoint) if x["contact_id"] == ann]
    assert sorted(found, reverse=True) == sorted(left, reverse=True)


def test_the_phone_that_finds_a_contact_takes_away_no_other_one(world: World, files: Files) -> None:
    customer = world.customer("Acme", owner="li")
    points = [{"kind": "PHONE", "value": value} for value in ("10010", "10011")]
    world.make(Contact, customer_id=customer, name="Ann", points=points)

    id = applied(
        world,
        files,
        [["客户", "联系人", "电话"], ["Acme", "Anna", "10011"]],
        target="contact",
        columns={0: "customer_id", 1: "name", 2: "phone"},
        mode=ImportMode.UPDATE,
        key=("customer_id", "phone"),
    )

    assert states(world, id) == [RowState.UPDATED]
    assert {x["value"] for x in world.rows(ContactPoint)} == {"10010", "10011"}


# --- nothing, and twice ----------------------------------------------------------------------------------


def test_n17_what_changes_nothing_leaves_no_trace(world: World, files: Files) -> None:
    there = world.customer("There", owner="li", phone="10010", remark="old", industry="retail")
    before, mark = world.row(Customer, there), world.mark()

    id = applied(world, files, [HEADINGS, ["There", "10010", "old", "Retail"]], **UPDATE)

    assert (states(world, id), world.row(ImportBatch, id)["state"]) == ([RowState.SAME], ImportState.DONE)
    assert world.row(Customer, there) == before
    assert [x for x in world.log(since=mark) if x["entity"] == "customer"] == []


def test_a_second_row_of_one_record_finds_what_the_first_has_made_of_it(world: World, files: Files) -> None:
    there = world.customer("There", owner="li")
    rows = [HEADINGS, ["There", "10010", "first", None], ["There", "10010", "second", None]]

    id = applied(world, files, rows, overwrite={"remark": Overwrite.IF_EMPTY}, **UPDATE)

    assert states(world, id) == [RowState.UPDATED, RowState.SAME]
    assert fields(world, there) == ("10010", "first", None)


# --- pools and locks -------------------------------------------------------------------------------------


def test_imp_06_no_update_takes_a_customer_out_of_its_pool_or_past_a_lock(world: World, files: Files) -> None:
    pooled, locked = world.customer("Pooled", pool="north"), world.customer("Locked", owner="wu", phone="10010")
    mine = world.customer("Mine", owner="lead")
    world.wu.do(lock, [locked], "mine", None)
    rows = [["客户名称", "电话", "负责人", "公海"]]
    rows += [[name, "10086", "li", None] for name in ("Pooled", "Locked", "Mine")]
    before = {id: world.row(Customer, id) for id in (pooled, locked, mine)}

    id = applied(
        world,
        files,
        rows,
        login="lead",
        columns={0: "name", 1: "phone", 2: "owner_id", 3: "pool_id"},
        clears=True,
        **UPDATE,
    )

    assert states(world, id)[1] == RowState.BAD
    placed = ("owner_id", "pool_id", "department_id", "locked_by_id")
    for each, row in before.items():
        assert {key: world.row(Customer, each)[key] for key in placed} == {key: row[key] for key in placed}
    assert world.row(Customer, locked) == before[locked]
    assert world.row(Customer, mine)["phone"] == "10086"


# --- reasons ---------------------------------------------------------------------------------------------


@pytest.fixture
def strict(world: World) -> None:
    """Duplicates are what they are in a new installation."""
    with world.backend.writer.engine.begin() as connection:
        connection.execute(DuplicateRule.__table__.delete())  # type: ignore[attr-defined]  # a table, as all are


@pytest.mark.usefixtures("strict")
def test_imp_06_certain_duplicates_are_created_with_a_reason_which_the_log_keeps_for_them(
    world: World, files: Files
) -> None:
    world.customer("杭州远华科技有限公司", owner="li", registration_number="91330100MA2B2CXY7J")
    rows = [["客户名称", "统一社会信用代码"], ["别的公司", None], ["杭州远华科技有限公司", "91330100MA2B2CXY7J"]]
    plan: dict[str, Any] = {"columns": {0: "name", 1: "registration_number"}}
    mark = world.mark()

    without = applied(world, files, rows, **plan)
    rows[1][0] = "又一公司"
    given = applied(world, files, rows, reason=" 分公司 ", **plan)

    assert states(world, without) == [RowState.CREATED, RowState.BAD]
    assert states(world, given) == [RowState.CREATED] * 2
    made = [x for x in world.log("customer", since=mark) if x["action"] == "customer.import"]
    assert [(x["label"][:2], x["reason"]) for x in made if x["reason"]] == [(made[-1]["label"][:2], "分公司")]


def test_a_choice_that_would_do_nothing_is_refused(world: World, files: Files) -> None:
    id = files.begin("li", files.sheet([HEADINGS, ["A", None, None, None]]))
    files.run()
    dictionary = files.begin("ada", files.sheet([["关键字"], ["x"]]), target="dictionary_item")
    files.run()

    with pytest.raises(Validation, match="overwritten"):
        world.li.do(mapping.set_mapping, id, Plan({0: "name"}, overwrite={"phone": Overwrite.NEVER}))
    with pytest.raises(Validation, match="none can be created"):
        world.li.do(mapping.set_mapping, id, Plan({0: "name"}, creates_customers=True))
    plan = Plan(
        {0: "key"}, given={"dictionary_id": 1}, reason="x", mode=ImportMode.UPDATE, key=("dictionary_id", "key")
    )
    with pytest.raises(Validation):
        world.ada.do(mapping.set_mapping, dictionary, plan)
