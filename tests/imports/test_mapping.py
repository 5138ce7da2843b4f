"""The mapping of an import: proposed from headings and cells, checked, remembered for its user and for others."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from models import ImportBatch
from models.errors import ImportEnded, NotFound, Validation
from models.import_batch import ImportMode, ImportState
from resolvers.imports import batches, mapping
from resolvers.imports.batches import Choices
from resolvers.imports.mapping import Plan
from tests.support.importing import Files
from tests.support.world import World

HEADINGS = ["客户名称", "联系人", "联系人手机", "行业", "传真"]
ROWS = [HEADINGS, ["杭州远帆网络科技有限公司", "张三", 13800138000, "互联网", "0571-88881235"]]
ALL = {0: "name", 1: "contact_name", 2: "contact_phone", 3: "industry"}


@pytest.fixture
def files(world: World, tmp_path: Path) -> Files:
    return Files(world, tmp_path / "files")


@pytest.fixture
def read(files: Files) -> int:
    """An import of Li that is read."""
    id = files.begin("li", files.sheet(ROWS))
    files.run()
    return id


def proposed(world: World, login: str, id: int) -> list[tuple[str, str | None, str]]:
    def read(scope: Any, db: Any) -> Any:
        return mapping.proposals(scope, db, batches.own(scope, db, id))

    found = world.run(world.scope(login).read(read))
    return [(each.header, each.field and each.field.key, each.strategy) for each in found]


def choose(world: World, id: int, columns: Mapping[int, str] = ALL, login: str = "li", **more: Any) -> None:
    world.scope(login).do(mapping.set_mapping, id, Plan(columns, **more))


def test_columns_are_proposed_and_a_foreign_one_is_left_out(world: World, read: int) -> None:
    fields = [(header, field) for header, field, _ in proposed(world, "li", read)]

    assert fields == [*zip(HEADINGS[:4], ALL.values(), strict=True), ("传真", None)]


def test_what_was_chosen_is_kept_logged_and_remembered_for_the_next_sheet(
    world: World, files: Files, read: int
) -> None:
    mark = world.mark()
    choose(world, read, {**ALL, 4: "remark"})

    row = world.row(ImportBatch, read)
    assert (row["state"], row["mapping"]) == (
        ImportState.MAPPED,
        {**{str(k): v for k, v in ALL.items()}, "4": "remark"},
    )
    (entry,) = [x for x in world.log(since=mark) if x["entity"] == "import_batch"]
    assert entry["changes"]["mapping"][1][0] == "客户名称 = Customer name"
    for login in ("li", "wu"):
        again = files.begin(
            login, files.sheet([[*reversed(HEADINGS)], ["", "", "", "", ""], ["1", "2", "3", "4", "5"]])
        )
        files.run()
        assert [x[1:] for x in proposed(world, login, again)] == [
            (field, "remembered") for field in ("remark", *reversed(ALL.values()))
        ]


def test_the_way_of_its_user_goes_before_that_of_others(world: World, files: Files, read: int) -> None:
    choose(world, read, {**ALL, 4: "remark"})
    theirs = files.begin("wu", files.sheet(ROWS))
    files.run()
    choose(world, theirs, {**ALL, 4: "latest_need"}, login="wu")
    next_one = files.begin("li", files.sheet(ROWS))
    files.run()

    assert proposed(world, "li", next_one)[4][1] == "remark"


@pytest.mark.parametrize(
    ("plan", "sentence"),
    [
        ({"columns": {}}, "Choose a field for at least one column."),
        ({"columns": {**ALL, 9: "remark"}}, "The sheet has no such column."),
        ({"columns": {**ALL, 4: "owner"}}, "This is no field that you may import."),
        ({"columns": {**ALL, 4: "name"}}, "Two columns are said to hold Customer name. Leave one of them out."),
        ({"columns": {3: "industry"}}, "These fields are required, and no column holds them: Customer name."),
        ({"columns": ALL, "mode": ImportMode.UPDATE}, "Choose by which column existing records are found."),
        ({"columns": ALL, "mode": ImportMode.UPSERT, "key": ("number",)}, "Choose by which column existing records"),
    ],
)
def test_what_makes_no_sense_is_refused_and_nothing_changes(
    world: World, read: int, plan: dict[str, Any], sentence: str
) -> None:
    before = world.row(ImportBatch, read)

    with pytest.raises(Validation) as refused:
        choose(world, read, **plan)

    assert refused.value.say("en").startswith(sentence)
    assert world.row(ImportBatch, read) == before


def test_an_update_needs_its_key_and_not_what_new_records_require(world: World, read: int) -> None:
    choose(world, read, {0: "name", 3: "industry"}, mode=ImportMode.UPDATE, key=("name",))

    row = world.row(ImportBatch, read)
    assert (row["mode"], row["options"]["key"]) == (ImportMode.UPDATE, ["name"])


def test_the_pool_of_all_rows_is_no_column(world: World, files: Files) -> None:
    id = files.begin("lead", files.sheet(ROWS), target="pooled_customer")
    files.run()

    with pytest.raises(Validation, match="Pool"):
        choose(world, id, login="lead")
    choose(world, id, login="lead", given={"pool_id": world.ids["north"]})
    assert world.row(ImportBatch, id)["options"]["given"] == {"pool_id": world.ids["north"]}


def test_only_its_user_maps_it_and_only_while_it_is_open(world: World, read: int) -> None:
    with pytest.raises(NotFound):
        choose(world, read, login="ada")
    world.li.do(batches.cancel, read)
    with pytest.raises(ImportEnded):
        choose(world, read)


def test_a_sheet_that_is_read_in_another_way_is_mapped_anew(world: World, files: Files, read: int) -> None:
    choose(world, read)

    world.li.do(batches.read_anew, read, Choices(header_row=1))
    files.run()

    row = world.row(ImportBatch, read)
    assert (row["state"], row["mapping"]) == (ImportState.READ, None)
