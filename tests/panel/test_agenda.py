"""The agenda on Home and the page of plans: overdue, today and the next seven days, by the organisation's clocks."""

import re
from datetime import UTC, datetime, timedelta

from models import Organisation, Plan
from resolvers.records import create_update
from tests.customers.test_plans import planned
from tests.support.panel import Panel
from tests.support.world import World


def agenda(page: str) -> dict[str, list[str]]:
    """Part of the agenda -> what it shows."""
    found = re.findall(r'<h3 class="agenda-(\w+)">.*?<ul class="short-list">(.*?)</ul>', page, re.DOTALL)
    return {part: re.findall(r'<span class="short-name">([^<]*)<', rows) for part, rows in found}


def test_plans_are_sorted_into_days_of_the_organisation(world: World) -> None:
    """At two in the morning in Shanghai it is still yesterday in UTC, where the test's clock stands."""
    world.ada.do(create_update.update, Organisation, 1, {"time_zone": "Asia/Shanghai"})
    world.clock.now = datetime(2026, 11, 24, 18, 0, tzinfo=UTC)  # 2 o'clock on the 25th
    customer = world.customer("Acme", owner="li")
    late = planned(world, customer, ahead=timedelta(hours=1), content="Late call")
    for hours, text in ((21, "Tonight"), (23, "Tomorrow"), (24 * 7 + 21, "In seven days"), (24 * 7 + 23, "Later")):
        planned(world, customer, ahead=timedelta(hours=hours), content=text)
    planned(world, customer, by="lead", content="Of another")
    done = planned(world, customer, content="Cancelled")
    world.ada.do(create_update.delete, Plan, [done])
    world.clock.pass_by(hours=1, minutes=1)

    browser = Panel(world).of("li")
    assert agenda(browser.get("/admin/").text) == {
        "overdue": ["Late call"],
        "today": ["Tonight"],
        "coming": ["Tomorrow", "In seven days"],
    }
    page = browser.get("/admin/plan/list", {"tab": "overdue"}).text
    assert f"pln_{late}" in page
    assert "Tonight" not in page


def test_home_says_how_many_customers_were_not_contacted(world: World) -> None:
    for _ in range(2):
        world.customer(owner="li")
    theirs = world.customer(owner="wu")

    page = Panel(world).of("li").get("/admin/").text

    assert "2 customers of yours were not contacted for 30 days" in page
    quiet = Panel(world).of("li").get("/admin/customer/list", {"tab": "quiet"}).text
    assert f"cus_{theirs}" not in quiet


def test_who_makes_no_plans_has_no_agenda(world: World) -> None:
    assert "My agenda" not in Panel(world).of("fin").get("/admin/").text
