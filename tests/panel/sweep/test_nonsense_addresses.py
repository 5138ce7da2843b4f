"""No nonsense in an address breaks a page."""

import json
from itertools import count, product
from typing import Any

import pytest

from models.base import columns
from resolvers.reading.order import orderable
from tests.support.panel import Panel, over_records

from .cases import FINE, for_each_list, in_brief_and_at_length, is_turn, sample, swept
from .columns import references
from .dataset import Dataset
from .nonsense import DEEP, EAST, NONSENSE, ZONES, move_to
from .tables import PAGES


@pytest.mark.long
@for_each_list
@pytest.mark.parametrize("zone", ZONES)
def test_no_nonsense_in_the_address_of_a_list_breaks_it(
    panel: Panel, dataset: Dataset, path: str, thorough: bool, zone: str
) -> None:
    move_to(dataset.world, zone)
    browser = panel.of("ada")
    door = next(x for x in over_records("GET", "list") if x.path == path)
    keys = [column.key for column in columns(door.model)] + ["locked"]
    for bad in sample(NONSENSE, thorough)[: 12 if door.view.binned else None]:
        names = [f"f_{key}{end}" for key in keys for end in ("", "_from", "_to")]
        filters = dict.fromkeys(names, bad[: 15_000 // len(names)])
        assert browser.get(path, filters).status_code in FINE, (path, bad)
        for name in ("q", "tab", "order", "size", "after", "before", "cols", "f_owner_id", "saved"):
            assert browser.get(path, {name: bad}).status_code in FINE, (path, name, bad)
    browser.get(path, [("f_stage", "x")] * 500)


CURSORS: list[Any] = [
    None, True, 0, -1, 2**31, 2**63 - 1, -(2**63), 2**63, 10**400, 1.5, "", "\0", "NaN", "sNaN", "Infinity", "1e999999",
    "1E+13", [], {}, "2026-11-24T08:00:00.000Z", "0001-01-01T00:00:00.000Z", "9999-12-31T23:59:59.999Z", "2026-11-24",
    "0001-01-01", "CALL", "x" * 1000, "\ud800",
]  # fmt: skip


@pytest.mark.long
@for_each_list
def test_no_forged_cursor_breaks_a_list(panel: Panel, dataset: Dataset, path: str, thorough: bool) -> None:
    """A cursor of the right shape with anything in it, for every order that a list has."""
    browser = panel.of("ada")
    door = next(x for x in over_records("GET", "list") if x.path == path)
    orders, turns = [key for key in orderable(door.model) if key != "id"], count()
    for key in orders if thorough else orders[:1]:
        for value in sample(CURSORS, thorough, 3):
            for values in ([value, 1], [1, value], [value, value]):
                cursor = json.dumps([f"a_{key}_a_id", *values]).encode().hex()
                for name in ("after", "before"):
                    if thorough and not is_turn(turns, 5):
                        continue
                    answer = browser.get(path, {"order": key, name: cursor})
                    assert answer.status_code in FINE, (path, key, name, values)
    for forged in ("5b" * 1_900, "7b7d", "31", "6e756c6c", "225c756438303022", "ff"):
        assert browser.get(path, {"after": forged}).status_code in FINE, forged


@pytest.mark.long
@in_brief_and_at_length
def test_no_nonsense_in_any_other_address_breaks_a_page(panel: Panel, dataset: Dataset, thorough: bool) -> None:
    browser, turns = panel.of("ada"), count()
    move_to(dataset.world, EAST)
    id = dataset.ids["of li"]
    records = {
        f"/admin/customer/details/cus_{id}": ["tab", "before", "after"],
        f"/admin/customer/details/cus_{id}?tab=history": ["before", "after", "at"],
        f"/admin/contact/details/con_{dataset.ids['contact of li']}?tab=history": ["before", "after", "at"],
        "/admin/customer/lookup": ["q"],
        "/admin/user/lookup": ["q"],
        "/admin/customer/ask/transfer": ["ids", "one", "from", "user_id"],
        "/admin/customer/ask/assign": ["ids", "one"],
        "/admin/bin-customer/ask/purge": ["ids"],
        **{door.path: [key for key, _ in references(door.model)] for door in swept(thorough, "GET", "create")},
    }
    pages = {**records, **{path: page.names for path, page in PAGES.items()}}
    for (path, names), bad in product(pages.items(), sample(NONSENSE, thorough, 1)):
        fine = (*FINE, 404) if path in PAGES and PAGES[path].may_miss else FINE
        for name in names:
            if not thorough or is_turn(turns, 3):
                assert browser.get(path, {name: bad}).status_code in fine, (path, name, bad)
    for name in ("millpond_panel", "millpond", "__Host-millpond"):
        for bad in (DEEP, "%00", "{}", "null", '{"columns":[1]}', "x" * 3_000):
            other = panel.browser()
            other.client.cookies.set(name, bad)
            assert other.get("/admin/login").status_code == 200, (name, bad)
