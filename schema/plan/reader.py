"""Running what was compiled: one statement on the read engine, which cannot write."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import orjson
from graphql import FieldNode
from sqlalchemy import Select, or_, select
from sqlalchemy.engine import Dialect

from models.database.reads import TooNested, driven
from models.errors import Refusal
from resolvers.reading.provenance import Misfit
from resolvers.reading.search_in_statement import Searches
from resolvers.runtime import principals
from resolvers.runtime.backend import House
from resolvers.runtime.principals import TOLD, Identity, Key
from resolvers.runtime.scope import Scope
from resolvers.runtime.viewer import Look

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

    def __init__(self, house: House, scope: Scope, asked: Asked, plans: Plans, document: Document) -> None:
        self.house, self.scope = house, scope
        self.asked, self.plans, self.document = asked, plans, document
        self.planned = 0

    async def again(
        self, place: str, variables: Mapping[str, Any], make: Make, *, with_key: bool = False
    ) -> dict[str, bytes]:
        """The values that `make` compiles, by the plan of an earlier request of this kind, or by a new one.

        `make` takes the variables from the compiler, and nothing that depends on the request from anywhere else.
        `with_key`: the statement also looks whether the key of this request is in force, so that its plan can serve the
        next such request by itself (`once_more`).  Raises Ended when it is not any more.
        """
        wanted = Request(self.scope.person, self.scope.language, variables, self._key if with_key else {})
        nested, walking = (0 if place in self.document.gathered else correlated.MOST_NESTED), False
        while True:
            try:
                return await self._again(place, wanted, make, nested, walking=walking)
            except TooNested:
                if not nested:
                    raise
                self.document.gathered.add(place)
                nested = 0
            except TooMany:
                walking = True

    @property
    def _key(self) -> Mapping[str, Any]:
        """What a statement asks of the key of this request; nothing without one."""
        token = self.scope.token
        return principals.token_values(token, self.scope.now(), self.house.entrances) if token else {}

    async def _again(self, place: str, wanted: Request, make: Make, nested: int, *, walking: bool) -> dict[str, bytes]:
        kind = principals.kind_of_key(self.scope.token) if wanted.key and self.scope.token else None
        form = form_of(place, kind, gathered=not nested, walking=walking)
        key = (self.document, form, self.scope.policy)

        def compile(wanted: Request) -> tuple[Select[Any], tuple[str, ...]]:
            look = Look(wanted.person, self.scope.policy, wanted.language)
            asked = self.asked.with_values(wanted.variables)
            searches = Searches(self.house.dialect, walking=walking)
            dialect = DIALECTS[self.house.dialect]
            values = make(Compiler(look, dialect, asked, searches, nested))
            columns: list[Any] = [dialect.bytes(value).label(f"r{n}") for n, value in enumerate(values.values())]
            columns += [or_(*searches.too_many)] if searches.too_many else []
            return (select(*columns) if kind is None else principals.beside(kind, columns)), tuple(values)

        try:
            plan = self.plans.find(*key, wanted)
            if plan is not None:
                return await self._by_plan(plan, wanted)
        except Misfit:
            pass  # compiled below, for itself
        known = self.document.statement(form)
        known.asked += 1
        if known.asked >= self.plans.made_at:
            plan = self.plans.make(*key, wanted, self.dialect, compile)
            if plan is not None:
                return await self._by_plan(plan, wanted)
        statement, names = compile(wanted)
        sql, parameters = driven(statement, self.dialect)
        given = [replace(each, value=wanted.key[each.name]) if each.is_asked else each for each in parameters]
        rows = await self.house.reads.rows(sql, [each.driven for each in given])
        return _told(names, rows, with_key=kind is not None)

    async def _by_plan(self, plan: Plan, wanted: Request) -> dict[str, bytes]:
        rows = await self.house.reads.rows(plan.sql, plan.values(wanted))
        self.planned += 1
        return _told(plan.names, rows, with_key=bool(wanted.key))

    @property
    def dialect(self) -> Dialect:
        """How the driver of the read engine wants its text."""
        return self.house.read_engine.dialect

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


async def once_more(
    house: House, plans: Plans, document: Document, place: str, met: Identity, wanted: Request
) -> dict[str, bytes] | None:
    """The values of a statement that is planned, if it says of the key of this request what was known before.

    None when there is no plan, when its plan does not fit, or when the person is not quite as he was: then nothing of
    what was read may be told.
    """
    policy, gathered = house.policy, place in document.gathered
    if policy.revision != met.revision:
        return None
    for walking in (False, True):
        form = form_of(place, met.key, gathered=gathered, walking=walking)
        try:
            plan = plans.find(document, form, policy, wanted)
            if plan is None:
                return None
            rows = await house.reads.rows(plan.sql, plan.values(wanted))
            if not rows or not met.is_told_by(rows[0]):
                return None
            if rows[0][TOLD - 1]:
                house.note_seen(met, wanted.person.now)
            return _told(plan.names, rows, with_key=True)
        except TooMany:
            continue
        except (Misfit, Refusal, TooNested):
            return None
    return None


def form_of(place: str, key: Key | None, *, gathered: bool, walking: bool) -> str:
    """The name of a statement among those of its document: where it stands, and how it is written."""
    by = f", by {key.__tablename__}" if key is not None else ""
    return f"{place}{by}{', gathered' if gathered else ''}{', walking' if walking else ''}"


def _told(names: Sequence[str], rows: Sequence[Sequence[Any]], *, with_key: bool) -> dict[str, bytes]:
    """Response key -> the JSON of its value.  Raises TooMany when the row says so behind them, Ended without a row."""
    if not rows:
        raise Ended
    row = rows[0][TOLD:] if with_key else rows[0]
    if any(row[len(names) :]):
        raise TooMany
    return {name: text if text is not None else b"null" for name, text in zip(names, row, strict=False)}
