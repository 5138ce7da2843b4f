"""The cache of documents: parsed and validated texts, and the statements known of each.

It saves parsing and validation, which take longer than most statements.  It also holds the answers about the schema
alone, which are the same for all callers until the process ends.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import Any, NamedTuple

from cachetools import LRUCache
from graphql import GraphQLError, GraphQLSchema
from graphql.language import DocumentNode, NamedTypeNode, NonNullTypeNode, VariableDefinitionNode

from resolvers.reading.provenance import Path

from .. import query_cost
from ..argument_size import size_of
from .selection import Operation, select_operation

MAX_DOCUMENTS, MAX_BYTES = 500, 24 * 2**20
"""Maximum number of cached documents, and of their bytes together."""
_TOKEN_BYTES = 500
"""Bytes that a parsed document needs for each word and each sign of its text."""
_TOKEN = re.compile(r"\w+|[^\w\s,]")
MAX_CONSTANTS = 20
"""Maximum number of cached answers about the schema; the answer to an editor's introspection query has 200 KiB."""
MAX_MEASURED = 200
"""Maximum number of combinations of sizes remembered per document."""
MAX_STATEMENTS = 50
"""Maximum number of statements per document: each `node` may be of any kind, so a few of them combine to many."""

_numbers = count()


class Variable(NamedTuple):
    """A variable of a prepared operation."""

    name: str
    plain_type: type | None
    """The Python type whose values need no coercion; None for enums, lists, inputs and other scalars."""
    is_required: bool
    has_default: bool


@dataclass(frozen=True)
class PreparedOperation:
    """An operation whose whole answer is one statement, for all values of its variables."""

    statement: str
    requested_name: str | None
    """The `operationName` of the request."""
    variables: tuple[Variable, ...]

    def values(
        self, schema: GraphQLSchema, document: DocumentNode, given: Mapping[str, Any]
    ) -> Mapping[str, Any] | None:
        """The variables, coerced; None where one has a wrong value."""
        found: dict[str, Any] = {}
        for name, plain_type, is_required, has_default in self.variables:
            value: Any = given.get(name, _MISSING)
            is_plain = type(value) is plain_type
            if is_plain and (plain_type is not int or _MIN_INT <= value < -_MIN_INT):
                found[name] = value
            elif is_required or has_default or (value is not None and value is not _MISSING):
                return self._coerced(schema, document, given)
            elif value is None:
                found[name] = None
        return found

    def _coerced(
        self, schema: GraphQLSchema, document: DocumentNode, given: Mapping[str, Any]
    ) -> Mapping[str, Any] | None:
        try:
            return select_operation(schema, document, given, self.requested_name).variables.coerced
        except GraphQLError:
            return None


_MISSING = object()
_MIN_INT = -(2**31)
_PLAIN_TYPES: dict[str, type] = {"String": str, "ID": str, "Int": int, "Boolean": bool}


def _variable(node: VariableDefinitionNode) -> Variable:
    is_required = isinstance(node.type, NonNullTypeNode)
    inner: Any = node.type.type if isinstance(node.type, NonNullTypeNode) else node.type
    plain_type = _PLAIN_TYPES.get(inner.name.value) if isinstance(inner, NamedTypeNode) else None
    return Variable(node.variable.name.value, plain_type, is_required, node.default_value is not None)


@dataclass
class Statement:
    """The number of requests for a statement, and the sets of paths whose values are part of its plans' keys."""

    requests: int = 0
    deciding: list[frozenset[Path]] = field(default_factory=list)


