"""What users do in the panel, in a real browser over the data of the demo.  `make pictures` keeps pictures of it."""

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import create_engine, select

from millpond import demo
from models import Contact, Customer, User
from tests.support.browser import NARROW, Screens


def customers(shown: Screens, *where: object, count: int = 1) -> list[tuple[int, str, str]]:
    """(id, number, name) of the first customers, in the order of their ids, for which the conditions hold."""
    c = Customer.__table__.c
    wanted = select(c.id, c.number, c.name).where(c.deleted_at.is_(None), *where).order_by(c.id).limit(count)
    found = read(shown, wanted)
    assert len(found) == count
    return [tuple(row) for row in found]


def user(shown: Screens, login: str) -> int:
    return int(read(shown, select(User.id).where(User.login == login))[0][0])


def read(shown: Screens, statement: Any) -> list[Any]:
    """The rows that the database holds, without the policy."""
    engine = create_engine(shown.url)
    with engine.connect() as connection:
        found = list(connection.execute(statement))
    engine.dispose()
    return found


def owned(shown: Screens, login: str) -> object:
    return Customer.__table__.c.owner_id == user(shown, login)


def button(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).first.click()


@pytest.mark.short
def test_somebody_signs_in_finds_a_customer_by_its_contact_and_edits_it(demo_screens: Screens) -> None:
    id, number, name = customers(demo_screens, owned(demo_screens, "li"))[0]
    k = Contact.__table__.c
    found = select(k.name).where(k.customer_id == id, k.deleted_at.is_(None)).limit(1)
    contact = read(demo_screens, found)[0][0]
    visitor = demo_screens.visitor()
    visitor.go("/admin/customer/list")
    visitor.picture("sign-in")
    li = demo_screens.person("li")
    li.go("/admin/")
    li.picture("home")
    li.go("/admin/customer/list")
    li.picture("customers")

    li.page.fill("#q", contact)
    li.page.keyboard.press("Enter")
    li.page.get_by_role("link", name=number).click()
    expect(li.page.locator("h1")).to_have_text(name)
    li.picture("customer")
    li.page.keyboard.press("e")
    li.page.get_by_label("Latest need").fill("500 chairs before spring")
    li.picture("edit")
    li.page.keyboard.press("Control+s")

    li.see("Saved.")
    li.see("500 chairs before spring")
    li.page.get_by_role("link", name="History").click()
    expect(li.page.locator(".story li").first).to_contain_text("500 chairs before spring")
    li.picture("history")
    assert li.heard == []
    assert {re.match(r"\w+://[^/]+", address)[0] for address in li.asked} <= {li.address, "data:"}  # type: ignore[index]


@pytest.mark.long
def test_two_people_edit_one_customer_and_neither_loses_a_word(demo_screens: Screens) -> None:
    id, _number, _name = customers(demo_screens, owned(demo_screens, "wu"))[0]
    wu, ada = demo_screens.person("wu"), demo_screens.person("ada")
    for person in (wu, ada):
        person.go(f"/admin/customer/edit/cus_{id}")
    wu.page.get_by_label("Phone").first.fill("021-5555 1234")
    ada.page.get_by_label("Address").fill("1 Mill Lane")

    button(wu.page, "Save")
    wu.see("Saved.")
    button(ada.page, "Save")
    ada.see("Saved.")

    ada.see("021-5555 1234")
    ada.see("1 Mill Lane")

    for person in (wu, ada):
        person.go(f"/admin/customer/edit/cus_{id}")
    wu.page.get_by_label("Remark").fill("Wu: call on Monday")
    ada.page.get_by_label("Remark").fill("Ada: call on Friday")
    ada.page.get_by_label("Latest need").fill("desks")
    button(wu.page, "Save")
    wu.see("Saved.")
    button(ada.page, "Save")

    ada.see("Somebody else saved this meanwhile")
    expect(ada.page.locator(".conflict")).to_contain_text("Wu: call on Monday")
    expect(ada.page.get_by_label("Remark")).to_have_value("Ada: call on Friday")
    expect(ada.page.get_by_label("Latest need")).to_have_value("desks")
    ada.picture("conflict")
    ada.page.get_by_label("Remark").fill("Wu: call on Monday, Ada: not before noon")
    button(ada.page, "Save")
    ada.see("Saved.")
    ada.see("Wu: call on Monday, Ada: not before noon")
    ada.see("desks")


def test_who_comes_second_to_a_pooled_customer_learns_that_it_was_claimed_first(demo_screens: Screens) -> None:
    li, wu = demo_screens.person("li"), demo_screens.person("wu")
    wu.page.route("**/admin/live*", lambda route: route.abort())  # else the row would be gone before the click
    for person in (li, wu):
        person.go("/admin/pooled/list?tab=open")
    li.picture("pool")
    first = li.page.locator("[data-row]").first
    number = first.locator(".open").inner_text()

    first.get_by_role("button", name="Claim").click()
    li.see("Claim: 1 done")
    wu.page.get_by_role("button", name=re.compile(r"Claim: .*")).first.click()

    wu.see("This customer was claimed first by somebody else.")
    wu.picture("claimed-first")
    wu.page.keyboard.press("Escape")
    expect(wu.page.get_by_role("link", name=number)).to_have_count(0)
    expect(wu.page.locator("h1")).to_have_text("Customer pool")


