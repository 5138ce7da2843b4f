"""A hidden value is in no answer, and no filter, order or log tells of it."""

import json
from typing import Any

import pytest
from graphql import GraphQLObjectType, GraphQLUnionType, get_named_type

from models import ENTITIES, AuditEntry
from schema.plan.shape import KINDS, name_of, plural
from tests.support.graphql import Api
from tests.support.secrecy import SECRET
from tests.support.world import World

# --- no phone number leaks -------------------------------------------------------------------------------


def whole_selection(kind: str, depth: int) -> str:
    """Everything of a type, relations followed to a depth."""
    parts = []
    for name, field in SCHEMA["map"][kind].fields.items():
        target = get_named_type(field.type)
        if name == "can":
            continue
        if isinstance(target, GraphQLUnionType):
            parts.append(
                f"{name} {{ {' '.join(f'... on {x.name} {{ {whole_selection(x.name, 0)} }}' for x in target.types[:1])} }}"
            )
        elif not isinstance(target, GraphQLObjectType):
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


@pytest.mark.long
@pytest.mark.sampled(sqlite=1, postgresql=1)
@pytest.mark.parametrize(("url", "login"), [*(("sqlite", x) for x in MAY_SEE), ("postgresql", "li")], indirect=["url"])
def test_no_phone_of_a_hidden_customer_is_in_any_answer(
    api: Api, world: World, town: dict[str, int], login: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from schema import limits

    for name in ("depth", "cost", "tokens", "characters", "repeats", "nesting"):
        monkeypatch.setitem(limits.LIMITS, name, 10**7)
    SCHEMA["map"] = api.engine.schema.type_map
    for model in [*ENTITIES, AuditEntry]:
        for bin, depth in (("", 1), (", bin: true", 0)) if model is not AuditEntry else (("", 1),):
            whole = whole_selection(name_of(model), depth)
            query = f"{{ {plural(model)}(first: 50{bin}) {{ totalCount nodes {{ {whole} }} }} }}"
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
    assert [entry["action"] for entry in locked] == ["CUSTOMER_LOCK", "CUSTOMER_CREATE"]
    assert all((entry["label"], entry["reason"], entry["changes"]) == (None, None, []) for entry in locked)


def test_the_log_of_a_purged_record_stays_readable(api: Api, world: World, town: dict[str, int]) -> None:
    gone = f"cus_{town['gone']}"
    api.change("ada", "purgeCustomers", {"ids": [gone], "confirm": True}, "ids problems { code }")
    query = "query ($id: ID) { auditEntries(filter: {recordId: {eq: $id}}) { nodes { action label } } }"

    entries = api.ask("aud", query, id=gone)["auditEntries"]["nodes"]

    assert [entry["action"] for entry in entries] == ["CUSTOMER_PURGE", "CUSTOMER_DELETE", "CUSTOMER_CREATE"]
    assert {entry["label"] for entry in entries} == {"C2026006"}


def test_the_history_of_a_pooled_customer_does_not_tell_its_phone(api: Api, world: World, town: dict[str, int]) -> None:
    query = f'{{ customer(id: "cus_{town["north"]}") {{ phone history {{ nodes {{ action changes {{ field new }} }} }} }} }}'

    customer = api.ask("li", query)["customer"]

    assert customer["phone"] is None
    fields = {change["field"] for entry in customer["history"]["nodes"] for change in entry["changes"]}
    assert "name" in fields
    assert "phone" not in fields
