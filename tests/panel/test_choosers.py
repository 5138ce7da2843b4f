"""Choosers in a real browser: what is typed narrows, Enter takes only what fits, and context narrows too."""

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.panel.test_stories import button, customers, owned
from tests.support.browser import NARROW, WIDE, Person, Screens

pytestmark = pytest.mark.long


def field(page: Page, label: str) -> Locator:
    return page.locator(".field", has=page.locator("label", has_text=label))


def chooser(page: Page, label: str) -> Locator:
    """The text box of the chooser with this label, opened as by a click, with its first options."""
    field(page, label).locator(".ts-control").click()
    expect(options(page).first).to_be_visible()
    return field(page, label).locator(".ts-control input")


def chosen(page: Page, label: str) -> Locator:
    """What the chooser shows as chosen; nothing, or an empty text, where nothing is."""
    return field(page, label).locator(".ts-control .item:not([data-value=''])")


def options(page: Page) -> Locator:
    return page.locator(".ts-dropdown:visible .option:not([data-value=''])")


def slow(person: Person, milliseconds: int) -> None:
    """Every request of this window takes at least so long from now on."""
    session = person.page.context.new_cdp_session(person.page)
    session.send("Network.enable")
    rates = {"offline": False, "downloadThroughput": -1, "uploadThroughput": -1}
    session.send("Network.emulateNetworkConditions", {**rates, "latency": milliseconds})


@pytest.mark.parametrize(("size", "language"), [(WIDE, "en"), (NARROW, "zh")])
def test_what_is_typed_narrows_and_enter_takes_what_fits(
    demo_screens: Screens, size: tuple[int, int], language: str
) -> None:
    owner = {"en": "Owner", "zh": "负责人"}[language]
    lead = demo_screens.person("ada", size, language=language)
    lead.go("/admin/customer/create")
    box = chooser(lead.page, owner)
    expect(options(lead.page).nth(3)).to_be_visible()  # the first ones, before anything is typed

    box.press_sequentially("Wu")

    expect(options(lead.page)).to_have_count(1)
    box.press("Enter")
    expect(chosen(lead.page, owner)).to_contain_text("Wu")
    assert lead.overflow() == 0
    assert lead.heard == []


def test_nothing_that_fits_is_said_and_enter_takes_nothing(demo_screens: Screens) -> None:
    ada = demo_screens.person("ada")
    ada.go("/admin/customer/create")
    mine = ada.page.locator("#owner_id").input_value()
    box = chooser(ada.page, "Owner")

    box.press_sequentially("Nobody of that name")
    box.press("Enter")
    ada.see("Nothing matches “Nobody of that name”.")
    box.press("Enter")
    box.press("Tab")

    ada.see("“Nobody of that name” was typed, but nothing was chosen.")
    expect(ada.page.locator("#owner_id")).to_have_value(mine)
    assert ada.page.url.endswith("/create")  # Enter has not sent the form either


def test_enter_alone_takes_nothing_and_arrows_do(demo_screens: Screens) -> None:
    ada = demo_screens.person("ada")
    ada.go("/admin/customer/create")
    mine = ada.page.locator("#owner_id").input_value()
    box = chooser(ada.page, "Owner")
    expect(options(ada.page).nth(3)).to_be_visible()
    box.press("Enter")
    expect(ada.page.locator("#owner_id")).to_have_value(mine)
    box.press("ArrowDown")
    marked = ada.page.locator(".ts-dropdown:visible .option.active").get_attribute("data-value")
    box.press("Enter")
    assert marked != mine
    expect(ada.page.locator("#owner_id")).to_have_value(marked or "")


def test_a_slow_answer_is_waited_for(demo_screens: Screens) -> None:
    """Three seconds: Enter and Tab come long before the answer, which is taken when it is there."""
    ada = demo_screens.person("ada")
    ada.go("/admin/customer/create")
    box = chooser(ada.page, "Owner")
    slow(ada, 3_000)

    box.press_sequentially("Wu", delay=30)
    box.press("Enter")
    box.press("Tab")

    expect(chosen(ada.page, "Owner")).not_to_contain_text("Wu")
    expect(field(ada.page, "Owner").locator(".chooser-note")).to_have_text("Searching…")
    expect(chosen(ada.page, "Owner")).to_contain_text("Wu", timeout=9_000)


def test_a_word_that_is_being_composed_is_not_typed_yet(demo_screens: Screens) -> None:
    """As with a Chinese input method: letters first, Enter ends the composition, then the word is there."""
    ada = demo_screens.person("ada", language="zh")
    ada.go("/admin/customer/create")
    box = chooser(ada.page, "负责人")
    session = ada.page.context.new_cdp_session(ada.page)
    expect(options(ada.page).nth(3)).to_be_visible()
    asked: list[str] = []
    ada.page.on("request", lambda request: asked.append(request.url))

    session.send("Input.imeSetComposition", {"text": "w", "selectionStart": 1, "selectionEnd": 1})
    session.send("Input.imeSetComposition", {"text": "wu", "selectionStart": 2, "selectionEnd": 2})
    ada.page.wait_for_timeout(500)
    assert asked == []
    session.send("Input.insertText", {"text": "Wu"})

    expect(options(ada.page)).to_have_count(1)
    box.press("Enter")
    expect(chosen(ada.page, "负责人")).to_contain_text("Wu")


