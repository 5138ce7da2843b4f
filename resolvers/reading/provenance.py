"""Provenance: values that know their path in the request, so that a cached statement can be filled for other requests.

A cached statement serves other users and other arguments.  Each of its parameters has a source: a path in the request,
and the functions that made the value from what stands there.  A value that passes through any function but `derive`
loses its source, and becomes a constant of the statement.
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
    """The source of a value: a path in the request, and the functions that make the value from what stands there."""

    path: Path
    steps: Steps = ()

    def value(self, found: Any) -> Any:
        """The value for what another request holds at the path.  Raises what the functions raise."""
        for step in self.steps:
            found = step(found)
        return found


class _Text(str):
    source: Source


class _Whole(int):
    source: Source


class _Moment(datetime):
    source: Source


class _Day(date):
    source: Source


class _Amount(Decimal):
    source: Source


_KINDS: dict[type, Callable[[Any], Any]] = {
    str: _Text,
    int: _Whole,
    datetime: lambda at: _Moment.combine(at.date(), at.timetz()),
    date: lambda day: _Day(day.year, day.month, day.day),
    Decimal: _Amount,
}


class PlanMismatch(Exception):
    """The value of another request does not fit the statement, which has to be compiled for that request."""


def can_lift(value: object) -> bool:
    """Whether values of this type can have a source."""
    return type(value) in _KINDS


def trace(value: T, path: Path, steps: Steps = ()) -> T:
    """An equal value with this source; the value itself when its type cannot have one."""
    if not can_lift(value):
        return value
    traced: Any = _KINDS[type(value)](value)
    traced.source = Source(path, steps)
    return traced  # type: ignore[no-any-return]  # a subclass of what came in


def source_of(value: object) -> Source | None:
    """The source of a value, None for a constant."""
    return getattr(value, "source", None)


def plain(value: Any) -> Any:
    """The same value without its source."""
    for kind, traced in ((str, _Text), (int, _Whole), (Decimal, _Amount)):
        if isinstance(value, traced):
            return kind(value)
    return value


def derive(value: Any, step: Callable[[Any], Any]) -> Any:
    """`step(value)` with the source of `value` and one more function, `step`."""
    source = source_of(value)
    made = step(plain(value))
    return made if source is None else trace(made, source.path, (*source.steps, step))
