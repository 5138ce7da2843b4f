"""Taking people in, one by one and by a pasted table: all or none, under the limits of giving each role singly."""

from typing import Any

import pytest

from models import AuditEntry, Credential, Department, User, UserRole
from models.errors import Refusal, Validation
from resolvers.people import accounts, passwords
from resolvers.people.onboarding import NewPerson, create_people, row_of
from resolvers.people.pasted_people import CheckedPerson, check_people, pasted_people
from resolvers.runtime.batch import Mode
from tests.support.claim_checks import organise, unchanged
from tests.support.policy_drafting import activate
from tests.support.sign_in import HASH, sign_in
from tests.support.world import World


def person(world: World, login: str, *roles: str, department: str | None = "east") -> NewPerson:
    ids = tuple(world.ids[role] for role in roles)
    return NewPerson(login, login.title(), HASH, world.ids[department] if department else None, ids)


def take_in(world: World, by: str, *people: NewPerson) -> Any:
    return world.scope(by).do(create_people, people)


def problems(outcome: Any) -> list[tuple[str, str | None]]:
    return [(problem.code(), problem.field) for problem in outcome.problems]


def held(world: World, login: str) -> set[str]:
    return set(world.principal(login).roles)


# --- one or many, all or none ----------------------------------------------------------------------------


def test_people_come_in_with_department_roles_and_a_password_for_one_use(world: World) -> None:
    outcome = take_in(world, "ada", person(world, "xi", "sales", "support"), person(world, "Yu", department=None))

    assert outcome.problems == []
    xi, yu = (world.row(User, id) for id in outcome.ids)
    assert (xi["login"], xi["department_id"], yu["login"], yu["department_id"]) == ("xi", world.ids["east"], "yu", None)
    assert (held(world, "xi"), held(world, "yu")) == ({"sales", "support"}, set())
    assert sign_in(world, "xi").principal.must_change_password
    entries = [x for x in world.rows(AuditEntry) if x["record_id"] in outcome.ids and x["entity"] == "app_user"]
    assert len({x["batch_id"] for x in entries}) == 1


def test_one_who_cannot_come_in_keeps_all_out_and_is_named_by_their_place(world: World) -> None:
    with unchanged(world):
        outcome = take_in(world, "ada", person(world, "xi"), person(world, "li"), person(world, "y y"))

    assert outcome.ids == []
    assert problems(outcome) == [("DUPLICATE", "people.1.login"), ("FORMAT", "people.2.login")]
    assert [row_of(problem) for problem in outcome.problems] == [(1, "login"), (2, "login")]


def test_the_limits_are_those_of_giving_each_role_singly(world: World) -> None:
    """The oracle is `give_role`, which judges one role of one user."""
    for by in ("ada", "rolf", "lead", "li"):
        for role in ("sales", "finance", "role_manager", "administrator"):
            outcome = take_in(world, by, person(world, f"n-{by}-{role}".replace("_", "-"), role))
            world.make(User, login=f"s-{by}-{role}".replace("_", "-"), name="S", department_id=world.ids["east"])
            try:
                world.scope(by).do(accounts.give_role, f"s-{by}-{role}".replace("_", "-"), role)
                singly = None
            except Refusal as refusal:
                singly = refusal.code()
            may_create = world.scope(by).policy.ever(world.principal(by), "create", "user")
            assert bool(outcome.ids) == (singly is None and may_create), (by, role, problems(outcome), singly)


def test_a_role_beyond_the_limit_is_refused_at_each_person_who_would_get_it_and_logged(world: World) -> None:
    people = [person(world, "xi", "sales"), person(world, "yu", "administrator"), person(world, "zo", "administrator")]
    _let_take_in(world)
    with unchanged(world):
        outcome = take_in(world, "rolf", *people)

    assert problems(outcome) == [("BEYOND_CEILING", "people.1.roles"), ("BEYOND_CEILING", "people.2.roles")]
    denied = [x for x in world.rows(AuditEntry) if x["outcome"] == "DENIED" and x["actor_id"] == world.ids["rolf"]]
    assert denied


