"""What somebody may not see, he cannot reach: not by id, filter, order, search, relation, count or log."""

import json
from typing import Any

import pytest
from graphql import GraphQLInputObjectType, GraphQLObjectType, get_named_type

from models import ENTITIES, AuditEntry, Contact, Customer, FollowUp, Opportunity
from models.pool import Seat
from policies import Principal
from resolvers.runtime.ids import global_id
from schema.plan.shape import KINDS, name_of, plural, singular
from tests.support.graphql import Api
from tests.support.world import PEOPLE, World

SAMPLE = ("li", "lead")
EVERYBODY = [pytest.param(login, marks=[] if login in SAMPLE else pytest.mark.long) for login in PEOPLE]
SECRET = "13899997777"


@pytest.fixture
def town(world: World) -> dict[str, int]:
    """Customers of every kind: Li's, Mei's, one locked by Mei, pooled in both pools, in the bin, and what hangs on them."""
    made = {
        "li": world.customer("Li's", owner="li", phone="111000", contact_name="Lily", contact_phone="111001"),
        "mei": world.customer("Mei's", owner="mei", phone=SECRET, contact_name="Zoe", contact_phone=SECRET + "1"),
        "locked": world.customer(
            "Locked", owner="mei", phone=SECRET + "2", contact_name="Zed", contact_phone=SECRET + "3"
        ),
        "north": world.customer(
            "Northern", pool="north", phone=SECRET + "4", contact_name="Ned", contact_phone=SECRET + "5"
        ),
        "south": world.customer(
            "Southern", pool="south", phone=SECRET + "6", contact_name="Sue", contact_phone=SECRET + "7"
        ),
        "gone": world.customer("Gone", owner="mei", phone=SECRET + "8", contact_name="Gus", contact_phone=SECRET + "9"),
    }
    for name, id in list(made.items()):
        said = "hello" if name in ("li", "north") else SECRET
        world.make(Opportunity, customer_id=id, name=f"{name} deal {said}")
        made[f"{name}-call"] = world.make(
            FollowUp, customer_id=id, kind="CALL", content=f"said {said}", happened_at=world.clock()
        )
    api = Api(world)
    api.change("mei", "lockCustomers", {"ids": [f"cus_{made['locked']}"], "reason": SECRET}, "ids")
    api.change("mei", "deleteCustomers", {"ids": [f"cus_{made['gone']}"]}, "ids")
    return made


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
@pytest.mark.parametrize("login", EVERYBODY)
def test_a_hidden_record_and_a_missing_one_are_answered_alike_in_every_query(
    api: Api, world: World, town: dict[str, int], login: str
) -> None:
    for model in ENTITIES:
        for id in hidden_ids(world, login, model):
            if model.alone:
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
    if "userId" in kind.fields:
        given["userId"] = f"usr_{world.ids['mei']}"
    if "confirm" in kind.fields:
        given["confirm"] = True
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


# --- no phone number leaks -------------------------------------------------------------------------------


def whole_selection(kind: str, depth: int) -> str:
    """Everything of a type, relations followed to a depth."""
    parts = []
    for name, field in SCHEMA["map"][kind].fields.items():
        target = get_named_type(field.type)
        if name == "can":
            continue
        if not isinstance(target, GraphQLObjectType):
            parts.append(name)
        elif target.name in KINDS and depth:
            parts.append(f"{name} {{ {whole_selection(target.name, depth - 1)} }}")
        elif target.name.endswith("Connection") and depth:
            parts.append(
                f"{name}(first: 20) {{ nodes {{ {whole_selection(target.name.removesuffix('Connection'), depth - 1)} }} }}"
            )
        elif target.name == "AuditChange":
            parts.append("changes { field old new }")
    return " ".join(parts)


SCHEMA: dict[str, Any] = {}
MAY_SEE = {"li": (), "wu": (), "lead": (), "rolf": ()}
"""People who may see no phone number of Mei's, of the pools, and of the bin."""


