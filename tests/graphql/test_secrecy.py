"""What somebody may not see, he cannot reach: not by id, filter, order, search, relation, count or log."""

import json
from typing import Any

import pytest
from graphql import GraphQLInputObjectType, GraphQLObjectType, get_named_type

from models import ENTITIES, AuditEntry, Contact, Customer
from models.pool import Seat
from policies import Principal
from resolvers.runtime.ids import global_id
from schema.plan.shape import KINDS, name_of, plural, singular
from tests.support.graphql import Api
from tests.support.secrecy import SECRET
from tests.support.world import PEOPLE, World

SAMPLE = ("li", "lead")
EVERYBODY = [pytest.param(login, marks=[] if login in SAMPLE else pytest.mark.long) for login in PEOPLE]


def visible(world: World, login: str, model: type[Any], *, bin: bool) -> int:
    """How many rows somebody may see, asked below the API."""
    from sqlalchemy import func, select

    p: Principal = world.principal(login)
    table = model.__table__
    where = [world.backend.policy.where(p, "view", model, table.c)]
    if "deleted_at" in table.c:
        where.append(table.c.deleted_at.is_not(None) if bin else table.c.deleted_at.is_(None))
    with world.backend.writer.engine.connect() as connection:
        return connection.execute(select(func.count()).select_from(table).where(*where)).scalar_one()


# --- lists and totals ------------------------------------------------------------------------------------


@pytest.mark.sampled(sqlite=3, postgresql=1)
@pytest.mark.parametrize("login", EVERYBODY)
def test_every_total_is_the_number_of_rows_one_can_page_through(
    api: Api, world: World, town: dict[str, int], login: str
) -> None:
    for model in [*ENTITIES, AuditEntry]:
        for bin in (False, True) if model is not AuditEntry else (False,):
            arguments = ", bin: true" if bin else ""
            seen, after, pages = [], None, 0
            while pages == 0 or after is not None:
                query = f"query ($after: String) {{ list: {plural(model)}(first: 7, after: $after{arguments}) {{ totalCount nodes {{ id }} pageInfo {{ hasNextPage endCursor }} }} }}"
                page = api.ask(login, query, after=after)["list"]
                seen += [node["id"] for node in page["nodes"]]
                after = page["pageInfo"]["endCursor"] if page["pageInfo"]["hasNextPage"] else None
                pages += 1
            assert len(set(seen)) == len(seen) == page["totalCount"], (login, model)
            assert page["totalCount"] == visible(world, login, model, bin=bin), (login, model)


@pytest.mark.sampled(sqlite=3, postgresql=1)
@pytest.mark.parametrize("login", EVERYBODY)
def test_nested_totals_agree_with_their_rows(api: Api, town: dict[str, int], login: str) -> None:
    query = "{ customers(first: 20) { nodes { contacts(first: 9) { totalCount nodes { id } } opportunities(first: 9) { totalCount nodes { id } } followUps(first: 9) { totalCount nodes { id } } history(first: 9) { totalCount nodes { id } } } } }"

    for customer in api.ask(login, query)["customers"]["nodes"]:
        for name, connection in customer.items():
            assert connection["totalCount"] == len(connection["nodes"]), name


# --- one record ------------------------------------------------------------------------------------------


def hidden_ids(world: World, login: str, model: type[Any]) -> list[int]:
    from sqlalchemy import select

    table = model.__table__
    clause = world.backend.policy.where(world.principal(login), "view", model, table.c)
    with world.backend.writer.engine.connect() as connection:
        return list(connection.execute(select(table.c.id).where(~clause).limit(5)).scalars())


