"""Templates: made of what a person may set now, in their language, and known without a question when they come back."""

import io
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import openpyxl
import pytest

from models import User
from models.errors import Forbidden, Validation
from resolvers.imports import batches, mapping
from resolvers.imports.meaning import Strategy
from resolvers.imports.targets import targets
from resolvers.imports.templates import Template, template
from resolvers.people import tokens
from resolvers.records import create_update
from tasks.workbooks.template_book import written
from tests.support.importing import Files
from tests.support.panel import Panel
from tests.support.refusals import add_line
from tests.support.terminal import millpond
from tests.support.world import World


@pytest.fixture
def files(world: World, tmp_path: Path) -> Files:
    return Files(world, tmp_path / "files")


def planned(world: World, login: str, code: str = "customer", language: str = "en") -> Template:
    person = replace(world.principal(login), language=language)
    found: Template = world.run(world.backend.scope(person, "test").read(template, code))
    return found


def opened(world: World, login: str, code: str = "customer", language: str = "en") -> Any:
    return openpyxl.load_workbook(io.BytesIO(written(planned(world, login, code, language))))


def heads(page: Any) -> list[str]:
    return [cell.value for cell in page[1]]


@pytest.mark.parametrize("language", ["en", "zh"])
def test_imp_01_every_target_has_a_template_with_one_column_for_each_field(world: World, language: str) -> None:
    for target in targets():
        plan = planned(world, "ada", target.code, language)
        page = openpyxl.load_workbook(io.BytesIO(written(plan))).worksheets[0]
        headings = [each.heading for each in plan.columns]
        assert len(set(headings)) == len(headings) > 2, target.code
        assert heads(page) == [f"{x.heading} *" if x.is_required else x.heading for x in plan.columns]
        assert page.freeze_panes == "A2"
        for column in plan.columns:
            if language == "zh":
                assert not any(mark in column.rule for mark in ",;:!?()"), column.rule
            assert column.rule
            assert column.example
            assert column.example in column.note


def test_headings_are_locked_and_cells_keep_what_is_typed(world: World) -> None:
    page = opened(world, "li").worksheets[0]
    places = {cell.value.rstrip(" *"): cell.column_letter for cell in page[1]}
    assert page.protection.sheet
    assert all(cell.protection.locked and cell.font.bold and cell.comment for cell in page[1])
    assert not any(page.column_dimensions[letter].protection.locked for letter in places.values())
    assert page.column_dimensions[places["Phone"]].number_format == "@"
    assert page.column_dimensions[places["Registration number"]].number_format == "@"
    followed = opened(world, "li", "follow_up").worksheets[0]
    when = next(cell for cell in followed[1] if cell.value.startswith("Time of"))
    assert followed.column_dimensions[when.column_letter].number_format == "yyyy-mm-dd hh:mm"


def test_drop_downs_offer_the_words_of_this_installation_in_the_language_of_the_reader(world: World) -> None:
    book = opened(world, "li", language="zh")
    page = book.worksheets[0]
    letter = next(cell.column_letter for cell in page[1] if cell.value.startswith("行业"))
    rule = next(x for x in page.data_validations.dataValidation if str(x.sqref).startswith(f"{letter}2:"))
    where = book.defined_names[rule.formula1].attr_text
    sheet, _, area = where.rpartition("!")
    assert sheet.strip("'") == "_words"
    assert (book["_words"].sheet_state, book["_meta"].sheet_state) == ("veryHidden", "veryHidden")
    words = [cell.value for (cell,) in book["_words"][area.replace("$", "")]]
    assert "internet中" in words
    assert rule.errorStyle == "warning"
    assert any("internet中" in str(row) for row in book["填写说明"].values)


def test_namesakes_are_offered_by_their_logins(world: World) -> None:
    for login in ("li", "mei"):
        world.system.do(create_update.update, User, world.ids[login], {"name": "Twin"})
    (owner,) = [x for x in planned(world, "ada").columns if x.key == "owner_id"]
    assert {"li", "mei"} <= {*owner.words}
    assert "Twin" not in owner.words


def test_what_a_person_may_not_set_is_not_in_their_template(world: World) -> None:
    assert "industry" in {x.key for x in planned(world, "li").columns}
    add_line(world, "p, sales, customer.industry, edit, all, any, deny")
    assert "industry" not in {x.key for x in planned(world, "li").columns}
    with pytest.raises(Forbidden):
        planned(world, "li", "person")
    with pytest.raises(Validation):
        planned(world, "li", "nothing")


# --- when it comes back ----------------------------------------------------------------------------------


