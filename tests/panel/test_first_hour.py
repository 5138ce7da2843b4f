"""The first hour of an administrator: people in one form or one paste, and a list of steps until all is there."""

import re
from html import unescape
from typing import Any

import pytest
from sqlalchemy import Integer, true, update

from admin.kit.fields import input_of
from models import ClaimRule, Credential, Department, Organisation, Pool, PoolMember, User, UserRole
from models.base import columns
from resolvers.records.form_schema import settable
from tests.support.panel import Panel, over_records
from tests.support.world import START, World

from .test_twice import hidden_inputs

FORM, PASTE = "/admin/user/create", "/admin/user/paste"


def secrets_in(page: str) -> list[str]:
    """The first passwords that a page shows."""
    return [unescape(secret) for secret in re.findall(r"<code>([^<]+)</code>", page)]


def mistakes_in(page: str) -> list[str]:
    return [unescape(text) for text in re.findall(r'<div class="said-bad"><svg.*?</svg>(.*?)</div>', page)]


def enters(panel: Panel, login: str, password: str) -> bool:
    return panel.browser().sign_in(login, password).status_code == 303


# --- one person, one form --------------------------------------------------------------------------------


def test_one_form_takes_a_person_in_with_department_roles_and_password(world: World) -> None:
    panel = Panel(world)
    role, department = f"rol_{world.ids['sales']}", f"dep_{world.ids['east']}"
    page = panel.of("ada").get(FORM).text
    assert f'name="roles" value="{role}"' in page
    assert f'<option value="{department}">' in page  # in a plain list, with its path

    form = {"name": "Xi Lan", "login": "xi", "language": "zh", "department_id": department, "roles": [role]}
    taken_in = panel.of("ada").post(FORM, form)

    (secret,) = secrets_in(taken_in.text)
    (made,) = world.rows(User, User.login == "xi")
    assert (made["name"], made["department_id"], made["language"]) == ("Xi Lan", world.ids["east"], "zh")
    assert world.principal("xi").roles == {"sales"}
    assert enters(panel, "xi", secret)
    again = re.findall(r'href="([^"]+create\?[^"]+)"', taken_in.text)[0]
    next_page = panel.of("ada").get(unescape(again)).text
    assert f'value="{role}" checked' in next_page
    assert f'<option selected value="{department}">' in next_page


def test_a_chosen_first_password_holds_and_a_weak_one_is_refused_beside_it(world: World) -> None:
    panel = Panel(world)
    form = {"name": "Xi Lan", "login": "xi", "language": "en", "roles": [f"rol_{world.ids['sales']}"]}

    weak = panel.of("ada").post(FORM, form | {"password": "xi"})
    strong = panel.of("ada").post(FORM, form | {"password": "violet-canoe-harbour"})

    assert weak.status_code == 422
    assert len(mistakes_in(weak.text)) == 1
    assert f'value="{form["roles"][0]}" checked' in weak.text
    assert secrets_in(strong.text) == ["violet-canoe-harbour"]
    assert enters(panel, "xi", "violet-canoe-harbour")


def test_a_login_that_is_taken_makes_nobody(world: World) -> None:
    ada = Panel(world).of("ada")
    before = world.count(User), world.count(UserRole), world.count(Credential)

    refused = ada.post(FORM, {"name": "Li Two", "login": "li", "language": "en"})

    assert refused.status_code == 422
    assert mistakes_in(refused.text) == ["li is taken already. Choose another."]
    assert (world.count(User), world.count(UserRole), world.count(Credential)) == before


# --- many, in one paste ----------------------------------------------------------------------------------


def test_a_pasted_table_is_checked_before_anybody_comes_in(world: World) -> None:
    panel, before = Panel(world), world.count(User)
    table = "姓名\t账号\t部门\t角色\n习兰\txilan\tEast\tSales; Support\n余秋\tyuqiu\t\tsales"

    checked = panel.of("ada").post(PASTE, {"table": table})
    assert (checked.status_code, world.count(User)) == (200, before)
    assert "2 people can be taken in." in checked.text

    done = panel.of("ada").post(PASTE, {"table": table, "step": "create"})
    secrets = secrets_in(done.text)
    assert (world.count(User), len(secrets)) == (before + 2, 2)
    assert (world.principal("xilan").roles, world.principal("yuqiu").roles) == ({"sales", "support"}, {"sales"})
    assert enters(panel, "yuqiu", secrets[1])


