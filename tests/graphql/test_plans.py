"""Plans: a compiled statement serves other people and other arguments, and never answers anything else than its like."""

import asyncio
import json
from itertools import product
from typing import Any

import pytest
from graphql import get_introspection_query, parse
from sqlalchemy import literal, select
from sqlalchemy.dialects import sqlite

from policies import Principal, Snapshot
from resolvers.customers import lock as locking
from resolvers.reading.provenance import PlanMismatch, map_traced, source_of, trace, untraced
from resolvers.runtime.viewer import Requester
from schema.engine import Engine
from schema.limits import TooComplex
from schema.plan import documents, plans
from schema.plan.plan import Plan, Request
from tests.support.engines import at_length_on_postgresql
from tests.support.reading_as import furnish
from tests.support.world import PEOPLE as EVERYONE
from tests.support.world import START, World

NEVER = 10**9
POLICY, EVERYBODY = Snapshot(""), list(EVERYONE)
ROW = "id number name stageLabel owner { name } pool { name } locked phone edit: can(action: EDIT)"
LIST = f"query ($n: Int, $after: String) {{ customers(first: $n, after: $after, orderBy: [{{field: NAME}}]) {{ nodes {{ {ROW} }} pageInfo {{ hasNextPage hasPreviousPage endCursor }} totalCount countUpTo }} }}"
QUESTIONS: dict[str, tuple[str, list[dict[str, Any]]]] = {
    "anything": (
        "query ($id: ID!) { node(id: $id) { __typename id ... on Customer { name owner { name } } ... on Contact { name } } }",
        [{"id": id} for id in ("cus_1", "con_1", "cus_2", "con_2", "usr_3", "usr_2", "cus_99", "nonsense", "usr_x")],
    ),
    "a record": (
        f"query ($id: ID) {{ customer(id: $id) {{ {ROW} contacts {{ totalCount nodes {{ name points {{ value }} }} }} history {{ nodes {{ action changes {{ field new }} }} }} }} }}",
        [{"id": f"cus_{n}"} for n in (1, 2, 3, 99)] + [{"id": "con_1"}, {"id": "nonsense"}, {"id": "cus_99999999999"}],
    ),
    "a number": (
        f"query ($x: String) {{ customer(number: $x) {{ {ROW} }} }}",
        [{"x": "C2026001"}, {"x": "C2026003"}, {"x": ""}],
    ),
    "a page": (LIST, [{"n": 1}, {"n": 2}, {"n": 2, "after": None}, {}]),
    "a filter": (
        f"query ($f: CustomerFilter) {{ customers(filter: $f) {{ nodes {{ {ROW} }} totalCount }} }}",
        [
            {"f": {"name": {"contains": "Mi"}}},
            {"f": {"name": {"contains": "%"}}},
            {"f": {"name": {"startsWith": "Her"}, "phone": {"eq": "1002"}}},
            {"f": {"ownerId": {"in": ["usr_3", "usr_5"]}}},
            {"f": {"ownerId": {"in": ["usr_4"]}}},
            {"f": {"ownerId": {"in": []}}},
            {"f": {"ownerId": {"eq": None}}},
            {"f": {"or": [{"name": {"eq": "Mine"}}, {"poolId": {"isNull": False}}]}},
            {"f": {"not": {"name": {"eq": "Mine"}}, "createdAt": {"gt": "2026-11-24T07:00:00Z"}}},
            {"f": {"not": {"name": {"eq": "Hers"}}, "createdAt": {"gt": "2027-11-24T07:00:00Z"}}},
            {"f": None},
            {},
        ],
    ),
    "a search": (
        f"query ($q: String) {{ customers(search: $q) {{ nodes {{ {ROW} }} }} }}",
        [
            {"q": "mi"},
            {"q": "C2026"},
            {"q": "c2026"},
            {"q": "Ann"},
            {"q": ""},
            {"q": "  "},
            {"q": None},
            {"q": "x" * 101},
        ],
    ),
    "two at once": (
        f"query ($a: ID, $b: String, $deep: Boolean = false) {{ a: customer(id: $a) {{ {ROW} }} customers(search: $b) {{ totalCount }} contacts @include(if: $deep) {{ nodes {{ name }} }} }}",
        [{"a": "cus_1", "b": "He"}, {"a": "cus_2", "b": "Mi", "deep": True}, {"a": "cus_3", "b": "Po", "deep": True}],
    ),
}
PEOPLE = ("li", "wu", "lead")


def body(world: World, engine: Engine, login: str, query: str, variables: dict[str, Any]) -> bytes:
    answer = world.run(engine.answer(world.scope(login, "graphql"), query, variables, None))
    return json.dumps(json.loads(answer.body), separators=(",", ":")).encode()  # PostgreSQL puts blanks in


