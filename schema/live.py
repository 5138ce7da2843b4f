"""Subscriptions: each event is answered with the rights of that moment, and one reading serves all who ask alike."""

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Hashable, Mapping
from datetime import UTC, datetime
from typing import Any, TypeVar

import orjson
from cachetools import TTLCache
from graphql import GraphQLError, subscribe, validate
from graphql.language import OperationType

from models.errors import NotSignedIn, PasswordMustChange, Refusal
from resolvers.live.hub import Hub
from resolvers.live.listeners import Change
from resolvers.runtime.backend import Backend
from resolvers.runtime.scope import Scope

from . import errors, limits, query_cost
from .answers import NOT_SAFE, NotSafe
from .contract import Context
from .engine import Engine, raw_variables
from .limits import TooComplex
from .plan.documents import Document, document_of
from .plan.reader import Reader
from .plan.selection import Operation, select_operation

T = TypeVar("T")
Identify = Callable[[], Awaitable[Scope | None]]
"""The scope of the caller by their rights of now; None when their session has ended."""
SHARED_SECONDS, MOST_SHARED = 2.0, 2_000
"""How long a reading is kept for others who ask the same, and how many are."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Ended(Exception):
    """The stream was told its last answer: the session of the caller has ended."""


class Live:
    """Answers subscriptions over one engine and one hub."""

    def __init__(self, engine: Engine, hub: Hub) -> None:
        self.engine, self.hub = engine, hub
        self.readings: TTLCache[Hashable, asyncio.Future[Any]] = TTLCache(MOST_SHARED, SHARED_SECONDS, time.monotonic)

    async def stream(
        self,
        identify: Identify,
        query: str,
        variables: Mapping[str, Any] | None,
        operation_name: str | None,
        *,
        is_safe: bool = False,
    ) -> AsyncGenerator[dict[str, Any], None]:
        """The answers to one operation, each `{data, errors}`; those of a subscription as long as there are any.

        A subscription ends with an error when the caller's session ends, when they lose the right, and when they take
        less than is told.  `is_safe`: the request may change nothing, so a mutation is refused.
        """
        scope = await identify()
        if scope is None:
            yield _refused(NotSignedIn(), None)
            return
        try:
            known = self._document(query, variables or {})
            operation = select_operation(self.engine.schema, known.parsed, variables, operation_name)
            if scope.person.must_change_password:
                raise PasswordMustChange
        except GraphQLError as mistake:
            yield {"errors": [errors.formatted(mistake)]}
        except (_Mistakes, TooComplex) as mistake:
            yield {"errors": mistake.found if isinstance(mistake, _Mistakes) else [mistake.error()]}
        except Refusal as refusal:
            yield _refused(refusal, scope)
        else:
            if operation.definition.operation is not OperationType.SUBSCRIPTION:
                yield await self._once(scope, query, variables, operation_name, is_safe=is_safe)
                return
            subscriber = Subscriber(self, identify, scope, known, operation)
            async for told in subscriber.answers():
                yield told

    async def _once(
        self, scope: Scope, query: str, variables: Mapping[str, Any] | None, name: str | None, *, is_safe: bool
    ) -> dict[str, Any]:
        """The answer to a query or mutation."""
        try:
            answer = await self.engine.answer(scope, query, variables, name, is_safe=is_safe)
        except NotSafe:
            return {"errors": [NOT_SAFE]}
        found: dict[str, Any] = orjson.loads(answer.body)
        return found

    def _document(self, query: str, variables: Mapping[str, Any]) -> Document:
        """The document of a text, shared with all who send the same.  Raises _Mistakes, TooComplex, GraphQLError."""
        known = self.engine.documents.find(query)
        if known is not None:
            known.check_size(variables)
            return known
        parsed = limits.parse(query)
        query_cost.check(parsed, variables)
        if mistakes := validate(self.engine.schema, parsed, max_errors=10):
            raise _Mistakes([errors.formatted(mistake) for mistake in mistakes])
        known = document_of(parsed, variables)
        self.engine.documents.keep(query, known)
        return known


class Subscriber:
    """One subscription of one caller."""

    def __init__(self, live: Live, identify: Identify, scope: Scope, document: Document, operation: Operation) -> None:
        self.live, self._identify, self._document, self._operation = live, identify, document, operation
        self.context = Context(scope, operation, self._reader(scope), self)
        self.knows_first = False
        """Whether the first answer is what the caller has already, against which later ones are compared."""

    @property
    def hub(self) -> Hub:
        return self.live.hub

    async def answers(self) -> AsyncIterator[dict[str, Any]]:
        """The answers that differ from the one before: what the caller may not see changes nothing, not even by silence."""
        scope, last = self.context.scope, None
        try:
            source = await self._source()
            if not hasattr(source, "__aiter__"):
                yield self._shown(source)
                return
            async for result in source:
                answer = self._shown(result)
                text = orjson.dumps(answer)
                if text != last and not (last is None and self.knows_first):
                    yield answer
                last = text
        except Refusal as refusal:
            yield _refused(refusal, scope)
            if isinstance(refusal, NotSignedIn):
                raise Ended from None
        except Exception as failure:  # noqa: BLE001  a door: the subscriber gets a sentence and an id
            broken = GraphQLError("broke", original_error=failure)
            yield {"errors": [errors.shown(broken, scope)]}

    async def batches(self, *topics: str) -> AsyncIterator[list[Change]]:
        """What changed in these topics, each time with the rights of then.  Raises NotSignedIn when the session has ended."""
        with self.live.hub.listeners.listening(topics) as listener:
            async for changes in listener.batches():
                scope = await self._identify()
                if scope is None:
                    raise NotSignedIn
                self.context.scope, self.context.reader = scope, self._reader(scope)
                if changes:
                    yield changes

    async def shared(self, what: Hashable, read: Callable[[], Awaitable[T]]) -> T:
        """The result of `read`, once for all subscribers of one person and document since the last event."""
        scope, variables = self.context.scope, self._operation.variables.coerced
        person = scope.person.at(_EPOCH)
        asked = orjson.dumps(variables, default=str, option=orjson.OPT_SORT_KEYS)
        key = (what, person, scope.language, scope.policy, id(self._document), asked, self.live.hub.readings)
        found = self.live.readings.get(key)
        if found is None:
            found = self.live.readings[key] = asyncio.ensure_future(read())
        result: T = await asyncio.shield(found)
        return result

    async def _source(self) -> Any:
        name = self._operation.definition.name
        found: Any = subscribe(
            self.live.engine.schema,
            self._document.parsed,
            context_value=self.context,
            variable_values=raw_variables(self._operation),
            operation_name=name.value if name else None,
        )
        return await found if hasattr(found, "__await__") else found

    def _reader(self, scope: Scope) -> Reader:
        engine = self.live.engine
        return Reader(engine.backend, scope, self._operation, engine.plans, self._document)

    def _shown(self, result: Any) -> dict[str, Any]:
        answer = {"data": result.data}
        if result.errors:
            answer["errors"] = [errors.shown(error, self.context.scope) for error in result.errors]
        return answer


class _Mistakes(Exception):
    """A document that is no valid one."""

    def __init__(self, found: list[dict[str, Any]]) -> None:
        super().__init__("the document is not valid")
        self.found = found


def _refused(refusal: Refusal, scope: Scope | None) -> dict[str, Any]:
    language = scope.language if scope is not None else "en"
    return {"errors": [{"message": refusal.say(language), "extensions": {"code": refusal.code()}}]}


def identified(backend: Backend, token: str, **request: str | None) -> Identify:
    """Who asks with this token, each time anew; waiting for events is no use of a session, and does not prolong it."""

    async def identify() -> Scope | None:
        principal = await backend.principal_of(token, is_use=False)
        return backend.scope(principal, "graphql", token=token, **request) if principal is not None else None

    return identify
