"""Sizes at every argument: what is too large is refused alike on both databases, soon, and in proportion to its length."""

import json
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any

import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLScalarType,
    GraphQLSchema,
)

from policies import Principal
from schema.limits import LIMITS, TooComplex
from schema.plan.arguments import MAX_STEPS
from tests.support import forms
from tests.support.cpu_time import quickly
from tests.support.graphql import Api
from tests.support.world import World

LIST = "query ($f: CustomerFilter) { customers(filter: $f) { totalCount } }"


@pytest.fixture
def api(world: World) -> Api:
    return Api(world)


def code(api: Api, query: str, /, **variables: Any) -> str | None:
    """The code of the refusal, None for an answer with data.

    An exception that is no refusal fails the test, and so does CPU time; before there were limits some took 10 s.
    """
    answer = quickly(lambda: answer_to(api, query, variables))
    codes = {error["extensions"]["code"] for error in answer.get("errors", ())}
    return codes.pop() if codes else None


def answer_to(api: Api, query: str, variables: dict[str, Any]) -> dict[str, Any]:
    try:
        scope = api.world.backend.scope(ada_of(api.world), "graphql")
        answered = api.world.run(api.engine.answer(scope, query, variables, None))
        answer: dict[str, Any] = json.loads(answered.body)
    except TooComplex as refused:
        answer = {"errors": [refused.error()]}
    assert '"INTERNAL"' not in json.dumps(answer), answer
    return answer


@lru_cache(maxsize=1)
def ada_of(world: World) -> Principal:
    """Ada, looked up once for the thousands of requests of a test."""
    return world.principal("ada")


def nested(word: str, depth: int) -> dict[str, Any]:
    tree: dict[str, Any] = {"name": {"contains": "a"}}
    for _ in range(depth):
        tree = {word: tree if word == "not" else [tree, {"stage": {"eq": "x"}}]}
    return tree


def ids(count: int) -> list[str]:
    return [f"cus_{n + 1}" for n in range(count)]


def names(count: int) -> list[dict[str, Any]]:
    return [{"name": {"contains": f"a{n}"}} for n in range(count)]


WITHIN: list[dict[str, Any]] = [
    nested("not", LIMITS["filter_levels"]),
    nested("or", LIMITS["filter_levels"]),
    {"or": names(LIMITS["conditions"])},
    {"id": {"in": ids(LIMITS["list_items"])}},
    {"name": {"contains": "a" * 1_000}},
    {"name": {"eq": "a" * 200_000}},
]
BEYOND: list[dict[str, Any]] = [
    nested("not", LIMITS["filter_levels"] + 1),
    nested("not", 40),
    nested("and", LIMITS["filter_levels"] + 1),
    {"or": names(LIMITS["conditions"] + 1)},
    {"or": names(900)},
    {"and": names(9_000)},
    {"id": {"in": ids(LIMITS["list_items"] + 1)}},
    {"id": {"in": ids(33_000)}},
    {"id": {"in": ids(60_000)}},
    {"or": [{"id": {"in": ids(LIMITS["list_items"])}} for _ in range(4)]},
]


def test_a_filter_within_the_limits_is_answered_and_one_beyond_is_refused(api: Api) -> None:
    assert [code(api, LIST, f=tree) for tree in WITHIN] == [None] * len(WITHIN)
    assert [code(api, LIST, f=tree) for tree in BEYOND] == ["TOO_COMPLEX"] * len(BEYOND)


def test_a_pattern_longer_than_sqlite_takes_is_refused_with_a_sentence(api: Api) -> None:
    for operator in ("contains", "startsWith", "endsWith"):
        assert code(api, LIST, f={"name": {operator: "a" * 60_000}}) == "VALIDATION"


