"""A cell: what the policy lines say once roles, object and action are known."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from sqlalchemy import false, not_, true

from .branches import branch_of
from .lines import Line
from .principal import Principal
from .rows import Clause, Rows
from .words import SCOPES, Facts, either, holds, parts, together, when_sql

Pair = tuple[str, str]
"""A scope and a state of a line: `own`, `!locked`."""
ALL: Pair = ("all", "any")

Written = dict[Any, Any]
"""The conditions that were written for one person already."""


@dataclass(frozen=True)
class Cell:
    """The pairs of scope and state that allow and that deny, with the lines they come from."""

    allow: frozenset[Pair]
    deny: frozenset[Pair]
    lines: tuple[Line, ...]

    def test(self, p: Principal, facts: Facts) -> bool:
        def fires(pairs: Iterable[Pair]) -> bool:
            return any(SCOPES[scope].test(p, facts) and holds(when, facts) for scope, when in pairs)

        return fires(self.allow) and not fires(self.deny)

    def sql(self, p: Principal, rows: Rows, written: Written | None = None) -> Clause:
        """The rows for which `test` is true.  Never NULL.

        `written` is a cache of this person's conditions: one statement asks for the same ones many times.
        """
        if not self.allow or ALL in self.deny:
            return false()
        cache: Written = {} if written is None else written
        allow = true() if ALL in self.allow else either(_pair_sql(x, p, rows, cache) for x in sorted(self.allow))
        return together([allow, *(not_(_pair_sql(x, p, rows, cache)) for x in sorted(self.deny))])

    @cached_property
    def locks(self) -> "Cell":
        """Everything but what the denials about locked records close."""
        pairs = (pair for pair in self.deny if ("locked", True) in parts(pair[1]))
        return Cell(frozenset({ALL}), frozenset(pairs), self.lines)

    @cached_property
    def past_locks(self) -> "Cell":
        """The same without the denials about locked records."""
        return Cell(self.allow, self.deny - self.locks.deny, self.lines)

    @cached_property
    def in_some_branch(self) -> "Cell":
        """The same as if each record lay where its branches allow most: what may be done to some record."""
        allow = frozenset((scope, _without_branches(when)) for scope, when in self.allow)
        deny = frozenset(pair for pair in self.deny if _without_branches(pair[1]) == pair[1])
        return Cell(allow, deny, self.lines)

    def within(self, row: "Cell") -> "Cell | None":
        """What is left to ask about a field where `row` allows the record as such; None when that is enough."""
        if not self.allow >= row.allow:
            return self
        # All that allows the record allows the field: what is left are the lines that deny the field alone.
        return Cell(frozenset({ALL}), self.deny - row.deny, self.lines) if self.deny - row.deny else None


def _without_branches(when: str) -> str:
    kept = [word for word in when.split("&") if branch_of(word.removeprefix("!")) is None]
    return "&".join(kept) or "any"


def _pair_sql(pair: Pair, p: Principal, rows: Rows, cache: Written) -> Clause:
    key = pair, rows.model, id(rows.e), rows.by_row, rows.below
    if key not in cache:
        cache[key] = _write_pair(pair, p, rows), rows.e  # kept with it, or its id might be given to another
    clause: Clause = cache[key][0]
    return clause


def _write_pair(pair: Pair, p: Principal, rows: Rows) -> Clause:
    scope, when = pair
    clauses = [] if scope == "all" else [SCOPES[scope].sql(p, rows)]
    if when != "any":
        clauses.append(when_sql(when, p, rows))
    return together(clauses)
