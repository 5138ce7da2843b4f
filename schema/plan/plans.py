"""Plans: compiled statements kept for the next request of their kind.

A plan is one SQL text and, for each of its parameters, either a constant or where in the request the value lies.  It is
kept under the document, the operation, the role set, the policy and all of the request that is not a mere parameter.
Nobody has to know which values those are: every statement is compiled twice, once with values of another person and
other arguments.  What is the same both times and has forgotten its source is a constant; a text or a constant that
differs shows a value that decides more than a parameter, and such a value is made part of the key.
"""

import re
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

from sqlalchemy import Select
from sqlalchemy.engine import Dialect

from models.database.reads import driven
from policies import Principal, Snapshot
from policies.principal import NUMBERS, SETS
from resolvers.reading.provenance import Path, PlanMismatch, Source, can_lift, source_of, trace

from .documents import Document

MOST_PLANS = 2_000
MOST_FIXED = 4
"""How many different sets of deciding values are tried for one statement of a document."""
_ID = re.compile(r"([a-z]{3})_([1-9]\d{0,8})")
_CURSOR = re.compile(r"(?:[0-9A-Fa-f]{2})+")

Process = Callable[[Any], Any] | None


@dataclass(frozen=True)
class Request:
    """Everything that a statement is made from: who asks, the values of the variables, and of the key he came with."""

    person: Principal
    language: str
    variables: Mapping[str, Any]
    key: Mapping[str, Any] = field(default_factory=dict)

    def at(self, path: Path) -> Any:
        """The value at a path.  Raises PlanMismatch where this request has none."""
        try:
            match path:
                case ("person", str() as name):
                    return getattr(self.person, name)
                case ("person", str() as name, int() as place):
                    return self.person.ordered[name][place]
            found: Any = self.variables if path[0] == "variables" else self.key
            for step in path[1:]:
                found = found[step]
        except (KeyError, IndexError, TypeError):
            raise PlanMismatch from None
        return found


@dataclass(frozen=True)
class Plan:
    """One statement, and how its parameters are filled from a request."""

    sql: str
    names: tuple[str, ...]
    parameters: tuple[tuple[Source | Any, Process, bool], ...]
    """(source or constant, how the driver wants it, whether it is a source), in the order of the text."""

    def values(self, request: Request) -> tuple[Any, ...]:
        """The parameters for this request, each value made once.  Raises PlanMismatch, and what the steps of a value refuse."""
        made = []
        for source, process in self._asked:
            value = source.value(request.at(source.path))
            made.append(process(value) if process is not None and value is not None else value)
        return tuple([made[place] if is_asked else constant for is_asked, place, constant in self._places])

    @cached_property
    def _asked(self) -> list[tuple[Source, Process]]:
        """What has to be made, without what is the same."""
        return list(dict.fromkeys((source, process) for source, process, lifted in self.parameters if lifted))

    @cached_property
    def _places(self) -> list[tuple[bool, int, Any]]:
        """For every parameter: whether it is one of those, which, or the constant that it is."""
        at = {asked: n for n, asked in enumerate(self._asked)}
        return [(True, at[x, process], None) if lifted else (False, 0, x) for x, process, lifted in self.parameters]


class Plans:
    """The plans of one engine under the policy in force, the oldest forgotten first.

    `made_at`: the how-manieth time a statement is asked for a plan is made; making one costs several compilations.
    """

    def __init__(self, made_at: int = 2) -> None:
        self.made_at = made_at
        self._plans: OrderedDict[Any, Plan] = OrderedDict()
        self._policy: Snapshot | None = None

    @property
    def count(self) -> int:
        return len(self._plans)

    def texts(self) -> list[str]:
        """The statements that are kept."""
        return [plan.sql for plan in self._plans.values()]

    def find(self, document: Document, place: str, policy: Snapshot, request: Request) -> Plan | None:
        for fixed in document.statement(place).fixed:
            key = _key(document, place, policy, request, fixed)
            if (plan := self._plans.get(key)) is not None:
                self._plans.move_to_end(key)
                return plan
        return None

    def make(
        self,
        document: Document,
        place: str,
        policy: Snapshot,
        request: Request,
        dialect: Dialect,
        compile: Callable[[Request], tuple[Select[Any], tuple[str, ...]]],
    ) -> Plan | None:
        """The plan for this request, kept for its like; None when no set of deciding values makes a sound one."""
        paths = {path for path, value in _leaves(request.variables, ("variables",)) if can_lift(value)}
        fixed: frozenset[Path] = frozenset(path for path in paths if request.at(path) == "")
        for _ in range(len(paths) + 1):
            plan, used = _compiled(dialect, compile, request, fixed)
            fixed |= paths - used
            guilty = _differing(dialect, compile, request, fixed, plan)
            if guilty is None:
                self._keep(document, place, policy, request, fixed, plan)
                return plan
            if not guilty:
                return None
            fixed |= guilty
        return None

    def _keep(
        self,
        document: Document,
        place: str,
        policy: Snapshot,
        request: Request,
        fixed: frozenset[Path],
        plan: Plan,
    ) -> None:
        if policy is not self._policy:  # nobody asks under the former one any more
            self._policy = policy
            self._plans.clear()
        known = document.statement(place).fixed
        if fixed not in known:
            known[:] = [fixed, *known][:MOST_FIXED]
        self._plans[_key(document, place, policy, request, fixed)] = plan
        if len(self._plans) > MOST_PLANS:
            self._plans.popitem(last=False)


# --- keys ------------------------------------------------------------------------------------------------


