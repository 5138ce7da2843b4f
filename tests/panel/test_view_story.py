"""A search is built by the keyboard, kept, shared, and opened by somebody else in Chinese, in a real browser."""

import pytest
from playwright.sync_api import Page, Route, expect

from tests.support.browser import NARROW, Screens


def pick(page: Page, place: str, text: str) -> None:
    """Choose an option of the select that has the focus, by its first letters, and wait for the next form."""
    with page.expect_response(lambda answer: "/search" in answer.url):
        page.keyboard.type(text)
    page.locator(f"[id='{place}']").wait_for()
    page.wait_for_timeout(150)


@pytest.mark.long
def test_a_search_is_built_by_the_keyboard_kept_shared_and_opened_by_another(demo_screens: Screens) -> None:
    ada = demo_screens.person("ada")
    page = ada.go("/admin/customer/list")
    page.get_by_role("link", name="Search in detail").focus()
    page.keyboard.press("Enter")
    page.locator("#builder-form").wait_for()
    page.locator("[id='g-0-f']").focus()
    pick(page, "g-0-o", "Follow-ups")
    page.locator("[id='g-0-o']").focus()
    pick(page, "g-0-g", "there is none")
    page.locator("[id='g-0-g-0-f']").focus()
    pick(page, "g-0-g-0-n", "Time of")
    page.locator("[id='g-0-g-0-n']").focus()
    page.keyboard.type("30")
    page.keyboard.press("Enter")

    ada.see("has no Follow-ups (Time of the follow-up in the last 30 days)")
    page.wait_for_url("**/customer/list?c=*")
    first = page.locator("tbody tr a.named, tbody tr a").first.inner_text()
    ada.picture("search-in-detail")
    page.locator("details.views > summary").press("Enter")
    page.get_by_label("Keep this list as").fill("Quiet customers")
    page.keyboard.press("Enter")
    page.wait_for_url("**/customer/list?view=viw_*")
    address = page.url.removeprefix(ada.address)
    expect(page.locator(".view-tab[aria-current=page] .badge")).not_to_be_empty()
    page.reload()
    assert page.locator("tbody tr a.named, tbody tr a").first.inner_text() == first
    assert ada.faults() == []
    ada.picture("view")

    page.locator("details.views > summary").click()
    page.get_by_label("Everyone").check()
    page.get_by_role("button", name="Share", exact=True).click()
    page.wait_for_url(f"**{address}")
    li = demo_screens.person("li", NARROW, language="zh")
    li.go(address)
    li.see("没有跟进记录（跟进时间在最近30天）")
    assert li.overflow() == 0
    li.picture("view-narrow")
    li.page.get_by_role("link", name="高级搜索").click()
    li.page.locator("#builder-form").wait_for()
    assert li.faults() == []
    li.picture("builder-narrow")
    assert [line for line in (*ada.heard, *li.heard) if "style" not in line] == []


@pytest.mark.long
@pytest.mark.parametrize("is_asked", [False, True], ids=["before the form is sent", "before it is answered"])
def test_what_is_typed_at_once_after_a_field_was_chosen_stays(demo_screens: Screens, is_asked: bool) -> None:
    ada = demo_screens.person("ada")
    page, held = ada.go("/admin/customer/search"), list[Route]()
    value = page.locator("[id='g-0-v']")
    page.locator("[id='g-0-f']").select_option("name")
    value.wait_for()
    page.wait_for_timeout(500)
    page.route("**/customer/search?*", lambda route: held.append(route))  # noqa: PLW0108  Playwright marks its handler

    page.locator("[id='g-0-o']").select_option("endsWith")
    if is_asked:
        page.wait_for_timeout(600)
    value.press_sequentially("Ltd")
    page.wait_for_timeout(600)
    (asked,) = held
    asked.continue_()
    page.wait_for_timeout(600)
    expect(value).to_have_value("Ltd")
    expect(value).to_be_focused()
    page.keyboard.type(".")
    expect(value).to_have_value("Ltd.")

    page.locator("[id='g-0-f']").select_option("remark")
    value.fill("urgent")
    page.wait_for_timeout(600)
    held[1].continue_()
    page.wait_for_timeout(600)
    expect(value).to_have_value("urgent")
    page.unroute_all()
    value.press("Enter")
    page.wait_for_url("**/customer/list?c=*")
    assert "urgent" in page.url
    assert ada.faults() == []
