"""The plan cache: compiled statements that answer later requests for other people and other arguments.

The key of a plan is the document, the statement, the principal's likeness, the policy, and each value of the request
that decides more than a parameter (see `planning.py`).
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from cachetools import LRUCache
from sqlalchemy.engine import Dialect

from policies import Snapshot
from resolvers.reading.condition_fields import ME, MY_TEAM
from resolvers.reading.provenance import Path, is_traceable

from ..compiler_thread import off_the_loop
from .documents import Document
from .plan import Plan, Request
from .planning import Compile, compile_plan, find_deciding, traceable_paths

MAX_PLANS, MAX_BYTES = 2_000, 24 * 2**20
"""Maximum number of cached plans, and of their bytes together."""
_PARAMETER_BYTES = 500
"""Bytes of a parameter with its source."""
Build = Callable[..., Awaitable[Any]]
"""Runs a function that builds a statement, and returns its result."""
MAX_PATHS = 50
"""Maximum number of values of a request for a plan.  Lists of that length come in too many lengths to share one."""
MAX_DECIDING = 4
"""Maximum number of sets of deciding paths that a lookup tries for one statement."""


class Plans:
    """The plans of one engine under the policy in force; the cache drops the least recently used.

    `plan_at`: ordinal of the request for a statement that makes its plan (1 is the first request).  A plan costs
    several compilations, so a statement that is asked for once gets none.
    """

    def __init__(self, plan_at: int = 2) -> None:
        self.plan_at = plan_at
        self._plans: LRUCache[Any, Plan] = LRUCache(MAX_BYTES, getsizeof=_bytes_of)
        self._policy: Snapshot | None = None

    @property
    def count(self) -> int:
        return len(self._plans)

    def texts(self) -> list[str]:
        """The SQL texts of the cached plans."""
        return [plan.statement.text for plan in self._plans.values()]

    def find(self, document: Document, statement: str, policy: Snapshot, request: Request) -> Plan | None:
        for deciding in document.statement(statement).deciding:
            try:
                return self._plans[_key(document, statement, policy, request, deciding)]
            except KeyError:
                continue
        return None

    async def make(
        self,
        document: Document,
        statement: str,
        policy: Snapshot,
        request: Request,
        dialect: Dialect,
        compile: Compile,
        build: Build = off_the_loop,
    ) -> Plan | None:
        """The plan for this request, added to the cache; None where no set of deciding paths makes it reusable."""
        made = await build(_planned, request, dialect, compile)
        if made is None:
            return None
        plan: Plan = made[0]
        deciding: frozenset[Path] = made[1]
        self._keep(document, statement, policy, request, deciding, plan)
        return plan

    def _keep(
        self,
        document: Document,
        statement: str,
        policy: Snapshot,
        request: Request,
        deciding: frozenset[Path],
        plan: Plan,
    ) -> None:
        if policy is not self._policy:  # plans of the former policy are of no use to later requests
            self._policy = policy
            self._plans.clear()
        known = document.statement(statement).deciding
        if deciding not in known:
            known[:] = [deciding, *known][:MAX_DECIDING]
        if _bytes_of(plan) <= MAX_BYTES:
            self._plans[_key(document, statement, policy, request, deciding)] = plan


def _bytes_of(plan: Plan) -> int:
    """Bytes of a plan, at least one MAX_PLANS-th of all."""
    statement = plan.statement
    return max(len(statement.text) + _PARAMETER_BYTES * len(statement.parameters), MAX_BYTES // MAX_PLANS)


def _planned(request: Request, dialect: Dialect, compile: Compile) -> tuple[Plan, frozenset[Path]] | None:
    """A plan with its deciding paths."""
    paths = set(traceable_paths(request))
    if len(paths) > MAX_PATHS:
        return None
    deciding: frozenset[Path] = frozenset(path for path in paths if request.at(path) == "")
    for _ in range(len(paths) + 1):
        plan, used = compile_plan(dialect, compile, request, deciding)
        deciding |= paths - used
        found = find_deciding(dialect, compile, request, deciding, plan)
        if found is None:
            return plan, deciding
        if not found:
            return None
        deciding |= found
    return None


# --- keys ------------------------------------------------------------------------------------------------


def _key(document: Document, statement: str, policy: Snapshot, request: Request, deciding: frozenset[Path]) -> Any:
    shape = _shape(request.variables, ("variables",), deciding)
    return document.number, statement, policy, request.requester.likeness, request.language, deciding, shape


def _shape(value: Any, path: Path, deciding: frozenset[Path]) -> Any:
    """A value without its parameters: names, lengths, types, and the values that decide."""
    if type(value) is str and path not in deciding:
        return str, value if value in (ME, MY_TEAM) else bool(value.strip())
    if isinstance(value, Mapping):
        return tuple((name, _shape(held, (*path, name), deciding)) for name, held in sorted(value.items()))
    if isinstance(value, list | tuple):
        return (list, *(_shape(held, (*path, n), deciding) for n, held in enumerate(value)))
    if is_traceable(value) and path not in deciding:
        return type(value), True
    return type(value), value
