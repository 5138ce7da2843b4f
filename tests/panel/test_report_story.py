"""A lead looks at reports in a real browser: from a figure to its list, to a kept report, to a file; in both languages."""

import re

import pytest
from playwright.sync_api import expect

from tests.support.browser import NARROW, Screens


@pytest.mark.long
def test_a_lead_goes_from_a_report_to_its_list_keeps_it_and_takes_it_along(demo_screens: Screens) -> None:
    lead = demo_screens.person("lead")
    page = lead.go("/admin/report")
    assert lead.faults() == []
    lead.picture("reports")
    page.get_by_role("link", name="New and lost customers", exact=True).click()
    page.get_by_label("Period", exact=True).select_option("year")
    page.get_by_label("Grouped by").select_option("region")
    page.get_by_role("button", name="Show").click()
    page.wait_for_url("**period=year**")
    assert lead.overflow() == 0
    assert lead.faults() == []
    lead.picture("report")

    bar = page.locator(".bars a").first
    figure = bar.locator(".bar-value").inner_text()
    bar.click()
    page.wait_for_url("**/admin/customer/list**")
    expect(page.locator("main")).to_contain_text(re.compile(rf"\b{figure}\b"))

    page.go_back()
    page.locator(".report-ways summary").click()
    page.get_by_label("Keep this report as").fill("My year")
    page.locator(".report-ways").get_by_role("button", name="Keep", exact=True).click()
    page.wait_for_url("**kept=viw_**")
    page.get_by_role("button", name="Workbook for Excel").click()
    page.wait_for_url("**/admin/exports")
    lead.see("New and lost customers")


@pytest.mark.long
@pytest.mark.parametrize("key", ["customers", "new-and-lost", "follow-ups", "forecast", "pool-health"])
def test_the_pages_fit_a_phone_in_chinese(demo_screens: Screens, key: str) -> None:
    lead = demo_screens.person("lead", NARROW, language="zh")
    lead.go(f"/admin/report/show?key={key}")
    assert lead.overflow() == 0
    assert lead.faults() == []
    if key == "forecast":
        lead.picture("report-phone-zh")
