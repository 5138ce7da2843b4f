"""The reader: runs compiled statements on the read engine, which cannot write."""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import orjson
from graphql import FieldNode, GraphQLError
from sqlalchemy import Select, or_, select
from sqlalchemy.engine import Dialect

from models.database.compiled import CompiledStatement, compile_statement
from models.database.reads import TooNested
from models.errors import Refusal, TooManyAttempts
from resolvers.reading.provenance import PlanMismatch
from resolvers.reading.search_in_statement import Searches
from resolvers.runtime import principals
from resolvers.runtime.backend import Backend
from resolvers.runtime.budgets import Costly
from resolvers.runtime.principals import IDENTITY_COLUMNS, Identity, Key
from resolvers.runtime.scope import Scope
from resolvers.runtime.viewer import Requester, Viewer

from .. import query_cost
from ..compiler_thread import off_the_loop
from ..limits import TooComplex
from . import correlated
from .compile import Compiler
from .dialect import DIALECTS, Value
from .documents import Document
from .faults import Faults
from .plan import Plan, Request
from .planning import Compile
from .plans import Plans
from .selection import Operation
from .shape import Kind

T = TypeVar("T")
Make = Callable[[Compiler], Mapping[str, Value]]
CompileRoot = Callable[[Compiler, Sequence[FieldNode], Mapping[str, Any]], Value]
"""Compiles one root field from its nodes and its arguments."""


class TooManyMatches(Exception):
    """A search matches more records than the statement looks among; the list must be scanned instead."""


class KeyEnded(Exception):
    """The session or token of the request is no longer in force."""


IDS = "~ids"
"""The variable that holds the ids, in a statement that reads records by id."""


class Reader:
    """Reads for one request.  Every call is one statement, and one statement is one snapshot."""

    def __init__(
        self,
        backend: Backend,
        scope: Scope,
        operation: Operation,
        plans: Plans,
        document: Document,
        *,
        is_safe: bool = False,
    ) -> None:
        """`is_safe`: the request may change nothing, because it came by GET."""
        self.backend, self.scope, self.is_safe = backend, scope, is_safe
        self.operation, self.plans, self.document = operation, plans, document
        self.used_plan = False
        self.faults = Faults()

    async def read(
        self,
        statement: str,
        variables: Mapping[str, Any],
        make: Make,
        *,
        with_key: bool = False,
        faults: Faults | None = None,
    ) -> dict[str, bytes]:
        """The JSON of each value that `make` compiles, by a cached plan or by a new one.

        `make` takes the variables from the compiler, and nothing else that depends on the request.
        `with_key`: the statement also checks that the session or token is in force, so that its plan can answer the
        next such request alone (`answer_prepared`).  Raises KeyEnded when it is not.
        `faults` takes refusals of arguments below the root; such a statement serves this request alone.
        """
        if statement in self.document.searching:
            self.backend.budgets.spend(self.scope.person.id, Costly.SEARCHES)
        requester = Requester(self.scope.person, self.scope.sees_many)
        request = Request(requester, self.scope.language, variables, self._key if with_key else {})
        is_deep, is_scan = statement in self.document.deep, False
        while True:
            try:
                return await self._read(statement, request, make, faults, is_deep=is_deep, is_scan=is_scan)
            except TooNested:
                if is_deep:
                    raise TooComplex(depth=query_cost.measure(self.document.parsed, variables).depth) from None
                self.document.deep.add(statement)
                is_deep = True
            except TooManyMatches:
                is_scan = True

    @property
    def _key(self) -> Mapping[str, Any]:
        """The values for the check of the session or token; empty without one."""
        token = self.scope.token
        return principals.token_values(token, self.scope.now(), self.backend.entrances) if token else {}

    async def _read(
        self, statement: str, request: Request, make: Make, faults: Faults | None, *, is_deep: bool, is_scan: bool
    ) -> dict[str, bytes]:
        key_kind = principals.kind_of_key(self.scope.token) if request.key and self.scope.token else None
        name = form_of(statement, key_kind, is_deep=is_deep, is_scan=is_scan)
        at = (self.document, name, self.scope.policy)

        def compile(request: Request) -> tuple[Select[Any], tuple[str, ...]]:
            viewer = Viewer(request.principal, self.scope.policy, request.language, request.requester.sees_many)
            operation = self.operation.with_values(request.variables)
            searches = Searches(self.backend.dialect, walking=is_scan)
            dialect = DIALECTS[self.backend.dialect]
            max_nested = 0 if is_deep else correlated.MAX_NESTED
            values = make(Compiler(viewer, dialect, operation, searches, max_nested, faults))
            columns: list[Any] = [dialect.bytes(value).label(f"r{n}") for n, value in enumerate(values.values())]
            columns += [or_(*searches.too_many)] if searches.too_many else []
            if searches.too_many or is_scan:
                self.document.searching.add(statement)
            return (select(*columns) if key_kind is None else principals.with_identity(key_kind, columns)), tuple(
                values
            )

        # A plan fits users alike, and knows nothing of the one who views as another: what locks close to them stays closed.
        serves_one = faults is not None or request.principal.looker is not None
        found = None if serves_one else await self._by_plan(at, request, compile)
        if found is not None:
            return found
        compiled, names = await self._build(_compiled, compile, request, self.dialect)
        rows = await self.backend.reads.rows(compiled.text, compiled.values(request.key))
        return _texts(names, rows, with_key=key_kind is not None)

    async def _by_plan(
        self, at: tuple[Document, str, Any], request: Request, compile: Compile
    ) -> dict[str, bytes] | None:
        """The values by a cached plan, or by a new one; None where the statement serves this request alone."""
        try:
            plan = self.plans.find(*at, request)
            if plan is not None:
                return await self._read_by_plan(plan, request)
        except PlanMismatch:
            pass
        document, name, _ = at
        known = document.statement(name)
        known.requests += 1
        if known.requests >= self.plans.plan_at:
            plan = await self.plans.make(*at, request, self.dialect, compile, self._build)
            if plan is not None:
                return await self._read_by_plan(plan, request)
        return None

    async def _build(self, work: Callable[..., T], *args: Any) -> T:
        """The result of `work` on the compiler thread, whose time counts.  Raises TooManyAttempts."""
        who, budgets = self.scope.person.id, self.backend.budgets
        budgets.check(who, Costly.COMPILING)
        made, seconds = await off_the_loop(_timed, work, *args)
        budgets.take(who, Costly.COMPILING, seconds)
        return made

    async def _read_by_plan(self, plan: Plan, request: Request) -> dict[str, bytes]:
        rows = await self.backend.reads.rows(plan.statement.text, plan.statement.values(request))
        self.used_plan = True
        return _texts(plan.names, rows, with_key=bool(request.key))

    @property
    def dialect(self) -> Dialect:
        """The SQLAlchemy dialect of the read engine's driver."""
        return self.backend.read_engine.dialect

    async def root(self, name: str, nodes: Sequence[FieldNode], compile: CompileRoot) -> bytes:
        """The JSON of one compiled root field, for an operation that the executor runs."""
        statement = f"{name} at {nodes[0].loc.start if nodes[0].loc else 0}"

        def make(compiler: Compiler) -> dict[str, Value]:
            return {name: compile(compiler, nodes, compiler.operation.arguments("Query", nodes[0]))}

        return (await self._each(statement, self.operation.variables_of(nodes), make))[name]

    async def _each(self, statement: str, variables: Mapping[str, Any], make: Make) -> dict[str, bytes]:
        """What `read` returns, for the executor: refused arguments below the root fail their own fields alone."""
        try:
            return await self.read(statement, variables, make)
        except TooManyAttempts:
            raise
        except (Refusal, GraphQLError):
            return await self.read(statement, variables, make, faults=self.faults)

    async def records(self, kind: Kind, nodes: Sequence[FieldNode], ids: Sequence[int]) -> list[dict[str, Any]]:
        """The visible records among `ids`, in their order, as dictionaries by response key."""
        if not ids:
            return []
        statement = f"{kind.name} at {place_of(nodes)}"
        variables = {**self.operation.variables_below(nodes), IDS: list(ids)}

        def make(compiler: Compiler) -> dict[str, Value]:
            return {"all": compiler.records(kind, nodes, compiler.operation.variables.coerced[IDS])}

        texts = await self._each(statement, variables, make)
        found = {record["~id"]: record for record in orjson.loads(texts["all"])}
        return [found[id] for id in ids if id in found]


