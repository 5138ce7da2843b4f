"""Helpers for tests of the policy over GraphQL."""

from typing import Any

from tests.support.graphql import Api

HIDE = "p, support, contact.points, view, all, any, deny"
PROBLEMS = "problems { code message field }"


def draft(api: Api, login: str, text: str) -> str:
    made = api.change(login, "draftPolicy", {"text": text}, f"draftId {PROBLEMS}")
    assert made["problems"] == []
    id: str = made["draftId"]
    return id


def review(api: Api, login: str, id: str, selection: str) -> dict[str, Any]:
    found: dict[str, Any] = api.ask(
        login, f"query ($id: ID) {{ reviewPolicy(draftId: $id) {{ {selection} reviewed }} }}", id=id
    )["reviewPolicy"]
    return found
