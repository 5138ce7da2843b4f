"""All problems of a mutation come at once, each with a path in the input and a sentence without codes, keys and ids."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pytest
from graphql import GraphQLEnumType, GraphQLInputObjectType, GraphQLList, get_named_type, get_nullable_type

from models import ENTITIES, CustomField, Entity, User
from models.base import LONG, column_of, trait_of
from models.errors import REFUSALS
from resolvers.records import create_update
from resolvers.runtime.ids import global_id
from schema.plan.shape import name_of
from schema.types.make import python_name
from tests.audit.test_entries import live_through_much
from tests.support.graphql import Api
from tests.support.refusals import add_line
from tests.support.world import World

PROBLEMS = "problems { code message path params }"
OF_A_VALUE = {
    "REQUIRED",
    "TOO_LONG",
    "TOO_SHORT",
    "TOO_MANY",
    "OUT_OF_RANGE",
    "NOT_IN_LIST",
    "FORMAT",
    "NOT_FOUND",
    "DUPLICATE",
}
BESIDE = {"createCustomer": {"poolId"}, "createClaimCondition": {"granteeId"}}
"""Mutation -> inputs that are left out, because another one excludes them."""


@pytest.fixture
def api(world: World) -> Api:
    return Api(world)


def wrong_value(model: type[Entity], name: str, kind: Any) -> Any:
    """A value that the field refuses whatever else is given; None where any value of its type may be right."""
    named, key = get_named_type(kind), python_name(name)
    if key not in model.__table__.c or isinstance(named, GraphQLEnumType | GraphQLInputObjectType):
        return None
    column, trait = column_of(model, key), trait_of(column_of(model, key))
    wrong: dict[str, Any] = {
        "ID": "cus_999999999",
        "Date": "1000-01-01",
        "DateTime": "1000-01-01T00:00:00Z",
        "Decimal": "-1" if trait.not_negative else None,
        "Int": -1 if trait.not_negative else None,
        "String": "no such word"
        if trait.dictionary or trait.words_of
        else "x" * (4 * (getattr(column.type, "length", None) or LONG) + 1),
    }
    value = wrong.get(named.name)
    return [value] if value is not None and isinstance(get_nullable_type(kind), GraphQLList) else value


def wrong_inputs(api: Api, model: type[Entity], mutation: str) -> dict[str, Any]:
    """The wrong values of all fields of an input that have one; of a choice that must be given, its first member."""
    kind = api.engine.schema.mutation_type.fields[mutation].args["input"].type  # type: ignore[union-attr]  # there is one
    given: dict[str, Any] = {}
    for name, field in get_nullable_type(kind).fields.items():
        left_out = {"id", "version", "idempotencyKey"} | BESIDE.get(mutation, set())
        value = wrong_value(model, name, field.type) if name not in left_out else None
        if value is None and str(field.type).endswith("!"):
            named = get_named_type(field.type)
            plain = {"Int": 5, "Decimal": "5", "Boolean": True}.get(named.name)
            value = next(iter(named.values)) if isinstance(named, GraphQLEnumType) else plain
        if value is not None:
            given[name] = value
    return given


def walk(input: Any, path: Sequence[str]) -> Any:
    """What stands at a path of the input that was sent; the last name may be one that was left out."""
    value = input
    for place, step in enumerate(path):
        if isinstance(value, list):
            value = value[int(step)]
        elif step in value:
            value = value[step]
        else:
            assert place == len(path) - 1, (path, "leads nowhere")
            return None
    return value


NO_WORD = re.compile(r"\b[a-z]+[A-Z]\w*|\b[a-z]+_[a-z_]+\b|\b[a-z]{3}_\d+\b")
"""Keys like `ownerId` and `owner_id`, and ids like `cus_12`."""


def in_words(message: str, sent: Mapping[str, Any]) -> bool:
    """Whether a sentence holds no code, key or id; the value itself may be quoted."""
    rest = re.sub(r"“[^”]*”", "", message)
    return not NO_WORD.search(rest) and not any(re.search(rf"\b{code}\b", rest) for code in REFUSALS if "_" in code)


def check(problems: list[dict[str, Any]], sent: Mapping[str, Any]) -> set[str]:
    """The names that problems blame, once each, after each problem was looked at."""
    paths = [tuple(problem["path"]) for problem in problems if problem["path"] is not None]
    assert len(paths) == len(set(paths)), problems
    for problem in problems:
        if problem["path"] is not None:
            walk(sent, problem["path"])
        assert in_words(problem["message"], sent), problem
        if problem["path"] and problem["path"][0] in sent:
            assert problem["code"] in OF_A_VALUE, problem
    return {path[0] for path in paths}


def chinese_ada(world: World) -> None:
    world.system.do(create_update.update, User, world.ids["ada"], {"language": "zh"})


def mutations(verb: str) -> Iterator[tuple[type[Entity], str]]:
    yield from ((model, f"{verb}{name_of(model)}") for model in ENTITIES if verb == "update" or not model.singleton)


def test_every_create_mutation_tells_all_wrong_values_at_once(world: World, api: Api) -> None:
    seen = 0
    for language in ("en", "zh"):
        for model, mutation in mutations("create"):
            sent = wrong_inputs(api, model, mutation)
            if not sent:
                continue
            problems = api.change("ada", mutation, sent, PROBLEMS)["problems"]
            blamed = check(problems, sent)
            wrong = {name for name in sent if wrong_value_of(api, model, mutation, name)}
            assert wrong <= blamed, (mutation, wrong - blamed, problems)
            assert all(is_in(language, problem["message"]) for problem in problems), problems
            seen += len(problems)
        chinese_ada(world)
    assert seen > 200


def wrong_value_of(api: Api, model: type[Entity], mutation: str, name: str) -> Any:
    kind = api.engine.schema.mutation_type.fields[mutation].args["input"].type  # type: ignore[union-attr]  # there is one
    return wrong_value(model, name, get_nullable_type(kind).fields[name].type)


def is_in(language: str, message: str) -> bool:
    return bool(re.search("[\u4e00-\u9fff]", message)) is (language == "zh")


def test_every_update_mutation_tells_all_wrong_values_at_once(world: World, api: Api) -> None:
    live_through_much(world)
    for model, mutation in mutations("update"):
        there = world.rows(model)
        if not there:
            continue
        sent = wrong_inputs(api, model, mutation)
        sent |= {"id": global_id(model, there[0]["id"]), "version": there[0]["version"]}
        before = world.everything()
        problems = api.change("ada", mutation, sent, PROBLEMS)["problems"]
        blamed = check(problems, sent)
        wrong = {name for name in sent.keys() - {"id", "version"} if wrong_value_of(api, model, mutation, name)}
        assert wrong <= blamed, (mutation, wrong - blamed, problems)
        assert world.everything() == before


# --- values that their types do not have -----------------------------------------------------------------


def errors_of(api: Api, query: str, **variables: Any) -> list[dict[str, Any]]:
    errors: list[dict[str, Any]] = api.answer("ada", query, **variables)["errors"]
    return errors


def test_values_that_types_do_not_have_are_told_like_other_problems(world: World, api: Api) -> None:
    query = "mutation ($input: CreateContactInput!) { createContact(input: $input) { ids } }".replace(
        "ids", "contact { id }"
    )
    points = [{"kind": "PHONE", "value": "138 0013 8000"}, {"kind": "PIGEON", "value": "x"}, {"kind": "EMAIL"}]
    sent = {"name": "Ann", "birthday": "tomorrow", "isPrimary": "yes", "points": points}

    errors = errors_of(api, query, input=sent)

    told = {tuple(x["extensions"]["problem"]["path"]): x["extensions"]["problem"]["code"] for x in errors}
    assert told == {
        ("customerId",): "REQUIRED",
        ("birthday",): "FORMAT",
        ("isPrimary",): "FORMAT",
        ("points", "1", "kind"): "NOT_IN_LIST",
        ("points", "2", "value"): "REQUIRED",
    }
    for error in errors:
        assert error["extensions"]["code"] == "BAD_REQUEST"
        walk(sent, error["extensions"]["problem"]["path"])
        assert in_words(error["message"], sent), error["message"]
    by_path = {tuple(x["extensions"]["problem"]["path"]): x for x in errors}
    assert by_path["birthday",]["message"] == "Birthday must be a date."
    assert by_path["birthday",]["extensions"]["problem"]["params"] == {"example": "2026-11-24"}
    assert by_path["points", "1", "kind"]["extensions"]["problem"]["params"]["choices"][:2] == ["Phone", "E-mail"]

    chinese_ada(world)
    assert "生日必须是日期。" in {x["message"] for x in errors_of(api, query, input=sent)}


def test_a_variable_inside_of_the_input_is_found_there(api: Api) -> None:
    query = """mutation ($due: DateTime!, $kind: FollowUpKind!) { createPlan(input: {customerId: "cus_1", kind: $kind, dueAt: $due}) {
        plan { id } } }"""

    errors = errors_of(api, query, due="soon", kind="PIGEON")

    assert [x["extensions"]["problem"]["path"] for x in errors] == [["dueAt"], ["kind"]]


# --- paths that are longer than a name -------------------------------------------------------------------


def test_points_and_words_of_lists_are_named_by_their_place(world: World, api: Api) -> None:
    customer = f"cus_{world.customer('Acme', 'li')}"
    points = [
        {"kind": "PHONE", "value": "2001"},
        {"kind": "EMAIL", "value": "nowhere"},
        {"kind": "PHONE", "value": " "},
    ]
    problems = api.change("ada", "createContact", {"customerId": customer, "name": " ", "points": points}, PROBLEMS)[
        "problems"
    ]
    assert [(x["code"], x["path"]) for x in problems] == [
        ("REQUIRED", ["name"]),
        ("FORMAT", ["points", "1", "value"]),
        ("REQUIRED", ["points", "2", "value"]),
    ]
    assert problems[1]["params"] == {"example": "li.na@example.com"}


def test_words_that_a_reader_does_not_see_are_not_told(world: World, api: Api) -> None:
    add_line(world, "p, sales, dictionary, view, all, any, deny")

    (problem,) = api.change("li", "createCustomer", {"name": "Acme", "industry": "retial"}, PROBLEMS)["problems"]

    assert (problem["code"], problem["path"]) == ("NOT_IN_LIST", ["industry"])
    assert "etail" not in str(problem), problem


def test_an_unknown_word_comes_with_what_is_likely_in_the_readers_language(world: World, api: Api) -> None:
    given = {"name": "Acme", "industry": "retial", "stage": "nowhere at all"}
    problems = api.change("ada", "createCustomer", given, PROBLEMS)["problems"]
    first, second = sorted(problems, key=lambda x: str(x["path"]))
    assert (first["code"], first["path"], first["params"]["likely"]) == ("NOT_IN_LIST", ["industry"], ["Retail"])
    assert second["params"]["choices"] == ["Early", "Won"]


def test_ids_that_are_none_are_named_and_the_others_done(world: World, api: Api) -> None:
    id = f"cus_{world.customer('Acme', pool='north')}"
    sent = {"ids": ["nonsense", id, "usr_1", "cus_999999", "nonsense"]}
    answer = api.change("li", "claimCustomers", sent, "ids problems { code recordId path }")
    assert answer["ids"] == [id]
    assert answer["problems"] == [
        {"code": "NOT_FOUND", "recordId": "nonsense", "path": ["ids", "0"]},
        {"code": "NOT_FOUND", "recordId": "usr_1", "path": ["ids", "2"]},
        {"code": "NOT_FOUND", "recordId": "cus_999999", "path": ["ids", "3"]},
    ]
    undone = api.change(
        "li",
        "releaseCustomers",
        {"ids": [id, "nonsense"], "mode": "ALL_OR_NOTHING"},
        "ids problems { code recordId path }",
    )
    assert undone == {
        "ids": [],
        "problems": [
            {"code": "BATCH_UNDONE", "recordId": id, "path": ["ids", "0"]},
            {"code": "NOT_FOUND", "recordId": "nonsense", "path": ["ids", "1"]},
        ],
    }


# --- explanations, and the language before sign-in -------------------------------------------------------


def test_a_refusal_of_the_policy_is_explained(world: World, api: Api) -> None:
    id = f"cus_{world.customer('Acme', 'wu')}"
    (problem,) = api.change("aud", "deleteCustomers", {"ids": [id]}, "problems { code explanation }")["problems"]
    assert problem["code"] == "FORBIDDEN"
    assert problem["explanation"]


def test_sign_in_is_refused_in_the_language_that_the_request_asks_for(world: World, api: Api) -> None:
    scope = world.backend.scope(None, "graphql", language="zh")
    query = 'mutation { signIn(input: {login: "li", password: "wrong"}) { problems { code message } } }'
    answer = json.loads(world.run(api.engine.answer(scope, query, None, None)).body)
    assert answer["data"]["signIn"]["problems"] == [{"code": "SIGN_IN_REFUSED", "message": "账号或密码错误。"}]
    answer = json.loads(world.run(api.engine.answer(scope, "{ me { id } }", None, None)).body)
    assert answer["errors"][0]["message"] == "请先登录。"


# --- inputs within inputs --------------------------------------------------------------------------------


def test_custom_fields_are_named_by_their_place_in_the_list(world: World, api: Api) -> None:
    world.make(CustomField, for_module="customer", key="size", kind="NUMBER", label_en="Size", label_zh="面积")
    world.make(CustomField, for_module="customer", key="site", kind="LINK", label_en="Site", label_zh="网站")
    custom = [{"key": "site", "text": "nowhere"}, {"key": "size", "number": "40.5"}, {"key": "nope", "text": "x"}]
    sent = {"name": " ", "custom": custom}
    problems = api.change("ada", "createCustomer", sent, PROBLEMS)["problems"]
    assert {(x["code"], *x["path"]) for x in problems} >= {("FORMAT", "custom", "0", "text"), ("REQUIRED", "name")}
    assert ["custom", "2", "text"] in [x["path"] for x in problems]
    assert all(in_words(x["message"], sent) for x in problems)


def test_all_that_is_wrong_with_new_people_comes_at_once(world: World, api: Api) -> None:
    people = [
        {"login": "x!", "name": " "},
        {"login": "fine", "name": "Fine"},
        {"login": "li", "name": "Li"},
    ]
    problems = api.change("ada", "createPeople", {"people": people}, PROBLEMS)["problems"]
    assert [(x["code"], x["path"]) for x in problems] == [
        ("REQUIRED", ["people", "0", "name"]),
        ("FORMAT", ["people", "0", "login"]),
        ("DUPLICATE", ["people", "2", "login"]),
    ]
    assert "fine" not in {row["login"] for row in world.rows(User)}


def test_all_that_is_wrong_with_a_bulk_change_comes_at_once(world: World, api: Api) -> None:
    sent = {"ids": [f"cus_{world.customer('Acme')}"], "set": {"name": "x" * 5_000, "phone": "y" * 5_000}}
    problems = api.change("ada", "updateCustomersInBulk", sent, PROBLEMS)["problems"]
    assert {tuple(x["path"]) for x in problems} == {("set", "name"), ("set", "phone")}


def test_other_mutations_tell_all_of_their_mistakes(world: World, api: Api) -> None:
    problems = api.change("ada", "fillBusinessCalendar", {"country": "XX", "year": 1066}, PROBLEMS)["problems"]
    assert [(x["code"], x["path"]) for x in problems] == [("FORMAT", ["country"]), ("OUT_OF_RANGE", ["year"])]
