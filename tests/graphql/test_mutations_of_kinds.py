"""Mutations of other kinds of records, of tokens and sign-ins; and the executor answers alike."""

import pytest

from models import Contact, Customer
from tests.support.graphql import Api
from tests.support.sign_in import RIGHT, WRONG, give_passwords
from tests.support.world import World


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


def test_a_pooled_customer_is_purged_in_one_confirmed_step(api: Api, world: World) -> None:
    ids = [f"cus_{world.customer(pool='north')}"]

    assert api.change("ada", "purgeCustomers", {"ids": ids, "confirm": True}, "ids")["ids"] == []
    assert api.change("ada", "purgeCustomers", {"ids": ids, "confirm": True, "skipBin": True}, "ids") == {"ids": ids}
    assert world.count(Customer) == 0


PROBLEM = "problems { code message field recordId params explanation }"


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
    give_passwords(world, "li")
    refused = api.change("li", "createToken", {"name": "nightly", "password": WRONG}, f"tokenId token {PROBLEM}")
    assert (refused["token"], refused["problems"][0]["code"]) == (None, "SIGN_IN_REFUSED")
    made = api.change("li", "createToken", {"name": "nightly", "password": RIGHT}, f"tokenId token {PROBLEM}")
    backend = world.backend

    principal = world.run(backend.principal_of(made["token"]))
    assert principal is not None
    assert principal.login == "li"
    assert api.ask("li", "{ me { tokens { id name } } }")["me"]["tokens"] == [
        {"id": made["tokenId"], "name": "nightly"}
    ]
    assert made["token"] not in str(world.everything())
    assert api.change("wu", "revokeToken", {"id": made["tokenId"]}, PROBLEM)["problems"][0]["code"] == "NOT_FOUND"
    assert api.change("li", "revokeToken", {"id": made["tokenId"]}, PROBLEM) == {"problems": []}
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
    "{ customers { edges { cursor node { __typename locked stage stageLabel can(action: EDIT) } } } pools { nodes { name enabled retainDays poolMembers { nodes { seat granteeKind granteeId } } } } }",
    "{ opportunities { nodes { amount currency expectedClose createdAt customer { number } } } followUps { nodes { kind content happenedAt } } }",
    "{ auditEntries(first: 5) { nodes { id outcome action changes { f: field new } actor { name } } } users { nodes { roles active department { name path: id } } } }",
    '{ customer(id: "cus_1") { ...F history { nodes { changes { field } } } } dictionaryItems { nodes { key aliases position } } } fragment F on Customer { id ownershipHistory { began ended owner { name } } }',
]


@pytest.mark.long
@pytest.mark.parametrize("login", ["li", "lead", "ada", "fin"])
@pytest.mark.parametrize("query", CORPUS)
@pytest.mark.sampled(sqlite=9, postgresql=3)
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


def test_a_transfer_confirms_that_a_lock_ends_and_an_administrator_insists(api: Api, world: World) -> None:
    locked, other = (f"cus_{world.customer(name, owner='li')}" for name in "AB")
    api.change("li", "lockCustomers", {"ids": [locked]}, "ids")
    wu, fin, code = f"usr_{world.ids['wu']}", f"usr_{world.ids['fin']}", "ids problems { code field }"

    asked = {"ids": [locked], "userId": wu}
    would_end = {"ids": [], "problems": [{"code": "LOCK_WOULD_END", "field": "liftLock"}]}
    assert api.change("li", "transferCustomers", asked, code) == would_end
    assert api.change("li", "releaseCustomers", {"ids": [locked]}, code) == would_end
    assert api.change("li", "transferCustomers", {**asked, "liftLock": True}, code)["ids"] == [locked]
    unfit = {"ids": [other], "userId": fin, "insist": True, "reason": "he collects"}
    assert api.change("li", "transferCustomers", unfit, code)["problems"] == [{"code": "FORBIDDEN", "field": None}]
    assert api.change("ada", "transferCustomers", {**unfit, "insist": False}, code)["problems"] == [
        {"code": "NOT_ELIGIBLE", "field": "userId"}
    ]
    assert api.change("ada", "transferCustomers", unfit, code) == {"ids": [other], "problems": []}
