"""Release rules in the panel: the countdown of a customer, the strip on Home, the rehearsal, the calendar."""

import re
from datetime import timedelta

from models import CalendarDay, Customer, ReleaseRule
from tests.support.panel import Panel
from tests.support.releases import release_rule, run_clock
from tests.support.world import World


def test_a_customer_says_when_it_goes_back_and_its_owner_puts_that_off(world: World) -> None:
    release_rule(world, days=10, name="Ten days")
    customer = world.customer(owner="li")
    li = Panel(world).of("li")

    page = li.get(f"/admin/customer/details/cus_{customer}").text
    assert re.search(r'falls".*?Goes back to the pool in 10 days, on <time.*?The rule: Ten days\.', page, re.DOTALL)
    assert "Times it can still be put off: 1." in page
    assert re.search(r'due-days">.*?10 days left</span>', page)
    assert "%(" not in page

    answer = li.post("/admin/customer/do/extend", {"ids": f"cus_{customer}", "reason": "Budget", "go": "1"})
    assert answer.status_code in (200, 303)
    assert world.row(Customer, customer)["release_due_at"] == world.clock.now + timedelta(days=17)
    world.clock.pass_by(days=16)
    assert "Goes back to the pool tomorrow" in Panel(world).of("li").get(f"/admin/customer/details/cus_{customer}").text


def test_home_shows_the_days_on_which_own_customers_go_back_with_the_list_behind(world: World) -> None:
    release_rule(world, days=3)
    world.customer("Mine", owner="li")
    world.customer("Theirs", owner="wu")
    li = Panel(world).of("li")

    (href,) = re.findall(r'class="has-some"><a href="([^"]+)" title="[^"]+: 1"', li.get("/admin/").text)
    listed = li.get(href.replace("&amp;", "&")).text
    assert "Mine" in listed
    assert "Theirs" not in listed
    assert "Mine" in li.get("/admin/customer/list?tab=falling").text
    assert 'class="has-some"' not in Panel(world).of("mei").get("/admin/").text


def test_a_rule_is_written_rehearsed_and_switched_on_and_off(world: World) -> None:
    world.customer("Early Bird", owner="li", stage="early")
    ada = Panel(world).of("ada")
    form = {
        "pool_id": f"poo_{world.ids['north']}",
        "name": "Early ones",
        "lapse": "NO_FOLLOW_UP",
        "days": "20",
        "stages": "early",
        "max_extensions": "1",
        "extension_days": "7",
    }
    assert ada.post("/admin/release-rule/create", form).status_code == 303
    (rule,) = world.rows(ReleaseRule)
    assert (rule["stages"], rule["everybody"], rule["enabled"]) == (["early"], False, False)

    page = ada.get(f"/admin/release-rule/details/rru_{rule['id']}").text
    assert "Customers of Stages: Early go back to North after 20 days without a follow-up." in page
    rehearsal = ada.get(f"/admin/release-rehearsal?id=rru_{rule['id']}").text
    assert "Early Bird" in rehearsal
    (terms,) = re.findall(r'name="terms" value="(\w+)"', rehearsal)
    switch = {"id": f"rru_{rule['id']}", "terms": terms, "on": "1"}
    refused = ada.post("/admin/release-rehearsal/switch", {**switch, "terms": "other"})
    assert refused.status_code == 422
    assert "Rehearse “Early ones” first" in refused.text
    assert ada.post("/admin/release-rehearsal/switch", switch).status_code == 303
    run_clock(world)
    assert world.rows(Customer)[0]["release_due_at"] == world.clock.now + timedelta(days=20)

    assert ada.post("/admin/release-rehearsal/switch", {**switch, "on": "0"}).status_code == 303
    run_clock(world)
    assert world.rows(Customer)[0]["release_due_at"] is None
    assert Panel(world).of("li").get(f"/admin/release-rehearsal?id=rru_{rule['id']}").status_code in (403, 404)


def test_a_rule_about_nobody_is_refused_beside_its_field_with_what_was_typed(world: World) -> None:
    form = {"pool_id": f"poo_{world.ids['north']}", "name": "None", "lapse": "NO_DEAL", "days": "9"}
    answer = (
        Panel(world)
        .of("ada")
        .post("/admin/release-rule/create", {**form, "max_extensions": "1", "extension_days": "7"})
    )

    assert answer.status_code == 422
    assert "Say which customers the rule is about" in answer.text
    assert 'value="9"' in answer.text


def test_a_year_of_the_calendar_is_filled_in_two_clicks(world: World) -> None:
    ada = Panel(world).of("ada")
    assert '<option value="CN"' in ada.get("/admin/calendar-year").text

    assert ada.post("/admin/calendar-year", {"country": "CN", "year": "2026"}).status_code == 303
    assert world.count(CalendarDay) > 20
    assert "must lie between" in ada.post("/admin/calendar-year", {"country": "CN", "year": "26"}).text
    assert Panel(world).of("li").post("/admin/calendar-year", {"country": "CN", "year": "2026"}).status_code == 403
