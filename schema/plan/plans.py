"""Plans: compiled statements kept for the next request of their kind.

A plan is one SQL text and, for each of its parameters, either a constant or where in the request the value lies.  It is
kept under the document, the operation, the role set, the policy and all of the request that is not a mere parameter.
Nobody has to know which values those are: every statement is compiled twice, once with values of another person and
other arguments.  What is the same both times and has forgotten its source is a constant; a text or a constant that
differs shows a value that decides more than a parameter, and such a value is made part of the key.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from cachetools import LRUCache
from sqlalchemy import Select
from sqlalchemy.engine import Dialect

from models.database.compiled import CompiledStatement, Parameter, compile_statement
from policies import Principal, Snapshot
from policies.principal import NUMBERS, SETS
from resolvers.reading.provenance import Path, PlanMismatch, Source, can_lift, source_of, trace
from resolvers.runtime.viewer import Requester

from .documents import Document

MOST_PLANS = 2_000
"""Maximum number of cached plans."""
MOST_FIXED = 4
"""How many different sets of deciding values are tried for one statement of a document."""
_ID = re.compile(r"([a-z]{3})_([1-9]\d{0,8})")
_CURSOR = re.compile(r"(?:[0-9A-Fa-f]{2})+")


@dataclass(frozen=True)
class Request:
    """Everything that a statement is made from: who asks, the values of the variables, and of the key he came with."""

    requester: Requester
    language: str
    variables: Mapping[str, Any]
    key: Mapping[str, Any] = field(default_factory=dict)

    @property
    def person(self) -> Principal:
        return self.requester.person

    def at(self, path: Path) -> Any:
        """The value at a path.  Raises PlanMismatch where this request has none."""
        try:
            match path:
                case ("person", str() as name):
                    return getattr(self.requester.person, name)
                case ("person", str() as name, int() as place):
                    return self.requester.ordered[name][place]
            found: Any = self.variables if path[0] == "variables" else self.key
            for step in path[1:]:
                found = found[step]
        except (KeyError, IndexError, TypeError):
            raise PlanMismatch from None
        return found

    def __getitem__(self, source: Source) -> Any:
        """The value of a parameter.  Raises PlanMismatch, and what the steps of the value refuse."""
        return source.value(self.at(source.path))


@dataclass(frozen=True)
class Plan:
    """One statement whose parameters come from a request by their `Source`, and the response keys of its columns."""

    statement: CompiledStatement
    names: tuple[str, ...]


class Plans:
    """The plans of one engine under the policy in force, the oldest forgotten first.

    `made_at`: the how-manieth time a statement is asked for a plan is made; making one costs several compilations.
    """

    def __init__(self, made_at: int = 2) -> None:
        self.made_at = made_at
        self._plans: LRUCache[Any, Plan] = LRUCache(MOST_PLANS)
        self._policy: Snapshot | None = None

    @property
    def count(self) -> int:
        return len(self._plans)

    def texts(self) -> list[str]:
        """The statements that are kept."""
        return [plan.statement.text for plan in self._plans.values()]

    def find(self, document: Document, place: str, policy: Snapshot, request: Request) -> Plan | None:
        for fixed in document.statement(place).fixed:
            try:
                return self._plans[_key(document, place, policy, request, fixed)]
            except KeyError:
                continue
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


# --- keys ------------------------------------------------------------------------------------------------


def _key(document: Document, place: str, policy: Snapshot, request: Request, fixed: frozenset[Path]) -> Any:
    shape = _shape(request.variables, ("variables",), fixed)
    return document.number, place, policy, request.requester.likeness, request.language, fixed, shape


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
    p, ordered = request.person, request.requester.ordered
    numbers: dict[str, Any] = {name: trace(getattr(p, name), ("person", name)) for name in NUMBERS}
    sets: dict[str, Any] = {
        name: frozenset(trace(x, ("person", name, n)) for n, x in enumerate(ordered[name])) for name in SETS
    }
    person = replace(p, now=trace(p.now, ("person", "now")), **numbers, **sets)
    requester = replace(request.requester, person=person)
    return replace(request, requester=requester, variables=_mapped(request.variables, ("variables",), fixed, trace))


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
    made = compile_statement(statement, dialect)
    sources = [source_of(x.value) if x.key is None else Source(("key", x.name)) for x in made.parameters]
    parameters = [
        x if source is None else replace(x, key=source, value=None)
        for x, source in zip(made.parameters, sources, strict=True)
    ]
    used = {source.path for source in sources if source is not None}
    return Plan(CompiledStatement(made.text, parameters), names), used


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
    one, two = again.statement, plan.statement
    return one.text == two.text and all(map(_alike, one.parameters, two.parameters))


def _alike(one: Parameter, two: Parameter) -> bool:
    if isinstance(one.key, Source) and isinstance(two.key, Source):
        return one.key.path == two.key.path and len(one.key.steps) == len(two.key.steps)
    is_constant = one.key is None and two.key is None
    return is_constant and type(one.constant) is type(two.constant) and bool(one.constant == two.constant)


# --- somebody else, asking for something else ------------------------------------------------------------


def _other(request: Request, fixed: frozenset[Path]) -> Request:
    p = request.person
    numbers: dict[str, Any] = {name: _more(getattr(p, name)) for name in NUMBERS}
    sets: dict[str, Any] = {name: frozenset(_more(x) for x in getattr(p, name)) for name in SETS}
    person = replace(p, now=p.now + timedelta(days=1), **numbers, **sets)
    requester = replace(request.requester, person=person)
    return replace(request, requester=requester, variables=_mapped(request.variables, ("variables",), fixed, _changed))


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
