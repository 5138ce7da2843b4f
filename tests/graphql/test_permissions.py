"""`me { permissions }` and `allowed`: what the caller may do at all, and to one record, with reasons in words."""

from typing import Any

from models import Customer
from policies.objects import RIGHTS, is_done_to
from tests.support.graphql import Api
from tests.support.world import PEOPLE, World

PERMISSIONS = "{ me { permissions(entities: [CUSTOMER, POLICY, POOL]) { entity actions } } }"
ALLOWED = """query ($id: ID!, $actions: [Action!]) { customer(id: $id) { allowed(actions: $actions) { action allowed reason }
  edit: can(action: EDIT) } }"""


def permissions(api: Api, login: str) -> dict[str, list[str]]:
    return {x["entity"]: x["actions"] for x in api.ask(login, PERMISSIONS)["me"]["permissions"]}


def allowed(api: Api, login: str, id: int, *actions: str) -> dict[str, tuple[bool, str | None]]:
    row: dict[str, Any] = api.ask(login, ALLOWED, id=f"cus_{id}", actions=list(actions) or None)["customer"]
    return {x["action"]: (x["allowed"], x["reason"]) for x in row["allowed"]}


def test_permissions_say_what_a_caller_may_do_by_kind(world: World) -> None:
    api = Api(world)

    assert permissions(api, "li")["CUSTOMER"][:3] == ["VIEW", "CREATE", "EDIT"]
    assert "POLICY" not in permissions(api, "li")
    assert {"VIEW", "EDIT"} <= set(permissions(api, "ada")["POLICY"])
    assert "CREATE" not in permissions(api, "fin").get("CUSTOMER", [])
    whole = api.ask("li", "{ me { permissions { entity actions } user { login } } }")["me"]
    assert all(x["actions"] for x in whole["permissions"])


def test_every_right_is_answered_as_can_answers_it(world: World) -> None:
    api, mine, pooled = Api(world), world.customer("Own", "li"), world.customer("Pooled", pool="north")
    actions = [x.name.upper() for x in RIGHTS if x.name != "create" and is_done_to(x, Customer.module)]
    single = " ".join(f"{x}: can(action: {x})" for x in actions)

    for login in PEOPLE:
        for id in (mine, pooled):
            row = api.ask(login, f'{{ customer(id: "cus_{id}") {{ allowed {{ action allowed reason }} {single} }} }}')[
                "customer"
            ]
            if row is not None:
                assert {x["action"]: x["allowed"] for x in row["allowed"]} == {x: row[x] for x in actions}, login
                assert all((x["reason"] is None) is x["allowed"] for x in row["allowed"]), login


def test_a_right_that_is_not_there_is_explained_in_the_language_of_the_reader(world: World) -> None:
    api, mine, pooled = Api(world), world.customer("Own", "li"), world.customer("Pooled", pool="north")

    found = allowed(api, "li", pooled, "CLAIM", "EDIT", "PURGE")
    assert found["CLAIM"] == (True, None)
    assert found["EDIT"] == (False, "Your role has this right for other records, not for this one: edit (customers).")
    assert (
        found["PURGE"][1]
        == "Your roles do not allow: delete for good (customers). Ask an administrator for this right."
    )
    api.change("li", "setLanguage", {"language": "ZH"}, "problems { code }")
    assert allowed(api, "li", pooled, "EDIT")["EDIT"][1] == "您的角色对其他记录有此权限，对此记录没有：编辑（客户）。"
    assert list(allowed(api, "li", mine, "EDIT", "EDIT")) == ["EDIT"]
