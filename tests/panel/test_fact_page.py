"""One fact edited in its place, and one restored from the history: who may, what is refused, and what is said."""

import re

import pytest

from models import Contact, Customer
from resolvers.customers import transfer as transferring
from resolvers.records import create_update
from tests.support.claim_checks import unchanged
from tests.support.panel import Browser, Panel
from tests.support.refusals import add_line
from tests.support.world import World

HTMX = {"hx-request": "true"}


def hidden_inputs(page: str) -> dict[str, str]:
    form = page.partition("<form")[2].partition("</form>")[0]
    found = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', form)
    return {name: value.replace("&quot;", '"') for name, value in found}


def asked(browser: Browser, id: int, field: str) -> str:
    answer = browser.get(f"/admin/customer/fact/cus_{id}", {"field": field}, **HTMX)
    assert answer.status_code == 200
    return answer.text


def test_a_fact_is_saved_alone_and_told_to_the_page(world: World) -> None:
    id = world.customer("Acme", "li", phone="13800138000", latest_need="Steel")
    browser = Panel(world).of("li")
    sent = hidden_inputs(asked(browser, id, "latest_need")) | {"latest_need": "Copper", "phone": "smuggled"}

    for _ in range(2):  # the same form twice acts once
        answer = browser.post(f"/admin/customer/fact/cus_{id}?field=latest_need", sent)
        assert (answer.status_code, '"field": "latest_need"' in answer.headers["hx-trigger"]) == (204, True)

    row = world.row(Customer, id)
    assert (row["latest_need"], row["phone"]) == ("Copper", "13800138000")
    assert [entry["action"] for entry in world.log("customer", id)] == ["customer.create", "customer.edit"]


def test_an_edit_of_an_older_page_shows_both_values_and_saves_on_the_second_word(world: World) -> None:
    id = world.customer("Acme", "li", remark="Old")
    browser = Panel(world).of("li")
    sent = hidden_inputs(asked(browser, id, "remark")) | {"remark": "Mine"}
    world.ada.do(create_update.update, Customer, id, {"remark": "Theirs"})

    refused = browser.post(f"/admin/customer/fact/cus_{id}?field=remark", sent)

    assert refused.status_code == 409
    dispute = refused.text.partition("fact-dispute")[2].partition("</dl>")[0]
    assert re.findall(r"<dd>(\w+)</dd>", dispute) == ["Theirs", "Mine"]
    assert world.row(Customer, id)["remark"] == "Theirs"
    again = hidden_inputs(refused.text) | {"remark": "Mine"}
    assert browser.post(f"/admin/customer/fact/cus_{id}?field=remark", again).status_code == 204
    assert world.row(Customer, id)["remark"] == "Mine"


@pytest.mark.parametrize(
    ("login", "field", "status"),
    [("mei", "name", 404), ("aud", "name", 403), ("li", "owner_id", 403), ("li", "unheard", 403), ("li", "phone", 403)],
)
def test_a_fact_that_may_not_be_edited_has_no_form_and_is_not_saved(
    world: World, login: str, field: str, status: int
) -> None:
    id = world.customer("Acme", "li", phone="13800138000")
    add_line(world, "p, sales, customer.phone, edit, all, any, deny")
    browser = Panel(world).of(login)

    with unchanged(world):
        assert browser.get(f"/admin/customer/fact/cus_{id}", {"field": field}, **HTMX).status_code == status
        sent = browser.post(f"/admin/customer/fact/cus_{id}?field={field}", {field: "x", "version": "1"})
        assert sent.status_code == status
    if status != 404:
        page = browser.get(f"/admin/customer/details/cus_{id}").text
        assert f'data-fact="{field}"' not in page


def test_a_field_is_restored_from_the_history_by_its_button(world: World) -> None:
    id = world.customer("Acme", "li", remark="Old")
    world.clock.pass_by(hours=1)
    world.li.do(create_update.update, Customer, id, {"remark": "New"})
    browser = Panel(world).of("li")
    page = browser.get(f"/admin/customer/details/cus_{id}", {"tab": "history"}).text
    form = page.partition("/restore-field/")[0].rpartition("<form")[1] + page.partition("/restore-field/")[2]
    sent = hidden_inputs("<form" + form)
    assert sent["field"] == "remark"

    answer = browser.post(f"/admin/customer/restore-field/cus_{id}?tab=history", sent)

    assert (answer.status_code, "tab=history" in answer.headers["location"]) == (303, True)
    assert world.row(Customer, id)["remark"] == "Old"
    world.ada.do(create_update.update, Customer, id, {"remark": "Newest"})
    stale = browser.post(f"/admin/customer/restore-field/cus_{id}?tab=history", sent | {"_key": "other"})
    assert (stale.status_code, 'role="alert"' in stale.text) == (409, True)
    assert world.row(Customer, id)["remark"] == "Newest"


def test_who_may_not_edit_gets_no_button_and_a_refusal(world: World) -> None:
    id = world.customer("Acme", "li", remark="Old")
    world.li.do(create_update.update, Customer, id, {"remark": "New"})
    entry = world.log("customer", id)[-1]["id"]
    browser = Panel(world).of("aud")

    assert "restore-field" not in browser.get(f"/admin/customer/details/cus_{id}", {"tab": "history"}).text
    with unchanged(world):
        sent = {"field": "remark", "entry": str(entry)}
        assert browser.post(f"/admin/customer/restore-field/cus_{id}?tab=history", sent).status_code in (403, 422)


def test_the_past_is_shown_with_what_has_changed_since(world: World) -> None:
    id = world.customer("Acme", "li", remark="Old")
    world.clock.pass_by(hours=1)
    world.li.do(create_update.update, Customer, id, {"remark": "New"})
    world.lead.do(transferring.transfer, [id], world.ids["wu"])
    browser = Panel(world).of("wu")
    path = f"/admin/customer/details/cus_{id}"

    page = browser.get(path, {"tab": "history", "at": "2026-11-24T08:30"}).text

    table = page.partition('<table class="table past-table">')[2].partition("</table>")[0]
    changed = re.findall(r'<tr class="is-changed"><th scope="row">(\w+)', table)
    assert sorted(changed) == ["Owned", "Owner", "Remark"]
    assert "Li Na" in table
    for at, words in (
        ("2026-11-24T07:00", "was not there yet"),
        ("2027-11-24T07:00", "is yet to come"),
        ("x", "no moment"),
    ):
        assert words in browser.get(path, {"tab": "history", "at": at}).text


def test_the_page_of_a_contact_offers_what_belongs_to_it(world: World) -> None:
    customer = world.customer("Acme", "li")
    id = world.make(Contact, customer_id=customer, name="Ann")
    browser = Panel(world).of("li")

    for tab, screen in (("opportunities", "opportunity"), ("follow-ups", "follow-up"), ("plans", "plan")):
        page = browser.get(f"/admin/contact/details/con_{id}", {"tab": tab}).text
        assert f'href="/admin/{screen}/create?contact_id=con_{id}"' in page
    opened = browser.get("/admin/opportunity/create", {"contact_id": f"con_{id}"}).text
    assert f'value="cus_{customer}"' in opened