@dataclass
class Document:
    """A parsed and validated document, with its statements.

    The name of a statement is its place in the document: the operation, or the field of a mutation whose record it
    reads.
    """

    parsed: DocumentNode
    number: int
    sizes: tuple[str, ...] = ()
    """The variables that are page sizes."""
    lists: tuple[str, ...] = ()
    """The variables that may hold lists and objects, whose sizes count."""
    measured: set[tuple[Any, ...]] = field(default_factory=set)
    """Values of `sizes` and sizes of `lists` that are within the limits."""
    statements: LRUCache[str, Statement] = field(default_factory=lambda: LRUCache(MAX_STATEMENTS))
    """The statements used last, by name."""
    operations: dict[str | None, PreparedOperation] = field(default_factory=dict)
    """Operations by their requested names."""
    size: int = 1
    """Its part of MAX_BYTES: at least one MAX_DOCUMENTS-th, so that there are no more than MAX_DOCUMENTS."""
    searching: set[str] = field(default_factory=set)
    """Names of statements that were seen to search."""
    counted: set[str] = field(default_factory=set)
    """Names of statements with a field that shows one customer, whose page may have to be counted first."""
    deep: set[str] = field(default_factory=set)
    """Names of statements that nest too deep for correlated subqueries; row sets are their form."""

    def prepare(self, operation: Operation, statement: str) -> None:
        """Remember an operation, unless values of its variables decide its root fields or its statement.

        (They decide the statement where its name has several words, the kinds of records behind the operation.)
        """
        name = operation.requested_name
        if name not in self.operations and operation.has_fixed_root_fields and " " not in statement:
            variables = tuple(_variable(node) for node in operation.definition.variable_definitions or ())
            self.operations[name] = PreparedOperation(statement, name, variables)

    def statement(self, name: str) -> Statement:
        """The statement of that name; a new one where it is not in the cache."""
        found = self.statements.get(name)
        if found is None:
            found = self.statements[name] = Statement()
        return found

    def check_size(self, variables: Mapping[str, Any]) -> None:
        """Run `query_cost.check` once for each combination of page sizes and sizes of lists.  Raises TooComplex."""
        if self.is_within_limits(variables):
            return
        query_cost.check(self.parsed, variables)
        self.note_size(variables)

    def note_size(self, variables: Mapping[str, Any]) -> None:
        """Remember that these variables are within the limits."""
        sizes = self._sizes_in(variables)
        if _are_plain(sizes) and len(self.measured) < MAX_MEASURED:
            self.measured.add(sizes + self._lists_in(variables))

    def is_within_limits(self, variables: Mapping[str, Any]) -> bool:
        """Whether variables of these sizes were found to be within the limits before."""
        sizes = self._sizes_in(variables)
        return _are_plain(sizes) and sizes + self._lists_in(variables) in self.measured

    def _sizes_in(self, variables: Mapping[str, Any]) -> tuple[Any, ...]:
        return tuple([variables.get(name) for name in self.sizes])

    def _lists_in(self, variables: Mapping[str, Any]) -> tuple[Any, ...]:
        return tuple([size_of(variables.get(name)) for name in self.lists])


def _are_plain(sizes: tuple[Any, ...]) -> bool:
    return all(size is None or type(size) is int for size in sizes)


def document_of(parsed: DocumentNode, variables: Mapping[str, Any]) -> Document:
    """The cache entry of a valid document that is within the limits with these variables."""
    pages, lists = query_cost.page_variables(parsed), query_cost.list_variables(parsed)
    document = Document(parsed, next(_numbers), tuple(sorted(pages)), tuple(sorted(lists)))
    document.note_size(variables)
    return document


class Documents:
    """The documents of one engine, and its answers about the schema; both caches drop the least recently used."""

    def __init__(self) -> None:
        self._documents: LRUCache[str, Document] = LRUCache(MAX_BYTES, getsizeof=lambda document: document.size)
        self._constants: LRUCache[tuple[int, str | None], bytes] = LRUCache(MAX_CONSTANTS)

    @property
    def count(self) -> int:
        return len(self._documents)

    @property
    def constants(self) -> int:
        return len(self._constants)

    def find(self, text: str) -> Document | None:
        return self._documents.get(text)

    def keep(self, text: str, document: Document) -> None:
        """Add a document; the least recently used make room for it."""
        parsed = 2 * len(text) + _TOKEN_BYTES * sum(1 for _ in _TOKEN.finditer(text))
        document.size = max(parsed, MAX_BYTES // MAX_DOCUMENTS)
        if document.size <= MAX_BYTES:
            self._documents[text] = document

    def constant(self, document: Document, operation: str | None) -> bytes | None:
        """The answer to an operation about the schema alone."""
        return self._constants.get((document.number, operation))

    def keep_constant(self, document: Document, operation: str | None, answer: bytes) -> None:
        self._constants[document.number, operation] = answer
