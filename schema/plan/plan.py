"""A plan: one compiled statement, and where in a request each of its parameters lies."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from policies import Principal
from resolvers.reading.provenance import Path, PlanMismatch, Source

Process = Callable[[Any], Any] | None


@dataclass(frozen=True)
class Request:
    """All inputs of a statement: the principal, the language, the variables, and the values of the session key."""

    principal: Principal
    language: str
    variables: Mapping[str, Any]
    key: Mapping[str, Any] = field(default_factory=dict)

    def at(self, path: Path) -> Any:
        """The value at a path.  Raises PlanMismatch where this request has none."""
        try:
            match path:
                case ("principal", str() as name):
                    return getattr(self.principal, name)
                case ("principal", str() as name, int() as n):
                    return self.principal.ordered[name][n]
            found: Any = self.variables if path[0] == "variables" else self.key
            for step in path[1:]:
                found = found[step]
        except (KeyError, IndexError, TypeError):
            raise PlanMismatch from None
        return found


@dataclass(frozen=True)
class Plan:
    """One statement, and the source or constant of each of its parameters."""

    sql: str
    names: tuple[str, ...]
    parameters: tuple[tuple[Source | Any, Process, bool], ...]
    """(source or constant, conversion for the driver, whether it is a source), in the order of the text."""

    def values(self, request: Request) -> tuple[Any, ...]:
        """The parameters for this request, each value computed once.  Raises PlanMismatch, and what its steps refuse."""
        computed = []
        for source, process in self._sources:
            value = source.value(request.at(source.path))
            computed.append(process(value) if process is not None and value is not None else value)
        return tuple([computed[n] if is_source else constant for is_source, n, constant in self._slots])

    @cached_property
    def _sources(self) -> list[tuple[Source, Process]]:
        """The distinct values to compute."""
        return list(dict.fromkeys((source, process) for source, process, is_source in self.parameters if is_source))

    @cached_property
    def _slots(self) -> list[tuple[bool, int, Any]]:
        """For every parameter: whether it is computed, the index of its value, or its constant."""
        at = {source: n for n, source in enumerate(self._sources)}
        return [
            (True, at[x, process], None) if is_source else (False, 0, x) for x, process, is_source in self.parameters
        ]