def test_a_role_that_takes_two_is_not_given_to_a_new_person_by_one(world: World) -> None:
    organise(world, two_for_policy=True)
    for by in ("ada", "ada2"):
        if by not in world.ids:
            world.user("ada2", "Ada Two", "administrator")
        outcome = take_in(world, by, person(world, "xi", "role_manager"))
        assert problems(outcome) == [("VALIDATION", "people.0.roles")]
        assert "two people" in outcome.problems[0].say()
        world.clock.pass_by(minutes=1)


def test_the_attempt_for_an_account_that_was_undone_is_no_first_attempt_for_the_next_of_its_id(world: World) -> None:
    organise(world, two_for_policy=True)
    world.user("ada2", "Ada Two", "administrator")
    take_in(world, "ada", person(world, "xi", "role_manager"))
    world.clock.pass_by(minutes=1)
    yu = world.make(User, login="yu", name="Yu", department_id=world.ids["east"])

    with pytest.raises(Refusal) as refused:
        world.scope("ada2").do(accounts.give_role, "yu", "role_manager")

    assert refused.value.code() == "NEEDS_SECOND"
    assert not world.rows(UserRole, UserRole.user_id == yu)


def test_two_hundred_come_in_at_once_and_no_more(world: World) -> None:
    with pytest.raises(Validation):
        take_in(world, "ada", *(person(world, f"p{n}") for n in range(201)))
    with pytest.raises(Validation):
        take_in(world, "ada")
    assert len(take_in(world, "ada", *(person(world, f"p{n}", "sales") for n in range(20))).ids) == 20


def test_a_generated_password_is_fast_to_hash_and_as_slow_to_verify_as_any(world: World) -> None:
    secret = passwords.one_time_password()
    hashed = passwords.hash_generated(secret)
    outcome = take_in(world, "ada", NewPerson("xi", "Xi", hashed))

    assert sign_in(world, "xi", secret).principal.id == outcome.ids[0]
    assert world.rows(Credential, Credential.user_id == outcome.ids[0])[0]["one_time"]


# --- the pasted table ------------------------------------------------------------------------------------


def checked(world: World, text: str, by: str = "ada") -> list[CheckedPerson]:
    found: list[CheckedPerson] = world.run(world.scope(by).read(check_people, pasted_people(text)))
    return found


@pytest.mark.parametrize(
    "text",
    [
        "Xi Mo\txi\tEast\tsales; support",
        "Xi Mo,xi,East,sales;support",
        "Xi Mo，xi，East，sales、support",
        "\ufeffXi Mo;xi;East;sales|support\r\n\r\n",
        'Login,Name,Roles,Phone,Department\nXI,Xi Mo,"Sales, Support",1,house / east',
        "姓名\t账号\t角色\t部门\nXi Mo\txi\tsales，support\tEAST",
    ],
)
def test_a_table_is_understood_as_a_spreadsheet_or_a_text_has_it(world: World, text: str) -> None:
    (row,) = checked(world, text)

    assert (row.pasted.name, row.login, row.department_id) == ("Xi Mo", "xi", world.ids["east"])
    assert (set(row.roles), row.problems) == ({"sales", "support"}, [])


def test_each_line_says_all_that_is_wrong_with_it_in_both_languages(world: World) -> None:
    world.make(Department, name="East", parent_id=world.ids["west"])
    rows = checked(world, "\n".join(["\txi", "A\tli", "B\ty y\tMars\tking", "C\tzo\tEast", "D\tzu\nE\tZU"]))

    assert [[problem.say() for problem in row.problems] for row in rows] == [
        ["The name is missing."],
        ["li is taken already. Choose another."],
        [
            "A login has 2 to 40 letters, digits, dots or dashes.",
            "There is no such department Mars, or you may not see it.",
            rows[2].problems[2].say(),
        ],
        ["Several departments are called East. Name one of: House / East; House / West / East."],
        ["The login zu stands in the table 2 times."],
        ["The login zu stands in the table 2 times."],
    ]
    assert rows[2].problems[2].say().startswith("There is no role king. Choose one of: administrator,")
    assert rows[0].problems[0].say("zh") == "缺少姓名。"


