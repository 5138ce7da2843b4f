"""The composer: one submit writes a follow-up and plans the next one, and the user stays where they are."""

import re
from datetime import datetime
from html import unescape
from typing import Any

import pytest

from models import Contact, Customer, FollowUp, Opportunity, Organisation, Plan
from resolvers.records import create_update
from tests.support.panel import OURS, Browser, Panel
from tests.support.world import World

SAID = {"kind": "VISIT", "content": "Showed the samples", "next_at": "2026-11-30T09:30", "next_text": "Send the offer"}


def composer(browser: Browser, page: str) -> tuple[str, dict[str, str]]:
    """The address of the composer on a page, and its hidden inputs."""
    text = browser.get(page).text
    form = text[text.index('class="form composer"') :]
    (to,) = re.findall(r'action="([^"]+)"', form)[:1]
    return unescape(to), {
        k: unescape(v) for k, v in re.findall(r'<input type="hidden" name="(_\w+)" value="([^"]*)"', form)[:1]
    }


@pytest.mark.parametrize("on", ["customer", "contact"])
def test_one_submit_writes_the_follow_up_and_plans_the_next(world: World, on: str) -> None:
    customer = world.customer("Acme", owner="li")
    contact = world.make(Contact, customer_id=customer, name="Ann")
    deal = world.make(Opportunity, customer_id=customer, name="Chairs", owner_id=world.ids["li"])
    page = f"/admin/customer/details/cus_{customer}" if on == "customer" else f"/admin/contact/details/con_{contact}"
    browser = Panel(world).of("li")
    to, hidden = composer(browser, page)

    typed = {**hidden, **SAID, "contact_id": f"con_{contact}", "opportunity_id": f"opp_{deal}"}
    saved = browser.post(to, typed)

    assert saved.status_code == 303, saved.text
    assert saved.headers["location"] == f"{page}?tab=follow-ups&saved=follow-up#related"
    (said,), (plan,) = world.rows(FollowUp), world.rows(Plan)
    assert [said[key] for key in ("kind", "content", "contact_id", "opportunity_id", "happened_at", "counts")] == [
        "VISIT",
        "Showed the samples",
        contact,
        deal,
        world.clock.now,
        True,
    ]
    assert [plan[key] for key in ("customer_id", "contact_id", "content", "kind")] == [
        customer,
        contact,
        "Send the offer",
        "VISIT",
    ]
    assert plan["due_at"].isoformat() == "2026-11-30T09:30:00+00:00"
    assert "Showed the samples" in browser.get(saved.headers["location"]).text

    again = browser.post(to, typed)
    assert (again.status_code, again.headers["location"]) == (303, saved.headers["location"])
    assert (world.count(FollowUp), world.count(Plan)) == (1, 1)
    other = browser.post(to, {**typed, "content": "Another"})
    assert other.status_code == 422
    assert "This form was saved already." in other.text


def test_a_follow_up_that_does_not_count_is_saved_and_says_why(world: World) -> None:
    world.ada.do(create_update.update, Organisation, 1, {"follow_up_characters": 8})
    customer = world.customer(owner="li")
    browser = Panel(world).of("li")
    to, hidden = composer(browser, f"/admin/customer/details/cus_{customer}")

    saved = browser.post(to, {**hidden, "kind": "CALL", "content": "a b c"})

    assert world.count(FollowUp, FollowUp.counts.is_(False)) == 1
    page = browser.get(saved.headers["location"]).text
    assert "It was saved, but it does not count as a contact: the text needs at least 8 characters." in page


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"content": ""}, "Please look at the marked fields: 1."),
        ({"next_at": "2026-11-20T09:30"}, "lies in the past"),
        ({"next_at": "x"}, "Please look at the marked fields: 1."),
    ],
)
def test_a_mistake_keeps_what_was_typed_and_writes_nothing(world: World, typed: dict[str, Any], said: str) -> None:
    customer = world.customer(owner="li")
    browser = Panel(world).of("li")
    to, hidden = composer(browser, f"/admin/customer/details/cus_{customer}")

    answer = browser.post(to, {**hidden, **SAID, **typed})

    assert answer.status_code == 422
    assert said in answer.text
    assert "Send the offer" in answer.text
    assert (world.count(FollowUp), world.count(Plan)) == (0, 0)


def test_a_drawer_from_the_list_closes_and_tells(world: World) -> None:
    customer = world.customer(owner="li")
    browser = Panel(world).of("li")
    assert f'href="/admin/compose?customer=cus_{customer}"' in browser.get("/admin/customer/list").text
    drawer = browser.get("/admin/compose", {"customer": f"cus_{customer}"}, **{"hx-target": "drawer-body"}).text
    to = unescape(re.findall(r'hx-post="([^"]+)"', drawer)[0])

    saved = browser.post(to, {"kind": "CALL", "content": "Spoke"}, {**OURS, "hx-target": "drawer-body"})

    assert saved.status_code == 204
    assert '"message": "Saved."' in saved.headers["hx-trigger"]
    assert world.count(FollowUp) == 1


def test_who_may_write_no_follow_up_sees_no_composer(world: World) -> None:
    mine, pooled, theirs = (
        world.customer("A", owner="li"),
        world.customer("B", pool="north"),
        world.customer("C", "mei"),
    )
    for login, id in (("fin", mine), ("aud", mine), ("li", pooled), ("fin", theirs)):
        browser = Panel(world).of(login)
        assert 'class="form composer"' not in browser.get(f"/admin/customer/details/cus_{id}").text
        assert f"/admin/compose?customer=cus_{id}" not in browser.get("/admin/customer/list").text
        assert browser.get("/admin/compose", {"customer": f"cus_{id}"}).status_code == 403
    assert Panel(world).of("li").get("/admin/compose", {"customer": f"cus_{theirs}"}).status_code == 404
    assert Panel(world).of("li").post(f"/admin/compose?customer=cus_{theirs}", SAID).status_code == 404
    assert Panel(world).of("li").post(f"/admin/compose?customer=cus_{pooled}", SAID).status_code in (403, 422)
    assert world.count(FollowUp) == 0


def test_a_follow_up_counts_although_time_goes_on_while_it_is_written(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The moment of the use case is the time of the follow-up: one that is read later would lie in its future."""
    customer = world.customer(owner="li")
    li = Panel(world).of("li")

    def ticking() -> datetime:
        world.clock.pass_by(milliseconds=5)
        return world.clock.now

    monkeypatch.setattr(world.backend, "clock", ticking)
    answer = li.post(f"/admin/compose?customer=cus_{customer}", {"content": "We spoke about prices", "kind": "CALL"})

    assert answer.status_code == 303
    (row,) = world.rows(FollowUp)
    assert row["counts"]
    assert world.row(Customer, customer)["last_follow_up_at"] == row["happened_at"]
