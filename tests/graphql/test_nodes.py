"""One id, one type: `node` answers the id of every type with that type, and `nodes` many of them in their order."""

import json
from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Any

import pytest
from graphql import GraphQLObjectType
from sqlalchemy import insert, select

from models import (
    ApiToken,
    Attachment,
    Base,
    BulkChange,
    ClaimRule,
    Comment,
    Customer,
    Export,
    ExportProfile,
    FollowUp,
    ImportBatch,
    Job,
    Notice,
    Opportunity,
    PolicyDraft,
    PoolView,
    SavedView,
    Share,
    ShareRequest,
    SignInAttempt,
)
from models.pool import GranteeKind
from models.share import ShareLevel
from resolvers.runtime.ids import global_id
from schema.build import graphql_of, schema
from schema.limits import TooComplex
from schema.nodes import MOST
from schema.plan.shape import KINDS
from tests.audit.test_entries import live_through_much
from tests.support.graphql import Api
from tests.support.world import START, World

BEHIND: dict[str, type[Base]] = {
    "AttachedFile": Attachment,
    "BulkChange": BulkChange,
    "Export": Export,
    "ExportProfile": ExportProfile,
    "Import": ImportBatch,
    "Job": Job,
    "Key": ApiToken,
    "Notification": Notice,
    "PolicyDraft": PolicyDraft,
    "SavedView": SavedView,
    "Share": Share,
    "ShareRequest": ShareRequest,
    "SignInAttempt": SignInAttempt,
}
"""Type whose objects a use case reads -> the model of its rows."""


@pytest.fixture
def api(world: World) -> Api:
    return Api(world)


def types_with_ids() -> list[str]:
    kinds = graphql_of(schema()).type_map.values()
    return sorted(kind.name for kind in kinds if isinstance(kind, GraphQLObjectType) and "id" in kind.fields)


def newest(world: World, model: type[Base]) -> int:
    with world.backend.writer.engine.connect() as connection:
        asked: Any = select(model.__table__.c.id).order_by(model.__table__.c.id.desc())
        found = connection.execute(asked.limit(1)).scalar()
    assert found is not None, f"make a row of {model.__name__}"
    return int(found)


def make_others(world: World, api: Api) -> None:
    """One object of each type that is no record, of Ada's."""
    ada = world.ids["ada"]
    world.customer("Full", "li", stage="early", contact_name="Bo", contact_phone="2001")
    done = {
        "createExport": {"entity": "CUSTOMER", "range": "ALL", "format": "CSV", "columns": ["name"]},
        "saveExportProfile": {"entity": "CUSTOMER", "name": "Names", "columns": ["name"]},
        "saveView": {"entity": "CUSTOMER", "name": "All"},
        "updateCustomersInBulk": {"ids": [global_id(Customer, newest(world, Customer))], "set": {"level": None}},
        "draftPolicy": {"text": "p, sales, all, customer, view, allow"},
    }
    for field, given in done.items():
        assert api.change("ada", field, given, "problems { message }") == {"problems": []}, field
    rows: dict[type[Base], dict[str, Any]] = {
        Comment: {"follow_up_id": newest(world, FollowUp), "value": "Well done", "author_id": ada, "at": START},
        ApiToken: {"user_id": ada, "name": "x", "hint": "mp_x", "token_hash": "x" * 64, "created_at": START},
        Notice: {
            "receiver_id": ada,
            "kind": "plan_due",
            "facts": {"due": {"at": "2026-11-24T08:00:00.000Z"}},
            "at": START,
            "in_panel": True,
        },
        Attachment: {"entity": "customer", "record_id": newest(world, Customer), "name": "a.pdf"}
        | {"media": "application/pdf", "size": 1, "hash": "0" * 64, "created_at": START, "created_by_id": ada},
        Share: {"customer_id": newest(world, Customer), "grantee_kind": GranteeKind.USER, "grantee_id": ada}
        | {"level": ShareLevel.VIEW, "starts_at": START},
        ShareRequest: {"customer_id": newest(world, Customer), "asked_by_id": ada, "level": ShareLevel.VIEW}
        | {"reason": "x", "asked_at": START},
        SignInAttempt: {"user_id": ada, "login": "ada", "at": START, "ok": True},
        ImportBatch: {"owner_id": ada, "target": "customer", "file_name": "x.csv", "file": "x"}
        | {"file_hash": "x" * 64, "choices": {}, "options": {}, "state": "UPLOADED", "created_at": START},
    }
    with world.backend.writer.engine.begin() as connection:
        for model, values in rows.items():
            connection.execute(insert(model).values(**values))


def examples(world: World, names: Iterable[str]) -> Iterator[tuple[str, str]]:
    """(type, the id of an object of it) for each of the types."""
    for name in names:
        if name == "Me":
            yield name, f"me_{world.ids['ada']}"
        else:
            model = KINDS[name].model if name in KINDS else BEHIND[name]
            yield name, global_id(model, newest(world, model))


def test_node_answers_the_id_of_every_type_with_that_type_and_nodes_answers_all_at_once(world: World, api: Api) -> None:
    live_through_much(world)
    world.make(Opportunity, customer_id=world.customer("Open"), name="Staged", stage="offer", amount=Decimal(7))
    make_others(world, api)
    given = list(examples(world, types_with_ids()))
    assert len(given) > 40

    query = "query($id: ID!) { node(id: $id) { __typename id } }"
    for name, id in given:
        assert api.ask("ada", query, id=id)["node"] == {"__typename": name, "id": id}

    backwards = [id for _, id in reversed(given)]
    asked = [*backwards[:5], "cus_999999", "nonsense", "xyz_1", *backwards[5:]]
    found = api.ask("ada", "query($ids: [ID!]!) { nodes(ids: $ids) { __typename id } }", ids=asked)["nodes"]
    assert [x and x["id"] for x in found] == [*backwards[:5], None, None, None, *backwards[5:]]
    assert [x["__typename"] for x in found if x] == [name for name, _ in reversed(given)]


