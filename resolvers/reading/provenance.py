"""Values that remember where they came from, so that what was made from them once can be made again from others.

A compiled statement is kept and used for other people and other arguments.  Its parameters say of each value which
part of the request it is, and by which steps it was made from that.  A value that passes through anything but `derive`
forgets its source, and is then part of the statement like any constant.
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
    """Where a value comes from: a path into the request, and the steps from there."""

    path: Path
    steps: Steps = ()

    def value(self, found: Any) -> Any:
        """The value for what another request holds at the path.  Raises what the steps refuse."""
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
    """Another request's value does not fit where this one's stood: what was made from this one is of no use to it."""


def can_lift(value: object) -> bool:
    return type(value) in _KINDS


def trace(value: T, path: Path, steps: Steps = ()) -> T:
    """An equal value with a source; the very value when its type cannot have one."""
    if not can_lift(value):
        return value
    lifted: Any = _KINDS[type(value)](value)
    lifted.source = Source(path, steps)
    return lifted  # type: ignore[no-any-return]  # a subclass of what came in


def source_of(value: object) -> Source | None:
    return getattr(value, "source", None)


def plain(value: Any) -> Any:
    """The same value without its source."""
    for kind, lifted in ((str, _Text), (int, _Whole), (Decimal, _Amount)):
        if isinstance(value, lifted):
            return kind(value)
    return value


def derive(value: Any, step: Callable[[Any], Any]) -> Any:
    """`step(value)`, which remembers the source of `value` and the step."""
    source = source_of(value)
    made = step(plain(value))
    return made if source is None else trace(made, source.path, (*source.steps, step))