def test_roles_that_the_caller_may_not_give_are_refused_before_anything_is_created(world: World) -> None:
    codes = {
        row.login: [x.code() for x in row.problems]
        for row in checked(world, "A,xi,,administrator\nB,yu,,sales", "rolf")
    }
    assert codes == {"xi": ["BEYOND_CEILING"], "yu": []}
    assert [[x.code() for x in row.problems] for row in checked(world, "A,xi,,sales", "aud")] == [["FORBIDDEN"]]


@pytest.mark.parametrize("text", ["", " \n\t\n", "name,login", "\n".join(f"P{n},p{n}" for n in range(201))])
def test_no_lines_and_too_many_are_refused(text: str) -> None:
    with pytest.raises(Validation, match="1 to 200 people"):
        pasted_people(text)


# --- roles of many ---------------------------------------------------------------------------------------


def test_roles_are_given_to_many_and_taken_again(world: World) -> None:
    ids, support = [world.ids[login] for login in ("li", "wu", "sam")], [world.ids["support"]]

    given = world.ada.do(accounts.give_roles, ids, support)
    assert (given.ids, given.problems, [note.say() for note in given.notes]) == (ids, [], ["1 held it already."])
    assert held(world, "li") == {"sales", "support"}

    taken = world.ada.do(accounts.take_roles, [*ids, world.ids["mei"]], support)
    assert [note.say("zh") for note in taken.notes] == ["其中 1 人没有此角色。"]
    assert (len(taken.ids), held(world, "li"), held(world, "sam")) == (4, {"sales"}, set())


def test_many_are_judged_as_each_would_be(world: World) -> None:
    """Nobody gives a role to themselves, and a role beyond the limit goes to nobody."""
    ids = [world.ids[login] for login in ("li", "ada", "wu")]
    given = world.ada.do(accounts.give_roles, ids, [world.ids["support"]])
    assert (given.ids, [x.code() for x in given.problems]) == ([ids[0], ids[2]], ["ROLE_TO_SELF"])

    beyond = world.rolf.do(accounts.give_roles, [ids[0], ids[2]], [world.ids["administrator"]])
    assert (beyond.ids, [x.code() for x in beyond.problems]) == ([], ["BEYOND_CEILING"] * 2)
    assert held(world, "li") == {"sales", "support"}

    none = world.ada.do(accounts.give_roles, ids, [world.ids["finance"]], Mode.ALL_OR_NOTHING)
    assert (none.ids, held(world, "wu")) == ([], {"sales", "support"})


def test_the_last_administrator_stays_when_many_lose_the_role(world: World) -> None:
    world.user("ada2", "Ada Two", "administrator")
    for login in ("ada", "ada2"):
        world.system.do(passwords.set_password, login, HASH, one_time=False)

    taken = world.system.do(accounts.take_roles, [world.ids["ada"], world.ids["ada2"]], [world.ids["administrator"]])

    assert (taken.ids, [x.code() for x in taken.problems]) == ([world.ids["ada"]], ["LAST_ADMINISTRATOR"])
    assert held(world, "ada2") == {"administrator"}


def _let_take_in(world: World) -> None:
    """Let role managers create users too."""
    activate(world, "ada", *(f"p, role_manager, user, {verb}, all, any, allow" for verb in ("create", "edit")))


def test_who_may_not_give_roles_is_refused_also_where_nothing_would_change(world: World) -> None:
    wu, sales = world.ids["wu"], world.ids["sales"]
    assert "sales" in held(world, "wu")

    given = world.scope("li").do(accounts.give_roles, [wu], [sales], Mode.BEST_EFFORT)
    taken = world.scope("li").do(accounts.take_roles, [wu], [world.ids["support"]], Mode.BEST_EFFORT)
    to_self = world.scope("ada").do(accounts.give_roles, [world.ids["ada"]], [world.ids["administrator"]])

    assert [(x.ids, [p.code() for p in x.problems]) for x in (given, taken, to_self)] == [
        ([], ["FORBIDDEN"]),
        ([], ["FORBIDDEN"]),
        ([], ["ROLE_TO_SELF"]),
    ]
