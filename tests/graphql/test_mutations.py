"""Changing: payloads, problems, batches, keys; the contract that front ends build on."""

import pytest

from models import Contact, Customer
from tests.support.graphql import Api
from tests.support.world import World

PROBLEM = "problems { code message field recordId params explanation }"


def test_a_customer_is_created_with_its_number_owner_and_primary_contact(api: Api, world: World) -> None:
    given = {
        "name": " Acme 电子 ",
        "industry": "steel",
        "phone": "+86 138-0013 8000",
        "contactName": "王",
        "contactPhone": "10086",
    }

    payload = api.change(
        "li",
        "createCustomer",
        given,
        f"customer {{ id number name owner {{ login }} pool {{ id }} version contacts {{ nodes {{ name isPrimary points {{ kind value }} }} }} }} {PROBLEM}",
    )

    assert payload == {
        "customer": {
            "id": "cus_1",
            "number": "C2026001",
            "name": "Acme 电子",
            "owner": {"login": "li"},
            "pool": None,
            "version": 1,
            "contacts": {"nodes": [{"name": "王", "isPrimary": True, "points": [{"kind": "PHONE", "value": "10086"}]}]},
        },
        "problems": [],
    }


def test_a_customer_may_be_created_into_a_pool_or_for_somebody_else(api: Api, world: World) -> None:
    pool, wu = f"poo_{world.ids['north']}", f"usr_{world.ids['wu']}"

    pooled = api.change(
        "ada",
        "createCustomer",
        {"name": "A", "poolId": pool},
        f"customer {{ pool {{ name }} owner {{ id }} }} {PROBLEM}",
    )
    given = api.change(
        "lead", "createCustomer", {"name": "B", "ownerId": wu}, f"customer {{ owner {{ login }} }} {PROBLEM}"
    )
    both = api.change(
        "ada", "createCustomer", {"name": "C", "ownerId": wu, "poolId": pool}, f"customer {{ id }} {PROBLEM}"
    )

    assert pooled == {"customer": {"pool": {"name": "North"}, "owner": None}, "problems": []}
    assert given == {"customer": {"owner": {"login": "wu"}}, "problems": []}
    assert (both["customer"], both["problems"][0]["code"], both["problems"][0]["field"]) == (
        None,
        "VALIDATION",
        "poolId",
    )


def test_a_stale_edit_is_a_conflict_that_shows_what_stands_now(api: Api, world: World) -> None:
    world.customer("Old", owner="li")
    edit = {"id": "cus_1", "version": 1, "name": "New"}
    api.change("li", "updateCustomer", edit, "customer { id }")

    payload = api.change("li", "updateCustomer", edit | {"name": "Newer"}, f"customer {{ name version }} {PROBLEM}")

    assert payload["customer"] == {"name": "New", "version": 2}
    (problem,) = payload["problems"]
    assert (problem["code"], problem["recordId"], problem["params"]["version"]) == ("CONFLICT", "cus_1", 2)


def test_what_is_not_given_stays_and_null_empties(api: Api, world: World) -> None:
    world.customer("Keep", owner="li", phone="10086", stage="early", remark="so")

    payload = api.change(
        "li",
        "updateCustomer",
        {"id": "cus_1", "version": 1, "stage": None, "remark": ""},
        "customer { name phone stage remark }",
    )

    assert payload["customer"] == {"name": "Keep", "phone": "10086", "stage": None, "remark": None}


def test_a_batch_does_what_it_can_and_says_why_not(api: Api, world: World) -> None:
    world.rule("north", daily_quota=2)
    ids = [f"cus_{world.customer(f'P{n}', pool='north')}" for n in range(3)]

    payload = api.change(
        "li", "claimCustomers", {"ids": [*ids, "cus_77"]}, f"ids customers {{ id owner {{ login }} }} {PROBLEM}"
    )

    assert payload["ids"] == ids[:2]
    assert payload["customers"] == [{"id": id, "owner": {"login": "li"}} for id in ids[:2]]
    assert [(p["code"], p["recordId"]) for p in payload["problems"]] == [
        ("QUOTA_REACHED", ids[2]),
        ("NOT_FOUND", "cus_77"),
    ]
    assert payload["problems"][0]["params"]["limit"] == 2