def test_roles_are_found_by_their_name_in_either_language(demo_screens: Screens) -> None:
    ada = demo_screens.person("ada", language="zh")
    ada.go("/admin/user-role/create")
    box = chooser(ada.page, "角色")
    box.press_sequentially("销售")
    expect(options(ada.page).first).to_contain_text("销售")
    box.press("Enter")
    expect(chosen(ada.page, "角色")).to_contain_text("销售")


def test_the_customer_narrows_its_contacts(demo_screens: Screens) -> None:
    (id, _number, name), (other, _n, _other_name) = customers(demo_screens, owned(demo_screens, "li"), count=2)
    li = demo_screens.person("li")
    li.go(f"/admin/opportunity/create?customer_id=cus_{id}")
    expect(chosen(li.page, "Customer")).to_contain_text(name)
    expect(field(li.page, "Customer").locator(".ts-wrapper")).to_have_class(re.compile("locked"))

    chooser(li.page, "Contact")
    own = {x.get_attribute("data-value") for x in options(li.page).all()} - {""}
    found = li.page.context.request.get(f"{li.address}/admin/contact/lookup?customer_id=cus_{id}").json()
    assert own == {x["value"] for x in found}
    assert not own & {
        x["value"]
        for x in li.page.context.request.get(f"{li.address}/admin/contact/lookup?customer_id=cus_{other}").json()
    }


def test_a_pool_takes_the_place_of_the_owner_that_was_filled_in(demo_screens: Screens) -> None:
    ada = demo_screens.person("ada")
    ada.go("/admin/customer/create")
    expect(chosen(ada.page, "Owner")).to_have_count(1)
    box = chooser(ada.page, "Pool")
    expect(options(ada.page).nth(1)).to_be_visible()
    box.press("ArrowDown")
    box.press("Enter")
    expect(chosen(ada.page, "Pool")).to_have_count(1)
    expect(chosen(ada.page, "Owner")).to_have_count(0)
    expect(ada.page.locator("#owner_id")).to_have_value("")


PLACES = {
    "customer/create": 2,
    "contact/create": 2,
    "opportunity/create": 2,
    "follow-up/create": 1,
    "user-role/create": 2,
    "pool-member/create": 4,
    "department/create": 1,
    "claim-rule/create": 1,
    "log": 1,
    "policy/simulator": 1,
    "customer/list": 2,
    "opportunity/list": 2,
    "user/list": 1,
}
"""Address -> the least number of choosers whose records the server finds."""


def test_wherever_a_chooser_stands_it_takes_what_is_typed_and_nothing_else(demo_screens: Screens) -> None:
    ada = demo_screens.person("ada")
    for path, least in PLACES.items():
        ada.go(f"/admin/{path}")
        if path.endswith("/list"):
            ada.page.locator(".filters summary").click()
        keys = ada.page.evaluate(
            "[...document.querySelectorAll('select[data-lookup]')].filter((each) => !('fixed' in each.dataset)).map((each) => each.id)"
        )
        assert len(keys) >= least, (path, keys)
        for key in reversed(keys):  # a customer that was chosen would narrow its contacts
            narrow_and_take(ada.page, key, path)
    assert ada.heard == []


def narrow_and_take(page: Page, key: str, path: str) -> None:
    """Type nonsense, then the name of the last option: nothing is taken, then that one."""
    wrapper = page.locator(f"[id='{key}'] + .ts-wrapper")
    box = wrapper.locator(".ts-control input")
    if not page.locator(f"[id='{key}']").evaluate("(each) => each.multiple"):
        page.locator(f"[id='{key}']").evaluate("(each) => each.tomselect.clear(true)")
    wrapper.locator(".ts-control").click()
    expect(options(page).first, f"{path} {key}").to_be_visible()
    expect(wrapper).not_to_have_class(re.compile(r"\bloading\b"))
    value, label = options(page).last.evaluate("(each) => [each.dataset.value, each.firstChild.textContent.trim()]")
    box.press_sequentially("zzqqxx")
    expect(options(page)).to_have_count(0)
    box.press("Enter")
    assert page.locator(f"[id='{key}']").evaluate("(each) => each.value") == "", (path, key)

    box.fill(label)
    expect(page.locator(f".ts-dropdown:visible .option[data-value='{value}']"), f"{path} {key}").to_be_visible()
    while page.locator(".ts-dropdown:visible .option.active").get_attribute("data-value") != value:
        box.press("ArrowDown")
    box.press("Enter")
    expect(page.locator(f"[id='{key}']"), f"{path} {key}").to_have_js_property("value", value)
    page.keyboard.press("Escape")


def test_filters_narrow_by_what_is_typed(demo_screens: Screens) -> None:
    ada = demo_screens.person("ada")
    ada.go("/admin/customer/list")
    ada.page.locator(".filters summary").click()
    box = chooser(ada.page, "Owner")
    box.press_sequentially("Wu")
    expect(options(ada.page)).to_have_count(1)
    box.press("Enter")
    button(ada.page, "Apply")
    expect(ada.page.locator(".chip").first).to_contain_text("Wu")
