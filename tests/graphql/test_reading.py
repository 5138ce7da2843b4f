"""Reading: pages, filters, orders, search, relations, and the ways GraphQL has of asking."""

import json

from models import Customer
from tests.support.graphql import Api
from tests.support.world import PEOPLE, World

# --- relations -------------------------------------------------------------------------------------------


def test_relations_nest_and_keep_their_order(api: Api, world: World) -> None:
    for number in range(3):
        id = world.customer(f"Nest {number}", contact_name="First", contact_phone="10086")
        world.clock.pass_by(minutes=1)
        for who in ("Second", "Third"):
            points = [{"kind": "EMAIL", "value": f"{who}@x.cn"}, {"kind": "PHONE", "value": "10010"}]
            api.change(
                "li", "createContact", {"customerId": f"cus_{id}", "name": who, "points": points}, "contact { id }"
            )
            world.clock.pass_by(minutes=1)

    found = api.ask(
        "li",
        """{ customers(orderBy: [{field: NAME}]) { nodes { name owner { login department { name } }
             contacts(first: 2, orderBy: [{field: CREATED_AT}]) { totalCount pageInfo { hasNextPage } nodes { name customer { name } points { kind value } } } } } }""",
    )["customers"]["nodes"]

    assert [node["name"] for node in found] == ["Nest 0", "Nest 1", "Nest 2"]
    for node in found:
        assert node["owner"] == {"login": "li", "department": {"name": "East"}}
        assert node["contacts"]["totalCount"] == 3
        assert node["contacts"]["pageInfo"] == {"hasNextPage": True}
        first, second = node["contacts"]["nodes"]
        assert first == {
            "name": "First",
            "customer": {"name": node["name"]},
            "points": [{"kind": "PHONE", "value": "10086"}],
        }
        assert second["points"] == [{"kind": "EMAIL", "value": "Second@x.cn"}, {"kind": "PHONE", "value": "10010"}]


def test_a_question_may_be_as_deep_as_the_gate_lets_it(api: Api, world: World) -> None:
    world.customer("Deep", contact_name="Down", contact_phone="10086")
    query = "customers { nodes { contacts(first: 1) { nodes { customer { contacts(first: 1) { nodes { customer { name points: contacts { nodes { points { value } } } } } } } } } } }"

    found = api.ask("li", f"{{ {query} }}")

    (customer,) = found["customers"]["nodes"]
    inner = customer["contacts"]["nodes"][0]["customer"]["contacts"]["nodes"][0]["customer"]
    assert inner == {"name": "Deep", "points": {"nodes": [{"points": [{"value": "10086"}]}]}}


def test_the_same_relation_twice_with_other_arguments_is_two_answers(api: Api, world: World) -> None:
    id = world.customer("Twice", contact_name="Ann", contact_phone="10086")
    api.change("li", "createContact", {"customerId": f"cus_{id}", "name": "Bob"}, "contact { id }")

    found = api.ask(
        "li",
        """{ customer(id: "cus_1") { a: contacts(filter: {name: {eq: "Ann"}}) { nodes { name } }
                                     b: contacts(filter: {name: {eq: "Bob"}}) { nodes { name } totalCount } } }""",
    )

    assert found["customer"] == {"a": {"nodes": [{"name": "Ann"}]}, "b": {"nodes": [{"name": "Bob"}], "totalCount": 1}}


def test_an_object_may_have_more_fields_than_one_function_of_the_database_takes(api: Api, world: World) -> None:
    world.customer("Wide")
    aliases = " ".join(f"a{n}: name" for n in range(45))
    fields = "id number name stage industry source region level category phone email address latestNeed remark ownerId poolId version createdAt updatedAt locked"

    (node,) = api.ask("li", f"{{ customers {{ nodes {{ {aliases} {fields} }} }} }}")["customers"]["nodes"]

    assert len(node) == 65
    assert (node["a44"], node["number"], node["locked"], node["remark"]) == ("Wide", "C2026001", False, None)


