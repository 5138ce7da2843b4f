"""Seeing Millpond as another person does: what he sees, nothing changed, logged, and never more than one may hand out."""

from datetime import timedelta

import pytest

from models import AuditEntry, Contact, Customer, Event, SignInSession, User
from models.errors import BeyondCeiling, Forbidden, NotFound, OnlyLooking, Validation
from policies import Facts, Principal
from resolvers.audit import history
from resolvers.customers import lock as locking
from resolvers.people import view_as
from resolvers.pool import workload
from resolvers.reading.pages import ListRequest, page
from resolvers.records import create_update
from tests.support.panel import Panel
from tests.support.refusals import add_line, refused
from tests.support.world import START, World


def eyes(world: World, login: str, token: str) -> Principal | None:
    """As whom somebody sees with this token."""
    return world.run(world.scope(login).read(view_as.viewed_principal, token))


def test_one_sees_what_the_other_sees_and_changes_nothing(world: World) -> None:
    mine = world.customer("Acme", "li")

    token = world.ada.do(view_as.start_viewing_as, world.ids["li"])

    seen = eyes(world, "ada", token)
    assert seen is not None
    assert (seen.id, seen.roles, seen.viewed_by) == (world.ids["li"], frozenset({"sales"}), world.ids["ada"])
    through = world.backend.scope(seen, "panel")
    refused(world, through, OnlyLooking, create_update.update, Customer, mine, {"name": "Changed"})
    entry = world.rows(AuditEntry, AuditEntry.action == "user.view_as")[-1]
    assert (entry["actor_id"], entry["record_id"], entry["changes"]) == (
        world.ids["ada"],
        world.ids["li"],
        {"seen_by": [None, "Ada Ng"]},
    )


def test_the_token_opens_no_door_by_itself_and_nothing_for_others(world: World) -> None:
    token = world.ada.do(view_as.start_viewing_as, world.ids["li"])

    assert world.run(world.backend.principal_of(token)) is None
    assert eyes(world, "wu", token) is None


def test_it_ends_when_the_one_who_looks_is_shut_out(world: World) -> None:
    world.user("boss", "Bo Head", "administrator")
    world.scope("boss").do(view_as.start_viewing_as, world.ids["li"])

    world.ada.do(create_update.update, User, world.ids["boss"], {"active": False})

    assert world.count(SignInSession, SignInSession.looker_id.is_not(None), SignInSession.revoked_at.is_(None)) == 0


def test_it_ends_by_itself_by_stopping_and_with_the_right(world: World) -> None:
    token = world.ada.do(view_as.start_viewing_as, world.ids["li"])
    world.ada.do(view_as.stop_viewing_as, token)
    assert eyes(world, "ada", token) is None

    token = world.ada.do(view_as.start_viewing_as, world.ids["li"])
    world.clock.pass_by(minutes=31)
    assert eyes(world, "ada", token) is None

    token = world.ada.do(view_as.start_viewing_as, world.ids["li"])
    add_line(world, "p, administrator, user, view_as, all, any, deny")
    assert eyes(world, "ada", token) is None


def test_nobody_looks_without_the_right_or_through_the_eyes_of_who_may_do_more(world: World) -> None:
    refused(world, world.rolf, Forbidden, view_as.start_viewing_as, world.ids["li"])
    refused(world, world.ada, Validation, view_as.start_viewing_as, world.ids["ada"])
    refused(world, world.ada, NotFound, view_as.start_viewing_as, 999_999)

    add_line(world, "p, role_manager, user, view_as, all, any, allow")

    refused(world, world.rolf, BeyondCeiling, view_as.start_viewing_as, world.ids["ada"])
    assert eyes(world, "rolf", world.rolf.do(view_as.start_viewing_as, world.ids["li"])) is not None
    assert world.count(SignInSession, SignInSession.looker_id == world.ids["rolf"]) == 1


def test_the_panel_says_as_whom_one_sees_and_leads_back(world: World) -> None:
    mine = world.customer("Acme of Li", "li")
    world.customer("Beta of Mei", "mei")
    panel = Panel(world)
    ada = panel.of("ada")

    begun = ada.post("/admin/user/do/see-as", {"ids": f"usr_{world.ids['li']}", "from": "detail"})

    assert (begun.status_code, begun.headers["location"]) == (303, "/admin/")
    page = ada.get("/admin/customer/list").text
    assert "You see Millpond as Li Na does." in page
    assert "Acme of Li" in page
    assert "Beta of Mei" not in page
    tried = ada.post(f"/admin/customer/edit/cus_{mine}", {"version": "1", "name": "Changed"})
    assert tried.status_code == 422
    assert "Nothing can be changed so" in tried.text
    assert world.row(Customer, mine)["name"] == "Acme of Li"

    assert ada.post("/admin/be-myself").status_code == 303
    page = ada.get("/admin/customer/list").text
    assert "You see Millpond as" not in page
    assert "Beta of Mei" in page


