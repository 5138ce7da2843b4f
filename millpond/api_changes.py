"""`make api-changes`: compares the GraphQL schema with that of the last release, `docs/released.graphql`.

A change that breaks clients needs a line that begins with **API** and names it in backticks, under the current heading of
CHANGELOG.md: `Customer.phone`, `Customer`, or `…Connection` for many at once.  A new member, like `Customer.phones`, is
taken for what is there in place of others of its type.  From version 1.0 on, what is removed must
also have been deprecated in the last release.
"""

import re
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from graphql import (
    BreakingChange,
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    build_schema,
    find_breaking_changes,
)

ROOT = Path(__file__).resolve().parents[1]
RELEASED = ROOT / "docs" / "released.graphql"
_ENTRY = "**API"
_NAME = re.compile(r"[…*]?[A-Za-z_]\w*(?:\.\w+)*[…*]?")
_COORDINATE = re.compile(r"@?[A-Za-z_]\w*\.\w+(?:\(\w+:\))?|\b[A-Z]\w*[a-z]\w*")
"""`Type.member(argument:)`, `Type.member` or `Type` in the sentence about a change."""
_PROSE = frozenset(
    [
        "Query",
        "Mutation",
        "Subscription",
        "String",
        "Int",
        "Float",
        "Boolean",
        "Argument",
        "Enum",
        "Field",
        "Standard",
        "An",
        "Object",
        "Union",
    ]
)


@dataclass(frozen=True)
class Problem:
    """A breaking change that is not announced as it has to be, with a sentence about what to do."""

    change: str
    sentence: str

    def __str__(self) -> str:
        return f"{self.change}  {self.sentence}"


def problems(released: str, present: str, changelog: str, *, is_stable: bool) -> list[Problem]:
    """The breaking changes from one SDL to another that are not announced; `is_stable` is for version 1.0 and later."""
    before = build_schema(released)
    changes = find_breaking_changes(before, build_schema(present))
    entries, deprecated = _announced(changelog), _deprecated(before)
    entries |= {owner for owner, member in map(_split, entries) if member and not _has(before, owner, member)}
    return [found for change in changes if (found := _problem(change, entries, deprecated, is_stable=is_stable))]


def _problem(change: BreakingChange, entries: set[str], deprecated: set[str], *, is_stable: bool) -> Problem | None:
    said = change.description
    names = names_in(said)
    if not any(_covers(entry, name) for entry in entries for name in names):
        example = next((name for name in sorted(names) if "." in name), min(names))
        return Problem(said, f"Announce it in CHANGELOG.md by a line like: **API** … `{example}` …")
    if is_stable and "was removed" in said and not set(_COORDINATE.findall(said)) & deprecated:
        return Problem(said, "It was not deprecated in the last release: deprecate it first.")
    return None


def names_in(description: str) -> set[str]:
    """The names by which an entry may announce a change: `Type.member`, its parts, and the types before and after."""
    names: set[str] = set()
    for coordinate in _COORDINATE.findall(description):
        member = coordinate.partition("(")[0]
        names |= {member, *re.findall(r"\w+", coordinate)}
    return names - _PROSE


def _announced(changelog: str) -> set[str]:
    """The names in backticks of the entries under the first heading that begin with **API**."""
    current = re.split(r"^## .*$", changelog, maxsplit=2, flags=re.MULTILINE)[1:2]
    entries = [text for text in "".join(current).split("\n\n") if text.strip().startswith(_ENTRY)]
    return {name for text in entries for quoted in re.findall(r"`([^`]+)`", text) for name in _NAME.findall(quoted)}


def _split(name: str) -> tuple[str, str]:
    owner, _, member = name.partition(".")
    return owner, member


def _has(schema: GraphQLSchema, owner: str, member: str) -> bool:
    """Whether the schema has this member of a type; a type that it does not have counts as one that has it."""
    kind: Any = schema.type_map.get(owner)
    return kind is None or member in getattr(kind, "fields", getattr(kind, "values", ()))


def _covers(entry: str, name: str) -> bool:
    if entry[0] in "…*":
        return name.endswith(entry[1:])
    return name.startswith(entry[:-1]) if entry[-1] in "…*" else name == entry


def _deprecated(schema: GraphQLSchema) -> set[str]:
    """What is deprecated: fields, input fields and enum values as `Type.member`, arguments as `Type.field(argument:)`."""
    found: dict[str, str | None] = {}
    for kind in schema.type_map.values():
        if isinstance(kind, GraphQLEnumType):
            found |= {f"{kind.name}.{name}": value.deprecation_reason for name, value in kind.values.items()}
        elif isinstance(kind, GraphQLInputObjectType):
            found |= {f"{kind.name}.{name}": field.deprecation_reason for name, field in kind.fields.items()}
        elif isinstance(kind, GraphQLObjectType | GraphQLInterfaceType):
            for name, field in kind.fields.items():
                found[f"{kind.name}.{name}"] = field.deprecation_reason
                found |= {
                    f"{kind.name}.{name}({x}:)": argument.deprecation_reason for x, argument in field.args.items()
                }
    return {coordinate for coordinate, reason in found.items() if reason is not None}


def is_stable() -> bool:
    """Whether the present version is 1.0 or later."""
    version: str = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    return int(version.partition(".")[0]) >= 1


def main() -> None:
    from schema.build import sdl

    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    found = problems(RELEASED.read_text(encoding="utf-8"), sdl(), changelog, is_stable=is_stable())
    for problem in found:
        sys.stderr.write(f"{problem}\n")
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