@pytest.mark.parametrize("login", [pytest.param(x, marks=pytest.mark.long) for x in MAY_SEE])
def test_no_phone_of_a_hidden_customer_is_in_any_answer(
    api: Api, world: World, town: dict[str, int], login: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from schema import limits

    for name in ("depth", "cost", "tokens", "characters", "repeats", "nesting"):
        monkeypatch.setitem(limits.LIMITS, name, 10**7)
    SCHEMA["map"] = api.engine.schema.type_map
    for model in [*ENTITIES, AuditEntry]:
        for bin in (", bin: true", "") if model is not AuditEntry else ("",):
            query = f"{{ {plural(model)}(first: 50{bin}) {{ totalCount nodes {{ {whole_selection(name_of(model), 1)} }} }} }}"
            answer = json.dumps(api.answer(login, query), ensure_ascii=False)
            assert '"errors"' not in answer, answer[:500]
            assert SECRET not in answer, (login, model)


PROBES = [
    f'customers(filter: {{phone: {{contains: "{SECRET}"}}}}) {{ totalCount }}',
    f'customers(filter: {{phone: {{startsWith: "{SECRET[:4]}"}}}}) {{ totalCount }}',
    f'customers(filter: {{or: [{{phone: {{gte: null, eq: "{SECRET}4"}}}}]}}) {{ totalCount }}'.replace(
        "gte: null, ", ""
    ),
    f'customers(search: "{SECRET}") {{ totalCount }}',
    f'contacts(search: "{SECRET}") {{ totalCount }}',
    f'followUps(search: "{SECRET}") {{ totalCount }}',
    f'opportunities(search: "{SECRET}") {{ totalCount }}',
    f'customers(filter: {{lockReason: {{contains: "{SECRET}"}}}}) {{ totalCount }}',
]


@pytest.mark.parametrize("probe", PROBES)
@pytest.mark.parametrize("login", ["li", "rolf"])
def test_no_filter_or_search_tells_whether_a_hidden_value_is_there(
    api: Api, world: World, town: dict[str, int], login: str, probe: str
) -> None:
    assert api.ask(login, f"{{ x: {probe} }}")["x"]["totalCount"] == 0


def test_the_order_of_a_list_does_not_depend_on_a_hidden_value(api: Api, world: World) -> None:
    ids = [world.customer(f"P{n}", pool="north", phone=phone) for n, phone in enumerate(("300000", "100000", "200000"))]
    query = "{ customers(orderBy: [{field: PHONE}]) { nodes { id phone } edges { cursor } } }"

    found = api.ask("li", query)["customers"]

    assert found["nodes"] == [{"id": f"cus_{id}", "phone": None} for id in ids], (
        "ordered by id, as all are equally empty"
    )
    assert all("303030303030" not in edge["cursor"].lower() for edge in found["edges"])


def test_the_log_hides_what_its_reader_may_not_see_in_the_record(api: Api, world: World, town: dict[str, int]) -> None:
    """The auditor reads the whole log, but a locked customer stays locked in there."""
    query = "query ($id: ID) { auditEntries(filter: {recordId: {eq: $id}}) { nodes { action label reason changes { field new } } } }"

    open_ = api.ask("aud", query, id=f"cus_{town['mei']}")["auditEntries"]["nodes"]
    assert {"field": "phone", "new": SECRET} in open_[0]["changes"]

    locked = api.ask("aud", query, id=f"cus_{town['locked']}")["auditEntries"]["nodes"]
    assert [entry["action"] for entry in locked] == ["customer.lock", "customer.create"]
    assert all((entry["label"], entry["reason"], entry["changes"]) == (None, None, []) for entry in locked)


def test_the_log_of_a_purged_record_stays_readable(api: Api, world: World, town: dict[str, int]) -> None:
    gone = f"cus_{town['gone']}"
    api.change("ada", "purgeCustomers", {"ids": [gone], "confirm": True}, "ids problems { code }")
    query = "query ($id: ID) { auditEntries(filter: {recordId: {eq: $id}}) { nodes { action label } } }"

    entries = api.ask("aud", query, id=gone)["auditEntries"]["nodes"]

    assert [entry["action"] for entry in entries] == ["customer.purge", "customer.delete", "customer.create"]
    assert {entry["label"] for entry in entries} == {"C2026006"}


def test_the_history_of_a_pooled_customer_does_not_tell_its_phone(api: Api, world: World, town: dict[str, int]) -> None:
    query = f'{{ customer(id: "cus_{town["north"]}") {{ phone history {{ nodes {{ action changes {{ field new }} }} }} }} }}'

    customer = api.ask("li", query)["customer"]

    assert customer["phone"] is None
    fields = {change["field"] for entry in customer["history"]["nodes"] for change in entry["changes"]}
    assert "name" in fields
    assert "phone" not in fields


# --- the one who may unlock ------------------------------------------------------------------------------


def test_who_may_unlock_finds_the_locked_customer_as_a_line_and_nothing_more(api: Api, world: World) -> None:
    id = world.customer("Li's secret", owner="li", phone=SECRET)
    api.change("li", "lockCustomers", {"ids": [f"cus_{id}"], "reason": "mine"}, "ids")

    query = "{ customers { nodes { id } } lockedCustomers { totalCount nodes { id number owner { name } locked lockedAt lockExpiresAt } } }"
    seen = api.ask("lead", query)

    assert seen["customers"] == {"nodes": []}
    line = {"id": f"cus_{id}", "number": "C2026001", "owner": {"name": "Li Na"}, "locked": True}
    assert seen["lockedCustomers"] == {
        "totalCount": 1,
        "nodes": [{**line, "lockedAt": "2026-11-24T08:00:00.000Z", "lockExpiresAt": None}],
    }
    assert api.ask("wu", query)["lockedCustomers"]["totalCount"] == 0
    assert set(KINDS["LockedCustomer"].fields) == {
        "id",
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
