"""Nothing that is typed is lost, in a real browser: lost sessions, Esc, a broken line, Back, and two clicks."""

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select

from models import Contact, FollowUp
from tests.panel.test_choosers import slow
from tests.panel.test_stories import button, customers, owned, read
from tests.support.browser import NARROW, WIDE, Person, Screens

pytestmark = pytest.mark.long


def sign_in_again(person: Person, login: str) -> None:
    """On the page that a lost session leads to."""
    person.page.locator("[name=login]").fill(login)
    person.page.locator("[name=password]").fill("millpond-demo")
    person.page.keyboard.press("Enter")


def open_drawer(page: Page, tab: str) -> None:
    page.locator(".related .tabs a", has_text=tab).click()
    expect(page.locator(".related .tabs a[aria-current]")).to_contain_text(tab)
    page.locator("#related [hx-target='#drawer-body']").first.click()
    expect(page.locator("#drawer form[data-form]")).to_be_visible()


def contents(shown: Screens, text: str) -> int:
    return len(read(shown, select(FollowUp.id).where(FollowUp.content == text)))


def test_a_form_whose_session_ended_comes_back_with_its_text(demo_screens: Screens) -> None:
    id, _number, name = customers(demo_screens, owned(demo_screens, "li"))[0]
    li = demo_screens.person("li")
    li.go(f"/admin/customer/edit/cus_{id}")
    li.page.get_by_label("Latest need").fill("Ninety lamps")
    li.page.context.clear_cookies()

    li.page.keyboard.press("Control+s")
    sign_in_again(li, "li")

    li.see("What you had typed is here again.")
    expect(li.page.get_by_label("Latest need")).to_have_value("Ninety lamps")
    li.page.keyboard.press("Control+s")
    li.see("Saved.")
    li.see("Ninety lamps")
    li.go(f"/admin/customer/edit/cus_{id}")
    expect(li.page.locator("h1")).to_contain_text(name)
    expect(li.page.locator(".draft")).to_have_count(0)


@pytest.mark.parametrize(("size", "language"), [(WIDE, "en"), (NARROW, "zh")])
def test_a_drawer_whose_session_ended_opens_again_with_its_text(
    demo_screens: Screens, size: tuple[int, int], language: str
) -> None:
    id, _number, _name = customers(demo_screens, owned(demo_screens, "li"))[0]
    text = f"Asked for samples {language}"
    li = demo_screens.person("li", size, language=language)
    li.go(f"/admin/customer/details/cus_{id}")
    open_drawer(li.page, {"en": "Follow-ups", "zh": "跟进记录"}[language])
    li.page.locator("#drawer [name=content]").fill(text)
    li.page.context.clear_cookies()

    li.page.keyboard.press("Control+s")
    expect(li.page.locator("[name=password]")).to_be_visible()
    sign_in_again(li, "li")

    expect(li.page.locator("#drawer [name=content]")).to_have_value(text)
    assert contents(demo_screens, text) == 0
    li.page.keyboard.press("Control+s")
    expect(li.page.locator("#drawer")).not_to_be_visible()
    expect(li.page.locator("tr.is-marked")).to_be_visible()  # one stays on the customer, and the new row is marked
    assert f"cus_{id}" in li.page.url
    assert contents(demo_screens, text) == 1
    assert li.overflow() == 0


def test_closing_a_drawer_asks_and_a_broken_line_keeps_it(demo_screens: Screens) -> None:
    id, _number, _name = customers(demo_screens, owned(demo_screens, "li"))[0]
    li = demo_screens.person("li")
    li.go(f"/admin/customer/details/cus_{id}")
    open_drawer(li.page, "Follow-ups")
    box = li.page.locator("#drawer [name=content]")
    box.fill("Half a sentence")

    for leave in (lambda: li.page.keyboard.press("Escape"), lambda: li.page.mouse.click(5, 5)):
        leave()
        li.see("Give up what you have typed?")
        button(li.page, "Keep editing")
        expect(box).to_have_value("Half a sentence")
    li.page.context.set_offline(True)
    button(li.page.locator("#drawer"), "Save")  # type: ignore[arg-type]
    li.see("The server cannot be reached.")
    expect(box).to_have_value("Half a sentence")
    assert contents(demo_screens, "Half a sentence") == 0
    li.page.context.set_offline(False)

    li.page.keyboard.press("Escape")
    button(li.page, "Give it up")
    expect(li.page.locator("#drawer")).not_to_be_visible()
    open_drawer(li.page, "Follow-ups")
    expect(li.page.locator("#drawer [name=content]")).to_have_value("")


def test_what_was_typed_is_there_after_leaving_and_back(demo_screens: Screens) -> None:
    li = demo_screens.person("li")
    li.page.on("dialog", lambda asked: asked.accept())
    li.go("/admin/customer/create")
    li.page.locator("#name").fill("Left and came back")
    li.page.wait_for_timeout(300)
    li.page.locator(".side a").first.click()
    expect(li.page).not_to_have_url(f"{li.address}/admin/customer/create")

    li.page.go_back()

    expect(li.page.locator("#name")).to_have_value("Left and came back")
    li.page.locator(".form-foot a[data-cancel]").click()
    li.go("/admin/customer/create")
    expect(li.page.locator("#name")).to_have_value("")


def test_two_clicks_on_a_slow_line_make_one(demo_screens: Screens) -> None:
    id, _number, _name = customers(demo_screens, owned(demo_screens, "li"))[0]
    li = demo_screens.person("li")
    li.go(f"/admin/customer/details/cus_{id}")
    open_drawer(li.page, "Follow-ups")
    li.page.locator("#drawer [name=content]").fill("Clicked twice")
    slow(li, 1_000)
    save = li.page.locator("#drawer [data-save]")

    save.click()
    save.click(force=True)
    li.page.keyboard.press("Control+s")
    expect(save).to_have_attribute("aria-disabled", "true")
    expect(li.page.locator("#drawer")).not_to_be_visible(timeout=9_000)
    assert contents(demo_screens, "Clicked twice") == 1

    li.go("/admin/contact/create?customer_id=cus_" + str(id))
    li.page.locator("#name").fill("Twice Pressed")
    li.page.locator("[name='points-value']").first.fill("13800001111")
    li.page.evaluate("for (let n = 0; n < 3; n++) document.querySelector('[data-save]').click()")
    li.see("Saved.")
    assert len(read(demo_screens, select(Contact.id).where(Contact.name == "Twice Pressed"))) == 1


def test_the_composer_keeps_its_text_over_a_lost_session_and_is_empty_after_it_saved(demo_screens: Screens) -> None:
    id, _number, _name = customers(demo_screens, owned(demo_screens, "li"))[0]
    li = demo_screens.person("li")
    li.go(f"/admin/customer/details/cus_{id}")
    li.page.locator(".composer [name=content]").fill("Agreed on twelve pallets")
    li.page.context.clear_cookies()

    li.page.locator(".composer [data-save]").click()
    sign_in_again(li, "li")

    expect(li.page.locator(".composer [name=content]")).to_have_value("Agreed on twelve pallets")
    assert contents(demo_screens, "Agreed on twelve pallets") == 0
    li.page.locator(".composer [data-save]").dblclick()
    expect(li.page.locator("#related")).to_contain_text("Agreed on twelve pallets")
    assert f"/customer/details/cus_{id}" in li.page.url
    expect(li.page.locator(".composer [name=content]")).to_have_value("")
    assert contents(demo_screens, "Agreed on twelve pallets") == 1
    assert li.page.evaluate("Object.keys(sessionStorage).filter((key) => key.startsWith('draft:')).length") == 0
