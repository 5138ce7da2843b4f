"""A duplicate found in the pool while typing, and claimed from there; and what a browser does around it."""

import re

import pytest
from playwright.sync_api import Route, expect

from tests.support.browser import NARROW, Person, Screens

pytestmark = pytest.mark.long
LIVE = "**/duplicate-check/live"


def typed(person: Person, text: str) -> None:
    person.go("/admin/customer/create")
    person.page.locator("#name").press_sequentially(text)


@pytest.mark.parametrize(
    ("language", "name", "found", "claim"),
    [
        ("en", "Harbor Foods", "Harbor Foods Ltd", "Claim"),
        ("zh", "上海华兴贸易", "上海华兴贸易有限公司", "领取"),
    ],
)
def test_a_duplicate_is_found_in_the_pool_while_typing_and_claimed_from_there(
    demo_screens: Screens, language: str, name: str, found: str, claim: str
) -> None:
    li = demo_screens.person("li", language=language)
    typed(li, name)

    line = li.page.locator(".dup-line").filter(has_text=found)
    expect(line.locator(".badge")).to_have_text({"en": "Is there already", "zh": "已存在"}[language])
    li.picture(f"duplicate-while-typing-{language}")
    assert li.faults() == []
    expect(li.page.locator("#name")).to_be_focused()

    line.get_by_role("button", name=claim).press("Enter")
    dialog = li.page.locator("#dialog")
    expect(dialog).to_contain_text(found)
    dialog.get_by_role("button", name=claim, exact=True).click()

    li.page.wait_for_url(re.compile("/admin/customer/details/cus_"))
    expect(li.page.locator("h1")).to_have_text(found)
    expect(li.page.locator(".record-owner")).to_contain_text("李娜 Na Li")
    li.picture(f"duplicate-claimed-{language}")
    li.go("/admin/customer/create")
    expect(li.page.locator("#name")).to_have_value("")  # what was typed for the second one is given up


def test_a_word_that_is_being_composed_is_not_asked_about_before_it_is_there(demo_screens: Screens) -> None:
    li = demo_screens.person("li")
    asked: list[str] = []
    li.page.on("request", lambda request: asked.append(request.url) if "duplicate-check" in request.url else None)
    li.go("/admin/customer/create")
    li.page.locator("#name").focus()
    keyboard = li.page.context.new_cdp_session(li.page)

    keyboard.send("Input.imeSetComposition", {"text": "ning", "selectionStart": 4, "selectionEnd": 4})
    li.page.wait_for_timeout(800)
    assert asked == []
    keyboard.send("Input.insertText", {"text": "宁波海狸家具"})
    expect(li.page.locator(".dup-line")).to_have_count(2)


def test_an_answer_that_is_overtaken_or_fails_shows_nothing(demo_screens: Screens) -> None:
    li, held = demo_screens.person("li"), list[Route]()

    def hold_the_first(route: Route) -> None:
        if held:
            route.continue_()
        else:
            held.append(route)

    li.page.route(LIVE, hold_the_first)
    typed(li, "宁波海狸家具")
    li.page.wait_for_timeout(600)
    li.page.locator("#name").fill("Nobody Knows This One")
    li.page.wait_for_timeout(600)
    expect(li.page.locator(".dup-line")).to_have_count(0)
    assert len(held) == 1

    li.page.unroute(LIVE)
    li.page.locator("#name").fill("宁波海狸家具")
    expect(li.page.locator(".dup-line")).to_have_count(2)
    li.page.route(LIVE, lambda route: route.abort())
    li.page.locator("#name").fill("杭州鹭鸟科技")
    expect(li.page.locator(".dup-line")).to_have_count(0)


def test_a_second_one_is_saved_with_a_reason_on_a_phone_and_without_scripts(demo_screens: Screens) -> None:
    for scripts in (True, False):
        mei = demo_screens.person("mei", NARROW, language="en", scripts=scripts)
        mei.go("/admin/customer/create")
        expect(mei.page.get_by_label("Why this is another one")).to_have_count(0)
        mei.page.locator("#name").fill("杭州鹭鸟科技有限公司")
        mei.page.get_by_label("Contact's name").fill("许航")
        mei.page.get_by_label("Contact's phone").fill("0571 8820 3300")
        mei.page.get_by_role("button", name="Save").last.click()

        mei.see("is there already. Open it, or say why this is another one.")
        assert mei.overflow() == 0
        mei.picture(f"duplicate-held-up-{'phone' if scripts else 'plain'}")
        expect(mei.page.locator("#name")).to_have_value("杭州鹭鸟科技有限公司")
        mei.page.get_by_label("Why this is another one").fill("Another branch")
        mei.page.get_by_role("button", name="Save").last.click()
        mei.page.wait_for_url(re.compile("/admin/customer/details/cus_"))


def test_a_pasted_list_shows_what_is_there(demo_screens: Screens) -> None:
    li = demo_screens.person("li", NARROW)
    li.go("/admin/duplicate-check")
    li.page.locator("#table").fill("Harbour Foods\n宁波海狸家具\t0574 8766 1200\nNobody Knows This One")
    li.page.get_by_role("button", name="Check").click()

    expect(li.page.locator("tbody tr")).to_have_count(3)
    li.picture("duplicate-list-phone")
    assert (li.overflow(), li.faults()) == (0, [])
