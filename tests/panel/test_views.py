"""The search builder and saved views, without a browser: forms, addresses and what they lead to."""

import re

import pytest

from admin.kit.condition_rows import condition_of, group_of
from admin.kit.short_json import read, written
from models import Customer, SavedView
from resolvers.reading.conditions import checked
from tests.reading.test_conditions import CASES
from tests.support.panel import Browser, Panel
from tests.support.plain_browser import form_in
from tests.support.world import World


@pytest.mark.parametrize("name", CASES)
def test_a_condition_comes_back_from_its_address_and_from_the_rows_of_the_builder(name: str) -> None:
    condition = CASES[name][1]

    assert read(written(condition)) == condition
    again = condition_of(Customer, group_of(Customer, condition))
    checked(Customer, again)
    assert condition_of(Customer, group_of(Customer, again)) == again


TEXTS = ("", "won", "true", "12", "-1.5", "a b", "it's!", "客户 (1)", "last 30 days", "!t", "null", ":,")


def test_every_text_comes_back_from_the_short_form() -> None:
    for text in TEXTS:
        value = {"k": [text, {text: None}], "n": [1, -2.5, True, False, {}, []]}
        assert read(written(value)) == value
    assert written({"stage": {"in": ["won"]}, "locked": {"eq": True}}) == "(stage:(in:!(won)),locked:(eq:!t))"


@pytest.mark.parametrize(
    "text", ["(", "(a", "(a:1", "(a:1,)", "!x", "!", "'open", "a b", "(1:2)", "!(1 2)", "(" * 50, ""]
)
def test_another_text_is_no_short_form(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        read(text)


@pytest.fixture
def li(world: World) -> Browser:
    for name, stage in (("Acme", "won"), ("Bolt", "early"), ("Ceres", None)):
        world.customer(name, "li", stage=stage)
    return Panel(world).of("li")


def names(page: str) -> list[str]:
    return sorted(name for name in ("Acme", "Bolt", "Ceres") if f">{name}</a>" in page)


def test_a_search_is_built_without_scripts_row_by_row(li: Browser) -> None:
    form = form_in(li, li.get("/admin/customer/search?q=&tab=mine"), "/admin/customer/search")
    form = form.fill(**{"g-0-f": "stage"}).press(("do", "show"))
    form = form.fill(**{"g-0-o": "in", "g-0-v": "won"}).press(("do", "group:g"))
    form = form.fill(**{"g-1-0-f": "name"}).press(("do", "show"))
    form = form.fill(**{"g-how": "any", "g-1-0-o": "contains", "g-1-0-v": "olt"})

    address = form.send(("do", "apply")).headers["location"]

    assert address.endswith("?tab=mine&c=(or:!((stage:(in:!(won))),(name:(contains:olt))))")
    page = li.get(address).text
    assert names(page) == ["Acme", "Bolt"]
    assert "Customer stage is one of Won or Full name contains" not in page
    assert "Customer stage is one of Won or Name contains “olt”" in page


def test_what_is_wrong_is_said_and_nothing_is_lost(li: Browser) -> None:
    page = li.get("/admin/customer/search?g-how=all&g-0-f=createdAt&g-0-o=last&g-0-n=&do=apply")
    assert "Choose or type a value for Created." in page.text
    page = li.get("/admin/opportunity/search?g-how=all&g-0-f=amount&g-0-o=gte&g-0-v=much&do=apply")
    assert "Amount cannot be compared with “much”." in page.text
    assert 'value="much"' in page.text
    page = li.get("/admin/customer/list?c=(stage:(gt:1))")
    assert "Stage is not compared by" in page.text
    page = li.get("/admin/customer/list?c=((")
    assert "cannot be read" in page.text


def test_a_list_is_kept_as_a_view_changed_shared_and_deleted(world: World) -> None:
    for name, stage in (("Acme", "won"), ("Bolt", "early")):
        world.customer(name, "li", stage=stage)
    panel = Panel(world)
    lead, li = panel.of("lead"), panel.of("li")
    listed = "/admin/customer/list?tab=team&f_stage=won&q=acm"
    page = lead.post(listed.replace("list", "views"), {"do": "new", "name": "Won by us"})

    (view,) = world.rows(SavedView)
    assert view["settings"]["condition"] == {"and": [{"departmentId": {"in": ["my-team"]}}, {"stage": {"in": ["won"]}}]}
    address = f"/admin/customer/list?view=viw_{view['id']}"
    assert page.headers["location"] == address
    shown = lead.get(address)
    assert names(shown.text) == ["Acme"]
    assert "is changed" not in shown.text
    changed = lead.get(f"{address}&q=+&c=(stage:(in:!(early)))")
    assert names(changed.text) == ["Bolt"]
    assert "“Won by us” is changed." in changed.text
    taken = lead.post(listed.replace("list", "views"), {"do": "new", "name": "Won by us"})
    assert (taken.status_code, "You have a view “Won by us” already." in taken.text) == (422, True)
    lead.post(
        f"{address}&q=+&c=(stage:(in:!(early)))".replace("list", "views"),
        {"do": "save", "version": str(view["version"])},
    )
    assert names(lead.get(address).text) == ["Bolt"]

    assert "Won by us" not in li.get("/admin/customer/list").text
    lead.post(address.replace("list", "views"), {"do": "share", "department": f"dep_{world.ids['east']}"})
    assert names(li.get(address).text) == ["Bolt"]
    assert li.get("/admin/customer/view-counts").json() == {f"viw_{view['id']}": "1"}
    refused = li.post(address.replace("list", "views"), {"do": "delete"})
    assert "belongs to somebody else" in refused.text
    lead.post(address.replace("list", "views"), {"do": "rename", "name": "Early"})
    lead.post(address.replace("list", "views"), {"do": "delete"})
    assert world.count(SavedView) == 0


def test_views_change_places_by_their_buttons_and_the_log_says_so_in_both_languages(li: Browser) -> None:
    for name in ("First", "Second"):
        li.post("/admin/customer/views?tab=mine", {"do": "new", "name": name})

    def tabs() -> list[str]:
        page = li.get("/admin/customer/list?view=viw_2").text
        found: list[str] = re.findall(r"</svg>(\w+) *<span class=\"badge\" id=\"count", page)
        return found

    assert tabs() == ["First", "Second"]
    assert li.post("/admin/customer/views?view=viw_2", {"do": "earlier"}).status_code == 303
    assert tabs() == ["Second", "First"]
    li.post("/admin/customer/views?view=viw_2", {"do": "earlier"})
    assert tabs() == ["Second", "First"]
    li.post("/admin/customer/views?view=viw_2", {"do": "later"})
    assert tabs() == ["First", "Second"]

    ada = li.panel.of("ada")
    english = ada.get("/admin/log").text
    ada.post("/admin/account/language", {"language": "zh"})
    chinese = ada.get("/admin/log").text
    assert ("kept the view" in english, "保存视图" in chinese) == (True, True)
