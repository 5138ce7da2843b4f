"""The board in a browser: cards dragged, moved by keys and by a form, refused, and moved by two people at once."""

import re

import pytest
from playwright.sync_api import Locator, expect

from tests.support.browser import NARROW, Person, Screens

BOARD = "/admin/opportunity-board?whose=mine"
ASK = """async ([query, variables]) => (await fetch('/graphql', {method: 'POST', headers: {'content-type': 'application/json'},
  body: JSON.stringify({query, variables})})).json()"""
MINE = 'query { customers(first: 1, filter: {ownerId: {in: ["me"]}}) { nodes { id } } }'
CREATE = "mutation ($input: CreateOpportunityInput!) { createOpportunity(input: $input) { opportunity { id } problems { code } } }"


def deals(person: Person, *stages: str) -> list[str]:
    """The ids of new opportunities of a user in these stages, whose page shows the board."""
    person.go("/admin/account")
    customer = person.page.evaluate(ASK, [MINE, {}])["data"]["customers"]["nodes"][0]["id"]
    made = []
    for number, stage in enumerate(stages):
        given = {"customerId": customer, "name": f"Deal {number} {stage}", "stage": stage}
        answer = person.page.evaluate(ASK, [CREATE, {"input": given}])["data"]["createOpportunity"]
        made.append(str(answer["opportunity"]["id"]))
    person.go(BOARD)
    return made


def lane(person: Person, stage: str) -> Locator:
    return person.page.locator(f'[data-stage="{stage}"]')


def count(person: Person, stage: str) -> int:
    return int(str(lane(person, stage).locator(".board-count").text_content()).replace(",", ""))


@pytest.mark.long
def test_cards_go_by_mouse_by_keys_and_by_a_form(demo_screens: Screens) -> None:
    li = demo_screens.person("li")
    id, _other = deals(li, "discovery", "proposal")
    li.picture("board")
    before = count(li, "discovery"), count(li, "proposal")

    li.page.locator(f'[data-card="{id}"]').drag_to(lane(li, "proposal").locator("[data-head]"))
    expect(lane(li, "proposal").locator(f'[data-card="{id}"]')).to_be_visible()
    expect(lane(li, "proposal").locator(".board-count")).to_have_text(str(before[1] + 1))
    expect(lane(li, "discovery").locator(".board-count")).to_have_text(str(before[0] - 1))

    li.page.locator(f'[data-card="{id}"] .board-name').focus()
    with li.page.expect_response(re.compile("/opportunity-board\\?")):
        li.page.keyboard.press("Shift+ArrowRight")
    expect(lane(li, "negotiation").locator(f'[data-card="{id}"] .board-name')).to_be_focused()
    li.page.keyboard.press("ArrowLeft")
    expect(lane(li, "proposal").locator(".board-name:focus")).to_have_count(1)

    phone = demo_screens.person("li", NARROW, language="zh")
    phone.go(BOARD)
    assert (phone.overflow(), phone.faults()) == (0, [])
    phone.picture("board-phone-zh")
    phone.page.locator(f'[data-card="{id}"] [role=button]').click()
    phone.see("变更阶段")
    phone.page.locator("#dialog select[name=stage]").select_option("contract")
    phone.page.locator("#dialog button[type=submit], #dialog .form-foot .btn-primary").first.click()
    expect(lane(phone, "contract").locator(f'[data-card="{id}"]')).to_be_visible()
    assert [line for line in li.heard + phone.heard if "Content Security" in line or "Error" in line] == []
    assert li.faults() == []


@pytest.mark.long
def test_a_card_that_somebody_else_moved_goes_back_with_the_reason(demo_screens: Screens) -> None:
    li, lead = demo_screens.person("li"), demo_screens.person("lead")
    (id,) = deals(li, "negotiation")
    lead.go("/admin/opportunity-board?whose=team")
    lead.page.locator(f'[data-card="{id}"]').drag_to(lane(lead, "contract").locator("[data-head]"))
    expect(lane(lead, "contract").locator(f'[data-card="{id}"]')).to_be_visible()
    expect(lead.page.locator(f'[data-card="{id}"][aria-busy]')).to_have_count(0)

    li.page.locator(f'[data-card="{id}"]').drag_to(lane(li, "proposal").locator("[data-head]"))

    expect(li.page.locator("#board-said")).to_contain_text("Somebody else has moved this opportunity meanwhile.")
    expect(lane(li, "negotiation").locator(f'[data-card="{id}"]')).to_be_visible()
    li.picture("board-conflict")
    li.page.get_by_text("Show it as it is now").click()
    expect(lane(li, "contract").locator(f'[data-card="{id}"]')).to_be_visible()


@pytest.mark.long
def test_a_card_dragged_to_won_or_lost_asks_for_what_is_needed(demo_screens: Screens) -> None:
    li = demo_screens.person("li", (1900, 900), theme="dark")
    first, second = deals(li, "proposal", "proposal")

    li.page.locator(f'[data-card="{first}"]').drag_to(lane(li, "won").locator("[data-head]"))
    li.page.locator("#dialog input[name=amount]").fill("12500")
    li.picture("board-win")
    li.page.locator("#dialog .form-foot .btn-primary, #dialog button[type=submit]").first.click()
    expect(lane(li, "won").locator(f'[data-card="{first}"]')).to_contain_text("12,500")

    li.page.locator(f'[data-card="{second}"]').drag_to(lane(li, "lost").locator("[data-head]"))
    expect(li.page.locator("#dialog [name=lost_reason]")).to_be_attached()
    li.page.keyboard.press("Escape")
    expect(lane(li, "proposal").locator(f'[data-card="{second}"]')).to_be_visible()
    assert li.faults() == []


@pytest.mark.long
def test_without_scripts_a_card_is_moved_by_a_form(demo_screens: Screens) -> None:
    (id,) = deals(demo_screens.person("li"), "discovery")
    li = demo_screens.person("li", scripts=False)
    li.go(BOARD)

    li.page.locator(f'[data-card="{id}"] [role=button]').click()
    li.page.locator("select[name=stage]").select_option("proposal")
    li.page.locator("main form button.btn-primary").first.click()
    li.go(BOARD)

    expect(lane(li, "proposal").locator(f'[data-card="{id}"]')).to_be_visible()
