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
    "aliases": 50,  # in one selection set, fragments included
    "all_aliases": 300,  # a board of nine stages with five rights each has 54; each may be an expression of the statement
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
_TOKEN = re.compile(_SKIPPED.pattern + r"|\.\.\.|[A-Za-z_]\w*|-?\d[\d.eE+-]*|[!$&():=@\[\]{|}]")
_BRACKET = re.compile(r"[{\[(]|[}\])]")


class TooComplex(Exception):
    """The document exceeds limits of one request.  `limits` holds their names and values, `measured` what it has."""

    def __init__(self, **measured: int) -> None:
        self.measured, self.limits = measured, {name: LIMITS[name] for name in measured}
        super().__init__("This request asks for too much at once. Split it: " + _listed(measured))

    def error(self) -> dict[str, Any]:
        """The entry for the `errors` of the answer."""
        about = {"code": "TOO_COMPLEX", "limits": self.limits, "measured": self.measured}
        return {"message": str(self), "extensions": about}


def _listed(measured: Mapping[str, int]) -> str:
    return ", ".join(_limit(name, amount) for name, amount in measured.items()) + "."


def _limit(name: str, amount: int) -> str:
    """A limit and what the document has of it; a statement may be too deep for the database below the limit, too."""
    limit = LIMITS[name]
    yours = f" (yours: {amount:,})" if amount > limit else ""
    return f"at most {limit:,} {_WORDS.get(name, name.replace('_', ' '))}{yours}"


_WORDS = {
    "nesting": "brackets within one another",
    "aliases": "aliases in one selection set",
    "all_aliases": "aliases in all",
    "depth": "levels of fields",
    "introspection_depth": "levels of introspection",
    "literal_depth": "levels of lists and objects",
    "repeats": "pairs of fields with the same name",
    "cost": "points of cost",
    "filter_levels": "levels of a filter",
    "list_items": "items in one list",
}
"""What a limit counts, where its name does not say it."""


def parse(text: str) -> ast.DocumentNode:
    """The document of a text within the limits.  Raises TooComplex, GraphQLSyntaxError."""
    if len(text) > LIMITS["characters"]:
        raise TooComplex(characters=len(text))
    if (depth := nesting(text)) > LIMITS["nesting"]:
        raise TooComplex(nesting=depth)
    try:
        return graphql.parse(text, max_lexical_tokens=LIMITS["tokens"])
    except graphql.GraphQLSyntaxError as error:
        if "tokens. Parsing aborted" in error.message:
            raise TooComplex(tokens=_count_tokens(text)) from None
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


def _count_tokens(text: str) -> int:
    """The number of tokens, more than the limit; strings count for one, and comments for none."""
    found = sum(1 for token in _TOKEN.finditer(text) if token[0][0] != "#")
    return max(found, LIMITS["tokens"] + 1)
