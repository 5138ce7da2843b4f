"""From a list to its records and back, with the keys alone: the filter and the page stay, and so does the focus."""

import pytest
from playwright.sync_api import expect

from tests.support.browser import Screens

pytestmark = pytest.mark.long


def test_crumbs_lead_back_to_the_list_and_records_to_their_neighbours(demo_screens: Screens) -> None:
    li = demo_screens.person("li")
    li.go("/admin/customer/list?tab=mine&size=20&order=name")
    names = li.page.locator("[data-row] .open").all_text_contents()
    here = li.page.url
    li.page.locator("[data-row] .open").nth(1).click()
    expect(li.page.locator("[data-neighbours]")).to_be_visible()
    opened = li.page.url

    li.page.keyboard.press("j")
    expect(li.page).not_to_have_url(opened)
    expect(li.page.locator("[data-neighbours]")).to_be_visible()
    li.page.keyboard.press("k")
    expect(li.page).to_have_url(opened)
    assert len(names) > 2
    li.page.locator("[data-neighbours] [rel=prev]").click()
    expect(li.page.locator("[data-neighbours] [rel=prev]")).to_be_hidden()  # the first one of the first page
    li.page.locator(".crumbs [data-list]").click()
    expect(li.page).to_have_url(here)

    li.page.locator(".pager [rel=next]").click()
    second = li.page.url
    first = li.page.locator("[data-row] .open").first.text_content()
    li.page.locator("[data-row] .open").first.click()
    expect(li.page.locator("[data-neighbours]")).to_be_visible()
    li.page.keyboard.press("k")  # the last one of the page before
    expect(li.page.locator(".crumbs [data-list]")).not_to_have_attribute("href", second.removeprefix(li.address))
    expect(li.page.locator("[data-neighbours] [rel=next]")).to_be_visible()
    li.page.keyboard.press("j")
    expect(li.page.locator(".crumbs [data-list]")).to_have_attribute("href", second.removeprefix(li.address))
    li.page.locator(".crumbs [data-list]").click()
    expect(li.page).to_have_url(second)
    expect(li.page.locator("[data-row] .open").first).to_have_text(first or "")
    assert li.heard == []


def test_a_claim_by_key_leaves_the_focus_in_its_place(demo_screens: Screens) -> None:
    li = demo_screens.person("li")
    li.go("/admin/pooled/list")
    li.page.keyboard.press("j")
    li.page.keyboard.press("j")
    rows = li.page.locator("[data-row] .open")
    claimed, following = rows.nth(1).get_attribute("href"), rows.nth(2).get_attribute("href")
    expect(rows.nth(1)).to_be_focused()

    li.page.keyboard.press("c")

    expect(li.page.locator(f"[data-row] .open[href='{claimed}']")).to_have_count(0)
    expect(li.page.locator(f"[data-row] .open[href='{following}']")).to_be_focused()
    li.page.keyboard.press("Enter")
    expect(li.page.locator("[data-neighbours]")).to_be_visible()
    li.page.keyboard.press("c")
    li.see("Claim: 1 done")


def test_a_switched_tab_keeps_the_focus_and_slash_searches_from_anywhere(demo_screens: Screens) -> None:
    li = demo_screens.person("li")
    li.go("/admin/customer/list?tab=mine")
    li.page.locator("[data-row] .open").first.click()
    expect(li.page.locator("[data-neighbours]")).to_be_visible()
    tab = li.page.locator(".related .tabs a").nth(1)
    tab.focus()
    li.page.keyboard.press("Enter")
    expect(li.page.locator(".related .tabs a[aria-current]")).to_be_focused()
    expect(tab).to_have_attribute("aria-current", "page")

    li.page.keyboard.press("/")
    expect(li.page.locator("#palette input")).to_be_focused()
    li.page.keyboard.press("Escape")
    expect(li.page.locator(".related .tabs a[aria-current]")).to_be_focused()
    li.go("/admin/customer/list")
    li.page.keyboard.press("f")
    expect(li.page.locator("#q")).to_be_focused()
    li.page.keyboard.press("Escape")
    li.page.locator("body").click(position={"x": 2, "y": 2})
    li.page.keyboard.press("?")
    expect(li.page.locator("#keys")).to_be_visible()
    li.page.keyboard.press("Escape")
    assert li.heard == []
