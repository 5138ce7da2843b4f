"""Query limits: the maximum size and cost of a GraphQL document, and the parser that refuses long and deep texts."""

import re
from collections.abc import Mapping
from typing import Any

import graphql
from graphql.language import ast

LIMITS: dict[str, int] = {
    "characters": 65_536,
    "tokens": 2_000,
    "nesting": 60,  # brackets in the text; selections in the walk, fragments followed
    "definitions": 40,
    "depth": 12,
    "introspection_depth": 18,  # the standard introspection query is 15 deep
    "aliases": 50,
    "root_fields": 20,
    "mutations": 5,
    "sign_ins": 1,
    "directives": 50,
    "literal_depth": 16,
    "repeats": 10_000,  # pairs of fields with the same name: validation compares them two by two
    "cost": 20_000,
    "conditions": 200,  # of all filters; SQLite nests at most a thousand expressions, and `or` is a chain of them
    "filter_levels": 8,
    "list_items": 500,
    "values": 2_000,  # in lists and objects of all arguments; PostgreSQL takes at most 32,767 parameters
}
"""The limits by the names that the answer to the client uses."""

_SKIPPED = re.compile(r'"""(?:\\"""|[^"]|"(?!""))*+(?:"""|\Z)|"(?:\\.|[^"\\\n])*+"?|#[^\n\r]*+')
_BRACKET = re.compile(r"[{\[(]|[}\])]")


class TooComplex(Exception):
    """The document exceeds limits of one request.  `limits` holds their names and values."""

    def __init__(self, *exceeded: str) -> None:
        self.limits = {name: LIMITS[name] for name in exceeded}
        super().__init__("This request asks for too much at once. Split it: " + _listed(self.limits))

    def error(self) -> dict[str, Any]:
        """The entry for the `errors` of the answer."""
        return {"message": str(self), "extensions": {"code": "TOO_COMPLEX", "limits": self.limits}}


def _listed(limits: Mapping[str, int]) -> str:
    return ", ".join(f"at most {limit} {name.replace('_', ' ')}" for name, limit in limits.items()) + "."


def parse(text: str) -> ast.DocumentNode:
    """The document of a text within the limits.  Raises TooComplex, GraphQLSyntaxError."""
    if len(text) > LIMITS["characters"]:
        raise TooComplex("characters")
    if nesting(text) > LIMITS["nesting"]:
        raise TooComplex("nesting")
    try:
        return graphql.parse(text, max_lexical_tokens=LIMITS["tokens"])
    except graphql.GraphQLSyntaxError as error:
        if "tokens. Parsing aborted" in error.message:
            raise TooComplex("tokens") from None
        raise


def nesting(text: str) -> int:
    """The depth of nested brackets, without strings and comments; their number where that is within the limit."""
    opened = text.count("{") + text.count("[") + text.count("(")
    if opened <= LIMITS["nesting"]:
        return opened
    deepest = depth = 0
    for bracket in _BRACKET.findall(_SKIPPED.sub("", text)):
        depth = depth + 1 if bracket in "{[(" else max(0, depth - 1)
        deepest = max(deepest, depth)
    return deepest
