"""Remarks about single lines of a policy: those that do nothing, contradict others, or are about no role that there is."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from .lines import Line
from .logic import NEVER, cases_of_pair
from .review import cases_with, covered, named
from .snapshot import Snapshot
from .tables import Table


class Remark(NamedTuple):
    """Something about a line that is allowed and probably not meant; `others` are lines by number."""

    line: Line
    what: str
    """`repeated` by the others, `denied` by the others, `impossible` for such objects, or about `nobody`."""
    others: tuple[int, ...]


def remarks(policy: Snapshot, held: Iterable[str]) -> list[Remark]:
    """Lines that do nothing or contradict others, and those about roles that nobody has.  `held`: the known roles."""
    known = {*held, "*"}
    return [found for line in policy.lines if line.kind == "p" and (found := _remark(policy, line, known))]


def _remark(policy: Snapshot, line: Line, known: set[str]) -> Remark | None:
    role, _, _, scope, when, effect = line.columns
    if role not in known and not role.startswith("system"):
        return Remark(line, "nobody", ())
    repeated: set[int] = set()
    denied: set[int] = set()
    is_possible = False
    for object, verb in covered([line], named(policy)):
        mine = cases_with(object, frozenset({(scope, when)}), frozenset())
        if not mine:
            continue
        is_possible = True
        cell = policy.cell(frozenset({role}), object, verb)
        same = _overlapping(cell.lines, line, effect, mine)
        against = _overlapping(cell.lines, line, "deny", mine) if effect == "allow" else {}
        left = mine & ~_together(same)
        if left & ~_together(against):
            return None
        denied |= {number for number, cases in against.items() if cases & left}
        repeated |= same.keys()
    if not is_possible:
        return Remark(line, "impossible", ())
    return (
        Remark(line, "denied", tuple(sorted(denied))) if denied else Remark(line, "repeated", tuple(sorted(repeated)))
    )


def _overlapping(lines: Iterable[Line], line: Line, effect: str, mine: Table) -> dict[int, Table]:
    """Number of another line -> its cases, for those with this effect that fire in some of the same cases."""
    others = {x.number: cases_of_pair(*x.columns[3:5]) for x in lines if x != line and x.columns[5] == effect}
    return {number: table for number, table in others.items() if table & mine}


def _together(tables: Mapping[int, Table]) -> Table:
    all: Table = NEVER
    for table in tables.values():
        all |= table
    return all
