"""Depth: how many relations of an answer lie below one another."""

from collections.abc import Sequence

from graphql import FieldNode

from models import AuditEntry

from .selection import Asked
from .shape import Computed, Kind, Log, Many, One, Whole, kind_of

Nodes = Sequence[FieldNode]

CHANGES = 3
"""What an expression with selections of its own counts for: who may read a change is said of every kind of record."""
ITEMS = ("nodes", "edges")
"""What of a list is made of its rows."""


class Depth:
    """Heights within one operation: 1 is a record, or a list, with nothing but its own columns."""

    def __init__(self, asked: Asked) -> None:
        self.asked = asked

    def of(self, kind: Kind, nodes: Nodes) -> int:
        """That of a record."""
        return 1 + max((self._below(kind, group) for group in self.asked.below(kind.name, nodes).values()), default=0)

    def of_list(self, kind: Kind, nodes: Nodes) -> int:
        """That of a list, whose records may be asked for several times."""
        groups = self.asked.below(f"{kind.name}Connection", nodes).values()
        items = [self._item(kind, group) for group in groups if group[0].name.value in ITEMS]
        return max((self.of(kind, nodes) for nodes in items), default=1)

    def _below(self, kind: Kind, nodes: Nodes) -> int:
        match kind.fields.get(nodes[0].name.value):
            case One() | Whole() as shape:
                return self.of(kind_of(shape.target), nodes)
            case Many() as shape:
                return self.of_list(kind_of(shape.target), nodes)
            case Log():
                return self.of_list(kind_of(AuditEntry), nodes)
            case Computed():
                return CHANGES if nodes[0].selection_set else 0
        return 0

    def _item(self, kind: Kind, group: Nodes) -> Nodes:
        if group[0].name.value == "nodes":
            return group
        edges = self.asked.below(f"{kind.name}Edge", group).values()
        return [node for nodes in edges if nodes[0].name.value == "node" for node in nodes]