def test_each_line_says_what_is_wrong_with_it_and_the_text_stays(world: World) -> None:
    panel, before = Panel(world), world.count(User)
    table = "Xi,xi,East,Sales\n,yu,,\nLi,li,,\nZo,zo,Nowhere,Wizard"

    answer = panel.of("ada").post(PASTE, {"table": table, "step": "create"})

    assert (answer.status_code, world.count(User)) == (422, before)
    assert "3 lines cannot be taken in." in answer.text
    assert len(mistakes_in(answer.text)) == 4
    assert unescape(answer.text).count(table) == 1


@pytest.mark.parametrize("table", ["", " \n\t\n", "\n".join(f"P{n}\tp{n}" for n in range(201))])
def test_no_table_and_too_long_a_table_are_refused_in_a_sentence(world: World, table: str) -> None:
    answer = Panel(world).of("ada").post(PASTE, {"table": table})
    assert answer.status_code == 422
    assert "Paste a table of 1 to 200 people." in answer.text


def test_who_may_not_take_people_in_finds_no_way_to_it(world: World) -> None:
    li = Panel(world).of("li")
    assert PASTE not in li.get("/admin/user/list").text
    assert PASTE in Panel(world).of("ada").get("/admin/user/list").text
    for answer in (li.get(PASTE), li.post(PASTE, {"table": "Xi,xi", "step": "create"})):
        assert answer.status_code in (403, 404)
    assert world.rows(User, User.login == "xi") == []


# --- who has no role, who never came ---------------------------------------------------------------------


def names_in(page: str) -> set[str]:
    return set(re.findall(r'<a class="open" href="[^"]+">([^<]+)</a>', page))


def test_the_list_of_people_shows_roles_and_the_last_sign_in(world: World) -> None:
    panel = Panel(world)
    ada, _li = panel.of("ada"), panel.of("li")
    world.user("nora", "Nora New", "sales")
    world.make(User, login="rolo", name="Rolo Less")

    page = ada.get("/admin/user/list?q=li").text

    assert re.search(r'data-label="Roles"[^>]*>Sales<', page)
    assert re.search(r'data-label="Last sign-in"[^>]*><time', page)
    new, roleless = (names_in(ada.get(f"/admin/user/list?tab={tab}").text) for tab in ("new", "roleless"))
    assert {"Nora New", "Rolo Less"} <= new
    assert not {row["name"] for row in world.rows(User, User.login.in_(["ada", "li"]))} & new
    assert "Rolo Less" in roleless
    assert "Nora New" not in roleless
    of_li = panel.of("li").get("/admin/user/list").text  # who does not see the roles of others is told nothing of them
    assert [text for text in ("tab=roleless", "tab=new", 'data-label="Roles"') if text in of_li] == []


def test_a_role_is_given_to_several_people_and_taken_again(world: World) -> None:
    panel = Panel(world)
    ids = [world.make(User, login=login, name=login) for login in ("xi", "yu")]
    chosen = {"ids": [f"usr_{id}" for id in ids], "role_id": f"rol_{world.ids['sales']}"}

    panel.of("ada").post("/admin/user/do/give-role", chosen)
    assert [world.principal(login).roles for login in ("xi", "yu")] == [{"sales"}, {"sales"}]

    panel.of("ada").post("/admin/user/do/take-role", chosen)
    assert [world.principal(login).roles for login in ("xi", "yu")] == [set(), set()]


# --- the list of steps -----------------------------------------------------------------------------------


def empty(world: World) -> None:
    """Leave what a new installation has: the organisation, the roles and one administrator."""
    gone = {"deleted_at": START, "deleted_by_id": world.ids["ada"]}
    with world.backend.writer.engine.begin() as connection:
        for model in (PoolMember, ClaimRule, Pool, Department, UserRole, User):
            table = model.__table__
            kept = {User: "id", UserRole: "user_id"}.get(model)
            mine = table.c[kept] != world.ids["ada"] if kept else true()
            connection.execute(update(table).where(mine).values(gone))
        connection.execute(update(Organisation.__table__).values(time_zone="UTC", version=1))


FOLLOW_UPS = {
    "follow_up_days_back": 9,
    "follow_up_days_ahead": 1,
    "follow_up_characters": 0,
    "follow_up_copy_days": 0,
}


def steps_in(page: str) -> dict[str, bool]:
    """Title -> whether it is done, of the steps that Home shows."""
    shown = re.findall(
        r'<li class="first-step( is-done-step)?".*?<span class="step-name">([^<]+)</span>', page, re.DOTALL
    )
    return {unescape(title): bool(done) for done, title in shown}


