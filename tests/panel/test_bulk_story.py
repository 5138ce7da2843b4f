"""Customers are changed at once in a real browser: chosen, previewed, confirmed, looked at, undone."""

import threading

import pytest
from playwright.sync_api import expect

import tasks
from millpond.database import opened
from tasks.engine import Engine
from tests.support.browser import NARROW, Screens


def carry_out(screens: Screens) -> None:
    """Do what a worker would, as the served demo has none, in a thread without the event loop of the browser."""

    def run() -> None:
        tasks.load()
        with opened(screens.url) as backend:
            Engine(backend, "story", kinds=("change_in_bulk",)).run_due()

    thread = threading.Thread(target=run)
    thread.start()
    thread.join(60)


@pytest.mark.long
def test_customers_are_changed_previewed_and_undone_with_the_keyboard(demo_screens: Screens) -> None:
    lead = demo_screens.person("lead")
    page = lead.go("/admin/customer/list?f_level=b")
    for box in page.locator("tbody input[name=ids]").all()[:3]:
        box.check()
    page.locator(".bulk").get_by_role("button", name="Change", exact=True).click()
    form = page.locator("#bulk-change")
    form.wait_for()
    expect(form.get_by_label("The selected records")).to_be_checked()
    form.get_by_label("What to change").select_option(label="Level")
    value = form.locator("select[name=level]")
    value.wait_for(state="attached")
    page.evaluate(
        "for (const it of document.querySelectorAll('#bulk-change select[name=level]'))"
        " { it.tomselect ? it.tomselect.setValue('a') : it.value = 'a' }"
    )
    form.get_by_label("Reason").fill("Yearly review")
    form.get_by_label("Reason").press("Enter")
    form.locator(".bulk-preview").wait_for()
    assert lead.overflow() == 0
    assert lead.faults() == []
    lead.picture("bulk-preview")
    form.get_by_role("button", name="Change them").press("Enter")
    page.wait_for_url("**/admin/bulk/blk_*")
    carry_out(demo_screens)
    lead.see("Finished")
    assert lead.faults() == []
    lead.picture("bulk-result")

    page.locator("details summary", has_text="Undo").press("Enter")
    page.get_by_role("button", name="Undo it now").press("Enter")
    page.wait_for_url("**/admin/bulk/blk_*")
    page.get_by_role("heading", name="Undoing: Customers").wait_for()
    carry_out(demo_screens)
    lead.see("Finished")
    lead.picture("bulk-undone")


@pytest.mark.long
def test_the_owner_of_all_that_a_filter_finds_on_a_phone_in_chinese(demo_screens: Screens) -> None:
    lead = demo_screens.person("lead", NARROW, language="zh")
    page = lead.go("/admin/customer/change?f_level=b&field=owner_id")
    page.locator("#bulk-change").wait_for()
    assert (lead.overflow(), lead.faults()) == (0, [])
    lead.picture("bulk-owner-phone")
    lead.go("/admin/bulk")
    page.get_by_role("heading", name="批量修改").wait_for()
    assert (lead.overflow(), lead.faults()) == (0, [])
    page.locator("a.open").first.click()
    page.locator("#bulk-result").wait_for()
    assert (lead.overflow(), lead.faults()) == (0, [])