def test_labels_come_in_the_language_of_the_reader(api: Api, world: World, five: list[int]) -> None:
    query = '{ customer(id: "cus_1") { industry industryLabel stageLabel sourceLabel } }'

    assert api.ask("li", query)["customer"] == {
        "industry": "steel",
        "industryLabel": "Steel",
        "stageLabel": "Early",
        "sourceLabel": None,
    }

    assert api.change("li", "setLanguage", {"language": "ZH"}, "problems { code }") == {"problems": []}
    assert api.ask("li", query)["customer"]["industryLabel"] == "steel中"


# --- the ways of asking ----------------------------------------------------------------------------------


def test_fragments_aliases_and_directives_are_understood(api: Api, five: list[int]) -> None:
    query = """
      query Q($yes: Boolean!, $no: Boolean = false, $id: ID!) {
        first: customer(id: $id) { ...Basics ... on Customer { stage } ... @include(if: $no) { remark } }
        again: customer(id: $id) { ...Basics number @skip(if: $yes) }
        customers(first: 1) @include(if: $yes) { __typename nodes { __typename title: name } }
        pools @skip(if: $yes) { totalCount }
      }
      fragment Basics on Customer { id title: name ...More }
      fragment More on Customer { industry }
    """

    data = api.ask("li", query, yes=True, id="cus_1")

    assert data == {
        "first": {"id": "cus_1", "title": "Acme", "industry": "steel", "stage": "early"},
        "again": {"id": "cus_1", "title": "Acme", "industry": "steel"},
        "customers": {"__typename": "CustomerConnection", "nodes": [{"__typename": "Customer", "title": "50%_off"}]},
    }


def test_answers_keep_the_order_of_the_question(api: Api, five: list[int]) -> None:
    scope = api.world.scope("li", "graphql")
    body = api.world.run(
        api.engine.answer(scope, '{ b: pools { totalCount } a: customer(id: "cus_1") { number id name } }', None, None)
    ).body

    assert list(json.loads(body)["data"]) == ["b", "a"]
    assert list(json.loads(body)["data"]["a"]) == ["number", "id", "name"]


def test_anything_is_found_by_its_id_through_node(api: Api, world: World, five: list[int]) -> None:
    query = "query ($id: ID!) { node(id: $id) { __typename id ... on Customer { name } ... on Pool { enabled } ... on User { login } } }"

    assert api.ask("li", query, id="cus_1")["node"] == {"__typename": "Customer", "id": "cus_1", "name": "Acme"}
    assert api.ask("li", query, id="poo_1")["node"] == {"__typename": "Pool", "id": "poo_1", "enabled": True}
    assert api.ask("li", query, id="usr_1")["node"] == {"__typename": "User", "id": "usr_1", "login": "ada"}
    for id in ("cus_99", "xxx_1", "cus_", "", "cus_1.0", "cus_-1", "aud_1", "cpt_1", "cus_99999999999999999999"):
        assert api.ask("li", query, id=id)["node"] is None


def test_a_customer_is_found_by_id_or_by_number(api: Api, five: list[int]) -> None:
    assert api.ask("li", '{ customer(number: "C2026003") { name } }')["customer"] == {"name": "Ceres"}
    assert api.ask("li", '{ customer(number: "C9") { name } }')["customer"] is None
    assert api.code("li", "{ customer { name } }") == "VALIDATION"
    assert api.code("li", '{ customer(id: "cus_1", number: "C2026001") { name } }') == "VALIDATION"


def test_the_bin_is_a_list_of_its_own(api: Api, world: World, five: list[int]) -> None:
    api.change("li", "deleteCustomers", {"ids": ["cus_1"]}, "ids")

    assert api.ask("ada", "{ customers { totalCount } bin: customers(bin: true) { nodes { name deletedAt } } }") == {
        "customers": {"totalCount": 4},
        "bin": {"nodes": [{"name": "Acme", "deletedAt": "2026-11-24T08:05:00.000Z"}]},
    }
    assert api.ask("li", "{ customers(bin: true) { totalCount } }")["customers"]["totalCount"] == 0


