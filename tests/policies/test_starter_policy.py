"""What the roles of a new installation may do, as a table to read, asserted through the clause that lists use."""

from typing import Any

import pytest
from sqlalchemy import select

from models import Base, ClaimRule, Contact, ContactPoint, Customer, Department, Pool, PoolMember, Role, User, UserRole
from models.errors import Forbidden, NotFound, Refusal
from models.pool import GranteeKind, Seat
from policies.objects import ACTIONS
from resolvers.customers import lock as locking
from resolvers.customers import transfer as transferring
from resolvers.pool import claim as claiming
from resolvers.records import create_update
from tests.support.world import World

# Customers: Mine of Li, Theirs of Wu (same team), West of Mei (another team), Pooled where Li and Wu sit and Lena
# administers, Far in a pool of another team, Locked by Wu, Binned of Li.
KINDS = ("Mine", "Theirs", "West", "Pooled", "Far", "Locked", "Binned")
EVERY, OPEN = "M T W P F L B", "M T W P F B"

RIGHTS = {
    # action: person -> customers; a person who is not named may do it to none.
    "view": {
        "ada": OPEN,
        "li": "M P",
        "wu": "T P L",
        "lead": "M T P B",
        "fin": "M T W P F",
        "sam": "M T W P F",
        "aud": OPEN,
        "both": OPEN,
    },
    "create": {"ada": OPEN, "li": "M B", "wu": "T L", "lead": "M T P B"},
    "edit": {"ada": OPEN, "li": "M B", "wu": "T L", "lead": "M T P B"},
    "delete": {"ada": OPEN, "li": "M B", "wu": "T L", "lead": "M T P B"},
    "restore": {"ada": OPEN, "lead": "B"},
    "purge": {"ada": OPEN},
    "transfer": {"ada": OPEN, "li": "M B", "wu": "T L", "lead": "M T B"},
    "release": {"ada": OPEN, "li": "M B", "wu": "T L", "lead": "M T B"},
    "share": {"ada": OPEN, "li": "M B", "wu": "T L", "lead": "M T B"},
    "claim": {"ada": OPEN, "li": "P", "wu": "P", "lead": "P"},
    "assign": {"ada": OPEN, "lead": "P"},
    "lock": {"ada": OPEN, "li": "M B", "wu": "T L"},
    "unlock": {"ada": EVERY, "li": "M B", "wu": "T L", "lead": "L"},
    "import": {"ada": OPEN, "lead": "P"},
    "export": {"ada": OPEN, "lead": "M T P B", "both": OPEN},
    "dupcheck": {"ada": EVERY, "li": EVERY, "wu": EVERY, "lead": EVERY, "sam": EVERY, "both": EVERY},
}
PEOPLE = ("ada", "rolf", "li", "wu", "lead", "fin", "sam", "aud", "both")

CONTACT_RIGHTS = {
    # The same for their contacts; that of Binned lies in the bin with it.
    "view": {
        "ada": OPEN,
        "li": "M P",
        "wu": "T P L",
        "lead": "M T P B",
        "fin": "M T W P F",
        "sam": "M T W P F",
        "aud": OPEN,
        "both": OPEN,
    },
    "create": {"ada": OPEN, "li": "M", "wu": "T L", "lead": "M T P B"},
    "edit": {"ada": OPEN, "li": "M", "wu": "T L", "lead": "M T P B", "sam": "M T W P F"},
    "delete": {"ada": OPEN, "li": "M", "wu": "T L", "lead": "M T B"},
    "restore": {"ada": OPEN, "lead": "B"},
    "transfer": {"ada": OPEN, "li": "M", "wu": "T L", "lead": "M T B"},
    "purge": {"ada": OPEN},
}


