"""Duplicates in the panel: shown while typing, held up at save until a reason is given, and a pasted list."""

from collections.abc import Mapping
from html import unescape
from typing import Any

import httpx
import pytest
from sqlalchemy import delete

from models import Contact, Customer, DuplicateRule
from models.duplicates import Evidence, Verdict
from resolvers.records import create_update
from resolvers.runtime.budgets import Budgets, Costly
from tests.support.panel import OURS, Panel
from tests.support.world import World

REASON = "Why this is another one"
DRAWER = {**OURS, "hx-request": "true", "hx-target": "drawer-body"}


@pytest.fixture
def panel(world: World) -> Panel:
    with world.backend.writer.engine.begin() as connection:
        connection.execute(delete(DuplicateRule.__table__))
    return Panel(world)


def live(panel: Panel, by: str, given: Mapping[str, Any], **more: str) -> httpx.Response:
    return panel.of(by).post("/admin/duplicate-check/live", {"module": "customer", **given, **more}, DRAWER)


# --- while typing ----------------------------------------------------------------------------------------


def test_the_owner_is_led_to_it_and_a_colleague_to_the_owner(panel: Panel) -> None:
    panel.world.customer("上海鸿发贸易有限公司", phone="13800138000")

    mine = live(panel, "li", {"name": "上海鸿发贸易"}).text
    assert "Is there already" in mine
    assert 'href="/admin/customer/details/cus_1"' in mine
    assert "C2026001 · Owner: Li Na · Same name" in mine

    theirs = live(panel, "mei", {"name": "上海鸿发贸易"}).text
    assert "上海鸿发贸易＊＊＊＊" in theirs
    assert "Ask Li Na: you cannot see it." in theirs
    for secret in ("cus_1", "C2026001", "有限公司"):
        assert secret not in theirs


def test_what_lies_in_a_pool_can_be_claimed_and_what_lies_in_the_bin_restored(panel: Panel) -> None:
    panel.world.customer("Acme Pumps", pool="north")
    gone = panel.world.customer("Umbrella Works")
    panel.world.ada.do(create_update.delete, Customer, [gone])

    assert "/admin/customer/ask/claim?from=detail&ids=cus_1" in unescape(live(panel, "li", {"name": "Acme Pumps"}).text)
    assert f"ask/restore?from=list&ids=cus_{gone}" in unescape(live(panel, "ada", {"name": "Umbrella Works"}).text)
    assert "Ask an administrator to restore it." in live(panel, "mei", {"name": "Umbrella Works"}).text


@pytest.mark.parametrize(
    "given",
    [
        {"phone": "138 0013 8000"},
        {"contact_phone": "+86 13800138000"},
        {"contact_email": "wang@acme.example"},
        {"points-kind": "PHONE", "points-value": "13800138000"},
        {"registration_number": "91310000MA1K35XY2C"},
    ],
)
def test_every_input_that_is_compared_is_asked_about(panel: Panel, given: dict[str, str]) -> None:
    panel.world.customer(
        "Acme",
        registration_number="91310000MA1K35XY2C",
        contact_name="Wang",
        contact_phone="13800138000",
        contact_email="wang@acme.example",
    )

    assert "cus_1" in live(panel, "li", given).text
    assert live(panel, "li", given, but="cus_1").status_code == 204


def test_contacts_are_asked_about_at_their_customer(panel: Panel) -> None:
    acme = panel.world.customer("Acme", contact_name="王芳", contact_phone="13800138000")

    shown = live(panel, "li", {"name": "王芳", "customer_id": f"cus_{acme}"}, module="contact")

    assert "/admin/contact/details/con_1" in shown.text


def test_nothing_is_shown_for_nothing_without_the_right_and_after_too_many(panel: Panel) -> None:
    assert live(panel, "li", {"name": "Nobody Knows"}).status_code == 204
    assert live(panel, "li", {"name": " "}).status_code == 422
    assert live(panel, "li", {"name": "x" * 300}).status_code == 422
    assert live(panel, "aud", {"name": "Acme"}).status_code == 403
    panel.world.backend.budgets = Budgets({Costly.DUPLICATE_CHECKS: 1}, clock=lambda: 0.0)
    assert [live(panel, "li", {"name": "Acme"}).status_code for _ in range(2)] == [204, 422]


# --- at save ---------------------------------------------------------------------------------------------


def test_a_new_form_asks_for_no_reason_and_watches_what_is_typed(panel: Panel) -> None:
    panel.world.customer("Acme")
    for path in ("customer/create", "contact/create?customer_id=cus_1", "customer/edit/cus_1"):
        shown = panel.of("li").get(f"/admin/{path}").text
        assert REASON not in shown
        assert "data-duplicates=" in shown


@pytest.mark.parametrize("headers", [OURS, DRAWER], ids=["page", "drawer"])
def test_a_second_customer_is_held_up_until_a_reason_is_given(panel: Panel, headers: dict[str, str]) -> None:
    panel.world.customer("Acme Pumps")
    typed = {"name": "ACME Pumps Ltd", "remark": "Met at the fair"}

    held = panel.of("li").post("/admin/customer/create", typed, headers)
    assert held.status_code == 422
    assert "C2026001 Acme Pumps is there already. Open it, or say why this is another one." in held.text
    assert 'href="/admin/customer/details/cus_1"' in held.text
    assert REASON in held.text
    assert "Met at the fair" in held.text
    assert panel.world.count(Customer) == 1

    saved = panel.of("li").post("/admin/customer/create", {**typed, "duplicate_reason": "Its sister"}, headers)
    assert saved.status_code in (204, 303)
    made = max(row["id"] for row in panel.world.rows(Customer))
    assert panel.world.log("customer", made)[-1]["reason"] == "Its sister"