def test_the_text_is_counted_like_a_variable(api: Api) -> None:
    deep = "{not: " * 9 + '{name: {eq: "a"}}' + "}" * 9
    assert code(api, f"{{ customers(filter: {deep}) {{ totalCount }} }}") == "TOO_COMPLEX"
    many = " ".join(f'{{name: {{eq: "{n}"}}}}' for n in range(201))
    assert code(api, f"{{ customers(filter: {{or: [{many}]}}) {{ totalCount }} }}") == "TOO_COMPLEX"


def test_a_variable_counts_at_each_of_its_uses(api: Api) -> None:
    uses = " ".join(f"c{n}: customers(filter: $f) {{ totalCount }}" for n in range(3))
    query = f"query ($f: CustomerFilter) {{ {uses} }}"
    fragment = (
        "query ($f: CustomerFilter) { a: customers(filter: $f) { ...F } b: customers(filter: {not: $f}) { ...F } }"
    )
    fragment += " fragment F on CustomerConnection { nodes { owner { id } contacts { nodes { id } } } }"

    assert code(api, query, f={"or": names(66)}) is None
    assert code(api, query, f={"or": names(67)}) == "TOO_COMPLEX"
    assert code(api, fragment, f=nested("not", 7)) is None
    assert code(api, fragment, f=nested("not", 8)) == "TOO_COMPLEX"


def test_a_default_is_counted_too(api: Api) -> None:
    default = "{not: " * 9 + '{name: {eq: "a"}}' + "}" * 9
    query = f"query ($f: CustomerFilter = {default}) {{ customers(filter: $f) {{ totalCount }} }}"
    assert code(api, query) == "TOO_COMPLEX"
    assert code(api, query, f={"name": {"eq": "a"}}) is None


def test_the_same_document_is_measured_again_for_a_larger_filter(api: Api) -> None:
    for _ in range(3):
        assert code(api, LIST, f={"or": names(2)}) is None
    assert code(api, LIST, f={"or": names(201)}) == "TOO_COMPLEX"
    assert code(api, LIST, f=nested("not", 9)) == "TOO_COMPLEX"


def test_an_order_has_few_steps(api: Api) -> None:
    query = "query ($o: [CustomerOrder!]) { customers(orderBy: $o) { totalCount } }"
    steps = [{"field": "NAME"}] * MAX_STEPS

    assert code(api, query, o=steps) is None
    assert code(api, query, o=[*steps, {"field": "ID"}]) == "VALIDATION"


def test_many_ids_of_several_kinds_are_one_condition_for_each_kind(api: Api) -> None:
    query = "query ($f: AuditFilter) { auditEntries(filter: $f) { totalCount } }"
    mixed = [f"{kind}_{n}" for n in range(1, 120) for kind in ("cus", "usr", "con", "xyz")]

    for given in (mixed, mixed[::-1], mixed):
        assert code(api, query, f={"recordId": {"in": given}}) is None


# --- every argument --------------------------------------------------------------------------------------


def sizes(kind: Any, depth: int = 0) -> Iterator[Any]:
    """Values of this input type, each far too large in one respect."""
    match kind:
        case GraphQLNonNull():
            yield from sizes(kind.of_type, depth)
        case GraphQLList():
            small = smallest(kind.of_type)
            yield from ([small] * count for count in (LIMITS["list_items"], 20_000))
            yield from ([each] for each in sizes(kind.of_type, depth))
        case GraphQLInputObjectType():
            least = smallest(kind)
            for name, field in kind.fields.items() if depth < 2 else ():
                yield from ({**least, name: each} for each in sizes(field.type, depth + 1))
        case GraphQLScalarType():
            yield from SCALARS.get(kind.name, TEXTS)
        case GraphQLEnumType():
            yield "X" * 100_000


