"""Two browsers at one pool: what one claims is gone in the other within a second, and the bell rings."""

import time

import pytest
from playwright.sync_api import Route, expect

from tests.panel.test_palette_story import customer
from tests.support.browser import Screens

SECOND = 1_000
LOCK = """(id) => fetch('/graphql', {method: 'POST', headers: {'content-type': 'application/json'}, body: JSON.stringify({
  query: 'mutation ($ids: [ID!]!) { lockCustomers(input: {ids: $ids}) { ids } }', variables: {ids: [id]}})})
  .then((answer) => answer.text())"""


@pytest.mark.long
def test_a_claimed_row_vanishes_in_the_other_browser_and_the_bell_rings(demo_screens: Screens) -> None:
    li, wu = demo_screens.person("li"), demo_screens.person("wu", language="zh")
    for person in (li, wu):
        person.go("/admin/pooled/list?tab=open")
    both = [person.page.locator("#rows [name=ids]") for person in (li, wu)]
    shown = [{str(box.get_attribute("value")) for box in boxes.all()} for boxes in both]
    id = min(shown[0] & shown[1])
    row = wu.page.locator(f'#rows tr:has([name=ids][value="{id}"])')
    expect(row).to_be_visible()

    with li.page.expect_response("**/do/claim**"):
        li.page.locator(f'#rows tr:has([name=ids][value="{id}"])').get_by_role("button", name="Claim").click()
    expect(row).to_have_count(0, timeout=SECOND)
    expect(wu.page.locator("#rows tr")).not_to_have_count(1)  # the others stay

    mine, _, _ = customer(demo_screens, "wu")
    bell = wu.page.locator("#bell")
    before = int(bell.text_content() or "0")
    ada = demo_screens.person("ada")
    ada.go("/admin/")
    assert f"cus_{mine}" in ada.page.evaluate(LOCK, f"cus_{mine}")
    expect(bell).to_have_text(str(before + 1), timeout=SECOND)

    bell.click()
    wu.see("已被锁定")
    assert [line for line in wu.heard if "Content Security" in line] == []
    assert wu.faults() == []
    wu.picture("notifications-zh")


@pytest.mark.long
def test_a_claim_is_told_although_the_row_left_before_the_answer_came(demo_screens: Screens) -> None:
    li = demo_screens.person("li")
    li.go("/admin/pooled/list?tab=open")
    row = li.page.locator("[data-row]").first
    name = row.get_by_role("button", name="Claim").get_attribute("aria-label")

    def answer_late(route: Route) -> None:
        answer = route.fetch()
        time.sleep(2)  # until the pool has told the page that the row has left
        route.fulfill(response=answer)

    li.page.route("**/do/claim**", answer_late)
    row.get_by_role("button", name="Claim").click()

    li.see("Claim: 1 done")
    expect(li.page.get_by_role("button", name=str(name))).to_have_count(0)
