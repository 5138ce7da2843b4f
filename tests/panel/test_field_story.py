"""The story of a maintainer: a customer is found and changed, a field is added, seen, filtered by, and hidden from a role."""

import re

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import create_engine, select

from models import Customer
from tests.support.browser import NARROW, Person, Screens

NUMBER = "C2024001"
NAME, LABEL = "客户满意度评分", "Satisfaction"
OPTIONS = (
    ("非常满意", "Very satisfied"),
    ("满意", "Satisfied"),
    ("一般", "Neutral"),
    ("不满意", "Dissatisfied"),
    ("非常不满意", "Very dissatisfied"),
)


def customer(shown: Screens) -> int:
    """The id of the customer with the number of the story."""
    engine, c = create_engine(shown.url), Customer.__table__.c
    with engine.connect() as connection:
        found: int = connection.execute(select(c.id).where(c.number == NUMBER)).scalar_one()
    engine.dispose()
    return found


def define(ada: Person) -> None:
    page = ada.go("/admin/custom-field/create")
    page.locator("#kind").select_option("SINGLE_CHOICE")
    page.locator("#label_zh").fill(NAME)
    page.locator("#label_en").fill(LABEL)
    for n, (chinese, english) in enumerate(OPTIONS):
        if n >= page.locator("[name=options-zh]").count():
            page.locator("[data-option-add]").click()
        page.locator("[name=options-zh]").nth(n).fill(chinese)
        page.locator("[name=options-en]").nth(n).fill(english)
    page.locator("#is_required").check()
    expect(page.locator("#preview")).to_contain_text("非常满意")


def save(page: Page) -> None:
    page.keyboard.press("Control+s")
    page.wait_for_url("**/details/**")


@pytest.mark.long
def test_a_maintainer_adds_a_field_and_hides_it_from_a_role(demo_screens: Screens) -> None:
    id = customer(demo_screens)
    ada = demo_screens.person("ada", language="zh")
    page = ada.go(f"/admin/customer/list?q={NUMBER}")
    page.get_by_role("link", name=NUMBER, exact=True).first.click()
    page.wait_for_url("**/details/**")
    page.locator("[data-edit]").wait_for()
    page.keyboard.press("e")
    page.wait_for_url("**/edit/**")
    page.get_by_label("电话", exact=True).fill("021-6888 7700")
    page.get_by_label("最新需求").fill("春节前需要 500 把椅子")
    page.get_by_label("客户阶段").select_option(index=2)
    save(page)
    page.goto(f"{ada.address}/admin/customer/details/cus_{id}?tab=history")
    story = page.locator(".story li").first
    for said in ("021-6888 7700", "春节前需要 500 把椅子", "客户阶段"):
        expect(story).to_contain_text(said)
    ada.picture("maintenance-history-zh")

    define(ada)
    ada.picture("field-form-zh")
    assert (ada.overflow(), ada.faults()) == (0, [])
    save(page)
    ada.see("更改类型")
    ada.picture("field-zh")
    ada.go("/admin/custom-field/list")
    ada.picture("fields-zh")
    assert (ada.overflow(), ada.faults()) == (0, [])

    page = ada.go(f"/admin/customer/edit/cus_{id}")
    page.get_by_label(NAME).select_option(label="满意")
    save(page)
    fact = page.locator(".fact-list").filter(has_text=NAME)
    expect(fact).to_contain_text("满意")
    fact.scroll_into_view_if_needed()
    ada.picture("field-on-page-zh")
    page = ada.go("/admin/customer/list?f_custom.satisfaction=satisfied")
    expect(page.locator("[data-row]")).to_have_count(1)
    expect(page.locator(".chips")).to_contain_text(f"{NAME}: 满意")
    ada.picture("field-filter-zh")

    sam = demo_screens.person("sam")
    sam.go(f"/admin/customer/details/cus_{id}")
    sam.see(LABEL)
    hide(demo_screens.person("rolf"))
    sam.go(f"/admin/customer/details/cus_{id}")
    expect(sam.page.locator("h1")).to_be_visible()
    assert LABEL not in sam.page.content()
    sam.go("/admin/customer/list?f_custom.satisfaction=satisfied")
    assert LABEL not in sam.page.content()
    assert ada.heard == sam.heard == []


def hide(rolf: Person) -> None:
    """Hide the field from support, as a role manager does: one click, a look at what it does, a reason."""
    page = rolf.go("/admin/policy?tab=fields&role=support&module=customer")
    button = page.locator("#field-customer-custom-satisfaction-hidden")
    button.click()
    expect(button).to_have_attribute("aria-pressed", "true")
    rolf.picture("field-hidden")
    page.get_by_role("link", name="Review").click()
    page.get_by_label("Why?").fill("ratings are for sales")
    page.get_by_role("button", name="Put in force").click()
    page.get_by_text("is in force.", exact=False).first.wait_for()


@pytest.mark.long
def test_the_manager_is_usable_on_a_phone_and_by_keyboard(demo_screens: Screens) -> None:
    for language in ("en", "zh"):
        ada = demo_screens.person("ada", NARROW, language=language)
        for path in ("list", "create", "details/fld_1", "edit/fld_1", "kind/fld_1"):
            ada.go(f"/admin/custom-field/{path}")
            ada.page.wait_for_timeout(500)
            assert (path, ada.overflow(), ada.faults()) == (path, 0, [])
        ada.picture(f"field-phone-{language}")
        page = ada.go("/admin/custom-field/list")
        names = page.locator("[data-row] .open").all_inner_texts()
        page.locator("[data-row]").nth(1).get_by_role("button", name=re.compile("Move up|上移")).press("Enter")
        expect(page.locator("[data-row] .open").first).to_have_text(names[1])
        assert ada.heard == []
