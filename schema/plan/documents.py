"""Documents that were parsed and found valid, kept by their text, with what is known of each.

Keeping one saves parsing and validation, which take longer than most statements.  What a document says about the schema
alone is the same for everybody until the process ends, and kept as well.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from cachetools import LRUCache
from graphql import GraphQLError, GraphQLSchema
from graphql.language import DocumentNode, NamedTypeNode, NonNullTypeNode, VariableDefinitionNode

from resolvers.reading.provenance import Path

from .. import limits
from .selection import Asked, asked

MOST_DOCUMENTS, MOST_CHARACTERS = 500, 4_000_000
"""Maximum number of cached documents, and of their characters together."""
MOST_CONSTANTS = 20
"""The answer to an editor's question for the whole schema is some 200 KiB."""
MOST_MEASURED = 200
MOST_STATEMENTS = 500
"""Of one document: each `node` may be of any kind, so a few of them make more statements than could ever be kept."""

_numbers = count()


@dataclass(frozen=True)
class PreparedOperation:
    """An operation of which one statement is the whole answer, whatever the values of its variables are."""

    place: str
    named: str | None
    """The name by which the request asked for it."""
    variables: tuple[tuple[str, type | None, bool, bool], ...]
    """(name, what a plain value of it is, whether it has to be there, whether it is something else when it is not)."""

    def values(
        self, schema: GraphQLSchema, document: DocumentNode, given: Mapping[str, Any]
    ) -> Mapping[str, Any] | None:
        """The variables, coerced; None where one has a wrong value."""
        found: dict[str, Any] = {}
        for name, plain, is_needed, has_default in self.variables:
            value: Any = given.get(name, _MISSING)
            is_plain = type(value) is plain
            if is_plain and (plain is not int or -_WIDE <= value < _WIDE):
                found[name] = value
            elif is_needed or has_default or (value is not None and value is not _MISSING):
                return self._coerced(schema, document, given)
            elif value is None:
                found[name] = None
        return found

    def _coerced(
        self, schema: GraphQLSchema, document: DocumentNode, given: Mapping[str, Any]
    ) -> Mapping[str, Any] | None:
        try:
            return asked(schema, document, given, self.named).variables.coerced
        except GraphQLError:
            return None


_MISSING = object()
_WIDE = 2**31
_PLAIN: dict[str, type] = {"String": str, "ID": str, "Int": int, "Boolean": bool}


def _variable(node: VariableDefinitionNode) -> tuple[str, type | None, bool, bool]:
    is_needed = isinstance(node.type, NonNullTypeNode)
    inner: Any = node.type.type if isinstance(node.type, NonNullTypeNode) else node.type
    plain = _PLAIN.get(inner.name.value) if isinstance(inner, NamedTypeNode) else None
    return node.variable.name.value, plain, is_needed, node.default_value is not None


@dataclass
class Statement:
    """How often a statement was asked for, and the sets of values that decide it."""

    asked: int = 0
    fixed: list[frozenset[Path]] = field(default_factory=list)


@dataclass
class Document:
    """A document that was parsed and found valid, with what is known of its statements.

    A statement is named by its place in the document: an operation, or a field of a mutation with what is read of it.
    """

    parsed: DocumentNode
    number: int
    sizes: tuple[str, ...] = ()
    """The variables that decide how much is asked for."""
    measured: set[tuple[int | None, ...]] = field(default_factory=set)
    """Their values with which it was not too much."""
    statements: LRUCache[str, Statement] = field(default_factory=lambda: LRUCache(MOST_STATEMENTS))
    """Those asked for lately, by name."""
    known: dict[str | None, PreparedOperation] = field(default_factory=dict)
    """Operations by the name by which they were asked for."""
    size: int = 1
    """What it takes of MOST_CHARACTERS: at least its share, so that there are no more than MOST_DOCUMENTS."""
    aggregated: set[str] = field(default_factory=set)
    """Those that nest too deep to be asked in place."""

    def know(self, request: Asked, place: str) -> None:
        """Remember an operation, unless the values of its variables decide what is asked at its root.

        (They do in a place of several words, which names kinds of records behind the operation.)
        """
        if request.named not in self.known and request.is_settled and " " not in place:
            variables = tuple(_variable(node) for node in request.operation.variable_definitions or ())
            self.known[request.named] = PreparedOperation(place, request.named, variables)

    def statement(self, name: str) -> Statement:
        """What is known of a statement; of one that was not asked for lately, nothing."""
        found = self.statements.get(name)
        if found is None:
            found = self.statements[name] = Statement()
        return found

    def check_size(self, variables: Mapping[str, Any]) -> None:
        """`gate.check`, once for every set of page sizes.  Raises TooComplex."""
        if self.is_small(variables):
            return
        limits.check(self.parsed, variables)
        self.note_size(variables)

    def note_size(self, variables: Mapping[str, Any]) -> None:
        """Remember that this was not too much."""
        sizes = self._sizes_in(variables)
        if _are_plain(sizes) and len(self.measured) < MOST_MEASURED:
            self.measured.add(sizes)

    def is_small(self, variables: Mapping[str, Any]) -> bool:
        """Whether it is known that this asks for no more than one request may."""
        sizes = self._sizes_in(variables)
        return _are_plain(sizes) and sizes in self.measured

    def _sizes_in(self, variables: Mapping[str, Any]) -> tuple[Any, ...]:
        return tuple([variables.get(name) for name in self.sizes])


def _are_plain(sizes: tuple[Any, ...]) -> bool:
    return all(size is None or type(size) is int for size in sizes)


def document_of(parsed: DocumentNode, variables: Mapping[str, Any]) -> Document:
    """A document that is valid, and that was not too much with the variables it came with."""
    document = Document(parsed, next(_numbers), tuple(sorted(limits.page_variables(parsed))))
    document.note_size(variables)
    return document


class Documents:
    """The documents of one engine, and the answers that never change; of both, those not asked for longest go first."""

    def __init__(self) -> None:
        self._kept: LRUCache[str, Document] = LRUCache(MOST_CHARACTERS, getsizeof=lambda document: document.size)
        self._constants: LRUCache[tuple[int, str | None], bytes] = LRUCache(MOST_CONSTANTS)

    @property
    def count(self) -> int:
        return len(self._kept)

    @property
    def constants(self) -> int:
        return len(self._constants)

    def find(self, text: str) -> Document | None:
        return self._kept.get(text)

    def keep(self, text: str, document: Document) -> None:
        """Remember a document; those not asked for longest make room."""
        document.size = max(len(text), -(-MOST_CHARACTERS // MOST_DOCUMENTS))
        if document.size <= MOST_CHARACTERS:
            self._kept[text] = document

    def constant(self, document: Document, operation: str | None) -> bytes | None:
        """The answer to an operation that asks for the same thing whoever asks."""
        return self._constants.get((document.number, operation))

    def keep_constant(self, document: Document, operation: str | None, answer: bytes) -> None:
        self._constants[document.number, operation] = answer
