"""The API stays compatible with the last release, or the changelog says where it does not."""

import pytest
from graphql import GraphQLEnumType, GraphQLInputObjectType, GraphQLObjectType

from millpond.api_changes import RELEASED, Problem, is_stable, names_in, problems
from schema.build import graphql_of, schema, sdl
from tests.support.terminal import ROOT

BEFORE = """
type Query { customer(id: ID, by: String): Customer  customers: CustomerConnection!  pools(first: Int): [Pool!]! }
type Customer { id: ID!  phone: String @deprecated(reason: "Use phones.")  owner: String  stage: String! }
type CustomerConnection { nodes: [Customer!]! }
type Pool { id: ID!  state: State! }
enum State { OPEN CLOSED }
input CustomerInput { name: String }
type Mutation { create(input: CustomerInput!): Customer }
"""


def found(replaced: str, by: str, entries: str = "", *, is_stable: bool = False) -> list[Problem]:
    assert replaced in BEFORE
    changelog = f"# Changelog\n\n## Unreleased\n\n{entries}\n\n## 0.1\n\n**API** `phone` `Pool` `customers`\n"
    return problems(BEFORE, BEFORE.replace(replaced, by), changelog, is_stable=is_stable)


def test_the_present_schema_breaks_nothing_that_is_not_announced() -> None:
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    unannounced = problems(RELEASED.read_text(encoding="utf-8"), sdl(), changelog, is_stable=is_stable())
    assert [str(problem) for problem in unannounced] == []


@pytest.mark.parametrize(
    ("replaced", "by"),
    [
        ("owner: String", "owner: String  level: String"),
        ("stage: String!", 'stage: String! @deprecated(reason: "Use stages.")'),
        ("pools(first: Int)", "pools(first: Int, last: Int)"),
        ("owner: String", "owner: String!"),
    ],
)
def test_what_breaks_nobody_needs_no_entry(replaced: str, by: str) -> None:
    assert found(replaced, by) == []


@pytest.mark.parametrize(
    ("replaced", "by", "entry"),
    [
        ("owner: String ", "", "`Customer.owner`"),
        ("owner: String ", "", "customers lost `owner`"),
        ("owner: String ", "", "`Customer`"),
        ("owner: String ", "ownerId: ID ", "`Customer.ownerId`"),
        ("customers: CustomerConnection!", "customers: CustomerConnection", "`customers`"),
        ("customers: CustomerConnection!", "customers: CustomerConnection", "`…Connection` may be null"),
        ("by: String", "", "`by`"),
        ("by: String", "by: Int", "`customer(by:)`"),
        ("pools(first: Int)", "pools(first: Int!)", "`pools`"),
        ("OPEN CLOSED", "OPEN", "`CLOSED`"),
        ("OPEN CLOSED", "OPEN", "`State`"),
        ("name: String", "name: String!", "`CustomerInput.name`"),
        ("name: String", "name: String  level: String!", "`level`"),
        ("stage: String!", "stage: State!", "all of `State`"),
    ],
)
def test_what_breaks_clients_is_announced_under_the_current_heading(replaced: str, by: str, entry: str) -> None:
    (problem,) = found(replaced, by)
    assert "**API**" in problem.sentence

    assert found(replaced, by, f"**API** Of late {entry}.") == []
    assert len(found(replaced, by, f"Of late {entry}.")) == 1
    assert len(found(replaced, by, "**API** Something else: `Contact.phone`, `Customer.id`.")) == 1


def test_from_version_one_on_only_what_was_deprecated_is_removed() -> None:
    (problem,) = found("owner: String ", "", "**API** `Customer.owner`", is_stable=True)
    assert "deprecate it first" in problem.sentence

    phone = 'phone: String @deprecated(reason: "Use phones.")'
    assert found(phone, "", "**API** `Customer.phone`", is_stable=True) == []


def test_words_of_a_sentence_are_no_names() -> None:
    assert names_in("Argument Query.customer(by:) was removed.") == {"by", "Query.customer", "customer"}
    assert names_in("Field Pool.state changed type from State! to [Phase!].") == {
        "Pool.state",
        "Pool",
        "state",
        "State",
        "Phase",
    }


def test_a_deprecation_says_what_takes_its_place() -> None:
    reasons = {}
    for kind in graphql_of(schema()).type_map.values():
        if isinstance(kind, GraphQLEnumType):
            reasons |= {f"{kind.name}.{name}": value.deprecation_reason for name, value in kind.values.items()}
        elif isinstance(kind, GraphQLObjectType | GraphQLInputObjectType):
            reasons |= {f"{kind.name}.{name}": field.deprecation_reason for name, field in kind.fields.items()}

    assert {name: reason for name, reason in reasons.items() if reason is not None and "`" not in reason} == {}