def test_an_empty_installation_is_led_from_step_to_step_until_all_are_done(world: World) -> None:
    ada, steps = Panel(world).of("ada"), []
    empty(world)

    def takes(path: str, **form: Any) -> None:
        """The next step is the first that is not done; Home has the link to its form."""
        page = ada.get("/admin/").text
        steps.append(steps_in(page))
        assert f'btn-primary" href="/admin/{path}"' in page, steps[-1]
        answer = ada.post(f"/admin/{path}", form)
        assert answer.status_code in (200, 303), re.findall(r"said-bad.*", answer.text)

    assert set(steps_in(ada.get("/admin/").text).values()) == {False}
    page = ada.get("/admin/organisation/edit/org_1").text
    assert '<option value="Asia/Shanghai">' in page  # offered while typing
    organisation = hidden_inputs(page)
    region = {"name": "Mill", "time_zone": "Asia/Shanghai", "currency": "CNY", "language": "zh", "contact_required": ""}
    takes("organisation/edit/org_1", **organisation, **region, **FOLLOW_UPS)
    takes("department/create", name="Sales")
    takes("user/create", name="Li Two", login="li.two", language="zh")
    takes("pool/create", name="Lake", enabled="y", priority="0")
    (pool,) = (row["id"] for row in world.rows(Pool, Pool.deleted_at.is_(None)))
    takes(f"pool-member/create?pool_id=poo_{pool}", pool_id=f"poo_{pool}", seat="MEMBER", to_role="rol_3")
    takes(f"claim-rule/create?pool_id=poo_{pool}", pool_id=f"poo_{pool}", daily_quota="5")
    takes(
        "customer/create",
        name="First Ltd",
        owner_id=f"usr_{world.ids['ada']}",
        contact_name="A",
        contact_phone="13800138000",
    )

    assert [sum(each.values()) for each in steps] == [0, 1, 2, 3, 4, 5, 6]
    assert steps_in(ada.get("/admin/").text) == {}


def test_the_steps_are_for_those_who_may_take_them_until_they_put_them_away(world: World) -> None:
    panel = Panel(world)
    assert len(steps_in(panel.of("ada").get("/admin/").text)) == 7
    assert [steps_in(panel.of(login).get("/admin/").text) for login in ("li", "rolf", "aud")] == [{}, {}, {}]

    panel.of("ada").post("/admin/preferences", {"name": "steps", "value": "hidden", "back": "/admin/"})

    assert steps_in(panel.of("ada").get("/admin/").text) == {}
    again = {"name": "steps", "value": "shown", "back": "/admin/"}
    panel.of("ada").post("/admin/preferences", again)
    assert len(steps_in(panel.of("ada").get("/admin/").text)) == 7


def test_a_person_without_a_role_is_told_so_and_whom_to_ask(world: World) -> None:
    panel = Panel(world)
    world.make(User, login="rolo", name="Rolo Less")

    page = panel.of("rolo").get("/admin/").text

    assert "You have no role yet" in page
    assert "Ada Ng" in page
    assert "Li Na" not in page
    assert "You have no role yet" not in panel.of("li").get("/admin/").text


# --- help ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("screen", "button"),
    [
        ("customer", "/admin/customer/create"),
        ("contact", "/admin/customer/list"),
        ("opportunity", "/admin/customer/list"),
        ("follow-up", "/admin/customer/list"),
        ("pooled", "/admin/customer/list"),
        ("pool", "/admin/pool/create"),
        ("pool-member", "/admin/pool/list"),
        ("claim-rule", "/admin/pool/list"),
        ("department", "/admin/department/create"),
    ],
)
def test_an_empty_list_says_what_to_do_with_a_button(world: World, screen: str, button: str) -> None:
    empty(world)
    page = Panel(world).of("ada").get(f"/admin/{screen}/list").text
    shown = page[page.index('<div class="empty">') :]
    assert "Nothing is here yet." not in shown
    assert f'class="btn btn-primary" href="{button}"' in shown


def test_every_list_says_what_it_is_for() -> None:
    screens = {door.view for door in over_records("GET", "list")}
    assert [screen.identity for screen in screens if not screen.hint] == []
    begun = {screen for screen in screens if screen.offers_create and not screen.binned}
    assert [screen.identity for screen in begun if not screen.empty] == []


def test_every_number_of_a_rule_is_explained_beside_its_input(world: World) -> None:
    for model in (ClaimRule, Pool, Department, Organisation, User):
        for column in columns(model):
            if (
                isinstance(column.type, Integer)
                and column.key in settable(model, creating=True)
                and not column.foreign_keys
            ):
                assert str(input_of(model, column.key).help), (model, column.key)
    assert "in a day. Empty: no limit." in Panel(world).of("ada").get("/admin/claim-rule/create").text
