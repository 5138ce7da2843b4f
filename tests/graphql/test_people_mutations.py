"""Taking people in and giving roles of many through GraphQL."""

from models import Role, User
from resolvers.runtime.ids import global_id
from tests.support.graphql import Api
from tests.support.world import World

PROBLEM = "problems { code field message }"


def test_people_come_in_and_get_and_lose_roles(api: Api, world: World) -> None:
    sales, support = (global_id(Role, world.ids[code]) for code in ("sales", "support"))
    east = f"dep_{world.ids['east']}"
    people = [{"login": "xi", "name": "Xi", "departmentId": east, "roleIds": [sales]}, {"login": "yu", "name": "Yu"}]
    fields = f"people {{ userId login secret }} {PROBLEM}"

    made = api.change("ada", "createPeople", {"people": people}, fields)
    assert [(x["login"], len(x["secret"])) for x in made["people"]] == [("xi", 19), ("yu", 19)]
    again = api.change("ada", "createPeople", {"people": people}, fields)
    assert [(x["code"], x["field"]) for x in again["problems"]] == [
        ("DUPLICATE", "people.0.login"),
        ("DUPLICATE", "people.1.login"),
    ]
    weak = api.change("ada", "createPeople", {"people": [{"login": "zo", "name": "Zo", "password": "12"}]}, fields)
    assert [(x["code"], x["field"]) for x in weak["problems"]] == [("TOO_SHORT", "people.0.password")]
    refused = api.change("li", "createPeople", {"people": [{"login": "zo", "name": "Zo"}]}, fields)
    assert [x["code"] for x in refused["problems"]] == ["FORBIDDEN"]

    both = {"userIds": [x["userId"] for x in made["people"]], "roleIds": [support]}
    given = api.change("ada", "giveRoles", both, f"ids users {{ name }} {PROBLEM}")
    assert (given["ids"], given["problems"]) == (both["userIds"], [])
    assert set(world.principal("xi").roles) == {"sales", "support"}
    taken = api.change("ada", "takeRoles", both, f"ids {PROBLEM}")
    assert (len(taken["ids"]), set(world.principal("yu").roles)) == (2, set())
    me = {"userIds": [global_id(User, world.ids["ada"])], "roleIds": [support]}
    assert [x["code"] for x in api.change("ada", "giveRoles", me, f"ids {PROBLEM}")["problems"]] == ["ROLE_TO_SELF"]
