"""Documents that were parsed and found valid, kept by their text, with what is known of each.

Keeping one saves parsing and validation, which take longer than most statements.  What a document says about the schema
alone is the same for everybody until the process ends, and kept as well.
"""

from collections import Counter, OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import Any, TypeVar

from graphql.language import DocumentNode

from resolvers.lifted import Path

from .. import gate

MOST_DOCUMENTS = 500
MOST_CONSTANTS = 20
"""The answer to an editor's question for the whole schema is some 200 KiB."""
MOST_MEASURED = 200

K = TypeVar("K")
V = TypeVar("V")

_numbers = count()


@dataclass
class Document:
    """A document that was parsed and found valid, with what is known of its statements.

    A statement is named by its place in the document: an operation, or a field of a mutation with what is read of it.
    """

    parsed: DocumentNode
    number: int
    sizes: frozenset[str] = frozenset()
    """The variables that decide how much is asked for."""
    measured: set[tuple[int | None, ...]] = field(default_factory=set)
    """Their values with which it was not too much."""
    asked: Counter[str] = field(default_factory=Counter)
    fixed: dict[str, list[frozenset[Path]]] = field(default_factory=dict)
    gathered: set[str] = field(default_factory=set)
    """Those that nest too deep to be asked in place."""

    def check_size(self, variables: Mapping[str, Any]) -> None:
        """`gate.check`, once for every set of page sizes.  Raises TooComplex."""
        sizes = tuple(variables.get(name) for name in sorted(self.sizes))
        is_plain = all(size is None or type(size) is int for size in sizes)
        if is_plain and sizes in self.measured:
            return
        gate.check(self.parsed, variables)
        if is_plain and len(self.measured) < MOST_MEASURED:
            self.measured.add(sizes)


class Documents:
    """The documents of one engine, and the answers that never change; of both, those not asked for longest go first."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, Document] = OrderedDict()
        self._constants: OrderedDict[tuple[int, str | None], bytes] = OrderedDict()

    @property
    def count(self) -> int:
        return len(self._kept)

    @property
    def constants(self) -> int:
        return len(self._constants)

    def find(self, text: str) -> Document | None:
        return _found(self._kept, text)

    def keep(self, text: str, parsed: DocumentNode) -> Document:
        """Remember a document that is valid, and that was not too much with the variables it came with."""
        document = Document(parsed, next(_numbers), gate.page_variables(parsed))
        _put(self._kept, text, document, MOST_DOCUMENTS)
        return document

    def constant(self, document: Document, operation: str | None) -> bytes | None:
        """The answer to an operation that asks for the same thing whoever asks."""
        return _found(self._constants, (document.number, operation))

    def keep_constant(self, document: Document, operation: str | None, answer: bytes) -> None:
        _put(self._constants, (document.number, operation), answer, MOST_CONSTANTS)


def _found(kept: OrderedDict[K, V], key: K) -> V | None:
    found = kept.get(key)
    if found is not None:
        kept.move_to_end(key)
    return found


def _put(kept: OrderedDict[K, V], key: K, value: V, most: int) -> None:
    kept[key] = value
    if len(kept) > most:
        kept.popitem(last=False)
