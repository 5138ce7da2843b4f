"""A list is exported from its page in a real browser, wide and narrow, in both languages, and downloaded when it is done."""

import pytest
from playwright.sync_api import expect

from tests.support.browser import NARROW, Screens


@pytest.mark.long
def test_a_list_is_exported_and_the_finished_file_is_downloaded(demo_screens: Screens) -> None:
    lead = demo_screens.person("lead")
    page = lead.go("/admin/customer/list?f_level=a")
    page.get_by_role("link", name="Export", exact=True).click()
    form = page.locator("#export-form")
    form.wait_for()
    expect(form.get_by_label("This list, as it is filtered")).to_be_checked()
    form.get_by_label("CSV text").check()
    assert lead.overflow() == 0
    assert lead.faults() == []
    lead.picture("export")
    form.locator(".btn-primary").click()
    page.wait_for_url("**/admin/exports")
    lead.see("Level is one of A")
    assert lead.overflow() == 0
    assert lead.faults() == []

    with page.expect_download() as begun:
        page.get_by_role("link", name="Download").first.click()
    assert begun.value.suggested_filename.endswith(".xlsx")
    lead.picture("exports")


@pytest.mark.long
def test_chosen_rows_go_to_the_form_and_columns_are_kept(demo_screens: Screens) -> None:
    ada = demo_screens.person("ada")
    page = ada.go("/admin/customer/list")
    page.locator("tbody input[name=ids]").first.check()
    page.locator(".bulk").get_by_role("button", name="Export").click()
    form = page.locator("#export-form")
    form.wait_for()
    expect(form.get_by_label("The selected records")).to_be_checked()
    form.locator("details summary").click()
    form.get_by_label("Name of the columns").fill("Short")
    form.get_by_role("button", name="Keep", exact=True).click()
    page.get_by_text("The columns are kept as “Short”.").wait_for()
    expect(page.locator("#export-form").get_by_label("The selected records")).to_be_checked()
    assert ada.faults() == []


@pytest.mark.long
@pytest.mark.parametrize("path", ["/admin/customer/export", "/admin/exports", "/admin/pooled/export"])
def test_the_pages_fit_a_phone_in_chinese(demo_screens: Screens, path: str) -> None:
    lead = demo_screens.person("lead", NARROW, language="zh")
    lead.go(path)
    assert lead.overflow() == 0
    assert lead.faults() == []