@pytest.mark.long
def test_a_transfer_of_many_says_of_each_what_became_of_it(demo_screens: Screens) -> None:
    lead = demo_screens.person("lead")
    lead.go("/admin/customer/list?tab=team&order=owner_id")
    lead.page.check("[data-all]")
    lead.page.locator("[data-bulk]").get_by_role("button", name="Transfer").click()
    owners = lead.page.get_by_label("New owner")
    owners.select_option(owners.locator("option", has_text="Wu").first.get_attribute("value"))
    lead.page.locator("dialog[open]").get_by_label("Reason").fill("New territory")
    lead.picture("transfer")

    lead.page.locator("dialog[open]").get_by_role("button", name="Transfer").click()

    results = lead.page.locator("dialog[open] .results")
    results.wait_for()
    expect(lead.page.locator("#dialog-title")).to_contain_text("refused")
    expect(lead.page.locator("#dialog-title")).to_contain_text("done")
    expect(results).to_contain_text("already")
    lead.picture("transfer-results")


@pytest.mark.long
def test_a_locked_customer_is_gone_from_everybody_elses_lists(demo_screens: Screens) -> None:
    id, number, _name = customers(demo_screens, owned(demo_screens, "li"), count=3)[2]
    li, fin = demo_screens.person("li"), demo_screens.person("fin")
    fin.go(f"/admin/customer/list?q={number}")
    fin.see(number)

    li.go(f"/admin/customer/details/cus_{id}")
    button(li.page, "Lock")
    li.page.locator("dialog[open]").get_by_label("Reason").fill("In talks")
    li.page.locator("dialog[open]").get_by_role("button", name="Lock").click()
    li.see("Lock: 1 done")
    li.page.locator(".head .badge", has_text="Locked").wait_for()
    li.picture("locked")

    fin.go(f"/admin/customer/list?q={number}")
    fin.see("Nothing matches.")
    fin.go(f"/admin/customer/details/cus_{id}")
    fin.see("There is no such page or record, or you may not see it.")


@pytest.mark.long
def test_what_was_deleted_comes_back_from_the_bin(demo_screens: Screens) -> None:
    id, number, name = customers(demo_screens, owned(demo_screens, "wu"), count=4)[3]
    lead = demo_screens.person("lead")
    lead.go(f"/admin/customer/details/cus_{id}")
    button(lead.page, "Delete")
    lead.picture("delete")
    lead.page.locator("dialog[open]").get_by_role("button", name="Delete").click()
    lead.see("Delete: 1 done")
    lead.see("This record is in the recycle bin.")

    lead.go("/admin/bin-customer/list")
    lead.see(number)
    lead.picture("bin")
    lead.page.get_by_role("button", name=f"Restore: {name}").click()
    lead.page.locator("dialog[open]").get_by_role("button", name="Restore").click()
    lead.see("Restore: 1 done")

    lead.go(f"/admin/customer/details/cus_{id}")
    expect(lead.page.locator("h1")).to_have_text(name)
    assert lead.page.get_by_text("This record is in the recycle bin.").count() == 0


@pytest.mark.long
def test_somebody_claims_on_a_phone(demo_screens: Screens) -> None:
    mei = demo_screens.person("mei", NARROW)
    mei.go("/admin/pooled/list?tab=open")
    mei.picture("phone-pool")
    assert mei.overflow() <= 0

    mei.page.locator("[data-row]").first.get_by_role("button", name="Claim").click()

    mei.see("Claim: 1 done")
    mei.page.locator("[data-menu]").click()
    mei.page.get_by_role("link", name="Customers").first.wait_for()
    mei.picture("phone-menu")
    mei.go("/admin/customer/list?tab=mine")
    mei.picture("phone-customers")
    assert mei.overflow() <= 0


@pytest.mark.long
def test_the_panel_speaks_chinese_and_works_in_the_dark(demo_screens: Screens) -> None:
    visitor = demo_screens.visitor(language="zh")
    visitor.go("/admin/login")
    expect(visitor.page.locator("h1")).to_have_text("登录")
    visitor.page.fill("#login", "li")
    visitor.page.fill("#password", "wrong-password")
    visitor.page.click("form[action='/admin/login'] button")
    visitor.see("账号或密码错误。")

    li = demo_screens.person("li", language="zh", theme="dark")
    li.go("/admin/customer/list")
    expect(li.page.locator("h1")).to_have_text("客户")
    expect(li.page.locator("html")).to_have_attribute("data-bs-theme", "dark")
    li.picture("customers-zh-dark")
    li.go("/admin/pooled/list")
    li.picture("pool-zh-dark")
    li.go("/admin/")
    li.picture("home-zh")
    assert li.heard == []


def test_every_telephone_number_in_a_list_stays_in_one_line(demo_screens: Screens) -> None:
    ada = demo_screens.person("ada")
    ada.go("/admin/customer/list?size=100")
    lines = ada.page.locator("td.phone a").evaluate_all("links => links.map(link => link.getClientRects().length)")
    assert set(lines) == {1}


def test_the_first_page_weighs_little(demo_screens: Screens) -> None:
    visitor = demo_screens.visitor()
    weights: list[int] = []
    visitor.page.on("requestfinished", lambda request: weights.append(request.sizes()["responseBodySize"]))
    visitor.go("/admin/login")
    visitor.page.wait_for_load_state("networkidle")

    assert 20_000 < sum(weights) <= 250_000


@pytest.mark.long
def test_everything_works_without_scripts(demo_screens: Screens) -> None:
    context = demo_screens.browser.new_context(java_script_enabled=False, locale="en-GB")
    page = context.new_page()
    page.goto(f"{demo_screens.address}/admin/login")
    page.fill("#login", "mei")
    page.fill("#password", demo.PASSWORD)
    page.click("form[action='/admin/login'] button")
    page.goto(f"{demo_screens.address}/admin/pooled/list?tab=open")
    page.locator("[data-row]").first.get_by_role("button", name=re.compile("Claim|领取")).click()

    expect(page.locator("h1")).to_have_text(re.compile("1"))
    context.close()
