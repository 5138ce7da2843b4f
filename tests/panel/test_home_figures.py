"""The figures on Home: each leads to a list of exactly the records that it counts, and counts nothing hidden."""

import html
import re
from datetime import timedelta

import pytest
from sqlalchemy import update

from models import Dictionary, DictionaryItem, FollowUp, Opportunity
from tests.support.panel import Panel, count_in
from tests.support.refusals import add_line
from tests.support.world import World


@pytest.fixture
def busy(world: World) -> None:
    """Two months of Li, Wu and Mei: customers, opportunities in every stage, follow-ups, and plans."""
    stages = world.make(Dictionary, code="opportunity_stage", name="Stages")
    for n, key in enumerate(("early", "offer", "won", "lost")):
        words = {"label_en": key.title(), "label_zh": f"{key}中", "position": n}
        world.make(DictionaryItem, dictionary_id=stages, key=key, **words)
    world.clock.now -= timedelta(days=40)  # in October
    _month(world, {"li": 2, "mei": 1})
    world.clock.pass_by(days=40)
    _month(world, {"li": 3, "wu": 1, "mei": 2})


def _month(world: World, customers: dict[str, int]) -> None:
    for login, count in customers.items():
        for n in range(count):
            id = world.customer(f"{login} {n}", login, stage=("early", None)[n % 2])
            owner = {"customer_id": id, "owner_id": world.ids[login]}
            for stage in ("early", "offer", "won", "lost", None)[: n + 3]:
                world.make(Opportunity, name=f"{stage}", stage=stage, **owner)
            for _ in range(n + 1):
                world.make(FollowUp, kind="CALL", content=f"{login} {n}", happened_at=world.clock(), **owner)
            world.clock.pass_by(minutes=1)


def figures(page: str) -> dict[str, int]:
    """Address of a list -> the number that leads to it, of the charts and of the table of the month."""
    found = re.findall(r'<li><a href="([^"]+)"><span class="bar-label">.*?<span class="bar-value">(\d+)</span>', page)
    found += re.findall(r'<td class="numeric"><a href="([^"]+)">(\d+)</a>', page)
    found += re.findall(r'<a href="([^"]+tab=stale[^"]*)">(\d+) opportunit', page)
    found += re.findall(r'<a href="([^"]+tab=quiet)">(\d+) customer', page)
    return {html.unescape(href): int(number) for href, number in found}


@pytest.mark.usefixtures("busy")
@pytest.mark.parametrize("login", ["li", "lead", "ada", "aud"])
def test_every_figure_is_the_count_of_the_list_behind_it(world: World, login: str) -> None:
    browser = Panel(world).of(login)

    shown = figures(browser.get("/admin/").text)

    kinds = {href.split("?")[0].split("/")[2] for href in shown}
    assert kinds >= {"opportunity", "customer", "follow-up"}
    assert {href: count_in(browser.get(href).text) for href in shown} == shown


@pytest.mark.usefixtures("busy")
def test_the_month_of_a_sales_person_is_their_own(world: World) -> None:
    page = Panel(world).of("li").get("/admin/").text

    rows = re.findall(r'<tr><th scope="row">([^<]+)</th>(.*?)</tr>', page, re.DOTALL)
    told = {label: re.findall(r">(\d+)</a>", cells) for label, cells in rows}
    assert told == {"Opportunities won": ["3", "2"], "New customers": ["3", "2"], "Follow-ups": ["6", "3"]}


@pytest.mark.usefixtures("busy")
def test_opportunities_that_stand_still_lead_to_their_list(world: World) -> None:
    mine, theirs = (
        world.rows(Opportunity, Opportunity.owner_id == world.ids[login])[0]["id"] for login in ("li", "wu")
    )
    with world.backend.writer.engine.begin() as connection:
        stands_still = update(Opportunity.__table__).where(Opportunity.__table__.c.id.in_([mine, theirs]))
        connection.execute(stands_still.values(stale_at=world.clock()))
    browser = Panel(world).of("li")

    page = browser.get("/admin/").text

    assert figures(page)["/admin/opportunity/list?tab=stale&f_owner_id=me"] == 1
    shown = browser.get("/admin/opportunity/list?tab=stale&f_owner_id=me").text
    assert (f"opp_{mine}" in shown, f"opp_{theirs}" in shown) == (True, False)


@pytest.mark.usefixtures("busy")
def test_nothing_hidden_is_counted(world: World) -> None:
    add_line(world, "p, sales, opportunity, view, all, any, deny")

    page = Panel(world).of("li").get("/admin/").text

    assert "Opportunities won" not in page
    assert "/admin/opportunity/list" not in page.partition("<main")[2]
    assert "New customers" in page


@pytest.mark.usefixtures("busy")
def test_a_hidden_state_is_counted_as_none(world: World) -> None:
    add_line(world, "p, sales, opportunity.state, view, all, any, deny")
    browser = Panel(world).of("li")

    shown = figures(browser.get("/admin/").text)

    assert not [href for href in shown if "opportunity" in href and "stage:" in href]
    assert [shown[href] for href in shown if "closedOn" in href] == [0, 0]
