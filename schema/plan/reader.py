"""Running what was compiled: one statement on the read engine, which cannot write."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import orjson
from graphql import FieldNode
from sqlalchemy import Select, or_, select
from sqlalchemy.engine import Dialect

from models.database.compiled import compile_statement
from models.database.reads import TooNested
from models.errors import Refusal
from resolvers.reading.provenance import PlanMismatch
from resolvers.reading.search_in_statement import Searches
from resolvers.runtime import principals
from resolvers.runtime.backend import Backend
from resolvers.runtime.principals import TOLD, Identity, Key
from resolvers.runtime.scope import Scope
from resolvers.runtime.viewer import Requester, Viewer

from . import correlated
from .compile import Compiler
from .dialect import DIALECTS, Value
from .documents import Document
from .plans import Plan, Plans, Request
from .selection import Asked
from .shape import Kind

Make = Callable[[Compiler], Mapping[str, Value]]
Root = Callable[[Compiler, Sequence[FieldNode], Mapping[str, Any]], Value]
"""What compiles one root field: its nodes and its arguments."""


class TooMany(Exception):
    """A search leads to so many records that the statement has not looked among them."""


class Ended(Exception):
    """The key with which somebody came is not in force any more."""


IDS = "~ids"
"""Among the variables of a statement that reads records: which."""


class Reader:
    """Reads for one request.  Every call is one statement, and one statement is one snapshot."""

    def __init__(self, backend: Backend, scope: Scope, asked: Asked, plans: Plans, document: Document) -> None:
        self.backend, self.scope = backend, scope
        self.asked, self.plans, self.document = asked, plans, document
        self.planned = 0

    async def again(
        self, place: str, variables: Mapping[str, Any], make: Make, *, with_key: bool = False
    ) -> dict[str, bytes]:
        """The values that `make` compiles, by the plan of an earlier request of this kind, or by a new one.

        `make` takes the variables from the compiler, and nothing that depends on the request from anywhere else.
        `with_key`: the statement also looks whether the key of this request is in force, so that its plan can serve the
        next such request by itself (`answer_prepared`).  Raises Ended when it is not any more.
        """
        requester = Requester(self.scope.person, self.scope.sees_many)
        wanted = Request(requester, self.scope.language, variables, self._key if with_key else {})
        nested, walking = (0 if place in self.document.aggregated else correlated.MOST_NESTED), False
        while True:
            try:
                return await self._again(place, wanted, make, nested, walking=walking)
            except TooNested:
                if not nested:
                    raise
                self.document.aggregated.add(place)
                nested = 0
            except TooMany:
                walking = True

    @property
    def _key(self) -> Mapping[str, Any]:
        """What a statement asks of the key of this request; nothing without one."""
        token = self.scope.token
        return principals.token_values(token, self.scope.now(), self.backend.entrances) if token else {}

    async def _again(self, place: str, wanted: Request, make: Make, nested: int, *, walking: bool) -> dict[str, bytes]:
        kind = principals.kind_of_key(self.scope.token) if wanted.key and self.scope.token else None
        form = form_of(place, kind, aggregated=not nested, walking=walking)
        key = (self.document, form, self.scope.policy)

        def compile(wanted: Request) -> tuple[Select[Any], tuple[str, ...]]:
            viewer = Viewer(wanted.person, self.scope.policy, wanted.language, wanted.requester.sees_many)
            asked = self.asked.with_values(wanted.variables)
            searches = Searches(self.backend.dialect, walking=walking)
            dialect = DIALECTS[self.backend.dialect]
            values = make(Compiler(viewer, dialect, asked, searches, nested))
            columns: list[Any] = [dialect.bytes(value).label(f"r{n}") for n, value in enumerate(values.values())]
            columns += [or_(*searches.too_many)] if searches.too_many else []
            return (select(*columns) if kind is None else principals.beside(kind, columns)), tuple(values)

        try:
            plan = self.plans.find(*key, wanted)
            if plan is not None:
                return await self._by_plan(plan, wanted)
        except PlanMismatch:
            pass  # compiled below, for itself
        known = self.document.statement(form)
        known.asked += 1
        if known.asked >= self.plans.made_at:
            plan = self.plans.make(*key, wanted, self.dialect, compile)
            if plan is not None:
                return await self._by_plan(plan, wanted)
        statement, names = compile(wanted)
        compiled = compile_statement(statement, self.dialect)
        rows = await self.backend.reads.rows(compiled.text, compiled.values(wanted.key))
        return _told(names, rows, with_key=kind is not None)

    async def _by_plan(self, plan: Plan, wanted: Request) -> dict[str, bytes]:
        rows = await self.backend.reads.rows(plan.statement.text, plan.statement.values(wanted))
        self.planned += 1
        return _told(plan.names, rows, with_key=bool(wanted.key))

    @property
    def dialect(self) -> Dialect:
        """How the driver of the read engine wants its text."""
        return self.backend.read_engine.dialect

    async def root(self, name: str, nodes: Sequence[FieldNode], compile: Root) -> bytes:
        """The JSON of one root field of an operation that the executor puts together."""
        place = f"{name} at {nodes[0].loc.start if nodes[0].loc else 0}"

        def make(compiler: Compiler) -> dict[str, Value]:
            return {name: compile(compiler, nodes, compiler.asked.arguments("Query", nodes[0]))}

        return (await self.again(place, self.asked.variables_of(nodes), make))[name]

    async def records(self, kind: Kind, nodes: Sequence[FieldNode], ids: Sequence[int]) -> list[dict[str, Any]]:
        """The records that may be seen, in the order of `ids`, as dictionaries by response key."""
        if not ids:
            return []
        place = f"{kind.name} at {nodes[0].loc.start if nodes[0].loc else 0}"
        variables = {**self.asked.variables_below(nodes), IDS: list(ids)}

        def make(compiler: Compiler) -> dict[str, Value]:
            return {"all": compiler.records(kind, nodes, compiler.asked.variables.coerced[IDS])}

        texts = await self.again(place, variables, make)
        found = {record["~id"]: record for record in orjson.loads(texts["all"])}
        return [found[id] for id in ids if id in found]


async def answer_prepared(
    backend: Backend, plans: Plans, document: Document, place: str, cached_identity: Identity, wanted: Request
) -> dict[str, bytes] | None:
    """The values of a statement that is planned, if it says of the key of this request what was known before.

    None when there is no plan, when its plan does not fit, or when the person is not quite as he was: then nothing of
    what was read may be told.
    """
    policy, aggregated = backend.policy, place in document.aggregated
    if policy.revision != cached_identity.revision:
        return None
    for walking in (False, True):
        form = form_of(place, cached_identity.key, aggregated=aggregated, walking=walking)
        try:
            plan = plans.find(document, form, policy, wanted)
            if plan is None:
                return None
            rows = await backend.reads.rows(plan.statement.text, plan.statement.values(wanted))
            if not rows or not cached_identity.is_told_by(rows[0]):
                return None
            if rows[0][TOLD - 1]:
                backend.note_seen(cached_identity, wanted.person.now)
            return _told(plan.names, rows, with_key=True)
        except TooMany:
            continue
        except (PlanMismatch, Refusal, TooNested):
            return None
    return None


def form_of(place: str, key: Key | None, *, aggregated: bool, walking: bool) -> str:
    """The name of a statement among those of its document: where it stands, and how it is written."""
    by = f", by {key.__tablename__}" if key is not None else ""
    return f"{place}{by}{', aggregated' if aggregated else ''}{', walking' if walking else ''}"


def _told(names: Sequence[str], rows: Sequence[Sequence[Any]], *, with_key: bool) -> dict[str, bytes]:
    """Response key -> the JSON of its value.  Raises TooMany when the row says so behind them, Ended without a row."""
    if not rows:
        raise Ended
    row = rows[0][TOLD:] if with_key else rows[0]
    if any(row[len(names) :]):
        raise TooMany
    return {name: text if text is not None else b"null" for name, text in zip(names, row, strict=False)}