def test_what_is_someone_elses_is_null_like_what_is_missing(world: World, api: Api) -> None:
    world.make(FollowUp, customer_id=world.customer("Acme"), kind="NOTE", content="x", happened_at=START)
    make_others(world, api)
    own = [id for name, id in examples(world, [*BEHIND, "Me"]) if name != "AttachedFile"]  # it goes with its customer

    assert api.ask("sam", "query($ids: [ID!]!) { nodes(ids: $ids) { id } }", ids=own)["nodes"] == [None] * len(own)


def test_nodes_reads_fields_of_each_type_with_one_statement_for_each(world: World, api: Api) -> None:
    ids = [world.customer(name, "li") for name in ("Acme", "Bolt", "Ceres")]
    asked = [f"cus_{ids[2]}", f"usr_{world.ids['li']}", f"cus_{ids[0]}", f"cus_{ids[2]}"]
    query = """query($ids: [ID!]!) { nodes(ids: $ids) {
        id ... on Customer { called: name owner { name } } ... on User { name } ... on Job { state } } }"""
    read: list[str] = []
    usual = world.backend.reads.rows

    async def rows(text: str, values: Any) -> Any:
        read.append(text)
        return await usual(text, values)

    world.backend.reads.rows = rows  # type: ignore[method-assign]  # to count
    found = api.ask("li", query, ids=asked)["nodes"]

    last = {"id": f"cus_{ids[2]}", "called": "Ceres", "owner": {"name": "Li Na"}}
    assert found == [
        last,
        {"id": asked[1], "name": "Li Na"},
        {"id": asked[2], "called": "Acme", "owner": {"name": "Li Na"}},
        last,
    ]
    assert len(read) == 2


def test_a_merged_customer_is_the_one_that_stays(world: World, api: Api) -> None:
    stays, goes = world.customer("Acme", "li"), world.customer("Acme 2", "li")
    merged = api.change(
        "ada", "mergeCustomers", {"winnerId": f"cus_{stays}", "loserIds": [f"cus_{goes}"]}, "problems { message }"
    )
    assert merged == {"problems": []}

    found = api.ask("li", "query($ids: [ID!]!) { nodes(ids: $ids) { id } }", ids=[f"cus_{goes}", f"cus_{stays}"])
    assert found["nodes"] == [{"id": f"cus_{stays}"}, {"id": f"cus_{stays}"}]


def test_nodes_counts_the_pages_of_pooled_customers_as_node_does(world: World, api: Api) -> None:
    world.make(ClaimRule, pool_id=world.ids["north"], daily_view_limit=2)
    pooled = [world.customer(f"P{n}", pool="north") for n in range(3)]
    ids = [f"cus_{id}" for id in pooled]

    text = "query($ids: [ID!]!) { nodes(ids: $ids) { id } }"

    scope = world.scope("li", "graphql")
    by_get = json.loads(world.run(api.engine.answer(scope, text, {"ids": ids}, None, is_safe=True)).body)
    assert [x["extensions"]["code"] for x in by_get["errors"]] == ["METHOD_NOT_ALLOWED"] * 3
    assert world.rows(PoolView) == []
    answer = api.answer("li", text, ids=ids)

    assert answer["data"]["nodes"] == [{"id": ids[0]}, {"id": ids[1]}, None]
    (error,) = answer["errors"]
    assert (error["extensions"]["code"], error["path"]) == ("VIEW_LIMIT_REACHED", ["nodes", 2])


def test_too_many_ids_are_refused_with_the_limit_and_count_as_rows(world: World, api: Api) -> None:
    ids = [f"cus_{n}" for n in range(1, MOST + 2)]
    query = "query($ids: [ID!]!) { nodes(ids: $ids) { id } }"

    (error,) = api.answer("li", query, ids=ids)["errors"]
    assert error["message"] == f"At most {MOST} ids in one request: there are {MOST + 1}."
    assert len(api.ask("li", query, ids=ids[:MOST])["nodes"]) == MOST

    heavy = "contacts(first: 200) { nodes { followUps(first: 5) { nodes { id } } } }"
    text = f"query($ids: [ID!]!) {{ nodes(ids: $ids) {{ ... on Customer {{ {heavy} }} }} }}"
    with pytest.raises(TooComplex):
        api.answer("li", text, ids=ids[:50])
    assert "errors" not in api.answer("li", text, ids=ids[:1])


def test_the_caller_has_an_id_which_nobody_else_can_ask_for(world: World, api: Api) -> None:
    for login in ("li", "wu", "li"):  # one plan serves both
        mine = f"me_{world.ids[login]}"
        assert api.ask(login, "{ me { id user { id } } }")["me"]["id"] == mine
        assert api.ask(login, "{ me { id quotas { used } } }")["me"]["id"] == mine
        assert api.ask(login, "query($id: ID!) { node(id: $id) { id } }", id=mine) == {"node": {"id": mine}}
    assert api.ask("wu", "query($id: ID!) { node(id: $id) { id } }", id=f"me_{world.ids['li']}") == {"node": None}
