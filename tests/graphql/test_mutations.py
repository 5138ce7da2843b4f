"""Changing: payloads, problems, batches, keys; the contract that front ends build on."""

from models import Customer
from tests.support.graphql import Api
from tests.support.world import World


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


PROBLEM = "problems { code message field recordId params explanation }"


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
    move = {"ids": [id], "poolId": f"poo_{world.ids['south']}", "reason": "nearer"}
    assert api.change("ada", "moveCustomers", move, f"ids {PROBLEM}") == {"ids": [id], "problems": []}
    move["poolId"] = f"poo_{world.ids['north']}"
    assert api.change("ada", "moveCustomers", move, f"ids {PROBLEM}") == {"ids": [id], "problems": []}
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
