"""What is offered can be done: every entry of the menu, button and link, against the attempt itself.

The oracle runs the use case behind each button, and undoes it.  No rule about what a page offers is asked.
"""

import re
from functools import partial

import pytest

from models import Base, Customer
from models.errors import Refusal, RoleToSelf, Validation
from resolvers.records import create_update
from resolvers.runtime.ids import global_id, number_of
from resolvers.runtime.scope import Scope
from tests.support.engines import at_length_on_postgresql
from tests.support.panel import Browser, Door, Panel, over_records, rows_in

from .attempts import creates
from .cases import is_open, sample, signed_in, swept
from .dataset import LOGINS, Dataset
from .dry_run import is_in_reach
from .forms import use_case_of
from .oracle import Oracle
from .tables import COVERED_ELSEWHERE, KINDS

IN_BRIEF = ("lead", "sam", "rolf")
"""The users for whom the sweep in brief looks: those to whom the former pages offered too much."""
for_logins = pytest.mark.parametrize(
    ("login", "thorough"),
    [
        pytest.param("lead", False, id="lead-in-brief"),
        *(pytest.param(x, True, id=x, marks=pytest.mark.long) for x in LOGINS),
    ],
)


@at_length_on_postgresql
@pytest.mark.parametrize("logins", [IN_BRIEF, pytest.param(LOGINS, marks=pytest.mark.long)], ids=["brief", "all"])
def test_the_menu_leads_to_records_or_to_a_list_that_one_can_begin(
    panel: Panel, dataset: Dataset, logins: tuple[str, ...]
) -> None:
    for login in logins:
        browser, oracle = signed_in(panel, dataset, login)
        menu = set(re.findall(r'<li><a href="([^"]+)"', browser.get("/admin/account").text))

        for door in over_records("GET", "list"):
            if not door.view.group:
                continue
            found = is_open(oracle, door) and shows_a_record(browser, door)
            if door.path in menu:
                is_workplace = door.view.identity == "pooled" and oracle.person.pools
                assert found or is_workplace or creates(oracle, door), (login, door)
            elif not door.view.for_editors:
                assert not found, (login, door)
                assert not creates(oracle, door), (login, door)


def shows_a_record(browser: Browser, door: Door) -> bool:
    tabs = [tab.name for tab in door.view.tabs] or [""]
    answers = (browser.get(door.path, {"tab": tab}) for tab in tabs)
    return any(x.status_code == 303 or rows_in(x.text) for x in answers)


@at_length_on_postgresql
@pytest.mark.parametrize("logins", [IN_BRIEF, pytest.param(LOGINS, marks=pytest.mark.long)], ids=["brief", "all"])
def test_new_is_offered_to_who_could_save_it(panel: Panel, dataset: Dataset, logins: tuple[str, ...]) -> None:
    for login in logins:
        browser, oracle = signed_in(panel, dataset, login)
        for door in swept(logins is LOGINS, "GET", "create"):
            listed = browser.get(door.path.replace("/create", "/list"))
            offered = "data-new" in listed.text
            possible = is_open(oracle, door) and creates(oracle, door)
            assert offered is possible, (login, door)
            assert browser.get(door.path).status_code == (200 if possible else 403), (login, door)


@at_length_on_postgresql
@for_logins
def test_a_button_beside_a_record_is_there_if_and_only_if_pressing_it_does_something(
    panel: Panel, dataset: Dataset, login: str, thorough: bool
) -> None:
    browser, oracle = signed_in(panel, dataset, login)

    for door in swept(thorough, "GET", "list"):
        if not is_open(oracle, door) or door.model.singleton:  # type: ignore[attr-defined]  # only entities have screens
            continue
        for tab in sample([tab.name for tab in door.view.tabs] or [""], thorough, 1):
            look_at_commands(browser, oracle, door, tab)


TO_ONESELF: dict[str, tuple[type[Refusal], ...]] = {"deactivate": (Validation,), "give-role": (RoleToSelf,)}
"""Command -> the refusal of a user who does it to themselves."""


def look_at_commands(browser: Browser, oracle: Oracle, door: Door, tab: str) -> None:
    """Compare the commands of each row, and of the bar above, with the attempts."""
    page = browser.get(door.path, {"tab": tab}).text
    fits = dict(re.findall(r'name="ids" value="(\w+)" data-fits="([^"]*)"', page))
    possible: dict[str, set[str]] = {id: set() for id in rows_in(page)}
    for command in commands_of(door):
        for id in possible:
            number = number_of(door.model, id)
            attempt = use_case_of(command, oracle.world, [number])
            beyond = TO_ONESELF.get(command.command, ())
            if not is_so_already(oracle, command, number) and is_in_reach(oracle.world, oracle.login, attempt, *beyond):
                possible[id].add(command.command)
    offered = set(re.findall(r'data-command="([^"]+)"', page)) - COVERED_ELSEWHERE
    assert offered == set().union(*possible.values()), (door, tab, oracle.login)
    is_chosen = bool(offered or fits)  # rows can be chosen also where all that is done with them is their export
    assert {id: set(text.split()) - COVERED_ELSEWHERE for id, text in fits.items()} == (
        possible if is_chosen else {}
    ), (
        door,
        tab,
        oracle.login,
    )


def is_so_already(oracle: Oracle, command: Door, id: int) -> bool:
    """Whether the command would leave the record as it is, which no use case refuses, or is not meant for such records."""
    row = oracle.world.row(command.model, id)
    is_active = row.get("active")
    so = {"lock": row.get("locked_by_id") is not None, "activate": is_active is True, "deactivate": is_active is False}
    so["extend"] = row.get("release_due_at") is None  # there is nothing to put off
    so["erase"] = row.get("pool_id") is None  # what somebody works on goes by way of the bin
    return so.get(command.command, False)


def commands_of(door: Door) -> list[Door]:
    """The doors of the commands above this list."""
    screen = door.path.removesuffix("/list")
    named = {x.name for x in door.view.commands if "list" in x.where} - COVERED_ELSEWHERE
    return [x for x in over_records("POST", "do") if x.path.startswith(f"{screen}/do/") and x.command in named]


@at_length_on_postgresql
@for_logins
def test_the_page_of_a_customer_offers_what_can_be_done_to_it(
    panel: Panel, dataset: Dataset, login: str, thorough: bool
) -> None:
    browser, oracle = signed_in(panel, dataset, login)
    details = next(x for x in over_records("GET", "details") if x.view.identity == "customer")
    children = {
        x.view.model: x for x in over_records("GET", "create") if KINDS[x.view.model].under_customer is not None
    }

    for id in [x for x in oracle.kinds(Customer, *details.view.verbs) if x in oracle.ids(Customer)]:
        for tab in details.view.related:
            page = browser.get(details.at(global_id(Customer, id)), {"tab": tab.name}).text
            door = children.get(getattr(tab, "model", Base))
            if door is not None:
                adds = f'{door.path}?customer_id={global_id(Customer, id)}"' in page
                is_live = id not in oracle.deleted(Customer)
                assert adds is (is_live and creates(oracle, door, customer_id=id)), (login, id, door)
        row = oracle.world.row(Customer, id)
        edits = is_in_reach(oracle.world, login, partial(edit, id))
        assert ("data-edit" in page) is (edits and row["deleted_at"] is None), (login, id)


def edit(id: int, scope: Scope) -> object:
    return create_update.update(scope, Customer, id, {"remark": "Changed"})