async def answer_prepared(
    backend: Backend, plans: Plans, document: Document, statement: str, cached_identity: Identity, request: Request
) -> dict[str, bytes] | None:
    """The values of a planned statement, if it also returns the identity that the cache holds for the caller's key.

    None when there is no plan, when the plan does not fit, or when the identity has changed: then the values that were
    read are discarded.
    """
    policy, is_deep = backend.policy, statement in document.deep
    if (policy.revision, policy.book.revision) != (cached_identity.revision, cached_identity.edition):
        return None
    if statement in document.searching:
        try:
            backend.budgets.spend(request.principal.id, Costly.SEARCHES)
        except TooManyAttempts:
            return None
    for is_scan in (False, True):
        name = form_of(statement, cached_identity.key, is_deep=is_deep, is_scan=is_scan)
        try:
            plan = plans.find(document, name, policy, request)
            if plan is None:
                return None
            rows = await backend.reads.rows(plan.statement.text, plan.statement.values(request))
            if not rows or not cached_identity.is_confirmed_by(rows[0]):
                return None
            if rows[0][IDENTITY_COLUMNS - 1]:
                backend.note_seen(cached_identity, request.principal.now)
            return _texts(plan.names, rows, with_key=True)
        except TooManyMatches:
            continue
        except (PlanMismatch, Refusal, TooNested):
            return None
    return None


def place_of(nodes: Sequence[FieldNode]) -> str:
    """Where in the document these nodes are, which are merged into one selection."""
    return "+".join(str(node.loc.start if node.loc else 0) for node in nodes)


def _timed(work: Callable[..., T], *args: Any) -> tuple[T, float]:
    """(result, seconds of the processor)."""
    began = time.thread_time()
    return work(*args), time.thread_time() - began


def _compiled(compile: Compile, request: Request, dialect: Dialect) -> tuple[CompiledStatement, Sequence[str]]:
    made, names = compile(request)
    return compile_statement(made, dialect), names


def form_of(statement: str, key: Key | None, *, is_deep: bool, is_scan: bool) -> str:
    """The full name of a statement in its document: its place, and the form in which it is compiled."""
    by = f", by {key.__tablename__}" if key is not None else ""
    return f"{statement}{by}{', deep' if is_deep else ''}{', scan' if is_scan else ''}"


def _texts(names: Sequence[str], rows: Sequence[Sequence[Any]], *, with_key: bool) -> dict[str, bytes]:
    """Response key -> the JSON of its value.  Raises KeyEnded without a row, TooManyMatches when the row says so."""
    if not rows:
        raise KeyEnded
    row = rows[0][IDENTITY_COLUMNS:] if with_key else rows[0]
    if any(row[len(names) :]):
        raise TooManyMatches
    return {name: text if text is not None else b"null" for name, text in zip(names, row, strict=False)}
