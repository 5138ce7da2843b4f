"""The palette in a real browser: by the keyboard alone, in Chinese, on a phone, on a slow line, after a lost session."""

import re
import time

import pytest
from playwright.sync_api import Page, Route, expect
from sqlalchemy import create_engine, select, text

from models import Customer, User
from tests.support.browser import NARROW, Person, Screens

BOX, OPTION, CHOSEN = "#palette input", "#palette [role=option]", "#palette [aria-selected=true]"


def customer(shown: Screens, login: str) -> tuple[int, str, str]:
    """(id, number, name) of a customer of this user."""
    c, u = Customer.__table__.c, User.__table__.c
    engine = create_engine(shown.url)
    with engine.connect() as connection:
        owner = select(u.id).where(u.login == login).scalar_subquery()
        wanted = select(c.id, c.number, c.name).where(c.owner_id == owner, c.deleted_at.is_(None)).order_by(c.id)
        row = connection.execute(wanted.limit(1)).one()
    engine.dispose()
    return row[0], row[1], row[2]


def opened(person: Person, key: str = "Control+k") -> Page:
    person.page.keyboard.press(key)
    expect(person.page.locator(BOX)).to_be_focused()
    return person.page


@pytest.mark.long
def test_the_keyboard_alone_finds_opens_and_comes_back(demo_screens: Screens) -> None:
    id, number, name = customer(demo_screens, "li")
    li = demo_screens.person("li")
    li.go(f"/admin/customer/details/cus_{id}")
    li.go("/admin/account")
    li.page.locator(".account summary").focus()

    page = opened(li)
    expect(page.locator(OPTION).first).to_contain_text(name)  # opened lately
    assert li.faults() == []
    page.keyboard.press("ArrowUp")
    last = page.locator(OPTION).last
    expect(page.locator(BOX)).to_have_attribute("aria-activedescendant", str(last.get_attribute("id")))
    page.keyboard.press("Home")
    expect(page.locator(OPTION).first).to_have_attribute("aria-selected", "true")
    page.keyboard.press("End")
    expect(last).to_have_attribute("aria-selected", "true")
    page.keyboard.press("ArrowDown")
    expect(page.locator(OPTION).first).to_have_attribute("aria-selected", "true")
    page.keyboard.press("Escape")
    expect(page.locator(".account summary")).to_be_focused()
    expect(page.locator("#palette")).to_be_hidden()

    opened(li, "/")
    page.keyboard.type(number.lower())
    page.keyboard.press("Enter")  # before the answer is there
    expect(page.locator("h1")).to_have_text(name)
    opened(li)
    page.keyboard.type("transfer " + number)
    expect(page.locator(CHOSEN)).to_contain_text(f"Transfer: {name}")
    expect(page.locator("#palette [role=status]")).to_contain_text("result")
    li.picture("palette-command")
    assert li.faults() == []
    page.keyboard.press("Enter")
    expect(page.locator("#dialog")).to_be_visible()
    expect(page.locator("#dialog")).to_contain_text(number)
    page.keyboard.press("Escape")
    opened(li)
    page.keyboard.type("transf")
    expect(page.locator(OPTION).first).to_contain_text("Transfer …")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.locator(BOX)).to_have_value("Transfer ")
    page.locator(BOX).fill("qqqq zzzz")
    expect(page.locator("#palette [role=status]")).to_have_text("Nothing matches “qqqq zzzz”.")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"/admin/search\?q=qqqq"))
    assert li.faults() == []

    opened(li)
    page.keyboard.type("opportunities")
    expect(page.locator(CHOSEN)).to_contain_text("Opportunities")
    with page.context.expect_page() as other:
        page.keyboard.press("Control+Enter")
    expect(other.value.locator("h1")).to_have_text("Opportunities")
    assert li.heard == []