@pytest.fixture
def stock(world: World) -> dict[str, int]:
    """One customer of each kind, with a phone, an address and a contact; and an auditor who is administrator too."""
    places = {"Mine": "li", "Theirs": "wu", "West": "mei", "Locked": "wu", "Binned": "li"}
    ids = {}
    for kind in KINDS:
        place = {"owner": places[kind]} if kind in places else {"pool": "north" if kind == "Pooled" else "south"}
        ids[kind] = world.customer(kind, **place, phone="1001", email="a@b.example")
        point = {"kind": "PHONE", "value": "13800138000"}
        world.make(Contact, customer_id=ids[kind], name=kind, points=[point])
    world.wu.do(locking.lock, [ids["Locked"]], "mine alone")
    world.li.do(create_update.delete, Customer, [ids["Binned"]])
    world.user("both", "Bo Both", "auditor")
    world.make(UserRole, user_id=world.ids["both"], role_id=world.ids["administrator"])
    return ids


def reached(world: World, login: str, action: str, model: type[Any]) -> str:
    """The initials of the records to which a person may do something, as in the tables."""
    clause = world.backend.policy.where(world.principal(login), action, model)
    with world.backend.writer.engine.connect() as connection:
        return " ".join(
            name[0] for name in connection.execute(select(model.name).where(clause).order_by(model.id)).scalars()
        )


def table(world: World, model: type[Base], rights: dict[str, dict[str, str]]) -> dict[str, dict[str, str]]:
    found = {action: {login: reached(world, login, action, model) for login in PEOPLE} for action in rights}
    return {action: {login: names for login, names in by.items() if names} for action, by in found.items()}


def ordered(rights: dict[str, dict[str, str]]) -> dict[str, dict[str, str]]:
    initials = [kind[0] for kind in KINDS]
    return {
        action: {login: " ".join(sorted(names.split(), key=initials.index)) for login, names in by.items()}
        for action, by in rights.items()
    }


@pytest.mark.usefixtures("stock")
def test_every_role_may_do_to_customers_what_the_table_says_and_nothing_else(world: World) -> None:
    assert table(world, Customer, RIGHTS) == ordered(RIGHTS)


@pytest.mark.usefixtures("stock")
def test_every_role_may_do_to_contacts_what_the_table_says_and_nothing_else(world: World) -> None:
    assert table(world, Contact, CONTACT_RIGHTS) == ordered(CONTACT_RIGHTS)


@pytest.mark.usefixtures("stock")
def test_actions_that_the_table_does_not_name_are_the_administrator_s(world: World) -> None:
    for action in set(ACTIONS) - set(RIGHTS):
        able = [login for login in PEOPLE if reached(world, login, action, Customer)]

        assert able in (["ada"], ["ada", "both"]), action


# --- the lock --------------------------------------------------------------------------------------------


def test_a_lock_binds_administrators_who_may_only_open_it(world: World, stock: dict[str, int]) -> None:
    before = world.row(Customer, stock["Locked"])

    for attempt in (
        lambda: world.ada.do(create_update.update, Customer, stock["Locked"], {"name": "X"}),
        lambda: world.ada.do(create_update.update, Contact, stock["Locked"], {"name": "X"}),
    ):
        with pytest.raises(NotFound):
            attempt()
    for outcome in (
        world.ada.do(create_update.delete, Customer, [stock["Locked"]]),
        world.ada.do(transferring.transfer, [stock["Locked"]], world.ids["li"]),
        world.ada.do(locking.lock, [stock["Locked"]], "shorter", world.clock.now.replace(hour=9)),
    ):
        assert (outcome.ids, [problem.code() for problem in outcome.problems]) == ([], ["NOT_FOUND"])
    assert world.row(Customer, stock["Locked"]) == before

    assert world.ada.do(locking.unlock, [stock["Locked"]]).ids == [stock["Locked"]]
    assert reached(world, "ada", "view", Customer) == "M T W P F L B"


def test_a_lead_opens_a_record_of_the_team_that_she_cannot_see_and_none_of_another_team(
    world: World, stock: dict[str, int]
) -> None:
    world.mei.do(locking.lock, [stock["West"]])

    outcome = world.lead.do(locking.unlock, [stock["Locked"], stock["West"]])

    assert outcome.ids == [stock["Locked"]]
    assert [(problem.code(), problem.record_id) for problem in outcome.problems] == [
        ("NOT_FOUND", f"cus_{stock['West']}")
    ]


def test_a_lock_that_has_ended_binds_nobody(world: World, stock: dict[str, int]) -> None:
    world.wu.do(locking.lock, [stock["Theirs"]], None, world.clock.now.replace(hour=9))
    assert "T" not in reached(world, "ada", "view", Customer)

    world.clock.pass_by(hours=1)

    assert "T" in reached(world, "ada", "view", Customer)