@pytest.mark.long
@pytest.mark.sampled(sqlite=3, postgresql=1)
@pytest.mark.parametrize("name", QUESTIONS)
def test_a_planned_answer_is_the_answer(world: World, name: str) -> None:
    furnish(world)
    query, asked = QUESTIONS[name]
    planning, plain_engine = Engine(world.backend, plan_at=1), Engine(world.backend, plan_at=NEVER)

    for variables, login in product([*asked, *reversed(asked)], PEOPLE):
        planned = body(world, planning, login, query, variables)
        assert planned == body(world, plain_engine, login, query, variables), (login, variables)

    assert plain_engine.plans.count == 0
    assert 0 < planning.plans.count < len(asked) * len(PEOPLE)


@at_length_on_postgresql
def test_nobody_is_answered_by_the_plan_of_another_role(world: World) -> None:
    furnish(world)
    planning, plain_engine = Engine(world.backend, plan_at=1), Engine(world.backend, plan_at=NEVER)
    plain_answers: dict[tuple[str, str], bytes] = {}

    for login, name in product([*EVERYBODY, *reversed(EVERYBODY)], ("a record", "a page")):
        query, (variables, *_) = QUESTIONS[name]
        planned = body(world, planning, login, query, variables)
        if (login, name) not in plain_answers:
            plain_answers[login, name] = body(world, plain_engine, login, query, variables)
        assert planned == plain_answers[login, name], (login, name)


def _request(person: int, number: int) -> Request:
    return Request(Requester(Principal(id=person, name="", now=START)), "en", {"n": number})


def _plan(kept: plans.Plans, document: documents.Document, request: Request, made: Any) -> Plan | None:
    return asyncio.run(kept.make(document, "here", POLICY, request, sqlite.dialect(paramstyle="qmark"), made))


def test_a_value_that_decides_more_than_a_parameter_is_part_of_the_key() -> None:
    def made(request: Request) -> Any:
        n = request.variables["n"]
        return select(literal(n), literal("odd" if n % 2 else "even")), ("r",)

    kept, document = plans.Plans(), documents.document_of(parse("{ a }"), {})
    plan = _plan(kept, document, _request(3, 7), made)

    assert plan is not None
    assert kept.find(document, "here", POLICY, _request(4, 7)) is plan
    assert kept.find(document, "here", POLICY, _request(3, 8)) is None


def test_where_the_person_himself_decides_more_than_a_parameter_no_plan_is_kept() -> None:
    def made(request: Request) -> Any:
        return select(literal(request.principal.id), literal(request.principal.id == 3)), ("r",)

    kept = plans.Plans()

    assert _plan(kept, documents.document_of(parse("{ a }"), {}), _request(3, 7), made) is None
    assert kept.count == 0


def test_another_record_another_person_of_the_role_and_another_search_need_no_new_plan(world: World) -> None:
    furnish(world)
    engine = Engine(world.backend, plan_at=1)
    record, search = QUESTIONS["a record"][0], QUESTIONS["a search"][0]
    body(world, engine, "li", record, {"id": "cus_1"})
    body(world, engine, "li", search, {"q": "Mine"})
    made = engine.plans.count

    for login, id in product(("li", "wu"), ("cus_1", "cus_2", "cus_3", "cus_4", "con_1", "nothing")):
        body(world, engine, login, record, {"id": id})
    for text in ("Hers", "C20", "%", "汉字"):
        body(world, engine, "li", search, {"q": text})

    assert engine.plans.count == made == 2


def test_the_next_page_is_planned_with_its_cursor(world: World) -> None:
    furnish(world)
    engine = Engine(world.backend, plan_at=1)
    seen, after = [], None
    for _ in range(3):
        page = json.loads(body(world, engine, "ada", LIST, {"n": 1, "after": after}))["data"]["customers"]
        seen.append(page["nodes"][0]["name"])
        after = page["pageInfo"]["endCursor"]

    assert seen == ["Hers", "Mine", "Pooled"]
    assert engine.plans.count == 2
    refused = json.loads(body(world, engine, "ada", LIST, {"n": 1, "after": "abcd"}))
    assert refused["errors"][0]["extensions"]["code"] == "VALIDATION"


def test_another_policy_is_another_plan_at_once(world: World) -> None:
    furnish(world)
    engine, query = Engine(world.backend, plan_at=1), QUESTIONS["a page"][0]
    assert b'"name":"Mine"' in body(world, engine, "li", query, {})

    text = world.backend.policy.text + "\np, sales, customer, view, all, any, deny\n"
    world.backend.policy = Snapshot(text, revision=world.backend.policy.revision)

    assert b'"name":"Mine"' not in body(world, engine, "li", query, {})


