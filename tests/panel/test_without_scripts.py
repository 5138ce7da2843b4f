"""The panel in a browser that runs no scripts: what is typed beside a chooser is found, and a form loses nothing."""

import pytest

from models import Contact, Customer, FollowUp, PoolMember, User, UserRole
from tests.support.panel import Browser, Panel, rows_in
from tests.support.plain_browser import Form, form_in
from tests.support.world import World


def opened(browser: Browser, path: str, action: str = "") -> Form:
    return form_in(browser, browser.get(path), action or path)


def labels(form: Form, name: str) -> list[str]:
    """What a select offers."""
    return [label for label in form.options[name].values() if label]


def typed(form: Form, name: str, text: str) -> Form:
    """The form with a text beside a chooser, whose button is not pressed."""
    return form.fill(**{f"_find-{name}": text})


def test_a_follow_up_is_written_without_the_page_of_its_customer(world: World) -> None:
    li, pine = Panel(world).of("li"), world.customer("Pine Trade")
    world.customer("Pine Works"), world.customer("Oak")
    form = opened(li, "/admin/follow-up/create").fill(content="Called\ntwice", kind="CALL")

    narrowed = form.find("customer_id", "pine")

    assert [label.partition(" · ")[0] for label in sorted(labels(narrowed, "customer_id"))] == [
        "Pine Trade",
        "Pine Works",
    ]
    assert (narrowed.values["content"], narrowed.values["kind"]) == (["Called\ntwice"], ["CALL"])
    assert narrowed.choose("customer_id", "Pine Trade").send().status_code == 303
    assert [(row["customer_id"], row["content"]) for row in world.rows(FollowUp)] == [(pine, "Called\ntwice")]


def test_enter_takes_the_only_record_that_fits_and_asks_where_several_do(world: World) -> None:
    li, pine = Panel(world).of("li"), world.customer("Pine Trade")
    world.customer("Pine Works")
    form = opened(li, "/admin/follow-up/create").fill(content="Called", kind="CALL")

    several = typed(form, "customer_id", "pine").send()
    assert "Several match “pine”, so none was chosen." in several.text
    overlooked = form_in(li, several, form.action).send()
    assert "“pine” was typed, but nothing was chosen." in overlooked.text
    none = typed(form_in(li, overlooked, form.action), "customer_id", "oak").send()
    assert "Nothing matches “oak”." in none.text
    assert world.rows(FollowUp) == []

    assert typed(form_in(li, none, form.action), "customer_id", "pine trade").send().status_code == 303
    assert [row["customer_id"] for row in world.rows(FollowUp)] == [pine]


def test_without_text_the_first_records_are_offered_and_none_that_the_user_may_not_see(world: World) -> None:
    mei = Panel(world).of("mei")
    world.customer("Pine Trade", owner="mei"), world.customer("Secret Trade", owner="wu")

    offered = opened(mei, "/admin/follow-up/create").find("customer_id", "")

    assert [label.partition(" · ")[0] for label in labels(offered, "customer_id")] == ["Pine Trade"]
    assert labels(offered.find("customer_id", "secret"), "customer_id") == []


def test_contacts_are_those_of_the_customer_that_is_typed(world: World) -> None:
    li = Panel(world).of("li")
    for name in ("Pine", "Oak"):
        world.make(Contact, name=f"Ann {name}", customer_id=world.customer(f"{name} Trade"))
    form = opened(li, "/admin/follow-up/create")

    narrowed = typed(form, "customer_id", "oak trade").find("contact_id", "ann")

    assert labels(narrowed, "contact_id") == ["Ann Oak"]


def test_what_is_typed_in_an_edit_is_saved_in_place_of_what_was_there(world: World) -> None:
    ada, li = Panel(world).of("ada"), world.ids["li"]
    form = opened(ada, f"/admin/user/edit/usr_{li}")

    assert typed(form, "department_id", "west").send().status_code == 303

    assert world.row(User, li)["department_id"] == world.ids["west"]


