"""The report centre in the panel: every number leads to a list of exactly that length, and forms say what is wrong."""

import html
import re

import pytest

from models import Export, SavedView
from tests.support.custom_fields import with_lines
from tests.support.panel import Panel, count_in
from tests.support.world import World

PAGES = (
    "key=customers",
    "key=customers&period=month&by=category.branch",
    "key=new-and-lost&period=month&by=industry",
    "key=follow-ups&period=week&by=kind",
    "key=forecast&period=year",
    "key=pool-health&period=month",
)


def numbers(page: str) -> dict[str, int]:
    """Address of a list -> the number that leads to it, of bars of counts and of tables."""
    text = re.sub(r'<h3 class="card-title">Weighted amount</h3>.*?</ul>', "", page, flags=re.DOTALL)
    found = re.findall(r'<li><a href="([^"]+)"><span class="bar-label">.*?<span class="bar-value">(\d+)</span>', text)
    found += re.findall(r'<td class="numeric">\s*<a href="([^"]+)">(\d+)</a>', text)
    return {html.unescape(href): int(number) for href, number in found}


@pytest.mark.long
@pytest.mark.sampled(sqlite=6, postgresql=4)
@pytest.mark.parametrize("login", ["lead", "li"])
@pytest.mark.parametrize("query", PAGES)
def test_every_number_leads_to_a_list_of_that_length(reported: World, login: str, query: str) -> None:
    with_lines(reported, "p, sales, report, view, all, any, allow")
    browser = Panel(reported).of(login)
    answer = browser.get(f"/admin/report/show?{query}")
    if query.startswith("key=pool") and login == "li":
        assert answer.status_code == 404
        return

    shown = numbers(answer.text)

    assert shown
    assert {href: count_in(browser.get(href).text) for href in shown} == shown


def test_the_pages_of_a_report(world: World) -> None:
    world.customer("Acme", "li", stage="early")
    world.customer("Hidden", "mei", stage="won")
    browser = Panel(world).of("lead")

    assert "New and lost customers" in browser.get("/admin/report").text
    page = browser.get("/admin/report/show?key=customers&period=month").text
    assert "Early" in page
    assert "Won" not in page
    shown = numbers(page)
    assert {href: count_in(browser.get(href).text) for href in shown} == shown
    assert set(shown.values()) == {0, 1}

    for query in (
        "from=nonsense",
        "period=moon",
        "period=custom",
        "by=phone",
        "whose=theirs",
        "period=week&from=0999-01-01",
    ):
        wrong = browser.get(f"/admin/report/show?key=customers&{query}")
        assert (wrong.status_code, "alert-danger" in wrong.text) == (422, True), query
    assert browser.get("/admin/report/show?key=nothing").status_code == 404
    assert browser.get("/admin/report/show").status_code == 404
    assert Panel(world).of("li").get("/admin/report").status_code == 403


def test_a_report_is_kept_shared_and_exported_by_forms(world: World) -> None:
    world.customer("Acme", "li", stage="early")
    browser, query = Panel(world).of("lead"), "key=customers&period=month&by=region"

    browser.post(f"/admin/report/keep?{query}", {"name": "Regions"})
    refused = browser.post(f"/admin/report/keep?{query}", {"name": "Regions"})

    assert refused.status_code == 422
    assert 'value="Regions"' in refused.text
    (view,) = world.rows(SavedView)
    kept = f"{query}&kept=viw_{view['id']}"
    page = browser.get(f"/admin/report/show?{kept}").text
    assert "Who else sees “Regions”" in page
    browser.post(f"/admin/report/share?{kept}", {"everyone": "y"})
    assert "Regions" in Panel(world).of("ada").get("/admin/report").text
    browser.post(f"/admin/report/export?{query}", {"format": "CSV"})
    assert [(row["entity"], row["title"]) for row in world.rows(Export)] == [("Report", "Customers")]
    assert "Customers" in browser.get("/admin/exports").text
    browser.post(f"/admin/report/drop?{kept}", {})
    assert world.rows(SavedView) == []