def test_the_hour_is_a_parameter_a_lock_ends_when_it_ends(world: World) -> None:
    ids = furnish(world)
    until = world.clock.now.replace(hour=10)
    world.li.do(locking.lock, [ids["Mine"]], "talks", until)
    engine, query = Engine(world.backend, plan_at=1), QUESTIONS["a record"][0]
    assert b'"customer":null' in body(world, engine, "ada", query, {"id": f"cus_{ids['Mine']}"})

    world.clock.pass_by(hours=3)

    assert b'"name":"Mine"' in body(world, engine, "ada", query, {"id": f"cus_{ids['Mine']}"})


ABOUT_ME = """query ($deep: Boolean = false) {
    me { __typename user { id login name can(action: EDIT) department { name } } again: user { ...mine }
         capacity @include(if: $deep) { held } } }
    fragment mine on User { email roles updatedBy { name } userRoles(first: 2) { totalCount } }"""


@pytest.mark.parametrize("login", EVERYBODY)
def test_who_one_is_needs_no_executor_which_says_the_same(world: World, login: str) -> None:
    furnish(world)
    engine = Engine(world.backend, plan_at=1)
    by_hand = ABOUT_ME.replace("{\n    me", "{ __schema { queryType { name } }\n    me", 1)

    def told(query: str, **variables: bool) -> tuple[str, Any]:
        answer = world.run(engine.answer(world.scope(login, "graphql"), query, variables, None))
        return answer.kind, json.loads(answer.body)["data"]["me"]

    kinds, answers = zip(told(ABOUT_ME), told(ABOUT_ME), told(by_hand), strict=True)
    assert kinds == ("planned", "planned", "executed")
    assert answers[0] == answers[1] == answers[2]
    assert list(answers[0]) == ["__typename", "user", "again"]

    kind, deep = told(ABOUT_ME, deep=True)
    assert (kind, deep) == ("executed", told(by_hand, deep=True)[1])
    assert deep["capacity"] is not None


def test_the_name_of_the_root_type_needs_no_executor(world: World) -> None:
    furnish(world)
    engine = Engine(world.backend)
    for kind in ("compiled", "planned", "planned"):
        answer = world.run(
            engine.answer(world.scope("li", "graphql"), "{ __typename n: customers { totalCount } }", {}, None)
        )
        assert answer.kind == kind
        assert json.loads(answer.body) == {"data": {"__typename": "Query", "n": {"totalCount": 2}}}


@pytest.mark.parametrize(
    "query",
    [
        get_introspection_query(),
        '{ __typename __type(name: "Customer") { fields { name } } no: __type(name: "No") { name } }',
        "query A { __schema { types { name } } } query B { __typename }",
    ],
)
def test_what_a_document_says_about_the_schema_alone_is_put_together_once(world: World, query: str) -> None:
    engine, operation = Engine(world.backend), "A" if "query A" in query else None
    answers = [
        world.run(engine.answer(world.scope(login, "graphql"), query, {}, operation)) for login in ("li", "ada", "li")
    ]

    assert [answer.kind for answer in answers] == ["executed", "constant", "constant"]
    assert len({answer.body for answer in answers}) == 1
    assert "errors" not in json.loads(answers[0].body)
    assert json.loads(world.run(engine.answer(world.backend.scope(None, "graphql"), query, {}, operation)).body)[
        "errors"
    ]


@pytest.mark.parametrize(
    "query",
    [
        'query ($all: Boolean = true) { __type(name: "CustomerFilter") { inputFields(includeDeprecated: $all) { name } } }',
        "{ __schema { queryType { name } } me { capacity { held } } }",
        "{ __schema { queryType { name } } customers { totalCount } }",
    ],
)
def test_what_depends_on_more_than_the_schema_is_asked_each_time(world: World, query: str) -> None:
    engine = Engine(world.backend)
    kinds = [world.run(engine.answer(world.li, query, {}, None)).kind for _ in range(3)]

    assert kinds == ["executed"] * 3


