"""Bulk changes in the panel, without scripts: choose, preview, confirm, look at the result, undo."""

import re

import pytest

from models import BulkChange, Customer
from tests.support.bulk_changes import BulkChanges
from tests.support.panel import Browser, Panel
from tests.support.world import World


@pytest.fixture
def bulk(world: World) -> BulkChanges:
    return BulkChanges(world)


@pytest.fixture
def panel(world: World) -> Panel:
    return Panel(world)


def mark_in(page: str) -> str:
    found = re.search(r'name="mark" value="(\w*)"', page)
    assert found is not None
    return found[1]


def begun(browser: Browser, form: list[tuple[str, str]], path: str = "/admin/customer/change") -> str:
    """The address of a change that is previewed and confirmed."""
    previewed = browser.post(path, [*form, ("do", "preview")])
    assert previewed.status_code == 200, previewed.text
    confirmed = browser.post(path, [*form, ("do", "confirm"), ("mark", mark_in(previewed.text))])
    assert confirmed.status_code == 303, confirmed.text
    return str(confirmed.headers["location"])


def test_a_field_of_all_that_a_filter_finds(world: World, bulk: BulkChanges, panel: Panel) -> None:
    for name in "ABC":
        world.customer(name, industry="retail")
    steel = world.customer("Steel", industry="steel")
    li = panel.of("li")
    assert "/admin/customer/change?f_industry=retail" in li.get("/admin/customer/list?f_industry=retail").text
    form = [("list", "f_industry=retail"), ("range", "FILTER"), ("field", "stage"), ("how", "set"), ("stage", "won")]

    shown = li.post("/admin/customer/change", [*form, ("do", "preview")]).text
    assert "<strong>3</strong> change" in shown
    assert "<ins>Won</ins>" in shown
    assert world.rows(BulkChange) == []
    address = begun(li, form)
    bulk.run()

    page = li.get(address).text
    assert "Finished" in page
    assert "Undo it now" in page
    assert world.row(Customer, steel)["stage"] is None
    assert panel.of("wu").get(address).status_code == 404
    undoing = li.post(f"{address}/undo", []).headers["location"]
    bulk.run()
    assert "Undoing: Customers" in li.get(undoing).text
    assert {row["stage"] for row in world.rows(Customer)} == {None}
    assert undoing in li.get(address).text
    assert "Won" in li.get("/admin/bulk").text


def test_what_is_confirmed_is_what_was_previewed(world: World, bulk: BulkChanges, panel: Panel) -> None:
    id = f"cus_{world.customer('A')}"
    form = [("list", ""), ("ids", id), ("range", "SELECTION"), ("field", "stage"), ("how", "set"), ("stage", "won")]
    li = panel.of("li")
    mark = mark_in(li.post("/admin/customer/change", [*form, ("do", "preview")]).text)

    other = [*form[:-1], ("stage", "early"), ("do", "confirm"), ("mark", mark)]
    assert "<ins>Early</ins>" in li.post("/admin/customer/change", other).text

    assert world.rows(BulkChange) == []


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ([("do", "preview")], "Choose what to change."),
        ([("field", "stage"), ("how", "set"), ("do", "preview")], "Give the value that the field shall have."),
        ([("field", "nonsense"), ("do", "preview")], "Choose what to change."),
        ([("field", "owner_id"), ("do", "preview")], "Give the value that the field shall have."),
        ([("field", "email"), ("email", "x" * 300), ("do", "preview")], "Please look at the marked fields"),
    ],
)
def test_what_is_missing_is_said(world: World, panel: Panel, more: list[tuple[str, str]], said: str) -> None:
    form = [("ids", f"cus_{world.customer('A')}"), ("range", "SELECTION"), *more]
    answer = panel.of("li").post("/admin/customer/change", form)
    assert answer.status_code in (200, 422)
    assert said in answer.text


def test_the_owner_is_a_transfer_with_a_choice_of_what_goes_along(
    world: World, bulk: BulkChanges, panel: Panel
) -> None:
    id = f"cus_{world.customer('A')}"
    form = [("ids", id), ("range", "SELECTION"), ("field", "owner_id"), ("owner_id", f"usr_{world.ids['wu']}")]
    form += [("related-asked", "y"), ("related", "contact"), ("reason", "Leave")]

    address = begun(panel.of("li"), form)
    bulk.run()

    assert "New owner" in panel.of("li").get("/admin/customer/change?field=owner_id").text
    assert world.rows(Customer)[0]["owner_id"] == world.ids["wu"]
    assert "Wu Wei" in panel.of("li").get(address).text


def test_who_may_change_nothing_is_offered_nothing(world: World, panel: Panel) -> None:
    world.customer("A")
    assert "/admin/customer/change" not in panel.of("aud").get("/admin/customer/list").text
    assert panel.of("aud").get("/admin/customer/change").status_code == 403