TEXTS: tuple[Any, ...] = (
    "a" * 900_000,
    "客" * 300_000,
    "a" + "\u0301\u0323" * 150_000,
    "\u200b" * 300_000,
    "1" * 900_000,
    "\n" * 500_000,
    "[" * 400_000,
    "a b " * 200_000,
    "cus_" + "9" * 100_000,
)
SCALARS: dict[str, tuple[Any, ...]] = {
    "Int": (2**31, -(2**31), 10**300, "9" * 5_000),
    "Float": (1e308, -1e308),
    "Decimal": ("9" * 100_000, "1e999999999", 1e300, "-" + "9" * 14 + ".99"),
    "Boolean": ("true" * 50_000,),
    "DateTime": ("2026-11-24T08:30:00." + "0" * 100_000 + "Z", "9999-12-31T23:59:59Z", "0001-01-01T00:00:00Z"),
    "Date": ("9" * 100_000, "9999-12-31", "0001-01-01"),
}


def smallest(kind: Any) -> Any:
    match kind:
        case GraphQLNonNull() | GraphQLList():
            inner = smallest(kind.of_type)
            return [inner] if isinstance(kind, GraphQLList) else inner
        case GraphQLInputObjectType():
            needed = ((name, x) for name, x in kind.fields.items() if isinstance(x.type, GraphQLNonNull))
            return {name: smallest(x.type) for name, x in needed}
        case GraphQLEnumType():
            return next(iter(kind.values))
    return {"Int": 1, "Float": 1.0, "Boolean": True, "Decimal": "1.00"}.get(
        kind.name, {"DateTime": "2026-11-24T08:30:00Z", "Date": "2026-11-24"}.get(kind.name, "cus_1")
    )


def arguments(schema: GraphQLSchema) -> Iterator[tuple[str, Callable[[], Iterator[tuple[str, Any]]]]]:
    """(name, its requests) of every argument of every root field."""
    for root, word in ((schema.query_type, "query"), (schema.mutation_type, "mutation")):
        assert root is not None
        for field, definition in root.fields.items():
            for argument in definition.args:
                yield f"{field}({argument})", lambda d=definition, f=field, a=argument, w=word: requests(w, f, d, a)  # type: ignore[misc]


def requests(word: str, field: str, definition: Any, argument: str) -> Iterator[tuple[str, Any]]:
    others = {
        name: smallest(x.type)
        for name, x in definition.args.items()
        if name != argument and isinstance(x.type, GraphQLNonNull)
    }
    declared = ", ".join(f"${name}: {definition.args[name].type}" for name in (argument, *others))
    given = ", ".join(f"{name}: ${name}" for name in (argument, *others))
    kind = definition.type.of_type if isinstance(definition.type, GraphQLNonNull) else definition.type
    selection = (
        "{ __typename }" if hasattr(kind, "fields") or hasattr(kind, "of_type") or hasattr(kind, "types") else ""
    )
    query = f"{word} ({declared}) {{ {field}({given}) {selection} }}"
    for value in sizes(definition.args[argument].type):
        yield query, {argument: value, **others}


FIELDS = (
    "customers(filter)",
    "customers(search)",
    "customers(after)",
    "createCustomer(input)",
    "signIn(input)",
    "node(id)",
)


def throw(api: Api, names: Callable[[str], bool]) -> int:
    """The number of requests that were answered; fails with those that broke, or took the event loop too long."""
    tried, broken = 0, []
    for name, requests_of in arguments(api.engine.schema):
        for query, variables in requests_of() if names(name) else ():
            tried += 1
            try:
                code(api, query, **variables)
            except AssertionError as failure:
                where = {key: f"{str(value)[:60]!r}" for key, value in variables.items()}
                broken.append(f"{name} {where}: {str(failure)[:200]}")
    assert not broken, "\n".join(broken)
    return tried


@pytest.mark.long
@pytest.mark.sampled
def test_no_size_at_any_argument_breaks_or_delays_the_process(api: Api, world: World) -> None:
    if world.backend.dialect == "postgresql" and not forms.IS_THOROUGH:
        pytest.skip("on PostgreSQL those that are used most, and all in make sweep")
    assert throw(api, lambda _: True) > 500


def test_no_size_at_the_arguments_that_are_used_most_breaks_or_delays_the_process(api: Api) -> None:
    assert throw(api, lambda name: name in ("customers(search)", "node(id)", "createContact(input)")) > 20