def test_all_or_nothing_leaves_nothing(api: Api, world: World) -> None:
    world.rule("north", daily_quota=2)
    ids = [f"cus_{world.customer(f'P{n}', pool='north')}" for n in range(3)]
    before = world.everything()

    payload = api.change(
        "li", "claimCustomers", {"ids": ids, "mode": "ALL_OR_NOTHING"}, f"ids customers {{ id }} {PROBLEM}"
    )

    assert (payload["ids"], payload["customers"]) == ([], [])
    assert "QUOTA_REACHED" in [p["code"] for p in payload["problems"]]
    assert world.everything() == before


def test_the_same_key_again_gives_the_same_answer_and_does_nothing(api: Api, world: World) -> None:
    id = f"cus_{world.customer('P', pool='north')}"
    given = {"ids": [id], "idempotencyKey": "abc"}
    first = api.change("li", "claimCustomers", given, f"ids {PROBLEM}")
    log = world.mark()

    again = api.change("li", "claimCustomers", given, f"ids {PROBLEM}")
    other = api.change("li", "claimCustomers", {**given, "ids": ["cus_5"]}, f"ids {PROBLEM}")

    assert first == again == {"ids": [id], "problems": []}
    assert other["problems"][0]["code"] == "KEY_REUSED"
    assert world.log(since=log) == []


def test_a_key_protects_creation_too(api: Api, world: World) -> None:
    given = {"name": "Once", "idempotencyKey": "k1"}

    first = api.change("li", "createCustomer", given, "customer { id }")
    again = api.change("li", "createCustomer", given, "customer { id }")

    assert first == again
    assert world.count(Customer) == 1


def test_a_customer_given_away_is_done_but_no_longer_shown(api: Api, world: World) -> None:
    id, mei = f"cus_{world.customer('Bye', owner='li')}", f"usr_{world.ids['mei']}"

    payload = api.change(
        "li", "transferCustomers", {"ids": [id], "userId": mei, "reason": "moved"}, f"ids customers {{ id }} {PROBLEM}"
    )

    assert payload == {"ids": [id], "customers": [], "problems": []}
    assert api.ask("mei", f'{{ customer(id: "{id}") {{ owner {{ login }} }} }}')["customer"] == {
        "owner": {"login": "mei"}
    }


def test_release_assign_lock_and_unlock_go_round(api: Api, world: World) -> None:
    id = f"cus_{world.customer('Round', owner='li')}"
    wu = f"usr_{world.ids['wu']}"

    def state(login: str) -> object:
        return api.ask(login, f'{{ customer(id: "{id}") {{ owner {{ login }} pool {{ name }} locked lockReason }} }}')[
            "customer"
        ]

    assert api.change("li", "releaseCustomers", {"ids": [id], "reason": "no time"}, f"ids {PROBLEM}") == {
        "ids": [id],
        "problems": [],
    }
    assert state("li") == {"owner": None, "pool": {"name": "North"}, "locked": False, "lockReason": None}
    assert api.change("lead", "assignCustomers", {"ids": [id], "userId": wu}, f"ids {PROBLEM}") == {
        "ids": [id],
        "problems": [],
    }
    assert state("wu") == {"owner": {"login": "wu"}, "pool": None, "locked": False, "lockReason": None}
    until = "2026-12-01T00:00:00Z"
    assert api.change("wu", "lockCustomers", {"ids": [id], "reason": "mine", "until": until}, f"ids {PROBLEM}") == {
        "ids": [id],
        "problems": [],
    }
    assert state("wu") == {"owner": {"login": "wu"}, "pool": None, "locked": True, "lockReason": "mine"}
    assert state("ada") is None
    assert api.change("wu", "unlockCustomers", {"ids": [id]}, f"ids {PROBLEM}") == {"ids": [id], "problems": []}
    assert state("wu") == {"owner": {"login": "wu"}, "pool": None, "locked": False, "lockReason": None}