def test_an_edit_is_held_up_alike(panel: Panel) -> None:
    panel.world.customer("Acme Pumps")
    id = panel.world.customer("Umbrella")
    typed = {"version": "1", "_was": '{"name": "Umbrella"}', "name": "Acme Pumps"}

    held = panel.of("li").post(f"/admin/customer/edit/cus_{id}", typed)
    assert (held.status_code, REASON in held.text) == (422, True)
    done = panel.of("li").post(f"/admin/customer/edit/cus_{id}", {**typed, "duplicate_reason": "It was renamed"})
    assert done.status_code == 303
    assert panel.world.row(Customer, id)["name"] == "Acme Pumps"


def test_a_contact_is_held_up_alike(panel: Panel) -> None:
    acme = panel.world.customer("Acme", contact_name="王芳", contact_phone="13800138000")
    typed = {"customer_id": f"cus_{acme}", "name": "王芳"}

    held = panel.of("li").post("/admin/contact/create", typed)
    assert (held.status_code, REASON in held.text, "con_1" in held.text) == (422, True, True)
    assert panel.of("li").post("/admin/contact/create", {**typed, "duplicate_reason": "Namesake"}).status_code == 303
    assert panel.world.count(Contact) == 2


def test_where_a_rule_refuses_no_reason_is_asked_for(panel: Panel) -> None:
    panel.world.customer("Acme Pumps")
    rule = {"for_module": "customer", "evidence": Evidence.NAME, "verdict": Verdict.REFUSED}
    panel.world.ada.do(create_update.create, DuplicateRule, rule)

    held = panel.of("li").post("/admin/customer/create", {"name": "Acme Pumps Ltd"})

    assert held.status_code == 422
    assert "C2026001 Acme Pumps is there already, and a second one is not allowed." in held.text
    assert REASON not in held.text


def test_a_mistake_elsewhere_keeps_the_reason(panel: Panel) -> None:
    typed = {"name": "Acme", "phone": "1" * 300, "duplicate_reason": "Its sister"}

    assert "Its sister" in panel.of("li").post("/admin/customer/create", typed).text


# --- a list ----------------------------------------------------------------------------------------------


def test_a_pasted_list_says_of_each_line_what_is_there(panel: Panel) -> None:
    panel.world.customer("Acme Pumps", pool="north")
    panel.world.customer("Harbor Foods", owner="mei", phone="021 6888 1234")
    table = "Name\tPhone\nAcme Pumps Ltd\n某某新公司\t02168881234\nBrand New\n"

    shown = panel.of("li").post("/admin/duplicate-check", {"table": table})

    assert shown.status_code == 200
    assert "1 are there already, 1 possibly, 1 are new." in shown.text
    assert "/admin/customer/ask/claim" in shown.text
    assert "Ask Mei Lin: you cannot see it." in shown.text
    assert "Harbor" not in shown.text.replace("Harbor Foods\t021 6888 1234", "")  # the placeholder of the empty page


@pytest.mark.parametrize(
    ("table", "sentence"),
    [
        (" \n\t\n", "Paste at least one name."),
        ("\n".join(f"Acme {n}" for n in range(201)), "These are 201 lines. Paste 200 at most at once."),
        (f"Acme\n{'x' * 201}", "At most 20 values of at most 200 characters can be checked at once."),
    ],
)
def test_a_list_that_cannot_be_checked_is_kept(panel: Panel, table: str, sentence: str) -> None:
    shown = panel.of("li").post("/admin/duplicate-check", {"table": table})

    assert shown.status_code == 422
    assert sentence in shown.text
    assert table.strip().splitlines()[-1:] == [] or table.strip().splitlines()[-1] in shown.text


def test_the_page_is_for_those_who_may_look_for_duplicates(panel: Panel) -> None:
    assert panel.of("li").get("/admin/duplicate-check").status_code == 200
    assert panel.of("aud").get("/admin/duplicate-check").status_code == 403
    assert "/admin/duplicate-check" not in panel.of("aud").get("/admin/").text
    assert "data-duplicates=" not in panel.of("aud").get("/admin/customer/create").text


# --- out of the bin --------------------------------------------------------------------------------------


def test_a_customer_that_is_there_again_comes_out_of_the_bin_with_a_reason_only(panel: Panel) -> None:
    gone = panel.world.customer("Acme Pumps")
    panel.world.ada.do(create_update.delete, Customer, [gone])
    panel.world.customer("Acme Pumps Ltd", duplicate_reason="The first one is in the bin")
    with panel.world.backend.writer.engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM not_duplicate")
    ada, form = panel.of("ada"), {"ids": f"cus_{gone}", "from": "list"}
    assert 'name="reason"' in ada.get("/admin/bin-customer/ask/restore", form).text

    refused = ada.post("/admin/bin-customer/do/restore", form)
    assert "Acme Pumps Ltd is there already. Open it, or say why this is another one." in unescape(refused.text)
    assert panel.world.row(Customer, gone)["deleted_at"] is not None
    ada.post("/admin/bin-customer/do/restore", {**form, "reason": "Two towns"})
    assert panel.world.row(Customer, gone)["deleted_at"] is None