def test_answers_about_the_schema_and_documents_are_kept_in_limited_numbers(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(documents, "MAX_DOCUMENTS", 2 * documents.MAX_CONSTANTS)
    engine = Engine(world.backend)
    for n in range(documents.MAX_DOCUMENTS + 5):
        world.run(engine.answer(world.li, f"{{ a{n}: __schema {{ queryType {{ name }} }} }}", {}, None))

    assert engine.documents.count == documents.MAX_DOCUMENTS
    assert engine.documents.constants == documents.MAX_CONSTANTS


def test_documents_are_kept_up_to_a_length_all_together(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(documents, "MAX_BYTES", 12_000)
    engine = Engine(world.backend)
    for n in range(10):
        body(world, engine, "li", f"{{ customers {{ totalCount }} }} # {n} {'x' * 200}", {})

    assert engine.documents.count == 2


def test_what_somebody_asks_who_is_not_signed_in_is_not_kept(world: World) -> None:
    engine, nobody = Engine(world.backend), world.backend.scope(None, "graphql")
    answers = [world.run(engine.answer(nobody, query, {}, None)) for query in ("{ __typename }", LIST)]

    assert [b"UNAUTHENTICATED" in answer.body for answer in answers] == [False, True]
    assert (engine.documents.count, engine.documents.constants) == (0, 0)


def test_what_a_document_may_ask_of_many_kinds_is_kept_in_limited_numbers(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(documents, "MAX_STATEMENTS", 5)
    furnish(world)
    query = "query ($a: ID!, $b: ID!) { a: node(id: $a) { id } b: node(id: $b) { id } }"
    engine, kinds = Engine(world.backend, plan_at=1), ("cus_1", "con_1", "usr_1", "poo_1")
    for a, b in product(kinds, kinds):
        body(world, engine, "ada", query, {"a": a, "b": b})

    document = engine.documents.find(query)
    assert document is not None
    assert len(document.statements) == 5


def test_the_plans_of_a_former_policy_are_not_kept(world: World) -> None:
    engine = Engine(world.backend, plan_at=1)
    for n in range(3):
        world.backend.policy = Snapshot(world.backend.policy.text, revision=n)
        body(world, engine, "li", QUESTIONS["a record"][0], {"id": "cus_1"})
        body(world, engine, "li", LIST, {})
        assert engine.plans.count == 2


def test_what_a_mutation_has_made_is_read_by_a_plan(world: World) -> None:
    engine = Engine(world.backend)
    query = "mutation ($n: String!) { createCustomer(input: {name: $n}) { customer { id name owner { name } } problems { code } } }"
    counts = []
    for name in ("One", "Two", "Three"):
        made = json.loads(body(world, engine, "li", query, {"n": name}))["data"]["createCustomer"]
        assert (made["customer"]["name"], made["customer"]["owner"]["name"]) == (name, "Li Na")
        counts.append(engine.plans.count)

    assert counts == [0, 1, 1]


def test_what_is_read_for_one_field_does_not_change_what_another_is_asked(world: World) -> None:
    furnish(world)
    query = (
        "query ($id: ID, $n: Int) { me { user { name } } customer(id: $id) { contacts(first: $n) { nodes { name } } } }"
    )
    engine = Engine(world.backend)
    for _ in range(3):
        found = json.loads(body(world, engine, "li", query, {"id": "cus_1", "n": 1}))["data"]
        assert found["me"]["user"]["name"] == "Li Na"
        assert len(found["customer"]["contacts"]["nodes"]) == 1


def test_a_document_that_is_known_is_measured_again_for_larger_pages(world: World) -> None:
    query = "query ($n: Int) { customers(first: $n) { nodes { contacts(first: $n) { nodes { name } } } } }"
    engine = Engine(world.backend, plan_at=1)
    for _ in range(2):
        body(world, engine, "li", query, {"n": 2})
        with pytest.raises(TooComplex):
            body(world, engine, "li", query, {"n": 200})


def test_a_null_where_there_must_be_a_value_is_said_of_its_field(world: World) -> None:
    query = 'query ($id: ID = "cus_1") { node(id: $id) { id } customers { totalCount } }'
    engine = Engine(world.backend, plan_at=1)
    for _ in range(2):
        answer = json.loads(body(world, engine, "li", query, {"id": None}))
        assert [error["path"] for error in answer["errors"]] == [["node"]]
        assert answer["data"] == {"node": None, "customers": {"totalCount": 0}}


def test_plans_are_made_for_what_is_asked_again(world: World) -> None:
    engine, query = Engine(world.backend), "{ customers { totalCount } }"
    counts = []
    for _ in range(3):
        body(world, engine, "li", query, {})
        counts.append(engine.plans.count)

    assert counts == [0, 1, 1]


def test_a_value_remembers_its_source_through_map_traced_and_through_nothing_else() -> None:
    text = trace("cus_12", ("variables", "id"))
    number = map_traced(text, lambda x: int(x[4:]))

    assert (text, number, number + 1) == ("cus_12", 12, 13)
    source = source_of(number)
    assert source is not None
    assert (source.path, source.value("cus_7")) == (("variables", "id"), 7)
    assert source_of(number + 1) is source_of(text.upper()) is source_of(trace(True, ("x",))) is None
    assert type(untraced(number)) is int
    assert issubclass(PlanMismatch, Exception)
