"""Facts edited in their place, and the history of a record looked back at, in a real browser over the data of the demo."""

from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect
from sqlalchemy import select

from models import AuditEntry, Contact, Customer, Opportunity
from tests.panel.test_stories import customers, owned, read
from tests.support.browser import NARROW, Person, Screens


def fact(page: Page, key: str) -> Locator:
    return page.locator(f'[data-fact="{key}"]')


def click_beside(value: Locator) -> None:
    """Click at the end of a value, where no link of it is."""
    box = value.bounding_box()
    assert box is not None
    value.click(position={"x": box["width"] - 3, "y": 3})


def value(shown: Screens, id: int, key: str) -> Any:
    return read(shown, select(Customer.__table__.c[key]).where(Customer.__table__.c.id == id))[0][0]


def edits(shown: Screens, id: int) -> int:
    """How many log entries there are about a customer."""
    e = AuditEntry.__table__.c
    return len(read(shown, select(e.id).where(e.entity == "customer", e.record_id == id)))


def opened(shown: Screens, nth: int, **how: Any) -> tuple[Person, Page, int]:
    """The page of the nth customer of Li, opened by Li."""
    id = customers(shown, owned(shown, "li"), count=nth + 1)[nth][0]
    li = shown.person("li", **how)
    li.go(f"/admin/customer/details/cus_{id}")
    li.page.wait_for_function("document.querySelector('[data-facts]') && !document.querySelector('.htmx-request')")
    return li, li.page, id


def test_a_fact_is_changed_in_its_place_by_click_and_by_key(demo_screens: Screens) -> None:
    li, page, id = opened(demo_screens, 0)
    before = edits(demo_screens, id)

    click_beside(fact(page, "phone").locator(".fact-value"))
    box = fact(page, "phone").locator("input[name=phone]")
    expect(box).to_be_focused()
    li.picture("fact-phone")
    box.fill("021 5588 7766")
    page.keyboard.press("Enter")
    expect(fact(page, "phone").locator(".fact-value")).to_contain_text("021 5588 7766")
    expect(page.locator(".fact-form")).to_have_count(0)
    expect(fact(page, "phone").locator("[data-fact-edit]")).to_be_focused()
    assert value(demo_screens, id, "phone") == "021 5588 7766"

    fact(page, "latest_need").locator("[data-fact-edit]").focus()
    page.keyboard.press("e")
    need = fact(page, "latest_need").locator("textarea")
    expect(need).to_be_focused()
    need.fill("Two lines\nof steel")
    page.keyboard.press("Control+Enter")
    expect(fact(page, "latest_need").locator(".fact-value")).to_contain_text("of steel")

    fact(page, "stage").locator("[data-fact-edit]").focus()
    page.keyboard.press("e")
    chooser = fact(page, "stage").locator("select")
    now = chooser.input_value()
    other = next(
        x for x in chooser.locator("option").evaluate_all("all => all.map(x => x.value)") if x not in ("", now)
    )
    chooser.select_option(other)
    chooser.press("Enter")
    expect(page.locator(".fact-form")).to_have_count(0)
    assert value(demo_screens, id, "stage") == other
    assert edits(demo_screens, id) == before + 3
    assert li.heard == []


@pytest.mark.long
def test_escape_leaves_and_a_click_elsewhere_keeps_what_was_typed(demo_screens: Screens) -> None:
    _li, page, id = opened(demo_screens, 1)
    before = edits(demo_screens, id)

    click_beside(fact(page, "address").locator(".fact-value"))
    fact(page, "address").locator("[name=address]").fill("Half a street")
    page.locator("h1").click()
    fact(page, "email").locator("[data-fact-edit]").click()
    fact(page, "email").locator("input[name=email]").fill("else@x.org")
    page.keyboard.press("Escape")
    expect(fact(page, "email").locator(".fact-form")).to_have_count(0)
    expect(fact(page, "email").locator("[data-fact-edit]")).to_be_focused()
    expect(fact(page, "address").locator("[name=address]")).to_have_value("Half a street")

    fact(page, "remark").locator("[data-fact-edit]").click()
    fact(page, "remark").locator("textarea").fill("Saved meanwhile")
    page.keyboard.press("Control+Enter")
    expect(fact(page, "remark").locator(".fact-value")).to_contain_text("Saved meanwhile")
    expect(fact(page, "address").locator("[name=address]")).to_have_value("Half a street")
    assert edits(demo_screens, id) == before + 1


@pytest.mark.long
def test_a_refusal_stands_in_place_and_nothing_typed_is_lost(demo_screens: Screens) -> None:
    mine = select(Customer.__table__.c.id).where(owned(demo_screens, "li"))  # type: ignore[arg-type]
    c = Contact.__table__.c
    id = read(demo_screens, select(c.id).where(c.customer_id.in_(mine), c.deleted_at.is_(None)).order_by(-c.id))[0][0]
    page = demo_screens.person("li").go(f"/admin/contact/details/con_{id}")
    fact(page, "points").locator("[data-fact-edit]").click()
    fact(page, "points").locator("[name=points-value]").first.fill("no number")
    page.keyboard.press("Enter")
    expect(fact(page, "points").locator(".said-bad").first).to_contain_text("is no phone number")
    box = fact(page, "points").locator("[name=points-value]").first
    expect(box).to_have_value("no number")
    box.fill("13800138999")
    page.keyboard.press("Enter")
    expect(page.locator(".fact-form")).to_have_count(0)
    expect(fact(page, "points").locator(".fact-value")).to_contain_text("13800138999")


