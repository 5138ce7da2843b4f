"""The GraphQL examples of docs/api are run, page by page, against the small world; those of files have a test of their own."""

import re
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from graphql import OperationDefinitionNode, parse

from models import AuditEntry, Customer, Opportunity
from resolvers.records.create_update import update
from tests.support.engines import at_length_on_postgresql
from tests.support.pipelines import pipeline
from tests.support.programs import Program
from tests.support.sign_in import RIGHT, give_passwords
from tests.support.world import World

FOLDER = Path(__file__).resolve().parents[2] / "docs/api"
PAGES = sorted(
    page.name
    for page in FOLDER.glob("*.md")
    if page.name != "files.md" and "```graphql" in page.read_text(encoding="utf-8")
)
REFUSED = {"Refused": {"REQUIRED", "FORMAT"}}
"""Operation that shows what is refused -> the codes of its problems."""


def examples(page: str) -> list[str]:
    return re.findall(r"```graphql\n(.*?)```", (FOLDER / page).read_text(encoding="utf-8"), re.DOTALL)


def name_of(text: str) -> str:
    (operation,) = (x for x in parse(text).definitions if isinstance(x, OperationDefinitionNode))
    return operation.name.value if operation.name else ""


class Records:
    """What the examples are about, and the variables of each by its name."""

    def __init__(self, world: World) -> None:
        self.world = world
        pipeline(world, is_default=True)
        self.customer = world.customer("Acme", "ada", phone="021 5555 0100")
        self.opportunity = world.make(Opportunity, customer_id=self.customer, name="Press", amount=Decimal(900))
        world.clock.pass_by(minutes=1)
        self.then = world.clock().isoformat()
        world.clock.pass_by(minutes=1)
        world.ada.do(update, Customer, self.customer, {"phone": "021 5555 0101"})
        self.entry = world.rows(AuditEntry, AuditEntry.action == "customer.edit")[-1]["id"]

    def given(self, text: str) -> dict[str, Any]:
        """The variables of an operation; what it does not declare is left out."""
        is_step = name_of(text) == "Step"
        model, id, prefix = (Opportunity, self.opportunity, "opp") if is_step else (Customer, self.customer, "cus")
        found: dict[str, Any] = {
            "id": f"{prefix}_{id}",
            "ids": [f"{prefix}_{id}"],
            "version": self.world.row(model, id)["version"],
            "user": f"usr_{self.world.ids['li']}",
            "entry": f"aud_{self.entry}",
            "at": self.then,
            "key": "call 7",
            "input": INPUTS.get(name_of(text)),
        }
        return {key: found[key] for key in re.findall(r"\$(\w+):", text) if found.get(key) is not None}


INPUTS: dict[str, dict[str, Any]] = {
    "SignIn": {"login": "li", "password": RIGHT},
    "Create": {"name": "Ceres", "contactName": "Cy", "contactPhone": "13800000003"},
}


@pytest.mark.parametrize("page", PAGES)
@at_length_on_postgresql
def test_the_examples_of_a_page_do_what_they_say(world: World, page: str) -> None:
    give_passwords(world, "li")
    records, program = Records(world), Program(world, "ada")
    for text in examples(page):
        answer = program.post("/graphql", json={"query": text, "variables": records.given(text)}).json()
        assert "errors" not in answer, (text, answer["errors"])
        codes = {problem["code"] for problem in problems_of(answer["data"])}
        assert codes == REFUSED.get(name_of(text), set()), (text, answer["data"])


def problems_of(data: Any) -> Iterator[dict[str, Any]]:
    for payload in data.values():
        yield from (payload.get("problems") or ()) if isinstance(payload, dict) else ()