def test_a_record_that_was_found_too_late_is_still_a_conflict(world: World) -> None:
    """The form keeps the version that it was opened with, however often it is shown again."""
    ada, li = Panel(world).of("ada"), world.ids["li"]
    form = opened(ada, f"/admin/user/edit/usr_{li}").fill(name="Li Nana")
    ada.post(f"/admin/user/edit/usr_{li}", {**form.values, "name": "Li Other"})

    shown_again = form.find("department_id", "west")
    answer = shown_again.send()

    assert answer.status_code == 409
    assert "Li Other" in answer.text
    assert world.row(User, li)["name"] == "Li Other"


def test_a_transfer(world: World) -> None:
    ada, id = Panel(world).of("ada"), world.customer("Pine Trade")
    form = opened(ada, f"/admin/customer/ask/transfer?from=list&ids=cus_{id}", "/admin/customer/do/transfer")

    answer = form.choose("user_id", "Wu Wei").fill(reason="New region").send()

    assert "Transfer: 1 done" in answer.text
    assert world.row(Customer, id)["owner_id"] == world.ids["wu"]


def test_a_command_that_is_refused_still_knows_where_it_was_asked_for(world: World) -> None:
    ada, id = Panel(world).of("ada"), world.customer("Pine Trade")
    form = opened(ada, f"/admin/customer/ask/transfer?from=detail&ids=cus_{id}", "/admin/customer/do/transfer")

    refused = form_in(ada, form.fill(reason="New region").send(), form.action)

    assert (refused.values["from"], refused.values["reason"]) == (["detail"], ["New region"])


def test_roles_are_given(world: World) -> None:
    ada, li = Panel(world).of("ada"), world.ids["li"]
    form = opened(ada, f"/admin/user/ask/give-role?from=detail&ids=usr_{li}", "/admin/user/do/give-role")
    form.choose("role_id", "Support").send()
    single = typed(typed(opened(ada, "/admin/user-role/create"), "user_id", "li na"), "role_id", "finance").send()

    assert single.status_code == 303
    held = {row["role_id"] for row in world.rows(UserRole, UserRole.user_id == li)}
    assert {world.ids["support"], world.ids["finance"]} <= held


def test_a_seat_is_given(world: World) -> None:
    ada = Panel(world).of("ada")
    form = typed(typed(opened(ada, "/admin/pool-member/create"), "pool_id", "south"), "to_user", "wu wei")

    assert form.fill(seat="MEMBER").send().status_code == 303

    members = [row["grantee_id"] for row in world.rows(PoolMember, PoolMember.pool_id == world.ids["south"])]
    assert world.ids["wu"] in members


def test_the_owner_filter_takes_one_and_offers_several(world: World) -> None:
    ada, wus = Panel(world).of("ada"), world.customer("Pine", owner="wu")
    lis = world.customer("Oak", owner="li")
    rows = opened(ada, "/admin/customer/list")

    assert rows_in(typed(rows, "f_owner_id", "wu wei").send().text) == [f"cus_{wus}"]

    several = typed(rows, "f_owner_id", "l").send()
    assert '<details class="drop filters" open>' in several.text
    assert rows_in(form_in(ada, several, rows.action).choose("f_owner_id", "Li Na").send().text) == [f"cus_{lis}"]
    assert "Nothing matches “nobody”." in typed(rows, "f_owner_id", "nobody").send().text


@pytest.mark.parametrize(("path", "name"), [("/admin/log", "actor"), ("/admin/policy/simulator", "person")])
def test_the_person_of_a_filter(world: World, path: str, name: str) -> None:
    ada = Panel(world).of("ada")

    offered = opened(ada, path).find(name, "wu wei")

    assert offered.values[name] == [f"usr_{world.ids['wu']}"]
    assert "Nothing matches “nobody”." in typed(offered, name, "nobody").send().text
