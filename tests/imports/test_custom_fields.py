"""Custom fields in imports and templates: every kind comes in as a form would take it, each under a heading of its own."""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from models import Customer, ImportRow
from models.custom_field import CustomKind
from models.import_batch import RowState
from resolvers.exports.kinds import known_columns, seen_columns
from resolvers.imports import applying, mapping
from resolvers.imports.mapping import Plan
from resolvers.imports.matching import Column, propose
from resolvers.imports.targets import fields_for, target_of
from resolvers.imports.templates import template
from tests.support.custom_fields import STORED, VALUES, both, define, define_all, with_lines
from tests.support.importing import Files
from tests.support.world import World

CELLS: dict[CustomKind, Any] = {
    CustomKind.TEXT: "Blue whale",
    CustomKind.LONG_TEXT: "One\nTwo",
    CustomKind.NUMBER: "4.25",
    CustomKind.MONEY: "19.9",
    CustomKind.DATE: "2026-03-01",
    CustomKind.MOMENT: "2026-03-01 09:30",
    CustomKind.YES_NO: "是",
    CustomKind.SINGLE_CHOICE: "Good",
    CustomKind.MULTIPLE_CHOICE: "Good; Bad",
    CustomKind.PHONE: "+86 138 0013 8000",
    CustomKind.EMAIL: "a@example.com",
    CustomKind.LINK: "https://example.com/a",
    CustomKind.PERSON: "li",
    CustomKind.REFERENCE: "Partner 0",
}


@pytest.fixture
def files(world: World, tmp_path: Path) -> Files:
    return Files(world, tmp_path / "files")


def imported(world: World, files: Files, rows: list[list[Any]], columns: dict[int, str]) -> list[dict[str, Any]]:
    """The rows of an import that is carried out."""
    id = files.begin("li", files.sheet(rows))
    files.run()
    world.li.do(mapping.set_mapping, id, Plan(columns))
    files.run()
    world.li.do(applying.confirm, id)
    files.run()
    return [row for row in world.rows(ImportRow) if row["batch_id"] == id]


def test_values_of_every_kind_come_in(world: World, files: Files) -> None:
    kinds = define_all(world)
    partner = both(world, CustomKind.REFERENCE)[0]
    held = {CustomKind.PERSON: world.ids["li"], CustomKind.REFERENCE: partner}
    head, cells = ["Name", "Contact", "Phone"], ["Firm", "Ann", "13800138000"]
    columns = dict(enumerate(("name", "contact_name", "contact_phone", *(f"custom.{key}" for key in kinds))))

    rows = imported(world, files, [[*head, *kinds], [*cells, *(CELLS[kind] for kind in kinds.values())]], columns)

    assert [(row["state"], row["problems"]) for row in rows] == [(RowState.CREATED, None)]
    made = world.row(Customer, rows[0]["record_id"])["custom"]
    assert made == {key: STORED.get(kind, held.get(kind, VALUES.get(kind, (None,))[0])) for key, kind in kinds.items()}


def test_a_number_keeps_all_its_decimals(world: World, files: Files) -> None:
    define(world, "rate", CustomKind.NUMBER)
    columns = dict(enumerate(("name", "contact_name", "contact_phone", "custom.rate")))
    cells = [["Firm", "Ann", "13800138000", "0.123456"]]

    (row,) = imported(world, files, [["Name", "Contact", "Phone", "Rate"], *cells], columns)

    assert (row["problems"], world.rows(Customer)[-1]["custom"]) == (None, {"rate": "0.123456"})


@pytest.mark.parametrize("module", ["customer", "contact", "opportunity", "followup"])
def test_no_two_columns_of_a_template_are_one(world: World, module: str) -> None:
    define_all(world, module)
    define(world, "other_partner", CustomKind.REFERENCE, module)
    code = {"followup": "follow_up"}.get(module, module)

    found = fields_for(world.ada, target_of(code))
    assert [key for key, count in Counter(x.key for x in found).items() if count > 1] == []
    plan = world.run(world.ada.read(template, code))
    assert {f"custom.{kind.value.lower()}" for kind in CustomKind} <= {x.key for x in plan.columns}


def test_a_hidden_field_has_no_column(world: World) -> None:
    define(world, "rank")
    define(world, "size")
    with_lines(
        world,
        "p, sales, customer.custom.rank, view, all, any, deny",
        "p, sales, customer.custom.size, edit, all, any, deny",
    )

    plan = world.run(world.li.read(template, "customer"))

    assert not [x.key for x in plan.columns if x.key.startswith("custom.")]


def test_fields_with_one_label_have_headings_of_their_own_in_files_and_come_back(world: World) -> None:
    same = {"label_en": "Rating", "label_zh": "评分"}
    for key in ("first", "second", "third"):
        define(world, key, CustomKind.TEXT, **same)
    define(world, "call", CustomKind.TEXT, label_en="Phone", label_zh="电话")
    words = ["custom.first", "custom.second", "custom.third", "custom.call"]

    fields = fields_for(world.ada, target_of("customer"))
    labels = {x.key: x.label for x in fields if x.key in words}
    assert [labels[word] for word in words] == [
        ("Rating", "评分"), ("Rating 2", "评分2"), ("Rating 3", "评分3"), ("Phone 2", "电话2")
    ]  # fmt: skip
    known = seen_columns(world.ada, Customer)
    assert [known[word].said for word in words] == [labels[word] for word in words]
    for language in (0, 1):
        headings = [labels[word][language] for word in words]
        proposed = propose(fields, [Column(heading, ["x"]) for heading in headings])
        assert [each.field.key if each.field else None for each in proposed] == words

    with_lines(world, "p, sales, customer.custom.first, view, all, any, deny")
    assert [known_columns(world.li, Customer)[word].said[0] for word in words[1:]] == ["Rating", "Rating 2", "Phone 2"]