def _key(document: Document, place: str, policy: Snapshot, request: Request, fixed: frozenset[Path]) -> Any:
    shape = _shape(request.variables, ("variables",), fixed)
    return document.number, place, policy, request.person.likeness, request.language, fixed, shape


def _shape(value: Any, path: Path, fixed: frozenset[Path]) -> Any:
    """A value with its parameters taken out: names, lengths, kinds, and all that decides."""
    if type(value) is str and path not in fixed:
        return str, bool(value.strip())
    if isinstance(value, Mapping):
        return tuple((name, _shape(held, (*path, name), fixed)) for name, held in sorted(value.items()))
    if isinstance(value, list | tuple):
        return (list, *(_shape(held, (*path, n), fixed) for n, held in enumerate(value)))
    if can_lift(value) and path not in fixed:
        return type(value), True
    return type(value), value


def _leaves(value: Any, path: Path) -> Iterator[tuple[Path, Any]]:
    if isinstance(value, Mapping):
        for name, held in value.items():
            yield from _leaves(held, (*path, name))
    elif isinstance(value, list | tuple):
        for n, held in enumerate(value):
            yield from _leaves(held, (*path, n))
    else:
        yield path, value


# --- compiling -------------------------------------------------------------------------------------------


def _lifted(request: Request, fixed: frozenset[Path]) -> Request:
    p = request.person
    numbers: dict[str, Any] = {name: trace(getattr(p, name), ("person", name)) for name in NUMBERS}
    sets: dict[str, Any] = {
        name: frozenset(trace(x, ("person", name, n)) for n, x in enumerate(p.ordered[name])) for name in SETS
    }
    person = replace(p, now=trace(p.now, ("person", "now")), **numbers, **sets)
    return replace(request, person=person, variables=_mapped(request.variables, ("variables",), fixed, trace))


def _mapped(value: Any, path: Path, fixed: frozenset[Path], change: Callable[[Any, Path], Any]) -> Any:
    if isinstance(value, Mapping):
        return {name: _mapped(held, (*path, name), fixed, change) for name, held in value.items()}
    if isinstance(value, list | tuple):
        return [_mapped(held, (*path, n), fixed, change) for n, held in enumerate(value)]
    return change(value, path) if can_lift(value) and path not in fixed else value


def _compiled(
    dialect: Dialect, compile: Callable[[Request], Any], request: Request, fixed: frozenset[Path]
) -> tuple[Plan, set[Path]]:
    """The plan, and the paths that are parameters of it."""
    statement, names = compile(_lifted(request, fixed))
    sql, found = driven(statement, dialect)
    sources = [Source(("key", each.name)) if each.is_asked else source_of(each.value) for each in found]
    parameters = [
        (each.driven, None, False) if source is None else (source, each.process, True)
        for each, source in zip(found, sources, strict=True)
    ]
    return Plan(sql, names, tuple(parameters)), {source.path for source in sources if source is not None}


def _differing(
    dialect: Dialect, compile: Callable[[Request], Any], request: Request, fixed: frozenset[Path], plan: Plan
) -> frozenset[Path] | None:
    """None when another person with other arguments gets the same plan; else the arguments that decide more.

    Nothing in it is guilty where the person himself does: then there is no plan to share.
    """
    if _same(dialect, compile, _other(request, fixed), fixed, plan):
        return None
    if not _same(dialect, compile, replace(_other(request, fixed), variables=request.variables), fixed, plan):
        return frozenset()
    paths = [
        path for path, value in _leaves(request.variables, ("variables",)) if can_lift(value) and path not in fixed
    ]
    guilty = frozenset(
        path
        for path in paths
        if not _same(dialect, compile, _other(request, fixed | (frozenset(paths) - {path})), fixed, plan)
    )
    return guilty or frozenset(paths)


def _same(
    dialect: Dialect, compile: Callable[[Request], Any], other: Request, fixed: frozenset[Path], plan: Plan
) -> bool:
    try:
        again, _ = _compiled(dialect, compile, other, fixed)
    except Exception:  # noqa: BLE001  an invented value was refused: then it decides
        return False
    return again.sql == plan.sql and all(
        _alike(one, two) for one, two in zip(again.parameters, plan.parameters, strict=True)
    )


def _alike(one: Sequence[Any], two: Sequence[Any]) -> bool:
    if one[2] and two[2]:
        return bool(one[0].path == two[0].path and len(one[0].steps) == len(two[0].steps))
    return bool(not one[2] and not two[2] and type(one[0]) is type(two[0]) and one[0] == two[0])


# --- somebody else, asking for something else ------------------------------------------------------------


def _other(request: Request, fixed: frozenset[Path]) -> Request:
    p = request.person
    numbers: dict[str, Any] = {name: _more(getattr(p, name)) for name in NUMBERS}
    sets: dict[str, Any] = {name: frozenset(_more(x) for x in getattr(p, name)) for name in SETS}
    person = replace(p, now=p.now + timedelta(days=1), **numbers, **sets)
    return replace(request, person=person, variables=_mapped(request.variables, ("variables",), fixed, _changed))


def _more(number: int | None) -> int | None:
    return None if number is None else number + 1_000_003


def _changed(value: Any, _path: Path) -> Any:
    """Another value of the same form."""
    if isinstance(value, str):
        if found := _ID.fullmatch(value):
            return f"{found[1]}_{int(found[2]) % 1_000_000 + 1}"
        if len(value) > 20 and _CURSOR.fullmatch(value):
            return value  # each of its values has a source or none has, see resolvers/reading/cursors.py
        return f"{value[:60]}~"
    if isinstance(value, datetime):
        return value + timedelta(days=1)
    return value + timedelta(days=1) if hasattr(value, "isoformat") else value + 1
