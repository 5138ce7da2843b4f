"""Depth: the number of relations that an answer nests below one another."""

from collections.abc import Sequence

from graphql import FieldNode

from models import AuditEntry

from .selection import Operation
from .shape import Computed, History, Kind, Many, One, Parts, kind_of

Nodes = Sequence[FieldNode]

CHANGES = 3
"""Depth of an expression with selections of its own: its policy clauses name every kind of record."""
ITEMS = ("nodes", "edges")
"""Fields of a connection that hold its rows."""


class Depth:
    """Depths within one operation; a record or a list without relations has depth 1."""

    def __init__(self, operation: Operation) -> None:
        self.operation = operation

    def of(self, kind: Kind, nodes: Nodes) -> int:
        """The depth of a record."""
        groups = self.operation.subfields(kind.name, nodes).values()
        return 1 + max((self._of_field(kind, group) for group in groups), default=0)

    def of_list(self, kind: Kind, nodes: Nodes) -> int:
        """The depth of a list: the largest of `nodes` and `edges`, which may stand under several aliases."""
        groups = self.operation.subfields(f"{kind.name}Connection", nodes).values()
        items = [self._item(kind, group) for group in groups if group[0].name.value in ITEMS]
        return max((self.of(kind, nodes) for nodes in items), default=1)

    def _of_field(self, kind: Kind, nodes: Nodes) -> int:
        match kind.fields.get(nodes[0].name.value):
            case One() | Parts() as shape:
                return self.of(kind_of(shape.target), nodes)
            case Many() as shape:
                return self.of_list(kind_of(shape.target), nodes)
            case History():
                return self.of_list(kind_of(AuditEntry), nodes)
            case Computed():
                return CHANGES if nodes[0].selection_set else 0
        return 0

    def _item(self, kind: Kind, group: Nodes) -> Nodes:
        if group[0].name.value == "nodes":
            return group
        edges = self.operation.subfields(f"{kind.name}Edge", group).values()
        return [node for nodes in edges if nodes[0].name.value == "node" for node in nodes]