@pytest.mark.parametrize("login", ["rolf", "li"])
def test_the_panel_refuses_it_to_who_may_not(world: World, login: str) -> None:
    browser = Panel(world).of(login)

    answer = browser.post("/admin/user/do/see-as", {"ids": f"usr_{world.ids['mei']}", "from": "detail"})

    assert answer.status_code in (403, 422)
    assert "You see Millpond as" not in browser.get("/admin/").text


def test_what_is_locked_from_the_looker_stays_closed_everywhere(world: World) -> None:
    open_, locked = world.customer("Acme", "li", stage="early"), world.customer("Secret", "li", stage="won")
    world.make(Contact, customer_id=locked, name="Ms Hidden", points=[{"kind": "PHONE", "value": "13800138000"}])
    world.li.do(locking.lock, [locked], "signing")
    token = world.ada.do(view_as.start_viewing_as, world.ids["li"])

    through = world.backend.scope(eyes(world, "ada", token), "panel")

    customers = world.run(through.read(page, ListRequest(Customer, ("name",), size=50)))
    contacts = world.run(through.read(page, ListRequest(Contact, ("name",), size=50)))
    found = world.run(through.read(page, ListRequest(Customer, ("name",), search="Secret")))
    assert [row.id for row in customers.rows] == [open_]
    assert (contacts.rows, found.rows, found.count) == ([], [], 0)
    assert world.run(through.read(workload.by_stage)) == {"early": 1}
    with pytest.raises(NotFound):
        world.run(through.read(history.of_record, Customer, locked))
    facts = Facts(owner_id=world.ids["li"], locked=True)
    assert not world.backend.policy.may(through.person, "view", "customer", facts)
    assert world.backend.policy.may(world.principal("li"), "view", "customer", facts)


def test_what_the_looker_has_locked_and_the_other_may_not_see_stays_closed_too(world: World) -> None:
    mine = world.customer("Mine", "ada")
    world.ada.do(locking.lock, [mine])
    token = world.ada.do(view_as.start_viewing_as, world.ids["fin"])

    through = world.backend.scope(eyes(world, "ada", token), "panel")

    assert world.run(through.read(page, ListRequest(Customer, ("name",)))).rows == []


def test_the_pages_show_no_trace_of_a_locked_customer(world: World) -> None:
    locked = world.customer("Zq000secretq", "li", stage="won")
    world.make(Contact, customer_id=locked, name="Zq000contactq")
    world.li.do(locking.lock, [locked], "Zq000reasonq")
    panel = Panel(world)
    ada = panel.of("ada")
    ada.post("/admin/user/do/see-as", {"ids": f"usr_{world.ids['li']}", "from": "detail"})
    number = world.row(Customer, locked)["number"]

    for path in ("/", "/customer/list", "/contact/list", "/log", f"/user/details/usr_{world.ids['li']}?tab=customers"):
        page = ada.get(f"/admin{path}").text
        assert "You see Millpond as Li Na does." in page
        assert [text for text in ("Zq000", number) if text in page] == [], path
    for path in (f"/customer/details/cus_{locked}", f"/customer/edit/cus_{locked}", f"/why?record=cus_{locked}"):
        answer = ada.get(f"/admin{path}")
        assert answer.status_code in (403, 404), path
        assert "Zq000" not in answer.text


@pytest.mark.parametrize(
    ("language", "said"), [("en", "Ada Ng saw Millpond as you do"), ("zh", "Ada Ng 曾以您的身份查看")]
)
def test_the_person_looked_at_is_told(world: World, language: str, said: str) -> None:
    world.system.do(create_update.update, User, world.ids["li"], {"language": language})
    li = Panel(world).of("li")
    assert said not in li.get("/admin/").text
    events = world.count(Event)

    token = world.ada.do(view_as.start_viewing_as, world.ids["li"])
    world.clock.pass_by(minutes=5)
    world.ada.do(view_as.stop_viewing_as, token)

    told = [(x["topic"], x["action"]) for x in world.rows(Event)[events:]]
    assert told[:1] == [(f"user:{world.ids['li']}", "user.view_as")]
    assert said in li.get("/admin/").text
    (seen,) = world.run(world.li.read(view_as.views_of_me))
    assert (seen.by, seen.began, seen.ended) == ("Ada Ng", START, START + timedelta(minutes=5))
    account = li.get("/admin/account").text
    assert "Ada Ng" in account
    assert account.count('name="key" value="ses_') == 0, "a session of view-as is none that its person can end"
    world.clock.pass_by(days=3)
    assert said not in Panel(world).of("li").get("/admin/").text
