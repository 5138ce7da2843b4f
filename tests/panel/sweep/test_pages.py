"""Every page shows what the policy lets a user see, nothing else, and changes nothing."""

from collections.abc import Callable

import pytest

from admin.kit import lists
from models import Customer
from resolvers.runtime.ids import global_id, number_of
from tests.support.engines import at_length_on_postgresql
from tests.support.panel import Browser, Door, Panel, count_in, doors, next_in, rows_in

from .attempts import creates
from .cases import BROKEN, MISSING, for_each_login, is_open, sample, signed_in, swept
from .columns import references
from .dataset import CANARY, Dataset
from .dry_run import all_rows
from .forms import edit_status
from .oracle import Oracle
from .tables import KINDS, PAGES, TABS


@pytest.mark.long
def test_the_town_holds_records_of_every_kind_for_sales_people(dataset: Dataset) -> None:
    """Of customers and of each of their children there are seen, editable, hidden and deleted ones."""
    li = Oracle(dataset.world, "li")

    for model in (Customer, *(child for child, kind in KINDS.items() if kind.under_customer is not None)):
        rows = {row["id"]: row for row in dataset.world.rows(model)}
        gone = {id for id, row in rows.items() if row["deleted_at"]}
        assert li.ids(model) - gone, model
        assert li.ids(model, "edit") - gone, model
        assert set(li.hidden(model)) - gone, model
        assert set(li.hidden(model)) & gone, model
    assert len(dataset.canaries) > 150
    assert [text for text in dataset.canaries if CANARY.findall(text) != [text]] == []


@at_length_on_postgresql
@for_each_login
def test_every_page_shows_what_the_policy_lets_somebody_see_and_nothing_else_and_changes_nothing(
    panel: Panel, dataset: Dataset, login: str, thorough: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lists, "SIZES", (5, 25, 100))  # so that lists have several pages
    browser, oracle = signed_in(panel, dataset, login)
    before = all_rows(dataset.world)

    for door in swept(thorough, "GET", "list", "details", "edit", "create", "lookup", "ask"):
        LOOKS[door.page.partition("/")[0]](browser, oracle, door, thorough)
    for door in doors():
        if door.method == "GET" and door.view is None:
            look_at_a_page(browser, oracle, door)

    assert all_rows(dataset.world) == before


def look_at_a_list(browser: Browser, oracle: Oracle, door: Door, thorough: bool) -> None:
    """Every tab shows its records, each once, and their number; without the right it is a 403."""
    if not is_open(oracle, door):
        assert browser.get(door.path).status_code == 403, door
        return
    if door.model.singleton:  # type: ignore[attr-defined]  only entities have screens
        assert browser.get(door.path).headers["location"].endswith(f"/details/{door.model.prefix}_1")
        return
    # The organisation of the dataset does not ask for approval, so that tab is not there.
    tabs = [x.name for x in door.view.tabs if x.name != "approve" and (not x.needs or oracle.always(x.needs))]
    for tab in tabs or [""]:
        listed, counts = pages_of(browser, f"{door.path}?tab={tab}")
        assert sorted(listed) == sorted(expected_in(oracle, door, tab)), (door, tab)
        assert set(counts) <= {len(listed)}, (door, tab)
        if not thorough:
            break


def pages_of(browser: Browser, path: str) -> tuple[list[int], list[int]]:
    """(Ids on all pages of a list, the total that each page names)."""
    listed, counts, address = [], [], path
    while address:
        answer = browser.get(address)
        assert answer.status_code == 200, address
        found = [int(id.partition("_")[2]) for id in rows_in(answer.text)]
        listed += found
        counts += [count_in(answer.text)] if found else []
        address = next_in(answer.text)
    return listed, counts


def expected_in(oracle: Oracle, door: Door, tab: str) -> list[int]:
    """The ids that a tab must show."""
    word, seen = door.view.identity, oracle.ids(door.model)
    is_in = TABS[word, tab] if tab not in ("", "all") else lambda _oracle, _row: True
    wanted = bool(door.view.binned)
    rows = [row for row in oracle.world.rows(door.model) if row["id"] in seen]
    return [row["id"] for row in rows if (row["deleted_at"] is not None) is wanted and is_in(oracle, row)]