@pytest.mark.long
@pytest.mark.sampled(sqlite=3, postgresql=1)
@pytest.mark.parametrize("login", EVERYBODY)
def test_a_hidden_record_and_a_missing_one_are_answered_alike_in_every_query(
    api: Api, world: World, town: dict[str, int], login: str
) -> None:
    for model in ENTITIES:
        for id in hidden_ids(world, login, model):
            if model.singleton:
                continue
            for text in (
                f'node(id: "{global_id(model, id)}") {{ id }}',
                f'{singular(model)}(id: "{global_id(model, id)}") {{ id }}',
            ):
                missing = text.replace(f'"{global_id(model, id)}"', f'"{global_id(model, 999_999)}"')
                hidden, nothing = (api.answer(login, f"{{ x: {each} }}") for each in (text, missing))
                assert hidden | {"kind": ""} == nothing | {"kind": ""}  # how it came to be is not in the answer
    preview = 'claimPreview(ids: ["{}"]) {{ customer {{ id }} allowed }}'
    for id in hidden_ids(world, login, Customer):
        assert api.ask(login, f"{{ {preview.format(f'cus_{id}')} }}") == {"claimPreview": []}


@pytest.mark.long
@pytest.mark.sampled(sqlite=3, postgresql=1)
@pytest.mark.parametrize("login", EVERYBODY)
def test_a_hidden_record_and_a_missing_one_are_answered_alike_in_every_mutation(
    api: Api, world: World, town: dict[str, int], login: str
) -> None:
    """Nothing changes either: every field of the mutation type is called with a hidden id, wherever it takes one."""
    before = world.everything()
    for name, field in api.engine.schema.mutation_type.fields.items():  # type: ignore[union-attr]  there is one
        model = next((m for m in ENTITIES if name.endswith((plural(m)[1:], name_of(m))) and _takes(name, m)), None)
        if model is None or name.startswith(("create", "sign")):
            continue
        for id in hidden_ids(world, login, model):
            if (model, name) == (Customer, "unlockCustomers") and _may_unlock(world, login, id):
                continue
            shown = _called(api, login, name, field, global_id(model, id), world)
            missing = _called(api, login, name, field, global_id(model, 999_999), world)
            assert shown.replace(global_id(model, id), "X") == missing.replace(global_id(model, 999_999), "X"), (
                login,
                name,
            )
    assert world.everything() == before


def _takes(name: str, model: type[Any]) -> bool:
    return name.removeprefix(name[: len(name) - len(plural(model))]).lower() == plural(model).lower() or name[
        6:
    ] == name_of(model)


def _may_unlock(world: World, login: str, id: int) -> bool:
    from sqlalchemy import select

    table = Customer.__table__
    clause = world.backend.policy.where(world.principal(login), "unlock", Customer, table.c)
    with world.backend.writer.engine.connect() as connection:
        return connection.execute(select(table.c.id).where(table.c.id == id, clause)).first() is not None


def _called(api: Api, login: str, name: str, field: Any, id: str, world: World) -> str:
    kind: GraphQLInputObjectType = field.args["input"].type.of_type
    given: dict[str, Any] = {"ids": [id]} if "ids" in kind.fields else {"id": id, "version": 1}
    given = {key: value for key, value in given.items() if key in kind.fields}  # `cancelPlan` takes no version
    if "userIds" in kind.fields:
        given = (given if "ids" in given else {"roleIds": [id]}) | {"userIds": [f"usr_{world.ids['mei']}"]}
    if "poolId" in kind.fields:
        given["poolId"] = f"poo_{world.ids['north']}"
    if "userId" in kind.fields:
        given["userId"] = f"usr_{world.ids['mei']}"
    if "winnerId" in kind.fields:
        given = {"winnerId": id} | ({"loserIds": ["cus_999998"]} if "loserIds" in kind.fields else {})
        given |= {"loserId": "dit_999998"} if "loserId" in kind.fields else {}
    if "confirm" in kind.fields:
        given["confirm"] = True
    if name.startswith("reject"):
        given["reason"] = "Not one of ours"
    payload: GraphQLObjectType = get_named_type(field.type)
    ids = "ids" if "ids" in payload.fields else ""
    return json.dumps(api.change(login, name, given, f"{ids} problems {{ code message field params recordId }}"))


