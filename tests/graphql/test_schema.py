"""The schema: committed, declared, derived."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from graphql import GraphQLObjectType, build_schema, get_named_type, validate_schema

from models import ENTITIES
from models.errors import REFUSALS
from schema.build import graphql_of, schema, sdl
from schema.contract import DECLARED
from schema.plan.shape import name_of, plural, singular

ROOT = Path(__file__).parents[2]


@pytest.mark.short
def test_the_committed_text_is_the_schema_that_is_served() -> None:
    assert (ROOT / "schema.graphql").read_text(encoding="utf-8") == sdl(), "run: make schema.graphql"


def test_the_text_is_a_valid_schema() -> None:
    assert validate_schema(build_schema(sdl())) == []


def test_every_root_field_declares_its_right() -> None:
    inner = graphql_of(schema())
    assert inner.query_type is not None
    assert inner.mutation_type is not None
    assert inner.subscription_type is not None
    roots = (inner.query_type, inner.mutation_type, inner.subscription_type)
    assert {name for root in roots for name in root.fields} == DECLARED.keys()


@pytest.fixture(scope="module")
def new_files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What becomes of each new file of `tests/support/new_schema_file.py`."""
    script, folder = ROOT / "tests/support/new_schema_file.py", tmp_path_factory.mktemp("new")
    done = subprocess.run(
        [sys.executable, str(script), str(folder)], cwd=ROOT, capture_output=True, text=True, timeout=150, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    said: dict[str, str] = json.loads(done.stdout)
    return said


@pytest.mark.parametrize(
    ("case", "field"),
    [
        ("a mutation with a right", "closeTicket(id: ID!): DonePayload!"),
        ("a query outside of queries", "closeTicket: Int!"),
    ],
)
def test_a_field_in_a_new_file_is_found(new_files: dict[str, str], case: str, field: str) -> None:
    assert new_files[case] == field


@pytest.mark.parametrize(
    ("case", "sentence"),
    [
        ("a field without a right", "schema/mutations/tickets.py: the field close_ticket declares no right"),
        (
            "a right that is none",
            "schema/mutations/tickets.py: the field closeTicket asks for the right “ticket”, but a",
        ),
        (
            "a right that nobody can hold",
            "schema/mutations/tickets.py: the field closeTicket asks for the right “customer.close”, but models/actions.py has",
        ),
        ("a field that is there already", "schema/mutations/tickets.py: the field claimCustomers is declared twice"),
        ("a root type of its own", "schema/mutations/tickets.py: the type Mutation is no part of the schema"),
        ("a type that no field uses", "schema/queries/tickets.py: the type CloseTicketInput is no part of the schema"),
    ],
)
def test_a_new_file_that_is_no_part_of_the_schema_stops_the_start(
    new_files: dict[str, str], case: str, sentence: str
) -> None:
    assert new_files[case].startswith(sentence)


def test_every_entity_has_its_fields_and_mutations() -> None:
    inner = graphql_of(schema())
    for model in ENTITIES:
        assert {singular(model), plural(model)} <= set(inner.query_type.fields)  # type: ignore[union-attr]  there is one
        assert f"update{name_of(model)}" in inner.mutation_type.fields  # type: ignore[union-attr]  there is one


def test_every_refusal_has_its_problem_code() -> None:
    assert set(graphql_of(schema()).type_map["ProblemCode"].values) == set(REFUSALS)  # type: ignore[attr-defined]  an enum


def test_no_secret_of_the_house_is_a_field() -> None:
    inner = graphql_of(schema())
    for kind in inner.type_map.values():
        if isinstance(kind, GraphQLObjectType) and not kind.name.startswith("__"):
            for name in kind.fields:
                assert (
                    not any(word in name.lower() for word in ("hash", "salt", "password", "valuekey"))
                    or name == "mustChangePassword"
                    or name in ("changePassword", "giveOneTimePassword")
                ), (kind.name, name)


def test_lists_are_never_null_and_everything_hideable_is_nullable() -> None:
    customer = graphql_of(schema()).type_map["Customer"]
    required = {
        name
        for name, field in customer.fields.items()
        if str(field.type).endswith("!") and get_named_type(field.type).name in ("ID", "Int", "String")
    }  # type: ignore[attr-defined]  an object

    assert required == {"id", "version", "hidden"}