def look_at_details(browser: Browser, oracle: Oracle, door: Door, thorough: bool) -> None:
    open_ = is_open(oracle, door)
    seen = oracle.ids(door.model)
    for id in sample(oracle.kinds(door.model, *door.view.verbs), thorough):
        status = 403 if not open_ else 200 if id in seen else 404
        for tab in ["", *(x.name for x in door.view.related[1:] if thorough and status == 200)]:
            answer = browser.get(door.at(global_id(door.model, id)), {"tab": tab} if tab else {})
            assert answer.status_code == status, (door, id, tab)
    for id in (global_id(door.model, MISSING), *sample(BROKEN, thorough, 1)):
        assert browser.get(door.at(id)).status_code in ((400, 404) if open_ else (400, 403, 404)), (door, id)


def look_at_an_edit(browser: Browser, oracle: Oracle, door: Door, thorough: bool) -> None:
    for id in sample(oracle.kinds(door.model, "edit"), thorough):
        assert browser.get(door.at(global_id(door.model, id))).status_code == edit_status(oracle, door, id), (door, id)


def look_at_a_new_one(browser: Browser, oracle: Oracle, door: Door, thorough: bool) -> None:
    """The empty form, and forms that begin with a hidden record."""
    allowed = is_open(oracle, door) and creates(oracle, door)
    queries: list[dict[str, str]] = [{}]
    for key, target in references(door.model):
        queries += [{key: global_id(target, id)} for id in oracle.hidden(target)[:2]] if allowed and thorough else []
    for query in queries:
        assert browser.get(door.path, query).status_code == (200 if allowed else 403), (door, query)


def look_something_up(browser: Browser, oracle: Oracle, door: Door, thorough: bool) -> None:
    open_, seen = is_open(oracle, door), oracle.ids(door.model)
    for text in ("", "Zq", "1300", "ZQ") if open_ and thorough else ("Zq", "")[: 1 + open_]:
        answer = browser.get(door.path, {"q": text})
        assert answer.status_code == (200 if open_ else 403), door
        found = [number_of(door.model, each["value"]) for each in answer.json()] if open_ else []
        assert set(found) <= seen, door
        if open_ and not text and not door.view.binned:
            assert bool(found) is bool(seen - oracle.deleted(door.model)), door


def look_at_a_dialog(browser: Browser, oracle: Oracle, door: Door, thorough: bool) -> None:
    """A dialog opens for a user who may do it to any record, whatever the ids, and names the records that the user sees."""
    allowed = is_open(oracle, door) and oracle.ever(door.asks[1], door.asks[0])
    ids = [global_id(door.model, id) for id in oracle.kinds(door.model, door.asks[1])]
    asked = (("ids", [*ids, global_id(door.model, MISSING), *BROKEN]), ("one", ids[:1]), ("ids", []))
    for name, values in sample(asked, thorough, 1):
        assert browser.get(door.path, {name: values}).status_code == (200 if allowed else 403), door


LOOKS: dict[str, Callable[[Browser, Oracle, Door, bool], None]] = {
    "list": look_at_a_list,
    "details": look_at_details,
    "edit": look_at_an_edit,
    "create": look_at_a_new_one,
    "lookup": look_something_up,
    "ask": look_at_a_dialog,
}


def look_at_a_page(browser: Browser, oracle: Oracle, door: Door) -> None:
    """A page of its own: that of a module is open to users with the right that it declares."""
    answer = browser.get(door.path)
    if door.asks[0] != "open":
        misses = door.path in PAGES and PAGES[door.path].may_miss  # without the record that its address names
        fine = ((200, 404) if misses else (200,)) if oracle.ever(door.asks[1], door.asks[0]) else (403,)
        assert answer.status_code in fine, door
    else:
        assert answer.status_code in (200, 204, 303, 403, *([404] if "{id}" in door.path else [])), door