@pytest.mark.long
def test_an_input_method_ends_a_word_by_enter_and_nothing_opens(demo_screens: Screens) -> None:
    li = demo_screens.person("li", NARROW, language="zh")
    li.go("/admin/account")
    li.page.locator("[data-palette]").click()
    page = li.page
    expect(page.locator(BOX)).to_be_focused()
    composing = page.context.new_cdp_session(page)
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.url))
    for typed in ("k", "ke", "ke'j", "ke'ji"):
        composing.send(
            "Input.imeSetComposition", {"text": typed, "selectionStart": len(typed), "selectionEnd": len(typed)}
        )
    key = {
        "type": "rawKeyDown",
        "key": "Process",
        "code": "Enter",
        "windowsVirtualKeyCode": 229,
        "nativeVirtualKeyCode": 229,
    }
    composing.send("Input.dispatchKeyEvent", key)
    page.wait_for_timeout(400)
    assert [url for url in sent if "found" in url] == []

    composing.send("Input.insertText", {"text": "科技"})
    expect(page.locator(OPTION).first).to_be_visible()
    expect(page.locator("#palette-list")).to_contain_text("科技")
    expect(page).to_have_url(re.compile("/admin/account"))
    li.picture("palette-phone-zh")
    assert li.overflow() <= 0
    assert li.faults() == []
    page.locator(OPTION).first.click()
    expect(page).to_have_url(re.compile("/details/"))
    assert li.heard == []


@pytest.mark.long
def test_a_slow_line_is_told_an_old_answer_is_dropped_and_a_broken_one_can_be_tried_again(
    demo_screens: Screens,
) -> None:
    id, number, name = customer(demo_screens, "li")
    li = demo_screens.person("li")
    page = li.go("/admin/")

    def slow(route: Route) -> None:
        if "q=cont" in route.request.url:
            time.sleep(1.2)
        route.continue_()

    page.route("**/admin/palette/found*", slow)
    opened(li)
    page.keyboard.type("cont")
    expect(page.locator("#palette [role=status]")).to_have_text("Searching…")
    page.locator(BOX).fill(number)
    expect(page.locator(OPTION).first).to_contain_text(name)
    page.wait_for_timeout(1_300)
    expect(page.locator(OPTION).first).to_contain_text(name)

    page.unroute("**/admin/palette/found*")
    page.route("**/admin/palette/found*", lambda route: route.abort())
    page.locator(BOX).fill("policy")
    expect(page.locator("#palette [role=status]")).to_contain_text(re.compile("reached|work"))
    page.unroute("**/admin/palette/found*")
    page.locator(BOX).fill(number)
    expect(page.locator(OPTION).first).to_contain_text(name)
    assert id


@pytest.mark.long
def test_a_lost_session_leads_to_the_sign_in_and_back_with_what_was_typed(demo_screens: Screens) -> None:
    _id, number, name = customer(demo_screens, "mei")
    mei = demo_screens.person("mei")
    page = mei.go("/admin/contact/list")
    opened(mei)
    page.context.clear_cookies()
    page.keyboard.type(number)

    expect(page.locator("#login")).to_be_visible()
    page.fill("#login", "mei")
    page.fill("#password", "millpond-demo")
    page.keyboard.press("Enter")

    expect(page.locator(BOX)).to_have_value(number)
    expect(page.locator(OPTION).first).to_contain_text(name)
    expect(page).to_have_url(re.compile("/admin/contact/list"))


@pytest.mark.long
def test_what_is_opened_lately_is_forgotten_with_the_right_to_see_it(demo_screens: Screens) -> None:
    id, _number, name = customer(demo_screens, "wu")
    wu = demo_screens.person("wu")
    page = wu.go(f"/admin/customer/details/cus_{id}")
    opened(wu)
    expect(page.locator("#palette-list")).to_contain_text(name)
    engine = create_engine(demo_screens.url)

    def give(login: str) -> None:
        with engine.begin() as connection:
            owner = f"(SELECT id FROM app_user WHERE login = '{login}')"
            connection.execute(text(f"UPDATE customer SET owner_id = {owner}, department_id = NULL WHERE id = {id}"))

    give("mei")
    wu.go("/admin/account")
    opened(wu)
    expect(page.locator(OPTION).first).to_be_visible()
    expect(page.locator("#palette-list")).not_to_contain_text(name)
    give("wu")
    engine.dispose()
