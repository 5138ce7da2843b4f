"""The panel's door: the button of every list, its form with and without choices, the page of exports, the log."""

import re
from html import unescape

import pytest
from sqlalchemy import select

from models import AuditEntry, Customer, Export
from models.export import ExportRange
from tests.support.exporting import Exports
from tests.support.panel import Panel
from tests.support.world import World

FORM = "/admin/customer/export"


def newest(world: World) -> Export:
    with world.backend.writer.engine.connect() as connection:
        found: Export = connection.execute(select(Export).order_by(Export.id.desc())).first()  # type: ignore[assignment]
    return found


def checked(html: str) -> list[str]:
    return re.findall(r'name="column" value="([^"]+)" checked', html)


def test_the_form_begins_with_the_list_as_it_is_and_writes_it(world: World, exporting: Exports) -> None:
    world.customer("Acme", "li", stage="early")
    world.customer("Beta", "li", stage="won")
    lead = Panel(world).of("lead")
    page = lead.get("/admin/customer/list", {"f_stage": "early", "order": "name"}).text
    (address,) = set(re.findall(r'href="(/admin/customer/export\?[^"]*)"', unescape(page)))
    form = unescape(lead.get(address).text)
    assert checked(form)[:2] == ["number", "name"]
    assert 'value="FILTER" checked' in form
    query = re.search(r'name="list" value="([^"]*)"', form)
    assert query is not None

    sent = {"list": query[1], "range": "FILTER", "format": "XLSX", "column": ["stage", "name"], "do": "export"}
    answer = lead.post(FORM, {**sent, "place-name": "1", "place-stage": "2"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/admin/exports")
    assert "Waiting" in lead.get("/admin/exports").text
    exporting.run()
    shown = unescape(lead.get("/admin/exports").text)
    assert "Finished" in shown
    assert "Customers 2026-11-24.xlsx" in shown
    assert "Customer stage is one of Early" in shown
    assert exporting.rows("lead", newest(world).id) == [["Name", "Customer stage"], ["Acme", "Early"]]


def test_chosen_rows_come_from_the_boxes_of_the_list(world: World, exporting: Exports) -> None:
    acme = world.customer("Acme", "li")
    world.customer("Beta", "li")
    lead = Panel(world).of("lead")
    assert f'formaction="{FORM}"' in lead.get("/admin/customer/list").text
    form = lead.get(FORM, {"ids": f"cus_{acme}", "from": "list", "list": ""}).text
    assert 'value="SELECTION" checked' in form
    sent = {"list": "", "ids": f"cus_{acme}", "range": "SELECTION", "column": "name", "format": "CSV", "do": "export"}
    assert lead.post(FORM, sent).status_code == 303
    exporting.run()
    assert exporting.rows("lead", newest(world).id) == [["Name"], ["Acme"]]


def test_what_cannot_be_exported_is_said_and_nothing_typed_is_lost(world: World, exporting: Exports) -> None:
    lead = Panel(world).of("lead")
    none = lead.post(FORM, {"list": "", "range": "FILTER", "do": "export"})
    assert none.status_code == 422
    assert "Choose at least one column." in none.text
    empty = lead.post(FORM, {"list": "", "range": "SELECTION", "column": "name", "format": "CSV", "do": "export"})
    assert empty.status_code == 422
    assert checked(empty.text) == ["name"]
    assert 'value="CSV" checked' in empty.text


def test_columns_are_kept_used_and_deleted(world: World, exporting: Exports) -> None:
    lead = Panel(world).of("lead")
    kept = lead.post(
        FORM, {"list": "", "column": ["stage", "name"], "name": "For the board", "shared": "y", "do": "keep"}
    )
    assert "kept as “For the board”" in kept.text
    assert "For the board" in Panel(world).of("ada").get(FORM).text
    used = lead.post(FORM, {"list": "", "column": "number", "profile": "xpf_1", "do": "use"})
    assert checked(used.text) == ["stage", "name"]
    assert Panel(world).of("ada").post(FORM, {"list": "", "profile": "xpf_1", "do": "drop"}).status_code == 422
    gone = lead.post(FORM, {"list": "", "column": "name", "profile": "xpf_1", "do": "drop"})
    assert "For the board" not in gone.text


@pytest.mark.parametrize("login", ["li", "fin", "sam", "aud", "rolf"])
def test_who_may_not_export_sees_no_button_and_no_form(world: World, exporting: Exports, login: str) -> None:
    world.customer("Acme", login)
    browser = Panel(world).of(login)
    assert "customer/export" not in browser.get("/admin/customer/list").text
    assert browser.get(FORM).status_code == 403
    assert browser.post(FORM, {"list": "", "range": "ALL", "column": "name", "do": "export"}).status_code == 403


def test_the_log_is_exported_with_the_filter_of_its_page(world: World, exporting: Exports) -> None:
    world.customer("Acme", "li")
    world.customer("Beta", "li")
    browser = Panel(world).of("aud")
    form = unescape(browser.get("/admin/log/export", {"kind": "cus", "q": "acme"}).text)
    query = re.search(r'name="list" value="([^"]*)"', form)
    assert query is not None
    sent = {
        "list": query[1],
        "range": "FILTER",
        "column": ["action", "label", "changes"],
        "format": "CSV",
        "do": "export",
    }
    assert browser.post("/admin/log/export", sent).status_code == 303
    exporting.run()
    heading, *rows = exporting.rows("aud", newest(world).id)
    assert heading == ["Action", "Record", "Changes"]
    assert [row[0] for row in rows] == ["Created"]
    assert "Name: – → Acme" in rows[0][2]
    assert Panel(world).of("lead").get("/admin/log/export").status_code == 403


def test_an_export_is_cancelled_and_deleted_by_its_buttons(world: World, exporting: Exports) -> None:
    world.customer("Acme", "li")
    lead, id = Panel(world).of("lead"), exporting.start("lead", Customer, range=ExportRange.ALL)
    assert Panel(world).of("ada").post("/admin/exports/delete", {"id": f"exp_{id}"}).status_code == 422
    assert lead.post("/admin/exports/cancel", {"id": f"exp_{id}"}).status_code == 303
    assert "Cancelled" in lead.get("/admin/exports").text
    assert lead.post("/admin/exports/cancel", {"id": f"exp_{id}"}).status_code == 422
    assert lead.post("/admin/exports/delete", {"id": f"exp_{id}"}).status_code == 303
    assert f"exp_{id}" not in lead.get("/admin/exports").text


def test_the_pages_speak_chinese(world: World, exporting: Exports) -> None:
    world.customer("Acme", "li")
    lead = Panel(world).of("lead")
    lead.post("/admin/account/language", {"language": "zh"})
    form = lead.get(FORM).text
    assert "导出范围" in form
    assert "客户阶段" in form
    assert "导出" in lead.get("/admin/exports").text


def test_an_entry_of_the_log_shows_the_filter_in_words(world: World, exporting: Exports) -> None:
    world.customer("Acme", "li")
    exporting.made("lead", Customer)
    shown = unescape(Panel(world).of("aud").get("/admin/log", {"action": "export"}).text)
    assert "exported" in shown
    assert "Number of rows" in shown
    assert world.rows(AuditEntry, AuditEntry.action == "customer.export")
