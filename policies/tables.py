"""Tables that depend on more than the twelve words of `logic.py`: on branches of dictionaries, which have no end.

A table is a number as long as it asks for no branch.  Otherwise it is split: one table for records in the branch, one
for all others.  Branches count as independent of each other, because the tree that makes one part of another may
change without a new policy; so a comparison never overlooks a gain that a move of words would bring.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from operator import and_, lshift, or_, rshift, xor
from typing import Union

Table = Union[int, "Split"]


@dataclass(frozen=True)
class Split:
    """`yes` for the records in a branch, `no` for all others; both ask only for branches that come later by name."""

    branch: str
    yes: Table
    no: Table

    def __and__(self, other: Table) -> Table:
        return _joined(and_, self, other)

    def __or__(self, other: Table) -> Table:
        return _joined(or_, self, other)

    def __xor__(self, other: Table) -> Table:
        return _joined(xor, self, other)

    __rand__, __ror__, __rxor__ = __and__, __or__, __xor__

    def __invert__(self) -> Table:
        return _made(self.branch, ~self.yes, ~self.no)

    def __lshift__(self, step: int) -> Table:
        return _made(self.branch, lshift(self.yes, step), lshift(self.no, step))

    def __rshift__(self, step: int) -> Table:
        return _made(self.branch, rshift(self.yes, step), rshift(self.no, step))

    # No __bool__: a table that is false in all cases is the number 0, because equal halves make no split.


def in_branch(branch: str, *, inside: int, outside: int) -> Table:
    """The table that is one number for records in a branch, and another for all others."""
    return _made(branch, inside, outside)


def plain(table: Table) -> tuple[int, dict[str, bool]]:
    """One number of a table that is not 0, with the branches that it takes to be there: in as few as will do."""
    taken: dict[str, bool] = {}
    while isinstance(table, Split):
        inside = not table.no
        taken[table.branch] = inside
        table = table.yes if inside else table.no
    return table, taken


def at(table: Table, branches: Collection[str]) -> int:
    """The number of a table for records that lie in exactly these branches."""
    while isinstance(table, Split):
        table = table.yes if table.branch in branches else table.no
    return table


def outside_of(table: Table, is_possible: Callable[[str], bool]) -> Table:
    """The table for records that lie in no other branch than possible ones."""
    if not isinstance(table, Split):
        return table
    no = outside_of(table.no, is_possible)
    return _made(table.branch, outside_of(table.yes, is_possible), no) if is_possible(table.branch) else no


def _made(branch: str, yes: Table, no: Table) -> Table:
    return yes if yes == no else Split(branch, yes, no)


def _joined(how: Callable[[Table, Table], Table], one: Table, other: Table) -> Table:
    if isinstance(one, int) and isinstance(other, int):
        return how(one, other)
    branch = min(x.branch for x in (one, other) if isinstance(x, Split))
    (yes, no), (yes_, no_) = _halves(one, branch), _halves(other, branch)
    return _made(branch, _joined(how, yes, yes_), _joined(how, no, no_))


def _halves(table: Table, branch: str) -> tuple[Table, Table]:
    return (table.yes, table.no) if isinstance(table, Split) and table.branch == branch else (table, table)
