"""What the roles of a new installation may do, as a table to read, asserted through the clause that lists use."""

import pytest
from sqlalchemy import select

from models import Base, Contact, Customer, Department, Role, User, UserRole
from models.errors import Forbidden, NotFound
from policies.objects import ACTIONS
from resolvers.customers import lock as locking
from resolvers.customers import transfer as transferring
from resolvers.records import create_update
from tests.support.starter_policy import KINDS, PEOPLE, reached
from tests.support.world import World

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
    "extend": {"ada": OPEN, "li": "M B", "wu": "T L", "lead": "M T B"},
    "approve": {"ada": OPEN, "lead": "M T B"},
    "merge": {"ada": OPEN, "li": "M B", "wu": "T L", "lead": "M T B"},
    "share": {"ada": OPEN, "li": "M B", "wu": "T L", "lead": "M T B"},
    "claim": {"ada": OPEN, "li": "P", "wu": "P", "lead": "P"},
    "assign": {"ada": OPEN, "lead": "P"},
    "move": {"ada": OPEN, "lead": "P"},
    "lock": {"ada": OPEN, "li": "M B", "wu": "T L"},
    "unlock": {"ada": EVERY, "li": "M B", "wu": "T L", "lead": "L"},
    "import": {"ada": OPEN, "li": "M B", "wu": "T L", "lead": "M T P B"},
    "export": {"ada": OPEN, "lead": "M T P B", "both": OPEN},
    "dupcheck": {"ada": EVERY, "li": EVERY, "wu": EVERY, "lead": EVERY, "sam": EVERY, "both": EVERY},
}


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
    "import": {"ada": OPEN, "li": "M", "wu": "T L", "lead": "M T P B"},
    "edit": {"ada": OPEN, "li": "M", "wu": "T L", "lead": "M T P B", "sam": "M T W P F"},
    "delete": {"ada": OPEN, "li": "M", "wu": "T L", "lead": "M T B"},
    "restore": {"ada": "M T W P F L B", "lead": "B"},  # L too: a lock does not keep what was deleted in the bin
    "transfer": {"ada": OPEN, "li": "M", "wu": "T L", "lead": "M T B"},
    "purge": {"ada": OPEN},
}


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
