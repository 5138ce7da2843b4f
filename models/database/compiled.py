"""A statement that is compiled once: its text for one driver, and the parameters for each new set of values.

Prepared statements of the write side, statements of the read side and plans of GraphQL are all filled here.
"""

from collections.abc import Callable, Collection, Hashable, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any, Protocol

from sqlalchemy.engine import Dialect

from .sqlalchemy_internals import Processor, compile_for


class Given(Protocol):
    """What the values come from, like a mapping of names to values."""

    def __getitem__(self, key: Any, /) -> Any: ...


@dataclass(frozen=True)
class Parameter:
    """One parameter of a compiled text: a constant, or the value that is given under `key`."""

    name: str
    """What SQLAlchemy calls it."""
    value: Any
    process: Processor
    key: Hashable | None = None

    @property
    def constant(self) -> Any:
        """The value in the form of the driver."""
        return self.process(self.value) if self.process is not None else self.value


class CompiledStatement:
    """One text, and its parameters in the order in which it takes them."""

    __slots__ = ("_asked", "_constants", "_in_order", "_names", "parameters", "text", "types")

    def __init__(
        self, text: str, parameters: Sequence[Parameter], *, is_positional: bool = True, types: Sequence[Any] = ()
    ) -> None:
        """`is_positional`: whether the driver takes a tuple, and not a dictionary.  `types` are those of the result."""
        self.text, self.parameters, self.types = text, tuple(parameters), tuple(types)
        self._names = None if is_positional else [parameter.name for parameter in parameters]
        asked = dict.fromkeys((x.key, x.process) for x in parameters if x.key is not None)
        constants = [x.constant for x in parameters if x.key is None]
        self._asked, self._constants = list(asked), tuple(constants)
        places = {(key, process): n for n, (key, process) in enumerate(asked, start=len(constants))}
        free = iter(range(len(constants)))
        self._in_order = _picking([next(free) if x.key is None else places[x.key, x.process] for x in parameters])

    def values(self, given: Given) -> Any:
        """The parameters in the form of the driver.  A value that the text takes several times is converted once.

        Raises KeyError for a value that is missing, and what `given` raises.
        """
        made = [given[key] if process is None else process(given[key]) for key, process in self._asked]
        ordered = self._in_order((*self._constants, *made))
        return ordered if self._names is None else dict(zip(self._names, ordered, strict=True))


def compile_statement(statement: Any, dialect: Dialect, columns: Collection[str] | None = None) -> CompiledStatement:
    """The statement for this dialect; a `bindparam` without a value is given one by its name.

    `columns` are those that an INSERT or UPDATE without values sets, by their names as well.
    """
    made = compile_for(dialect, statement, columns)
    parameters = [Parameter(x.name, x.value, x.process, x.name if x.is_required else None) for x in made.parameters]
    return CompiledStatement(made.text, parameters, is_positional=made.is_positional, types=made.types)


def _picking(places: Sequence[int]) -> Callable[[tuple[Any, ...]], tuple[Any, ...]]:
    """What picks these places out of a tuple, in this order."""
    if list(places) == list(range(len(places))):
        return lambda values: values[: len(places)]
    if len(places) == 1:
        return lambda values: (values[places[0]],)
    return itemgetter(*places)
