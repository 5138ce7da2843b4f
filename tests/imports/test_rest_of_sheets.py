"""Words below words of the same file, pipelines of opportunities, undoing once more, and namesakes among contacts."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from models import Contact, ContactPoint, Customer, Dictionary, DictionaryItem, ImportBatch, ImportRow, Opportunity
from models.errors import ImportEnded, NotFound
from models.import_batch import ImportMode, ImportState, RowState
from resolvers.imports import applying, mapping, undoing
from resolvers.imports.mapping import Plan
from resolvers.records import create_update
from resolvers.runtime.stored_refusals import restored_refusal
from tests.support.importing import Files
from tests.support.pipelines import pipeline
from tests.support.refusals import add_line
from tests.support.world import World


@pytest.fixture
def files(world: World, tmp_path: Path) -> Files:
    return Files(world, tmp_path / "files")


def checked(world: World, files: Files, login: str, target: str, rows: Sequence[Sequence[Any]], **plan: Any) -> int:
    id = files.begin(login, files.sheet(rows), target=target)
    files.run()
    world.scope(login).do(mapping.set_mapping, id, Plan(plan.pop("columns"), **plan))
    files.run()
    return id


def applied(world: World, files: Files, login: str, target: str, rows: Sequence[Sequence[Any]], **plan: Any) -> int:
    id = checked(world, files, login, target, rows, **plan)
    world.scope(login).do(applying.confirm, id)
    files.run()
    return id


def states(world: World) -> dict[int, str]:
    return {row["number"]: row["state"] for row in world.rows(ImportRow)}


def said(world: World, language: str = "en") -> dict[int, str]:
    rows = [row for row in world.rows(ImportRow) if row["problems"]]
    return {row["number"]: restored_refusal(row["problems"][0]).say(language) for row in rows}


WORDS = [["Dictionary", "Key", "Label", "Above"]]
COLUMNS = {0: "dictionary_id", 1: "key", 2: "label_en", 3: "parent_id"}


def words(world: World, files: Files, rows: Sequence[Sequence[Any]], **more: Any) -> int:
    given = [["industry", *row] for row in rows]
    return applied(world, files, "ada", "dictionary_item", [*WORDS, *given], columns=COLUMNS, **more)


def tree(world: World) -> dict[str, str | None]:
    (whole,) = world.rows(Dictionary, Dictionary.code == "industry")
    rows = [row for row in world.rows(DictionaryItem) if row["dictionary_id"] == whole["id"]]
    keys = {row["id"]: row["key"] for row in rows}
    return {row["key"]: keys.get(row["parent_id"]) for row in rows}


def test_words_stand_below_words_of_the_same_file_wherever_those_stand(world: World, files: Files) -> None:
    id = words(
        world,
        files,
        [
            ["wire", "Wire", "Long goods"],  # which comes later, by its label
            ["long", "Long goods", "metal"],  # by its key
            ["metal", "Metal", None],
            ["foil", "Foil", "steel"],  # which is there already
        ],
    )

    assert world.row(ImportBatch, id)["state"] == ImportState.DONE
    assert tree(world) | {"wire": "long", "long": "metal", "metal": None, "foil": "steel"} == tree(world)


def test_a_word_above_that_comes_nowhere_or_in_a_circle_is_refused(world: World, files: Files) -> None:
    id = words(
        world, files, [["a", "A", "B"], ["b", "B", "A"], ["c", "C", "C"], ["d", "D", "Nothing"], ["e", "E", None]]
    )

    assert world.row(ImportBatch, id)["state"] == ImportState.PARTLY
    assert states(world) == {**dict.fromkeys((2, 3, 4, 5), RowState.BAD), 6: RowState.CREATED}
    assert "“B” was not found" in said(world)[2]


def test_a_word_whose_word_above_was_refused_stays_behind_with_its_reason(world: World, files: Files) -> None:
    rows = [["industry", "iron", "Metal", None], ["industry", "long", "Long", "Metal"]]
    id = checked(world, files, "ada", "dictionary_item", [*WORDS, *rows], columns=COLUMNS)
    assert [*states(world).values()] == [RowState.GOOD, RowState.GOOD]
    world.make(
        DictionaryItem,
        dictionary_id=world.rows(Dictionary, Dictionary.code == "industry")[0]["id"],
        key="iron",
        label_en="Ore",
    )

    world.ada.do(applying.confirm, id)
    files.run()

    assert [*states(world).values()] == [RowState.FAILED, RowState.FAILED]
    assert "“Metal” was not found" in said(world)[3]
    assert "未找到“Metal”" in said(world, "zh")[3]


def test_opportunities_take_pipeline_stage_and_probability_as_forms_do(world: World, files: Files) -> None:
    first, second = pipeline(world), pipeline(world, "Service")
    world.customer("Acme", owner="li")
    heads = ["Customer", "Name", "Pipeline", "Stage", "Probability"]
    rows = [
        heads,
        ["Acme", "Mill", "Service", "Proposal", "55%"],
        ["Acme", "Pond", None, "Proposal", None],
        ["Acme", "Dam", "Nothing", None, None],
        ["Acme", "Weir", "Service", None, 120],
    ]
    columns = {0: "customer_id", 1: "name", 2: "pipeline_id", 3: "stage", 4: "probability"}

    applied(world, files, "li", "opportunity", rows, columns=columns)

    found = {x["name"]: (x["pipeline_id"], x["stage"], x["probability"]) for x in world.rows(Opportunity)}
    assert found == {"Mill": (second, "proposal", 55), "Pond": (first, "proposal", 40)}
    assert states(world)[4] == states(world)[5] == RowState.BAD
    assert "“Nothing” was not found" in said(world)[4]


def test_undoing_once_more_takes_the_refused_rows_alone(world: World, files: Files) -> None:
    id = applied(world, files, "li", "customer", [["Name"], ["A"], ["B"], ["C"]], columns={0: "name"})
    ids = [row["record_id"] for row in world.rows(ImportRow)]
    add_line(world, "p, sales, customer, delete, all, any, deny")
    world.li.do(create_update.update, Customer, ids[2], {"remark": "worked on"})
    world.li.do(undoing.begin_undoing, id)
    files.run()
    assert [*states(world).values()] == [RowState.CREATED, RowState.CREATED, RowState.KEPT]
    for stranger in ("mei", "wu"):
        with pytest.raises(NotFound):
            world.scope(stranger).do(undoing.begin_undoing, id)

    world.ada.do(undoing.begin_undoing, id)
    files.run()

    assert [*states(world).values()] == [RowState.UNDONE, RowState.UNDONE, RowState.KEPT]
    row = world.row(ImportBatch, id)
    assert (row["state"], row["owner_id"]) == (ImportState.UNDONE, world.ids["li"])
    assert [world.row(Customer, each)["deleted_at"] is not None for each in ids] == [True, True, False]
    for login in ("li", "ada"):
        with pytest.raises(ImportEnded):
            world.scope(login).do(undoing.begin_undoing, id)


def test_namesakes_at_one_customer_are_told_apart_by_their_phones_and_addresses(world: World, files: Files) -> None:
    customer = world.customer("Acme", owner="li")
    phones = ("13800138000", "13900139000")
    ids = [world.make(Contact, customer_id=customer, name="Ann") for _ in phones]
    for contact, phone in zip(ids, phones, strict=True):
        world.system.do(create_update.update, Contact, contact, {"points": [{"kind": "PHONE", "value": phone}]})
    heads = ["Customer", "Name", "Phone", "Title"]
    rows = [
        heads,
        ["Acme", "Ann", "139 0013 9000", "Buyer"],
        ["Acme", "Ann", "13800138000", "Chief"],
        ["Acme", "Ann", None, "?"],
    ]

    applied(
        world,
        files,
        "li",
        "contact",
        rows,
        columns={0: "customer_id", 1: "name", 2: "phone", 3: "title"},
        mode=ImportMode.UPDATE,
        key=("customer_id", "name"),
    )

    assert [world.row(Contact, contact)["title"] for contact in ids] == ["Chief", "Buyer"]
    assert len(world.rows(ContactPoint)) == 2
    assert states(world)[4] == RowState.BAD
    assert "2 records" in said(world)[4]
