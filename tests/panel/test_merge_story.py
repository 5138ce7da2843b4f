"""A merge and its undo, in a real browser: on a desk, on a phone in Chinese, and without scripts."""

import pytest
from playwright.sync_api import expect
from sqlalchemy import create_engine, select

from models import Customer
from tests.support.browser import NARROW, Person, Screens

BEAVERS = "/admin/customer/list?q=海狸"


def beavers(shown: Screens) -> list[str]:
    """The numbers of the duplicates that the demo has ready, the older first."""
    engine, c = create_engine(shown.url), Customer.__table__.c
    with engine.connect() as connection:
        found = list(connection.execute(select(c.number).where(c.name.like("%海狸%")).order_by(c.id)).scalars())
    engine.dispose()
    return found


def side_by_side(person: Person) -> None:
    person.go(BEAVERS)
    for box in person.page.locator("input[name=ids]").all():
        box.check()
    person.page.locator("[data-command=merge]").click()
    person.page.wait_for_url("**/merge?*")


@pytest.mark.long
def test_two_records_of_one_company_become_one_and_two_again(demo_screens: Screens) -> None:
    _older, newer = beavers(demo_screens)
    lead = demo_screens.person("ada")
    side_by_side(lead)
    lead.page.get_by_role("link", name="Let this one stay").click()
    lead.page.get_by_label(f"Title {newer}").check()
    lead.page.get_by_label(f"Owner or pool {newer}").check()
    lead.picture("merge")
    assert (lead.overflow(), lead.faults()) == (0, [])

    lead.page.get_by_role("button", name="Merge").click()
    lead.see(f"Part of it now: {newer}")
    assert lead.faults() == []
    lead.page.get_by_role("link", name="Go on").click()
    lead.see(f"Merged from {newer}")
    lead.see(f"Formerly: 宁波海狸家具, {newer}")
    expect(lead.page.locator("#related")).to_contain_text("采购总监")
    lead.picture("merged")
    assert lead.faults() == []
    lead.page.get_by_role("button", name="Unmerge").click()

    lead.see("Everything is as it was before.")
    assert lead.heard == []


@pytest.mark.long
def test_a_merge_fits_a_phone_and_needs_no_scripts(demo_screens: Screens) -> None:
    lead = demo_screens.person("lead", size=NARROW)
    side_by_side(lead)
    lead.picture("phone-merge")
    assert (lead.overflow(), lead.faults()) == (0, [])

    plain = demo_screens.person("ada", scripts=False)
    side_by_side(plain)
    plain.page.get_by_role("button", name="Merge").click()
    plain.page.get_by_role("button", name="Undo").click()
    plain.see("Everything is as it was before.")
