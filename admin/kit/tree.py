"""A list of records that lie below one another, as a tree."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Branch:
    """One record with those below it.  `count`: its own number.  `total`: that of all records from here down."""

    line: Mapping[str, Any]
    path: str
    count: int
    below: list["Branch"] = field(default_factory=list)

    @property
    def total(self) -> int:
        return self.count + sum(each.total for each in self.below)


def tree_of(lines: Iterable[Mapping[str, Any]], counts: Mapping[int, int]) -> list[Branch]:
    """The roots of the tree.  A record whose parent is not among the lines hangs on the nearest one above it."""
    roots: list[Branch] = []
    above: list[Branch] = []
    for branch in sorted(_branches(lines, counts), key=lambda each: each.path):
        while above and not branch.path.startswith(above[-1].path):
            above.pop()
        (above[-1].below if above else roots).append(branch)
        above.append(branch)
    return roots


def _branches(lines: Iterable[Mapping[str, Any]], counts: Mapping[int, int]) -> Iterator[Branch]:
    for line in lines:
        row = line["row"]
        yield Branch(line, row["path"] or f"/{row.id}/", counts.get(row.id, 0))
