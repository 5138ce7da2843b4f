"""Provenance: values that know their path in the request, so that a cached plan can take them from another request.

A compiled statement serves other people and other arguments.  For each parameter its plan holds the path of the value
in the request, and the steps by which it was computed.  A value that passes through anything but `map_traced` loses its
source, and becomes a constant of the statement.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, TypeVar

T = TypeVar("T")
Path = tuple[str | int, ...]
Steps = tuple[Callable[[Any], Any], ...]


@dataclass(frozen=True)
class Source:
    """The source of a value: a path in the request, and the steps applied to the value there."""

    path: Path
    steps: Steps = ()

    def value(self, found: Any) -> Any:
        """The value computed from what another request holds at the path.  Raises what the steps refuse."""
        for step in self.steps:
            found = step(found)
        return found


class _Text(str):
    source: Source


class _Integer(int):
    source: Source


class _Timestamp(datetime):
    source: Source


class _Date(date):
    source: Source


class _Decimal(Decimal):
    source: Source


_TRACED: dict[type, Callable[[Any], Any]] = {
    str: _Text,
    int: _Integer,
    datetime: lambda at: _Timestamp.combine(at.date(), at.timetz()),
    date: lambda day: _Date(day.year, day.month, day.day),
    Decimal: _Decimal,
}


class PlanMismatch(Exception):
    """A value of the request does not fit the plan, so the plan cannot serve it."""


def is_traceable(value: object) -> bool:
    return type(value) in _TRACED


def trace(value: T, path: Path, steps: Steps = ()) -> T:
    """An equal value with a source; the same value where its type cannot carry one."""
    if not is_traceable(value):
        return value
    traced: Any = _TRACED[type(value)](value)
    traced.source = Source(path, steps)
    return traced  # type: ignore[no-any-return]  # a subclass of what came in


def source_of(value: object) -> Source | None:
    """The source of a value, None for a constant."""
    return getattr(value, "source", None)


def untraced(value: Any) -> Any:
    """The same value without its source."""
    for kind, traced in ((str, _Text), (int, _Integer), (Decimal, _Decimal)):
        if isinstance(value, traced):
            return kind(value)
    return value


def map_traced(value: Any, step: Callable[[Any], Any]) -> Any:
    """`step(value)`, whose source is the source of `value` with one step more."""
    source = source_of(value)
    made = step(untraced(value))
    return made if source is None else trace(made, source.path, (*source.steps, step))