# --- the pool --------------------------------------------------------------------------------------------


def contact_details(world: World, login: str, id: int) -> tuple[Any, ...]:
    """Phone, e-mail and number of points of a customer and its contacts, as the person may see them."""
    p, policy, c = world.principal(login), world.backend.policy, Customer.__table__.c
    shown = [policy.guarded(p, Customer, field, Customer, c[field]) for field in ("phone", "email")]
    seen = select(*shown).where(Customer.id == id, policy.where(p, "view", Customer))
    points = select(ContactPoint.value).join(ContactPoint.contact).where(Contact.customer_id == id)
    with world.backend.writer.engine.connect() as connection:
        details = connection.execute(seen).one_or_none() or ()
        return (*details, *connection.execute(points.where(policy.where(p, "view", ContactPoint))).scalars())


ALL_DETAILS = ("1001", "a@b.example", "13800138000")


def test_whoever_sits_in_a_pool_sees_no_phone_and_no_address_there(world: World, stock: dict[str, int]) -> None:
    seen = {login: contact_details(world, login, stock["Pooled"]) for login in (*PEOPLE, "mei")}

    assert seen == {
        **dict.fromkeys(("li", "wu", "lead"), (None, None)),
        **dict.fromkeys(("ada", "fin", "sam", "aud", "both"), ALL_DETAILS),
        **dict.fromkeys(("mei", "rolf"), ()),
    }


def test_a_seat_hides_them_from_everybody_even_from_an_administrator_and_by_way_of_a_share(
    world: World, stock: dict[str, int]
) -> None:
    for login in ("ada", "sam"):
        world.seat("north", login, Seat.VIEWER)

        assert contact_details(world, login, stock["Pooled"]) == (None, None)
        assert contact_details(world, login, stock["Far"]) == ALL_DETAILS


def test_a_claim_shows_them_to_the_one_who_claimed(world: World, stock: dict[str, int]) -> None:
    assert world.li.do(claiming.claim, [stock["Pooled"]]).ids == [stock["Pooled"]]

    assert contact_details(world, "li", stock["Pooled"]) == ALL_DETAILS
    assert contact_details(world, "wu", stock["Pooled"]) == ()
    assert contact_details(world, "lead", stock["Pooled"]) == ALL_DETAILS


def test_what_is_hidden_cannot_be_overwritten_either(world: World, stock: dict[str, int]) -> None:
    (contact,) = world.rows(Contact, Contact.customer_id == stock["Pooled"])
    for model, id, values in (
        (Customer, stock["Pooled"], {"phone": "1"}),
        (Contact, contact["id"], {"points": []}),
    ):
        with pytest.raises(Forbidden):
            world.lead.do(create_update.update, model, id, values)

    world.lead.do(create_update.update, Customer, stock["Pooled"], {"name": "Pooled, cleaned"})

    row = world.row(Customer, stock["Pooled"])
    assert (row["name"], row["phone"], world.count(ContactPoint)) == ("Pooled, cleaned", "1001", len(KINDS))


def test_who_administers_a_pool_gives_seats_and_rules_there_and_nowhere_else(world: World) -> None:
    def seat(pool: str) -> dict[str, Any]:
        return {"pool_id": world.ids[pool], "grantee_kind": GranteeKind.DEPARTMENT, "grantee_id": world.ids["west"]}

    made = world.lead.do(create_update.create, PoolMember, seat("north"))
    rule = world.lead.do(create_update.create, ClaimRule, {"pool_id": world.ids["north"], "daily_quota": 3})
    world.lead.do(create_update.update, ClaimRule, rule.id, {"daily_quota": 5})
    assert world.principal("mei").pools == {world.ids["north"], world.ids["south"]}
    assert world.lead.do(create_update.delete, PoolMember, [made.id]).ids == [made.id]

    for login, pool, refusal in (("lead", "south", NotFound), ("li", "north", Forbidden), ("mei", "south", Forbidden)):
        with pytest.raises(refusal):
            world.scope(login).do(create_update.create, PoolMember, seat(pool))
    with pytest.raises(Refusal):
        world.lead.do(create_update.create, Pool, {"name": "Her own"})
    assert world.lead.do(create_update.delete, Pool, [world.ids["north"]]).problems[0].code() == "IN_USE"


