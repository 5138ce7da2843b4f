"""Everything in the schema is described where it is declared, and what is said names nothing that is not there."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from graphql import GraphQLSchema

from models import Customer
from models.attribute_docs import docs_of, paragraph_of
from models.errors import REFUSALS
from schema.build import graphql_of, schema
from schema.contract import DECLARED, mutation
from schema.describing import lacking

_NAME = re.compile(r"`([a-z]+[A-Z][A-Za-z]*)`")


def described(inner: GraphQLSchema) -> Iterator[tuple[str, str]]:
    """(where, description) of everything, arguments included."""
    for name, kind in inner.type_map.items():
        if not name.startswith("__"):
            yield name, kind.description or ""
            parts: Mapping[str, Any] = getattr(kind, "values", None) or getattr(kind, "fields", {})
            for key, part in parts.items():
                yield f"{name}.{key}", part.description or ""
                for argument, it in getattr(part, "args", {}).items():
                    yield f"{name}.{key}({argument})", it.description or ""


def part_of(where: str) -> str:
    kind, _, key = where.partition(".")
    parts: Any = graphql_of(schema()).type_map[kind]
    return str((getattr(parts, "values", None) or parts.fields)[key].description)


def test_everything_has_a_description() -> None:
    assert lacking(graphql_of(schema())) == []


def test_what_lacks_a_description_is_named() -> None:
    inner = graphql_of(schema())
    field = inner.type_map["Customer"].fields["contacts"]  # type: ignore[attr-defined]  # an object type
    kept, field.args["first"].description = field.args["first"].description, None
    try:
        assert lacking(inner) == ["Customer.contacts(first)"]
    finally:
        field.args["first"].description = kept


def test_a_description_is_a_sentence_and_says_more_than_the_name() -> None:
    empty, unfinished = [], []
    for where, text in described(graphql_of(schema())):
        words = {*re.findall(r"[a-z]+", text.lower())} - {"the", "a", "an", "of", "this", "its", "name"}
        name = {*re.findall(r"[a-z]+", re.sub(r"(?<=[a-z])([A-Z])", r" \1", where.rpartition(".")[2]).lower())}
        empty += [where] if len(words - name) < 1 else []
        unfinished += [where] if not re.search(r"[.:”…)`]$", text.strip()) else []

    assert (empty, unfinished) == ([], [])


def test_a_description_names_only_what_there_is() -> None:
    inner = graphql_of(schema())
    known = {name for where, _ in described(inner) for name in re.split(r"[.()]", where)}

    unknown = [(where, name) for where, text in described(inner) for name in _NAME.findall(text) if name not in known]
    assert unknown == []


@pytest.mark.parametrize(
    "where",
    ["Customer.claimedAt", "CustomerFilter.claimedAt", "CustomerOrderField.CLAIMED_AT", "LockedCustomer.lockedAt"],
)
def test_the_docstring_of_a_column_describes_its_field_filter_and_order(where: str) -> None:
    key = re.sub(r"([A-Z])", r"_\1", where.partition(".")[2]).lower() if "Order" not in where else "claimed_at"

    assert docs_of(Customer)[key] in part_of(where)


def test_the_docstring_of_a_column_describes_its_inputs_with_their_limits() -> None:
    created, updated = part_of("CreateCustomerInput.phone"), part_of("UpdateCustomerInput.phone")

    assert docs_of(Customer)["phone"] in created
    assert docs_of(Customer)["phone"] in updated
    assert "At most 40 characters" in created
    assert "Null empties it." in updated
    assert "It cannot be emptied." in part_of("UpdateCustomerInput.name")


def test_a_code_of_a_problem_says_its_sentence_and_its_parameters() -> None:
    for code, refusal in REFUSALS.items():
        text = part_of(f"ProblemCode.{code}")

        assert refusal.sentence.replace("{right}", "…") in text
        assert paragraph_of(refusal.__dict__.get("__doc__")) in text


def test_a_mutation_is_described_by_its_use_case_and_names_its_right() -> None:
    text = part_of("Mutation.claimCustomers")

    assert "each has one winner" in text
    assert "QUOTA_REACHED" in text
    assert "Needs the right `customer.claim`." in text


def test_a_mutation_without_a_docstring_takes_that_of_its_use_case() -> None:
    def use_case() -> None:
        """Do it.  Raises Locked."""

    async def do_it_for_a_test() -> bool:
        return True

    try:
        declared = mutation("customer.claim", of=use_case)(do_it_for_a_test)
    finally:
        from schema.contract import MUTATIONS

        MUTATIONS.pop("doItForATest"), DECLARED.pop("doItForATest")

    assert declared.description == "Do it.  Refused with Locked.\n\nNeeds the right `customer.claim`."


class Sample:
    """A class with documented attributes."""

    first: int
    """What comes first,
    and why.

    Not for users.
    """
    second: int
    third = 3
    """The third."""


class Further(Sample):
    second: int
    """The second one."""


def test_docstrings_of_attributes_are_read_with_those_of_bases() -> None:
    assert docs_of(Further) == {
        "first": "What comes first, and why.",
        "third": "The third.",
        "second": "The second one.",
    }