def test_a_reference_to_a_hidden_record_and_to_a_missing_one_are_refused_alike(api: Api, town: dict[str, int]) -> None:
    def refused(customer: str) -> dict[str, Any]:
        payload = api.change(
            "li",
            "createContact",
            {"customerId": customer, "name": "X"},
            "contact { id } problems { code message field params recordId }",
        )
        assert payload["contact"] is None
        (problem,) = payload["problems"]
        return problem

    assert refused(f"cus_{town['mei']}") == refused("cus_999999") == refused("cus_x") == refused("usr_1")
    assert refused("cus_999999")["code"] == "NOT_FOUND"


# --- the one who may unlock ------------------------------------------------------------------------------


def test_who_may_unlock_finds_the_locked_customer_as_a_line_and_nothing_more(api: Api, world: World) -> None:
    id = world.customer("Li's secret", owner="li", phone=SECRET)
    api.change("li", "lockCustomers", {"ids": [f"cus_{id}"], "reason": "mine"}, "ids")

    query = "{ customers { nodes { id } } lockedCustomers { totalCount nodes { customerId number owner { name } locked lockedAt lockExpiresAt } } }"
    seen = api.ask("lead", query)

    assert seen["customers"] == {"nodes": []}
    line = {"customerId": f"cus_{id}", "number": "C2026001", "owner": {"name": "Li Na"}, "locked": True}
    assert seen["lockedCustomers"] == {
        "totalCount": 1,
        "nodes": [{**line, "lockedAt": "2026-11-24T08:00:00.000Z", "lockExpiresAt": None}],
    }
    assert api.ask("wu", query)["lockedCustomers"]["totalCount"] == 0
    assert set(KINDS["LockedCustomer"].fields) == {
        "customerId",
        "number",
        "owner",
        "ownerId",
        "locked",
        "lockedAt",
        "lockExpiresAt",
    }


def test_an_unlock_works_on_a_record_that_one_cannot_see(api: Api, world: World) -> None:
    id = world.customer("Li's", owner="li")
    api.change("li", "lockCustomers", {"ids": [f"cus_{id}"]}, "ids")

    done = api.change(
        "lead",
        "unlockCustomers",
        {"ids": [f"cus_{id}"], "reason": "holidays"},
        "ids customers { name } problems { code }",
    )

    assert done == {"ids": [f"cus_{id}"], "customers": [{"name": "Li's"}], "problems": []}
    assert [e["action"] for e in world.log("customer", id)][-1] == "customer.unlock"


# --- losing a race ---------------------------------------------------------------------------------------


def test_the_loser_of_a_race_learns_it_without_a_name_and_a_stranger_learns_nothing(api: Api, world: World) -> None:
    id = f"cus_{world.customer('Prize', pool='north')}"
    world.seat("south", "wu", Seat.VIEWER)
    api.change("li", "claimCustomers", {"ids": [id]}, "ids")

    lost = api.change(
        "wu", "claimCustomers", {"ids": [id]}, "ids customers { id } problems { code message recordId params }"
    )
    stranger = api.change("mei", "claimCustomers", {"ids": [id]}, "problems { code message params }")
    missing = api.change("mei", "claimCustomers", {"ids": ["cus_999999"]}, "problems { code message params }")

    assert lost["problems"] == [
        {
            "code": "ALREADY_CLAIMED",
            "message": "This customer was claimed first by somebody else.",
            "recordId": id,
            "params": None,
        }
    ]
    assert stranger == missing
    assert missing["problems"][0]["code"] == "NOT_FOUND"
    world.clock.pass_by(hours=1, seconds=1)
    later = api.change("wu", "claimCustomers", {"ids": [id]}, "problems { code message params }")
    assert later == missing
    assert world.count(Contact) == 0