def test_everybody_sees_the_pools_where_he_sits(world: World) -> None:
    seen = {login: reached(world, login, "view", Pool) for login in ("li", "mei", "lead", "fin", "ada", "aud")}

    assert seen == {"li": "N", "mei": "S", "lead": "N", "fin": "", "ada": "N S", "aud": "N S"}


# --- bin, audit, people ----------------------------------------------------------------------------------


def test_the_bin_is_open_to_administrators_and_leads_who_bring_back_what_lies_in_it(
    world: World, stock: dict[str, int]
) -> None:
    for login in ("li", "fin", "sam", "rolf"):
        assert world.scope(login).do(create_update.restore, Customer, [stock["Binned"]]).ids == []

    assert world.lead.do(create_update.restore, Customer, [stock["Binned"]]).ids == [stock["Binned"]]
    world.li.do(create_update.delete, Customer, [stock["Binned"]])
    assert world.ada.do(create_update.restore, Customer, [stock["Binned"]]).ids == [stock["Binned"]]

    assert reached(world, "li", "view", Customer) == "M P B"
    assert reached(world, "li", "view", Contact) == "M P B"


def test_an_auditor_changes_nothing_even_as_an_administrator(world: World, stock: dict[str, int]) -> None:
    before = world.everything()

    with pytest.raises(Forbidden):
        world.both.do(create_update.update, Customer, stock["Mine"], {"name": "X"})
    with pytest.raises(Forbidden):
        world.both.do(
            create_update.create, Customer, {"name": "X", "contact_name": "A", "contact_phone": "13800138000"}
        )
    with pytest.raises(Forbidden):
        world.both.do(create_update.update, Role, world.ids["sales"], {"name": "X"})
    assert world.both.do(create_update.delete, Customer, [stock["Mine"]]).ids == []
    assert world.both.do(create_update.purge, Customer, [stock["Binned"]], confirm=True).ids == []
    assert world.both.do(locking.unlock, [stock["Locked"]]).ids == []
    assert world.everything() == before


def test_people_and_departments_are_seen_by_all_and_roles_by_who_manages_them(world: World) -> None:
    everybody = " ".join(row["name"][0] for row in world.rows(User))

    for login in ("li", "rolf", "fin"):
        assert reached(world, login, "view", User) == everybody
        assert reached(world, login, "view", Department) == "H E W"
    assert len(reached(world, "rolf", "view", Role).split()) == world.count(Role)
    assert reached(world, "li", "view", Role) == ""


def test_a_role_manager_gives_and_takes_roles_and_sees_no_customer(world: World, stock: dict[str, int]) -> None:
    given = world.rolf.do(create_update.create, UserRole, {"user_id": world.ids["li"], "role_id": world.ids["finance"]})
    assert world.principal("li").roles == {"sales", "finance"}
    assert world.rolf.do(create_update.delete, UserRole, [given.id]).ids == [given.id]
    assert world.rolf.do(create_update.restore, UserRole, [given.id]).ids == [given.id]

    with pytest.raises(NotFound):
        world.rolf.do(create_update.update, Customer, stock["Mine"], {"name": "X"})
    with pytest.raises(Forbidden):
        world.li.do(create_update.create, UserRole, {"user_id": world.ids["li"], "role_id": world.ids["administrator"]})


def test_an_address_of_a_person_is_his_own_and_the_administrator_s(world: World) -> None:
    def emails(login: str) -> int:
        column = world.backend.policy.guarded(world.principal(login), User, "email", User, User.__table__.c.email)
        with world.backend.writer.engine.connect() as connection:
            return len([x for x in connection.execute(select(column).select_from(User)).scalars() if x])

    for login in ("li", "wu"):
        world.system.do(create_update.update, User, world.ids[login], {"email": f"{login}@millpond.example"})

    assert (emails("li"), emails("wu"), emails("lead"), emails("ada")) == (1, 1, 0, 2)
