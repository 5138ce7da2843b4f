"""A plan: one compiled statement, and where in a request each of its parameters lies."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from models.database.compiled import CompiledStatement
from policies import Principal
from resolvers.reading.provenance import Path, PlanMismatch, Source
from resolvers.runtime.viewer import Requester


@dataclass(frozen=True)
class Request:
    """All inputs of a statement: the requester, the language, the variables, and the values of the session key."""

    requester: Requester
    language: str
    variables: Mapping[str, Any]
    key: Mapping[str, Any] = field(default_factory=dict)

    @property
    def principal(self) -> Principal:
        return self.requester.person

    def at(self, path: Path) -> Any:
        """The value at a path.  Raises PlanMismatch where this request has none."""
        try:
            match path:
                case ("principal", str() as name):
                    return getattr(self.principal, name)
                case ("principal", str() as name, int() as n):
                    return self.requester.ordered[name][n]
            found: Any = self.variables if path[0] == "variables" else self.key
            for step in path[1:]:
                found = found[step]
        except (KeyError, IndexError, TypeError):
            raise PlanMismatch from None
        return found

    def __getitem__(self, source: Source) -> Any:
        """The value of a parameter.  Raises PlanMismatch, and what the steps of its source refuse."""
        return source.value(self.at(source.path))


@dataclass(frozen=True)
class Plan:
    """One statement whose parameters come from a request by their `Source`, and the names of its columns."""

    statement: CompiledStatement
    names: tuple[str, ...]
