"""Twice is once: a form that a slow line or a second click sends again does nothing more and is answered the same."""

import re
from html import unescape
from typing import Any

import pytest

from models import Contact, Customer, FollowUp, Opportunity
from tests.support.panel import OURS, Browser, Panel
from tests.support.world import World


def hidden_inputs(page: str) -> dict[str, str]:
    """The hidden inputs of the form of a page."""
    form = page[page.index("data-form") :]
    return {k: unescape(v) for k, v in re.findall(r'<input type="hidden" name="(_\w+|version)" value="([^"]*)"', form)}


def new_form(browser: Browser, screen: str, **typed: Any) -> dict[str, Any]:
    return hidden_inputs(browser.get(f"/admin/{screen}/create").text) | typed


@pytest.mark.parametrize(
    ("screen", "model", "typed"),
    [
        ("customer", Customer, {"name": "Twice Ltd"}),
        ("contact", Contact, {"name": "Twice", "points-kind": "PHONE", "points-value": "138 1111 2222"}),
        ("opportunity", Opportunity, {"name": "Chairs"}),
        ("follow-up", FollowUp, {"content": "Called", "kind": "CALL", "happened_at": "2026-03-02T09:30"}),
    ],
)
def test_a_new_record_that_is_saved_twice_is_one(
    world: World, screen: str, model: type[Any], typed: dict[str, Any]
) -> None:
    browser = Panel(world).of("ada")
    of = {} if model is Customer else {"customer_id": f"cus_{world.customer()}"}
    before = len(world.rows(model))
    form = new_form(browser, screen, **of, **typed)

    first, second = (browser.post(f"/admin/{screen}/create", form) for _ in range(2))

    assert first.status_code == 303, first.text
    assert second.headers["location"] == first.headers["location"]
    assert len(world.rows(model)) == before + 1


def test_a_form_that_was_saved_says_so_when_it_comes_back_with_other_words(world: World) -> None:
    browser = Panel(world).of("ada")
    form = new_form(browser, "customer", name="First")
    assert browser.post("/admin/customer/create", form).status_code == 303

    after_back = browser.post("/admin/customer/create", {**form, "name": "Second"})

    assert after_back.status_code == 422
    assert "This form was saved already." in after_back.text
    assert 'value="Second"' in after_back.text
    assert not [row for row in world.rows(Customer) if row["name"] == "Second"]
    again = hidden_inputs(after_back.text) | {"name": "Second"}
    assert browser.post("/admin/customer/create", again).status_code == 303


def test_a_form_that_was_refused_is_saved_the_next_time(world: World) -> None:
    browser = Panel(world).of("ada")
    form = new_form(browser, "customer", name="")
    assert browser.post("/admin/customer/create", form).status_code == 422
    assert browser.post("/admin/customer/create", {**form, "name": "Now"}).status_code == 303


def test_an_edit_that_is_saved_twice_is_one_entry_of_the_log(world: World) -> None:
    browser, id = Panel(world).of("ada"), world.customer("Old")
    page = browser.get(f"/admin/customer/edit/cus_{id}").text
    form = hidden_inputs(page) | {"name": "New", "remark": "Called"}

    mark = world.mark()
    first = browser.post(f"/admin/customer/edit/cus_{id}", form)
    logged = len(world.log(since=mark))
    second = browser.post(f"/admin/customer/edit/cus_{id}", form)

    assert (first.status_code, second.status_code) == (303, 303), second.text
    assert logged == len(world.log(since=mark)) > 0
    later = {**form, "name": "Newer"}  # the same page, after Back
    assert browser.post(f"/admin/customer/edit/cus_{id}", later).status_code in (303, 409)


def test_a_customer_that_is_claimed_twice_is_won_twice(world: World) -> None:
    """The second click on Claim is answered like the first, and not with who has claimed the customer."""
    browser, id = Panel(world).of("li"), world.customer(pool="north")
    page = browser.get("/admin/pooled/list").text
    (key,) = re.findall(r'name="_key" value="([^"]+)"', page)
    form = {"one": f"cus_{id}", "from": "list", "_key": key}

    answers = [
        browser.post("/admin/pooled/do/claim", form, {**OURS, "hx-request": "true", "hx-target": "dialog-body"})
        for _ in range(2)
    ]

    assert [answer.status_code for answer in answers] == [204, 204]
    assert answers[0].headers["hx-trigger"] == answers[1].headers["hx-trigger"]


def test_one_page_claims_one_customer_after_the_other(world: World) -> None:
    browser, ids = Panel(world).of("li"), [world.customer(pool="north"), world.customer(pool="north")]
    (key,) = re.findall(r'name="_key" value="([^"]+)"', browser.get("/admin/pooled/list").text)
    for id in ids:
        browser.post("/admin/pooled/do/claim", {"one": f"cus_{id}", "_key": key})
    assert {row["owner_id"] for row in world.rows(Customer) if row["id"] in ids} == {world.ids["li"]}


def test_every_form_that_acts_on_records_carries_a_key(world: World) -> None:
    """Also the dialogs of commands and their buttons on the page of a record."""
    browser, id = Panel(world).of("ada"), world.customer(owner="ada")
    for path in ("customer/create", f"customer/edit/cus_{id}", f"customer/ask/transfer?ids=cus_{id}", "customer/list"):
        assert 'name="_key"' in browser.get(f"/admin/{path}").text, path
    page = browser.get(f"/admin/customer/details/cus_{id}").text
    forms = re.findall(r'<form[^>]*action="/admin/customer/do/.*?</form>', page, re.DOTALL)
    assert all('name="_key"' in form for form in forms)
