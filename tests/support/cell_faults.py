"""Faults that somebody could build into the cells, planted for the length of a test."""

from collections.abc import Callable
from typing import Any

import pytest

from policies import Cell, Facts, Snapshot
from policies.questions import Roles
from policies.words import SCOPES, holds


def fires(pairs: Any, p: Any, facts: Facts) -> bool:
    return any(SCOPES[scope].test(p, facts) and holds(when, facts) for scope, when in pairs)


def deny_is_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Cell, "test", lambda cell, p, facts: fires(cell.allow, p, facts))


def state_is_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    def test(cell: Cell, p: Any, facts: Facts) -> bool:
        allowed, denied = ({(scope, "any") for scope, _ in pairs} for pairs in (cell.allow, cell.deny))
        return fires(allowed, p, facts) and not fires(denied, p, facts)

    monkeypatch.setattr(Cell, "test", test)


def one_state_of_two_is_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    def test(cell: Cell, p: Any, facts: Facts) -> bool:
        allowed = {(scope, when.partition("&")[0]) for scope, when in cell.allow}
        return fires(allowed, p, facts) and not fires(cell.deny, p, facts)

    monkeypatch.setattr(Cell, "test", test)


def inheritance_is_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Snapshot, "_closure", lambda _, roles: frozenset({*roles, "*"}))


def one_step_of_inheritance_is_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    def closure(policy: Snapshot, roles: Roles) -> Roles:
        return frozenset({*roles, "*", *(wide for role in roles for wide in policy._up.get(role, ()))})

    monkeypatch.setattr(Snapshot, "_closure", closure)


def everybody_is_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = Snapshot._closure
    monkeypatch.setattr(Snapshot, "_closure", lambda policy, roles: whole(policy, roles) - {"*"})


def cells_with(change: Callable[[Snapshot, Roles, str, str], tuple[str, str]]) -> Callable[[pytest.MonkeyPatch], None]:
    def plant(monkeypatch: pytest.MonkeyPatch) -> None:
        whole = Snapshot._cell

        def cell(policy: Snapshot, roles: Roles, obj: str, action: str, kind: str = "p") -> Cell:
            return whole(policy, roles, *change(policy, roles, obj, action), kind)

        monkeypatch.setattr(Snapshot, "_cell", cell)

    return plant


def line_is_lost(which: Callable[[Any], bool]) -> Callable[[pytest.MonkeyPatch], None]:
    def plant(monkeypatch: pytest.MonkeyPatch) -> None:
        whole = Snapshot._cell

        def cell(policy: Snapshot, roles: Roles, obj: str, action: str, kind: str = "p") -> Cell:
            found = whole(policy, roles, obj, action, kind)
            lines = tuple(line for line in found.lines if not which(line))
            allow, deny = ({x.columns[3:5] for x in lines if x.columns[5] == effect} for effect in ("allow", "deny"))
            return Cell(frozenset(allow), frozenset(deny), lines)  # type: ignore[arg-type]

        monkeypatch.setattr(Snapshot, "_cell", cell)

    return plant


FAULTS: dict[str, Callable[[pytest.MonkeyPatch], None]] = {
    "a deny is ignored": deny_is_ignored,
    "a state is ignored": state_is_ignored,
    "the second state is ignored": one_state_of_two_is_ignored,
    "inheritance is ignored": inheritance_is_ignored,
    "inheritance ends after one step": one_step_of_inheritance_is_followed,
    "lines for everybody are lost": everybody_is_nobody,
    "a field is no longer as its module": cells_with(
        lambda _p, _r, obj, action: (obj if "." not in obj or obj == "customer.phone" else "policy", action)
    ),
    "a field that stands apart is as its module": cells_with(
        lambda _p, _r, obj, action: ("user" if obj == "user.email" else obj, action)
    ),
    "a group of actions is lost": line_is_lost(lambda line: line.columns[2] == "touch"),
    "lines about every object are lost": line_is_lost(lambda line: line.columns[1] == "*"),
    "lines about every action are lost": line_is_lost(lambda line: line.columns[2] == "*"),
}