def test_two_people_change_the_same_fact_and_both_values_stand_in_place(demo_screens: Screens) -> None:
    li, page, id = opened(demo_screens, 3)
    lead = demo_screens.person("ada")
    lead.go(f"/admin/customer/details/cus_{id}")
    for window, text in ((page, "From Li"), (lead.page, "From the lead")):
        fact(window, "remark").locator("[data-fact-edit]").click()
        fact(window, "remark").locator("textarea").fill(text)
    lead.page.keyboard.press("Control+Enter")
    expect(fact(lead.page, "remark").locator(".fact-value")).to_contain_text("From the lead")

    fact(page, "remark").locator("textarea").press("Control+Enter")

    expect(fact(page, "remark").locator(".fact-dispute")).to_contain_text("From the lead")
    expect(fact(page, "remark").locator(".fact-dispute")).to_contain_text("From Li")
    li.picture("fact-conflict")
    assert value(demo_screens, id, "remark") == "From the lead"
    fact(page, "remark").get_by_role("button", name="Save mine").click()
    expect(fact(page, "remark").locator(".fact-value")).to_contain_text("From Li")
    assert value(demo_screens, id, "remark") == "From Li"


@pytest.mark.long
def test_on_a_slow_line_two_clicks_save_once(demo_screens: Screens) -> None:
    _li, page, id = opened(demo_screens, 4)
    before = edits(demo_screens, id)
    page.route("**/fact/**", lambda route: (page.wait_for_timeout(300), route.continue_()))
    link = fact(page, "remark").locator("[data-fact-edit]")
    link.dblclick()
    fact(page, "remark").locator("textarea").fill("Once")
    fact(page, "remark").get_by_role("button", name="Save").dblclick()
    expect(fact(page, "remark").locator(".fact-value")).to_contain_text("Once")
    assert edits(demo_screens, id) == before + 1


@pytest.mark.long
def test_without_scripts_a_fact_leads_to_the_whole_form(demo_screens: Screens) -> None:
    _li, page, id = opened_plainly(demo_screens, 5)
    fact(page, "phone").locator("[data-fact-edit]").click()
    expect(page.locator("form.form input[name=phone]")).to_be_visible()
    assert page.url.endswith(f"/admin/customer/edit/cus_{id}")


def opened_plainly(shown: Screens, nth: int) -> tuple[Person, Page, int]:
    id = customers(shown, owned(shown, "li"), count=nth + 1)[nth][0]
    li = shown.person("li", scripts=False)
    return li, li.go(f"/admin/customer/details/cus_{id}"), id


@pytest.mark.long
@pytest.mark.parametrize(("model", "key"), [(Contact, "title"), (Contact, "points"), (Opportunity, "expected_close")])
def test_the_facts_of_every_kind_of_record_are_edited_the_same_way(demo_screens: Screens, model: Any, key: str) -> None:
    mine = select(Customer.__table__.c.id).where(owned(demo_screens, "li"))  # type: ignore[arg-type]
    c = model.__table__.c
    id = read(demo_screens, select(c.id).where(c.customer_id.in_(mine), c.deleted_at.is_(None)).order_by(c.id))[0][0]
    li = demo_screens.person("li")
    page = li.go(f"/admin/{model.module}/details/{model.prefix}_{id}")
    fact(page, key).locator("[data-fact-edit]").click()
    typed = {"title": "Chief", "points": "13800138123", "expected_close": "2027-03-04"}[key]
    fact(page, key).locator("input:not([type=hidden])").first.fill(typed)
    page.keyboard.press("Enter")
    expect(page.locator(".fact-form")).to_have_count(0)
    shown = {"title": "Chief", "points": "13800138123", "expected_close": "4 Mar 2027"}[key]
    expect(fact(page, key).locator(".fact-value")).to_contain_text(shown)


@pytest.mark.long
def test_the_history_is_looked_back_at_and_a_field_restored(demo_screens: Screens) -> None:
    li, page, id = opened(demo_screens, 6)
    was = value(demo_screens, id, "phone")
    fact(page, "phone").locator("[data-fact-edit]").click()
    fact(page, "phone").locator("input[name=phone]").fill("0755 8888 9999")
    page.keyboard.press("Enter")
    expect(fact(page, "phone").locator(".fact-value")).to_contain_text("0755 8888 9999")

    page.get_by_role("link", name="History").click()
    page.locator(".story-then").nth(1).click()
    expect(page.locator(".past-table tr.is-changed")).to_contain_text(["Phone"])
    expect(page.locator(".past-table tr.is-changed", has_text="Phone")).to_contain_text("0755 8888 9999")
    li.picture("as-of")
    page.get_by_role("link", name="Later change").click()
    expect(page.locator(".past-table tr.is-changed")).to_have_count(0)
    page.get_by_role("link", name="Back to the history").click()
    page.get_by_role("button", name="Restore: Phone").first.click()
    expect(page.get_by_text("Saved.").first).to_be_visible()
    assert value(demo_screens, id, "phone") == was
    assert li.faults() == []


@pytest.mark.long
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_facts_and_the_past_are_usable_on_a_phone(demo_screens: Screens, theme: str) -> None:
    li, page, _id = opened(demo_screens, 7, size=NARROW, language="zh", theme=theme)
    fact(page, "remark").locator("[data-fact-edit]").click()
    expect(fact(page, "remark").locator("textarea")).to_be_focused()
    li.picture(f"fact-phone-{theme}")
    assert (li.overflow(), li.faults()) == (0, [])
    page.keyboard.press("Escape")
    page.goto(f"{page.url}?tab=history")
    page.locator(".story-then").first.click()
    expect(page.locator(".past-table")).to_be_visible()
    li.picture(f"as-of-{theme}")
    assert (li.overflow(), li.faults()) == (0, [])
