"""Random GraphQL operations over the compiled fields, a few of them with values that are refused.

The same seed makes the same operations.  They are made from the schema, so a new type or argument is covered at once.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from graphql import (
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNamedType,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLUnionType,
    get_named_type,
    is_leaf_type,
)

SCALARS: dict[str, Sequence[Any]] = {
    "String": ("Mi", "%", "", "Ann", "C2026", "2", "中", "x" * 120, "a~b_c%d", "view", "edit", "nonsense"),
    "Boolean": (True, False),
    "DateTime": ("2026-11-24T08:00:00Z", "2026-11-24T08:00:00.000001Z", "2020-01-01T00:00:00+08:00"),
    "Date": ("2026-11-24", "2020-02-29"),
    "Decimal": ("0", "12.50", "99999999999.99"),
    "JSON": ({},),
}
"""Values for arguments by scalar."""
ACTIONS = ("view", "edit", "delete", "claim", "transfer", "unlock", "nonsense")
SEARCHES = ("Mi", "%", "", "Ann", "C2026", "2", "中", "her s", "ann of", "001", "+86 2001", "mine ann")
DEEPEST, MOST_FIELDS = 4, 5
RARELY = 0.05
"""Share of values that are refused."""


@dataclass
class Operation:
    """A document and the values of its variables."""

    text: str
    variables: dict[str, Any]


@dataclass
class _Writing:
    """One operation while it is written."""

    variables: dict[str, tuple[str, Any]] = field(default_factory=dict)
    """Name -> (declaration, value, or `...` for none)."""
    fragments: list[str] = field(default_factory=list)
    left: int = 45
    """Number of selections that may still be added."""


class Corpus:
    """Operations over `schema`; `roots` are the root fields to use, `ids` global ids of existing and missing records."""

    def __init__(self, schema: GraphQLSchema, roots: Sequence[str], ids: Sequence[str], seed: int) -> None:
        self.schema, self.roots, self.ids = schema, sorted(roots), ids
        self.lot = random.Random(seed)

    def operation(self) -> Operation:
        writing, query = _Writing(), self.schema.query_type
        assert query is not None, "there is something to ask"
        fields = []
        for n in range(self.lot.choice((1, 1, 1, 2, 3))):
            name = self.lot.choice(self.roots)
            fields.append(self._field(writing, name, query.fields[name], DEEPEST, alias=f"r{n}"))
        declared = ", ".join(declaration for declaration, _ in writing.variables.values())
        head = f"query Q({declared})" if declared else "query Q" if writing.fragments else ""
        given = {name: value for name, (_, value) in writing.variables.items() if value is not ...}
        return Operation(" ".join([f"{head} {{ {' '.join(fields)} }}", *writing.fragments]).strip(), given)

    # -- selections --------------------------------------------------------------------------------------

    def _field(self, writing: _Writing, name: str, definition: GraphQLField, deep: int, alias: str = "") -> str:
        writing.left -= 1
        given = self._arguments(writing, definition)
        named = f"{alias}: {name}" if alias else name
        text = f"{named}{f'({given})' if given else ''}{self._directive(writing)}"
        kind = get_named_type(definition.type)
        return text if is_leaf_type(kind) else f"{text} {{ {self._selections(writing, kind, deep - 1)} }}"

    def _selections(self, writing: _Writing, kind: GraphQLNamedType, deep: int) -> str:
        if isinstance(kind, GraphQLInterfaceType | GraphQLUnionType):
            inner = self.lot.sample(sorted(self.schema.get_possible_types(kind), key=lambda x: x.name), 2)
            made = [f"... on {x.name} {{ {self._selections(writing, x, deep)} }}" for x in inner]
            return " ".join(["__typename", *made])
        assert isinstance(kind, GraphQLObjectType), kind
        names = self._names(writing, kind, deep)
        parts = [
            self._field(writing, name, kind.fields[name], deep, f"a{n}" if self.lot.random() < 0.25 else "")
            for n, name in enumerate(names)
        ]
        if self.lot.random() < 0.2:
            parts.append("__typename")
        half = self.lot.randrange(len(parts) + 1)
        if self.lot.random() < 0.15 and half:
            on = f" on {kind.name}" if self.lot.random() < 0.7 else ""
            parts = [f"...{on}{self._directive(writing)} {{ {' '.join(parts[:half])} }}", *parts[half:]]
        elif self.lot.random() < 0.15 and half:
            name = f"F{len(writing.fragments)}"
            writing.fragments.append(f"fragment {name} on {kind.name} {{ {' '.join(parts[:half])} }}")
            parts = [f"...{name}{self._directive(writing)}", *parts[half:]]
        return " ".join(parts) or "__typename"

    def _names(self, writing: _Writing, kind: GraphQLObjectType, deep: int) -> list[str]:
        """Names of some fields, each once; in connections and edges also the fields that lead to rows."""
        leaves = [name for name, x in kind.fields.items() if is_leaf_type(get_named_type(x.type))]
        branches = [name for name in kind.fields if name not in leaves]
        if writing.left <= 0 or deep <= 0:
            branches = [] if leaves else branches[:1]
        chosen = self.lot.sample(leaves, min(len(leaves), self.lot.randint(0 if branches else 1, MOST_FIELDS)))
        if kind.name.endswith(("Connection", "Edge")) and branches:
            chosen += self.lot.sample(branches, min(len(branches), self.lot.choice((1, 1, 2))))
        elif branches and self.lot.random() < 0.6:
            chosen += self.lot.sample(branches, min(len(branches), self.lot.choice((1, 2))))
        self.lot.shuffle(chosen)
        return chosen or (leaves or branches)[:1]

    def _directive(self, writing: _Writing) -> str:
        if self.lot.random() > 0.06:
            return ""
        name = self.lot.choice(("skip", "include"))
        value = self.lot.random() < (0.3 if name == "skip" else 0.8)
        if self.lot.random() < 0.5:
            return f" @{name}(if: {str(value).lower()})"
        return f" @{name}(if: {self._variable(writing, 'Boolean!', value)})"

    # -- arguments ---------------------------------------------------------------------------------------

    def _arguments(self, writing: _Writing, definition: GraphQLField) -> str:
        made = []
        for name, argument in definition.args.items():
            is_needed = isinstance(argument.type, GraphQLNonNull)
            if not is_needed and self.lot.random() > {
                "first": 0.6,
                "last": 0.1,
                "before": 0.1,
                "id": 0.9,
                "filter": 0.4,
            }.get(name, 0.25):
                continue
            made.append(f"{name}: {self._argument(writing, name, argument)}")
        return ", ".join(made)

    def _argument(self, writing: _Writing, name: str, argument: GraphQLArgument) -> str:
        value = self._value(name, argument.type, 2)
        if self.lot.random() < 0.4:
            return self._variable(writing, str(argument.type), value)
        return _literal(value)

    def _variable(self, writing: _Writing, kind: str, value: Any) -> str:
        name, given = f"v{len(writing.variables)}", self.lot.random()
        declaration = f"${name}: {kind}"
        if given < 0.15:  # its default decides
            writing.variables[name] = (
                f"${name}: {kind.rstrip('!')}{'!' * kind.endswith('!')} = {_literal(value)}",
                ...,
            )
        elif given < 0.25 and not kind.endswith("!"):
            writing.variables[name] = (declaration, self.lot.choice((None, ...)))
        else:
            writing.variables[name] = (declaration, _plain(value))
        return f"${name}"

    def _value(self, name: str, kind: Any, deep: int) -> Any:
        if isinstance(kind, GraphQLNonNull):
            return self._value(name, kind.of_type, deep)
        if self.lot.random() < 0.04 and name not in ("first", "last", "limit"):
            return None
        if isinstance(kind, GraphQLList):
            return [self._some(name, kind.of_type, deep) for _ in range(self.lot.choice((0, 1, 1, 2)))]
        return self._some(name, kind, deep)

    def _some(self, name: str, kind: Any, deep: int) -> Any:
        kind = kind.of_type if isinstance(kind, GraphQLNonNull) else kind
        if isinstance(kind, GraphQLInputObjectType):
            return self._input(kind, deep)
        if isinstance(kind, GraphQLEnumType):
            return _Word(self.lot.choice(list(kind.values)))
        if kind.name == "ID":
            return self.lot.choice(self.ids)
        if kind.name == "Int":
            return self.lot.choice(self._numbers(name))
        if name == "action":
            return self.lot.choice(ACTIONS if self.lot.random() < RARELY else ACTIONS[:-1])
        if name in ("after", "before", "search") and self.lot.random() > RARELY:
            return self.lot.choice(SEARCHES) if name == "search" else ""
        return self.lot.choice(SCALARS[kind.name])

    def _numbers(self, name: str) -> Sequence[int]:
        if self.lot.random() < RARELY:
            return (-1, 0, 201, 10_002)
        return {**dict.fromkeys(("first", "last"), (0, 1, 2, 3, 5, 50)), "limit": (1, 2, 3, 10_000)}.get(
            name, (0, 1, 2, 7, 2**31 - 1, -5)
        )

    def _input(self, kind: GraphQLInputObjectType, deep: int) -> dict[str, Any]:
        names = list(kind.fields)
        if deep <= 0:
            names = [n for n in names if n not in ("and", "or", "not")]
        needed = [n for n, x in kind.fields.items() if isinstance(x.type, GraphQLNonNull)]
        chosen = {*needed, *self.lot.sample(names, min(len(names), self.lot.choice((1, 1, 2))))}
        return {n: self._value(n, kind.fields[n].type, deep - 1) for n in names if n in chosen}


class _Word(str):
    """A value of an enum, written without quotes."""


def _plain(value: Any) -> Any:
    """A value for JSON variables."""
    if isinstance(value, dict):
        return {name: _plain(x) for name, x in value.items()}
    if isinstance(value, list):
        return [_plain(x) for x in value]
    return str(value) if isinstance(value, _Word) else value


def _literal(value: Any) -> str:
    """A value as a literal of a GraphQL document."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name}: {_literal(x)}" for name, x in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_literal(x) for x in value) + "]"
    if isinstance(value, _Word):
        return str(value)
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return (
        {None: "null", True: "true", False: "false"}.get(value, str(value))
        if not isinstance(value, int) or isinstance(value, bool)
        else str(value)
    )