def test_delete_restore_and_purge_take_what_hangs_along(api: Api, world: World) -> None:
    id = f"cus_{world.customer('Bin', owner='li', contact_name='Ann', contact_phone='10086')}"
    contacts = f'{{ customer(id: "{id}") {{ deletedAt contacts {{ totalCount }} }} contacts {{ totalCount }} }}'

    assert api.change(
        "li", "deleteCustomers", {"ids": [id], "reason": "double"}, f"ids customers {{ id }} {PROBLEM}"
    ) == {"ids": [id], "customers": [], "problems": []}
    assert api.ask("ada", contacts) == {
        "customer": {"deletedAt": "2026-11-24T08:00:00.000Z", "contacts": {"totalCount": 1}},
        "contacts": {"totalCount": 0},
    }
    assert api.change("lead", "restoreCustomers", {"ids": [id]}, f"ids {PROBLEM}") == {"ids": [id], "problems": []}
    assert api.ask("li", contacts) == {
        "customer": {"deletedAt": None, "contacts": {"totalCount": 1}},
        "contacts": {"totalCount": 1},
    }
    refused = api.change("ada", "purgeCustomers", {"ids": [id]}, f"ids {PROBLEM}")
    assert (refused["ids"], refused["problems"][0]["field"]) == ([], "confirm")
    api.change("li", "deleteCustomers", {"ids": [id]}, "ids")
    assert api.change("ada", "purgeCustomers", {"ids": [id], "confirm": True}, f"ids {PROBLEM}") == {
        "ids": [id],
        "problems": [],
    }
    assert (world.count(Customer), world.count(Contact)) == (0, 0)


def test_contacts_are_created_changed_and_handed_on(api: Api, world: World) -> None:
    customer = f"cus_{world.customer('Home', owner='li')}"
    points = [{"kind": "PHONE", "value": "10086"}, {"kind": "WECHAT", "value": "ann_w"}]

    made = api.change(
        "li",
        "createContact",
        {"customerId": customer, "name": "Ann", "isPrimary": True, "points": points},
        "contact { id points { kind value } owner { login } }",
    )
    assert made["contact"]["points"] == points
    contact = made["contact"]["id"]
    changed = api.change(
        "li",
        "updateContact",
        {"id": contact, "version": 1, "title": "CEO", "points": points[:1]},
        f"contact {{ title points {{ value }} version }} {PROBLEM}",
    )
    assert changed == {"contact": {"title": "CEO", "points": [{"value": "10086"}], "version": 2}, "problems": []}
    stranger = api.change(
        "li", "transferContacts", {"ids": [contact], "userId": f"usr_{world.ids['mei']}"}, f"ids {PROBLEM}"
    )
    assert (stranger["ids"], stranger["problems"][0]["field"]) == ([], "userId")
    assert api.change(
        "li",
        "transferContacts",
        {"ids": [contact], "userId": f"usr_{world.ids['lead']}"},
        "ids contacts { owner { login } }",
    )["contacts"] == [{"owner": {"login": "lead"}}]


def test_a_seat_and_a_role_are_given_by_the_same_derived_mutations(api: Api, world: World) -> None:
    wu, support = f"usr_{world.ids['wu']}", f"rol_{world.ids['support']}"

    seat = api.change(
        "ada",
        "createPoolMember",
        {"poolId": f"poo_{world.ids['south']}", "granteeKind": "USER", "granteeId": wu},
        f"poolMember {{ granteeKind granteeId seat }} {PROBLEM}",
    )
    assert seat == {"poolMember": {"granteeKind": "USER", "granteeId": wu, "seat": "MEMBER"}, "problems": []}
    api.change("ada", "createUserRole", {"userId": wu, "roleId": support}, PROBLEM)
    assert api.ask("wu", "{ me { user { roles } } pools { nodes { name } } }") == {
        "me": {"user": {"roles": ["sales", "support"]}},
        "pools": {"nodes": [{"name": "North"}, {"name": "South"}]},
    }
    found = api.ask("ada", f'{{ poolMembers(filter: {{granteeId: {{eq: "{wu}"}}}}) {{ totalCount }} }}')
    assert found["poolMembers"]["totalCount"] == 2


def test_the_organisation_is_one_row_that_is_edited_and_never_made(api: Api, world: World) -> None:
    assert "createOrganisation" not in api.engine.schema.mutation_type.fields  # type: ignore[union-attr]  there is one
    payload = api.change(
        "ada",
        "updateOrganisation",
        {"id": "org_1", "version": 1, "timeZone": "Asia/Shanghai"},
        f"organisation {{ timeZone }} {PROBLEM}",
    )

    assert payload == {"organisation": {"timeZone": "Asia/Shanghai"}, "problems": []}
    assert api.ask("li", "{ organisation { name timeZone } }")["organisation"] == {
        "name": "Millpond",
        "timeZone": "Asia/Shanghai",
    }


