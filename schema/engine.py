"""The engine: a question in, the bytes of an answer out.

A query whose root fields are all compiled becomes one statement whose JSON is passed on.  Anything else goes through
the executor, which gets its rows from the same compiler.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson
import structlog
from graphql import GraphQLError, Undefined, execute, validate
from graphql.language import DocumentNode
from sqlalchemy import ColumnElement, literal_column

from models.errors import NotSignedIn, PasswordMustChange, Refusal
from policies import system
from resolvers.runtime.backend import Backend
from resolvers.runtime.ids import camel
from resolvers.runtime.principals import token_values
from resolvers.runtime.scope import Scope

from . import limits
from .build import graphql_of, schema
from .contract import Context
from .plan.compile import Compiler
from .plan.documents import Document, Documents, document_of
from .plan.plans import Plans, Request
from .plan.reader import Ended, Reader, answer_prepared
from .plan.selection import Asked, asked
from .plan.shape import kind_of
from .queries.records import ROOTS, kind_at, model_of, root_of

_log = structlog.get_logger("millpond.graphql")

ABOUT_THE_SCHEMA = {"__schema", "__type", "__typename"}
FOR_EVERYBODY = {"signIn", "__typename"}
"""What somebody who is not signed in may ask."""
WITH_ONE_TIME_PASSWORD = {"signIn", "signOut", "changePassword", "__typename"}
"""What a person may ask who has to choose a password first."""


@dataclass(frozen=True)
class Answer:
    """The JSON of an answer, how it came to be, and whether the request itself was at fault."""

    body: bytes
    kind: str
    invalid: bool = False


class Engine:
    """Answers GraphQL for one house."""

    def __init__(self, backend: Backend, *, plan_at: int = 2) -> None:
        """`plan_at`: the how-manieth time a document is asked a plan is made; making one costs several compilations."""
        self.backend, self.documents, self.plans = backend, Documents(), Plans(plan_at)
        self.schema = graphql_of(schema())
        queries = self.schema.query_type
        assert queries is not None, "there is something to ask"
        for name in ROOTS:
            queries.fields[name].resolve = _compiled_root

    async def answer(
        self, scope: Scope, query: str, variables: Mapping[str, Any] | None, operation_name: str | None
    ) -> Answer:
        """Answer one request.  Raises TooComplex; refusals and mistakes are in the answer."""
        try:
            known = self.documents.find(query)
            if known is not None:
                known.check_size(variables or {})
            else:
                document = limits.parse(query)
                limits.check(document, variables)
                mistakes = validate(self.schema, document, max_errors=10, hide_suggestions=scope.principal is None)
                if mistakes:
                    return _invalid(mistakes)
                known = document_of(document, variables or {})
                if scope.principal is not None:  # nobody fills the memory of a house he may not enter
                    self.documents.keep(query, known)
            request = asked(self.schema, known.parsed, variables, operation_name)
            _check_entrance(scope, request)
        except GraphQLError as mistake:
            return _invalid([mistake])
        except Refusal as refusal:
            return _turned_away(refusal, scope)
        return await self._answer(scope, known, request)

    async def answer_prepared(
        self, token: str, query: str, variables: Mapping[str, Any] | None, operation_name: str | None
    ) -> Answer | None:
        """The answer to what was asked before, by a key that was used before: one statement, which looks who it is too.

        None where anything is new, or not quite as it was: then `answer` knows more.
        """
        document = self.documents.find(query)
        known = document.known.get(operation_name) if document is not None else None
        if document is None or known is None:
            return None
        given, now = variables or {}, self.backend.clock()
        key = token_values(token, now, self.backend.entrances)
        cached_identity = self.backend.cached_identity(key["hash"])
        values = known.values(self.schema, document.parsed, given)
        if (
            cached_identity is None
            or cached_identity.principal.must_change_password
            or values is None
            or not document.is_small(given)
        ):
            return None
        requester = cached_identity.requester.at(now)
        texts = await answer_prepared(
            self.backend,
            self.plans,
            document,
            known.place,
            cached_identity,
            Request(requester, requester.person.language, values, key),
        )
        return None if texts is None else Answer(_data(texts), "planned")

    async def _answer(self, scope: Scope, document: Document, request: Asked) -> Answer:
        if scope.principal is None:
            # Nobody reads nothing: the reader of a sign-in has no rights at all.
            nobody = self.backend.scope(system("system:nobody", scope.now()), "graphql")
            reader = Reader(self.backend, nobody, request, self.plans, document)
        else:
            reader = Reader(self.backend, scope, request, self.plans, document)
        fields = request.top()
        if not fields:  # everything was left out by @skip and @include
            return Answer(b'{"data":{}}', "compiled")
        names = {nodes[0].name.value for nodes in fields.values()}
        if _is_compiled(request):
            return await self._compiled(reader, document, request)
        if names <= ABOUT_THE_SCHEMA and not request.operation.variable_definitions and scope.principal is not None:
            return await self._constant(scope, reader, document, request)
        return await self._executed(scope, reader, document.parsed, request)

    async def _compiled(self, reader: Reader, document: Document, request: Asked) -> Answer:
        """One statement: the plan of an earlier request of this kind, or a new one."""

        def make(compiler: Compiler) -> dict[str, ColumnElement[Any]]:
            return _values(compiler, request)

        try:
            place = _place(request)
            texts = await reader.again(place, request.variables.coerced, make, with_key=reader.scope.token is not None)
        except Ended:
            return _turned_away(NotSignedIn(), reader.scope)
        except (Refusal, GraphQLError):  # the executor says of which field, and answers the others
            return await self._executed(reader.scope, reader, document.parsed, request)
        document.know(request, place)
        return Answer(_data(texts), "planned" if reader.planned else "compiled")

    async def _constant(self, scope: Scope, reader: Reader, document: Document, request: Asked) -> Answer:
        """What is the same for everybody who may ask: put together once."""
        name = request.operation.name.value if request.operation.name else None
        kept = self.documents.constant(document, name)
        if kept is not None:
            return Answer(kept, "constant")
        body = await self._body(scope, reader, document.parsed, request)
        answer = Answer(orjson.dumps(body), "executed")
        if "errors" not in body:
            self.documents.keep_constant(document, name, answer.body)
        return answer

    async def _executed(self, scope: Scope, reader: Reader, document: DocumentNode, request: Asked) -> Answer:
        return Answer(orjson.dumps(await self._body(scope, reader, document, request)), "executed")

    async def _body(self, scope: Scope, reader: Reader, document: DocumentNode, request: Asked) -> dict[str, Any]:
        """What the executor answers, with what went wrong in the words of the reader."""
        name = request.operation.name
        done: Any = execute(
            self.schema,
            document,
            context_value=Context(scope, request, reader),
            variable_values=_raw(request),
            operation_name=name.value if name else None,
        )
        result = await done if hasattr(done, "__await__") else done
        body: dict[str, Any] = {"data": result.data}
        if result.errors:
            body["errors"] = [_shown(error, scope) for error in result.errors]
        return body


def _is_compiled(request: Asked) -> bool:
    """Whether one statement is the whole answer."""
    return request.is_query and all(
        nodes[0].name.value == "__typename" or root_of(request, nodes) for nodes in request.top().values()
    )


def _data(texts: Mapping[str, bytes]) -> bytes:
    inner = b",".join(b'"%b":%b' % (name.encode(), text) for name, text in texts.items())
    return b'{"data":{%b}}' % inner


def _place(request: Asked) -> str:
    """The name of an operation among the statements of its document."""
    name = request.operation.name.value if request.operation.name else ""
    roots = [nodes[0] for nodes in request.top().values()]
    kinds = [kind_at("node", request.arguments("Query", node)) for node in roots if node.name.value == "node"]
    return " ".join([name, *kinds])


def _values(compiler: Compiler, request: Asked) -> dict[str, ColumnElement[Any]]:
    """The root fields of a query as SQL values by response key."""
    values = {}
    for alias, nodes in request.top().items():
        root = root_of(compiler.asked, nodes)
        values[alias] = root(compiler, nodes, compiler.asked.arguments("Query", nodes[0])) if root else _QUERY
    return values


_QUERY: ColumnElement[Any] = literal_column("'\"Query\"'")
"""What `__typename` is at the root, as JSON."""


def _raw(request: Asked) -> dict[str, Any]:
    """The variables as they came; the executor coerces them again by itself."""
    return {name: source.value for name, source in request.variables.sources.items() if source.value is not Undefined}


def _check_entrance(scope: Scope, request: Asked) -> None:
    names = {nodes[0].name.value for nodes in request.top().values()}
    if scope.principal is None and not names <= FOR_EVERYBODY:
        raise NotSignedIn
    if scope.principal is not None and scope.principal.must_change_password and not names <= WITH_ONE_TIME_PASSWORD:
        raise PasswordMustChange


async def _compiled_root(_root: Any, info: Any, **given: Any) -> Any:
    """A compiled root field inside an operation that the executor runs."""
    reader, nodes, name = info.context.reader, info.field_nodes, info.field_name
    row = orjson.loads(await reader.root(f"{name} {kind_at(name, given)}", nodes, ROOTS[name]))
    if name == "node" and row is not None:
        model = model_of(given["id"])
        assert model is not None, "it was found"
        row["~type"] = kind_of(model).name
    return row


# --- what went wrong -------------------------------------------------------------------------------------


def _turned_away(refusal: Refusal, scope: Scope) -> Answer:
    return Answer(orjson.dumps({"errors": [_refused(refusal, scope)]}), "refused", invalid=True)


def _invalid(mistakes: list[GraphQLError]) -> Answer:
    return Answer(orjson.dumps({"errors": [_formatted(mistake) for mistake in mistakes]}), "invalid", invalid=True)


def _formatted(mistake: GraphQLError) -> dict[str, Any]:
    return {**mistake.formatted, "extensions": {"code": "BAD_REQUEST", **(mistake.extensions or {})}}


def _shown(error: GraphQLError, scope: Scope) -> dict[str, Any]:
    """A refusal in words, a mistake of the client as it is, anything else as an id that the log explains."""
    cause = error.original_error
    where = {"path": error.path} if error.path else {}
    if isinstance(cause, Refusal):
        return _refused(cause, scope) | where
    if cause is None or isinstance(cause, GraphQLError):
        return _formatted(error)
    id = scope.request_id or secrets.token_hex(8)
    _log.error("a field broke", request_id=id, path=error.path, exc_info=cause)
    return {"message": f"Something went wrong (id {id})", "extensions": {"code": "INTERNAL"}} | where


def _refused(refusal: Refusal, scope: Scope) -> dict[str, Any]:
    extensions = {"code": refusal.code(), **({"field": camel(refusal.field)} if refusal.field else {})}
    return {"message": refusal.say(scope.language), "extensions": extensions}