def returned(world: World, files: Files, book: Any, target: str = "customer") -> dict[str, tuple[str, str]]:
    """Heading -> (field, strategy) as proposed for a filled template."""
    file = io.BytesIO()
    book.save(file)
    id = files.begin("li", file.getvalue(), target=target)
    files.run()
    scope = world.li

    def ask(scope: Any, db: Any) -> Any:
        return mapping.proposals(scope, db, batches.own(scope, db, id))

    found = world.run(scope.read(ask))
    return {x.header: (x.field.key if x.field else "", x.strategy) for x in found}


def test_imp_01_a_template_maps_itself_whatever_its_headings_say_by_then(world: World, files: Files) -> None:
    book = opened(world, "li", language="zh")
    page = book.worksheets[0]
    keys = [x.key for x in planned(world, "li", language="zh").columns]
    for at in range(1, len(keys) + 1):
        page.cell(1, at).value = f"Spalte {at}"
        page.cell(2, at).value = "x"
    found = returned(world, files, book)
    assert found == {f"Spalte {at}": (key, Strategy.TEMPLATE) for at, key in enumerate(keys, 1)}


def test_columns_of_a_template_may_be_moved_added_and_deleted(world: World, files: Files) -> None:
    book = opened(world, "li")
    page = book.worksheets[0]
    rows = [[cell.value for cell in page[1]]]
    moved = ["Fax", *reversed(rows[0][1:-1]), rows[0][0]]
    page.delete_cols(1, len(rows[0]))
    for at, text in enumerate(moved, 1):
        page.cell(1, at).value = text
        page.cell(2, at).value = "x"
    found = returned(world, files, book)
    plan = {x.heading: x.key for x in planned(world, "li").columns}
    assert found.pop("Fax")[0] == ""
    assert {name: key for name, (key, _) in found.items()} == {
        text.rstrip(" *"): plan[text.rstrip(" *")] for text in moved[1:]
    }


def test_a_template_of_something_else_is_read_by_its_headings(world: World, files: Files) -> None:
    book = opened(world, "li", "contact")
    book.worksheets[0].cell(2, 1).value = "x"
    assert Strategy.TEMPLATE not in {strategy for _, strategy in returned(world, files, book).values()}


def test_our_own_hidden_sheets_are_not_offered(world: World, files: Files) -> None:
    book = opened(world, "li")
    book.worksheets[0].cell(2, 1).value = "Acme"
    returned(world, files, book)
    overview = world.run(world.li.read(lambda scope, db: batches.imports(scope, db)[0].overview))
    assert [each["name"] for each in overview["sheets"]] == ["Customers", "Notes"]
    assert (overview["sheet"], overview["rows"]) == ("Customers", 1)


# --- doors -----------------------------------------------------------------------------------------------


def fetched(world: World, address: str, **headers: str) -> httpx.Response:
    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(Panel(world).app, raise_app_exceptions=False, client=("192.0.2.7", 5000))
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000") as client:
            return await client.get(address, headers=headers)

    return world.run(ask())


def test_the_template_is_downloaded_with_a_session_or_a_token(world: World) -> None:
    bearer = f"Bearer {world.li.do(tokens.create_token, 'test', None).token}"
    answer = fetched(world, "/files/templates/customer", authorization=bearer)
    assert answer.status_code == 200
    assert answer.headers["content-disposition"] == "attachment; filename*=utf-8''Customers%20import%20template.xlsx"
    assert openpyxl.load_workbook(io.BytesIO(answer.content)).sheetnames[0] == "Customers"
    assert fetched(world, "/files/templates/customer").status_code == 401
    assert fetched(world, "/files/templates/person", authorization=bearer).status_code == 403
    refused = fetched(world, "/files/templates/nothing", authorization=bearer)
    assert (refused.status_code, refused.json()["errors"][0]["message"]) == (400, "This cannot be imported.")
    assert Panel(world).of("li").get("/files/templates/contact").status_code == 200


def test_the_command_line_writes_a_template(world: World, tmp_path: Path) -> None:
    path = tmp_path / "t.xlsx"
    answer = millpond(world.backend.url, "import", "contacts", "--as", "li", "--template", str(path))
    assert answer.exit_code == 0, answer.stderr
    assert openpyxl.load_workbook(path).sheetnames[0] == "Contacts"
    answer = millpond(world.backend.url, "import", "contacts", "--as", "li", "--template", str(tmp_path / "no" / "t"))
    assert answer.exit_code == 1
    assert "cannot be written" in answer.stderr