def test_tokens_are_shown_once_and_work_until_revoked(api: Api, world: World) -> None:
    made = api.change("li", "createToken", {"name": "nightly"}, f"id token {PROBLEM}")
    backend = world.backend

    principal = world.run(backend.principal_of(made["token"]))
    assert principal is not None
    assert principal.login == "li"
    assert api.ask("li", "{ me { tokens { id name } } }")["me"]["tokens"] == [{"id": made["id"], "name": "nightly"}]
    assert made["token"] not in str(world.everything())
    assert api.change("wu", "revokeToken", {"id": made["id"]}, PROBLEM)["problems"][0]["code"] == "NOT_FOUND"
    assert api.change("li", "revokeToken", {"id": made["id"]}, PROBLEM) == {"problems": []}
    assert world.run(backend.principal_of(made["token"])) is None


def test_the_sign_in_log_is_everybodys_for_an_administrator_and_ones_own_for_others(api: Api, world: World) -> None:
    for login in ("li", "wu", "nobody"):
        api.ask(None, f'mutation {{ signIn(input: {{login: "{login}", password: "wrong-password"}}) {{ token }} }}')
    query = "{ signInLog { login ok user { name } } }"

    assert api.ask("ada", query)["signInLog"] == [
        {"login": "nobody", "ok": False, "user": None},
        {"login": "wu", "ok": False, "user": {"name": "Wu Wei"}},
        {"login": "li", "ok": False, "user": {"name": "Li Na"}},
    ]
    assert api.ask("li", query)["signInLog"] == [{"login": "li", "ok": False, "user": {"name": "Li Na"}}]
    assert api.ask("ada", '{ signInLog(login: "li", first: 1) { id login } }')["signInLog"] == [
        {"id": "try_1", "login": "li"}
    ]
    assert api.ask("ada", '{ signInLog(before: "try_2") { login } }')["signInLog"] == [{"login": "li"}]


CORPUS = [
    "{ customers(first: 3) { totalCount nodes { id n: name owner { login } contacts(first: 2) { nodes { name points { kind value } } totalCount } } pageInfo { hasNextPage endCursor } } }",
    '{ customers { edges { cursor node { __typename locked stage stageLabel can(action: "edit") } } } pools { nodes { name enabled retainDays poolMembers { nodes { seat granteeKind granteeId } } } } }',
    "{ opportunities { nodes { amount currency expectedClose createdAt customer { number } } } followUps { nodes { kind content happenedAt } } }",
    "{ auditEntries(first: 5) { nodes { id outcome action changes { f: field new } actor { name } } } users { nodes { roles active department { name path: id } } } }",
    '{ customer(id: "cus_1") { ...F history { nodes { changes { field } } } } dictionaryItems { nodes { key aliases position } } } fragment F on Customer { id ownershipHistory { began ended owner { name } } }',
]


@pytest.mark.long
@pytest.mark.parametrize("login", ["li", "lead", "ada", "fin"])
@pytest.mark.parametrize("query", CORPUS)
def test_the_executor_answers_like_the_compiled_statement(api: Api, world: World, login: str, query: str) -> None:
    """The same operation with `me` beside it goes through the executor, over rows of the same compiler."""
    id = world.customer("One", owner="li", contact_name="Ann", contact_phone="10086")
    world.customer("Two", pool="north", stage="won")
    api.change(
        "li",
        "createOpportunity",
        {"customerId": f"cus_{id}", "name": "Deal", "amount": "-1234.50", "expectedClose": "2026-12-31"},
        "problems { code }",
    )
    api.change(
        "li",
        "createFollowUp",
        {"customerId": f"cus_{id}", "kind": "VISIT", "content": "ok", "happenedAt": "2026-11-24T07:00:00Z"},
        "problems { code }",
    )

    compiled = api.answer(login, query)
    executed = api.answer(login, query.replace("{", "{ me { capacity { held } }", 1))

    assert (compiled["kind"], executed["kind"]) == ("compiled", "executed")
    assert "errors" not in executed, executed
    executed["data"].pop("me")
    assert executed["data"] == compiled["data"]