def test_everybody_is_shown_with_his_own_roles(api: Api) -> None:
    users = api.ask("ada", "{ users { nodes { login roles } } }")["users"]["nodes"]

    assert {user["login"]: user["roles"] for user in users} == {login: [role] for login, (_, role, _) in PEOPLE.items()}


def test_who_i_am_and_where_i_stand(api: Api, world: World, five: list[int]) -> None:
    world.rule("north", daily_quota=3, weekly_quota=10, capacity=20)
    pooled = world.customer("Pooled", pool="north")
    api.change("li", "claimCustomers", {"ids": [f"cus_{pooled}"]}, "ids")

    me = api.ask(
        "li",
        "{ me { user { login name roles } quotas { pool { name } period used limit resetsAt } capacity { held limit } tokens { id } } }",
    )["me"]

    assert me == {
        "user": {"login": "li", "name": "Li Na", "roles": ["sales"]},
        "quotas": [
            {"pool": {"name": "North"}, "period": "DAY", "used": 1, "limit": 3, "resetsAt": "2026-11-25T00:00:00.000Z"},
            {
                "pool": {"name": "North"},
                "period": "WEEK",
                "used": 1,
                "limit": 10,
                "resetsAt": "2026-11-30T00:00:00.000Z",
            },
        ],
        "capacity": {"held": 6, "limit": None},
        "tokens": [],
    }


def test_the_history_of_a_record_is_told_in_changes(api: Api, world: World, five: list[int]) -> None:
    world.clock.pass_by(minutes=1)
    api.change(
        "li", "updateCustomer", {"id": "cus_1", "version": 1, "name": "Acme Ltd", "stage": "won"}, "customer { id }"
    )

    query = '{ customer(id: "cus_1") { history(first: 1) { totalCount nodes { action actor { name } recordId changes { field old new } } } } }'
    history = api.ask("li", query)["customer"]["history"]

    assert history["totalCount"] == 2
    assert history["nodes"] == [
        {
            "action": "CUSTOMER_EDIT",
            "actor": {"name": "Li Na"},
            "recordId": "cus_1",
            "changes": [
                {"field": "name", "old": "Acme", "new": "Acme Ltd"},
                {"field": "stage", "old": "early", "new": "won"},
            ],
        }
    ]


def test_what_one_may_do_with_a_record_can_be_asked(api: Api, world: World) -> None:
    mine, pooled = world.customer("Mine"), world.customer("Pooled", pool="north")
    query = "query ($id: ID!) { customer(id: $id) { edit: can(action: EDIT) claim: can(action: CLAIM) purge: can(action: PURGE) } }"

    assert api.ask("li", query, id=f"cus_{mine}")["customer"] == {"edit": True, "claim": False, "purge": False}
    assert api.ask("li", query, id=f"cus_{pooled}")["customer"] == {"edit": False, "claim": True, "purge": False}
    assert api.code("li", f'{{ customer(id: "cus_{mine}") {{ can(action: FLY) }} }}') == "BAD_REQUEST"


def test_long_lists_below_a_row_keep_their_order(api: Api, world: World) -> None:
    customer = world.customer("Many")
    for n in range(60):
        world.clock.pass_by(seconds=1)
        values = {
            "customerId": f"cus_{customer}",
            "kind": "CALL",
            "content": f"{n:02d} " + "x" * 300,
            "happenedAt": f"2026-11-01T00:{n:02d}:00Z",
        }
        api.change("li", "createFollowUp", values, "problems { code }")

    found = api.ask(
        "li", "{ customers { nodes { followUps(first: 60, orderBy: [{field: HAPPENED_AT}]) { nodes { content } } } } }"
    )

    contents = [node["content"][:2] for node in found["customers"]["nodes"][0]["followUps"]["nodes"]]
    assert contents == [f"{n:02d}" for n in range(60)]
    assert world.count(Customer) == 1
