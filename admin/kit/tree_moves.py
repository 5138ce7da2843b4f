"""Moves in a tree that is written as rows with depths: up, down, in and out, always with all that lies below."""

from collections.abc import Callable, Sequence
from typing import NamedTuple


class TreeRow(NamedTuple):
    """One row: what stands in it, and how many rows stand above it in the tree."""

    token: str
    depth: int


def moved(rows: Sequence[TreeRow], token: str, how: str) -> list[TreeRow]:
    """The rows after one was moved `up`, `down`, `in` or `out`; as they are where that is not possible."""
    at = next((n for n, row in enumerate(rows) if row.token == token), None)
    move = _MOVES.get(how)
    return settled(rows if at is None or move is None else move(list(rows), at))


def settled(rows: Sequence[TreeRow]) -> list[TreeRow]:
    """The rows with depths that a tree can have: each at most one more than that of the row before."""
    found: list[TreeRow] = []
    for row in rows:
        deepest = found[-1].depth + 1 if found else 0
        found.append(TreeRow(row.token, max(0, min(row.depth, deepest))))
    return found


def end_of(rows: Sequence[TreeRow], at: int) -> int:
    """The place after the last row below the one at this place."""
    return next((n for n in range(at + 1, len(rows)) if rows[n].depth <= rows[at].depth), len(rows))


# --- steps -----------------------------------------------------------------------------------------------


def _up(rows: list[TreeRow], at: int) -> list[TreeRow]:
    before = _sibling_before(rows, at)
    if before is None:
        return rows
    end = end_of(rows, at)
    return [*rows[:before], *rows[at:end], *rows[before:at], *rows[end:]]


def _down(rows: list[TreeRow], at: int) -> list[TreeRow]:
    after = end_of(rows, at)
    is_sibling = after < len(rows) and rows[after].depth == rows[at].depth
    return _up(rows, after) if is_sibling else rows


def _in(rows: list[TreeRow], at: int) -> list[TreeRow]:
    return rows if _sibling_before(rows, at) is None else _shifted(rows, at, 1)


def _out(rows: list[TreeRow], at: int) -> list[TreeRow]:
    """Behind the row above it, of which it lay below."""
    depth = rows[at].depth
    if depth == 0:
        return rows
    above = next(n for n in range(at - 1, -1, -1) if rows[n].depth < depth)
    end, last = end_of(rows, at), end_of(rows, above)
    branch = [TreeRow(row.token, row.depth - 1) for row in rows[at:end]]
    return [*rows[:at], *rows[end:last], *branch, *rows[last:]]


def _sibling_before(rows: Sequence[TreeRow], at: int) -> int | None:
    found = next((n for n in range(at - 1, -1, -1) if rows[n].depth <= rows[at].depth), None)
    return found if found is not None and rows[found].depth == rows[at].depth else None


def _shifted(rows: list[TreeRow], at: int, by: int) -> list[TreeRow]:
    end = end_of(rows, at)
    return [TreeRow(row.token, row.depth + by) if at <= n < end else row for n, row in enumerate(rows)]


_MOVES: dict[str, Callable[[list[TreeRow], int], list[TreeRow]]] = {"up": _up, "down": _down, "in": _in, "out": _out}
