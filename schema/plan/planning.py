"""Planning: compile a statement with traced values, and prove that its plan serves other requests.

Which values decide more than a parameter is found out, not declared: every statement is compiled a second time for
another principal and other arguments.  A parameter that has lost its source and is the same in both is a constant.  A
value that changes the text or a constant decides, and becomes part of the key.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select
from sqlalchemy.engine import Dialect

from models.database.compiled import CompiledStatement, Parameter, compile_statement
from policies.principal import NUMBERS, SETS
from resolvers.reading.provenance import Path, Source, is_traceable, source_of, trace

from .plan import Plan, Request

Compile = Callable[[Request], tuple[Select[Any], tuple[str, ...]]]
"""Compiles a statement for a request; returns it with the names of its columns."""
MAX_TRIED = 12
"""Maximum number of values that are tried one by one, each by a compilation.  Of more all decide."""
_ID = re.compile(r"([a-z]{3})_([1-9]\d{0,8})")
_CURSOR = re.compile(r"(?:[0-9A-Fa-f]{2})+")


def traceable_paths(request: Request) -> list[Path]:
    """The paths of the variables that can be parameters."""
    return [path for path, value in _leaves(request.variables, ("variables",)) if is_traceable(value)]


def _traced(request: Request, deciding: frozenset[Path]) -> Request:
    """The request with values that know their paths, except for the deciding ones."""
    p, ordered = request.principal, request.requester.ordered
    numbers: dict[str, Any] = {name: trace(getattr(p, name), ("principal", name)) for name in NUMBERS}
    sets: dict[str, Any] = {
        name: frozenset(trace(x, ("principal", name, n)) for n, x in enumerate(ordered[name])) for name in SETS
    }
    principal = replace(p, now=trace(p.now, ("principal", "now")), **numbers, **sets)
    requester = replace(request.requester, person=principal)
    return replace(request, requester=requester, variables=_mapped(request.variables, ("variables",), deciding, trace))


def _mapped(value: Any, path: Path, deciding: frozenset[Path], change: Callable[[Any, Path], Any]) -> Any:
    if isinstance(value, Mapping):
        return {name: _mapped(held, (*path, name), deciding, change) for name, held in value.items()}
    if isinstance(value, list | tuple):
        return [_mapped(held, (*path, n), deciding, change) for n, held in enumerate(value)]
    return change(value, path) if is_traceable(value) and path not in deciding else value


def _leaves(value: Any, path: Path) -> Iterator[tuple[Path, Any]]:
    """The values inside lists and objects, with their paths."""
    if isinstance(value, Mapping):
        for name, held in value.items():
            yield from _leaves(held, (*path, name))
    elif isinstance(value, list | tuple):
        for n, held in enumerate(value):
            yield from _leaves(held, (*path, n))
    else:
        yield path, value


def compile_plan(
    dialect: Dialect, compile: Compile, request: Request, deciding: frozenset[Path]
) -> tuple[Plan, set[Path]]:
    """The plan, and the paths that are parameters of it."""
    statement, names = compile(_traced(request, deciding))
    made = compile_statement(statement, dialect)
    sources = [source_of(x.value) if x.key is None else Source(("key", x.name)) for x in made.parameters]
    parameters = [
        x if source is None else replace(x, key=source, value=None)
        for x, source in zip(made.parameters, sources, strict=True)
    ]
    paths = {source.path for source in sources if source is not None}
    return Plan(CompiledStatement(made.text, parameters), names), paths


def find_deciding(
    dialect: Dialect, compile: Compile, request: Request, deciding: frozenset[Path], plan: Plan
) -> frozenset[Path] | None:
    """None when another principal with other arguments gets the same plan; else the paths that decide more.

    The set is empty where the principal's own values decide: such a plan cannot be shared.
    """
    if _same(dialect, compile, _other(request, deciding), deciding, plan):
        return None
    if not _same(dialect, compile, replace(_other(request, deciding), variables=request.variables), deciding, plan):
        return frozenset()
    paths = [path for path in traceable_paths(request) if path not in deciding]
    if len(paths) > MAX_TRIED:
        return frozenset(paths)
    found = frozenset(
        path
        for path in paths
        if not _same(dialect, compile, _other(request, deciding | (frozenset(paths) - {path})), deciding, plan)
    )
    return found or frozenset(paths)


def _same(dialect: Dialect, compile: Compile, other: Request, deciding: frozenset[Path], plan: Plan) -> bool:
    try:
        again, _ = compile_plan(dialect, compile, other, deciding)
    except Exception:  # noqa: BLE001  an invented value was refused, so it decides
        return False
    one, two = again.statement, plan.statement
    return one.text == two.text and all(map(_alike, one.parameters, two.parameters))


def _alike(one: Parameter, two: Parameter) -> bool:
    if isinstance(one.key, Source) and isinstance(two.key, Source):
        return one.key.path == two.key.path and len(one.key.steps) == len(two.key.steps)
    is_constant = one.key is None and two.key is None
    return is_constant and type(one.constant) is type(two.constant) and bool(one.constant == two.constant)


# --- another principal with other arguments --------------------------------------------------------------


def _other(request: Request, deciding: frozenset[Path]) -> Request:
    p = request.principal
    numbers: dict[str, Any] = {name: _other_number(getattr(p, name)) for name in NUMBERS}
    sets: dict[str, Any] = {name: frozenset(_other_number(x) for x in getattr(p, name)) for name in SETS}
    principal = replace(p, now=p.now + timedelta(days=1), **numbers, **sets)
    variables = _mapped(request.variables, ("variables",), deciding, _other_value)
    requester = replace(request.requester, person=principal)
    return replace(request, requester=requester, variables=variables)


def _other_number(number: int | None) -> int | None:
    return None if number is None else number + 1_000_003


def _other_value(value: Any, _path: Path) -> Any:
    """Another value of the same form."""
    if isinstance(value, str):
        if found := _ID.fullmatch(value):
            return f"{found[1]}_{int(found[2]) % 1_000_000 + 1}"
        if len(value) > 20 and _CURSOR.fullmatch(value):
            return value  # all values of a cursor have a source or none has, see resolvers/reading/cursors.py
        return f"{value[:60]}~"
    if isinstance(value, datetime):
        return value + timedelta(days=1)
    return value + timedelta(days=1) if hasattr(value, "isoformat") else value + 1
