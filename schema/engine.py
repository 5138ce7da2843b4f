"""The engine: answers a GraphQL request with the bytes of a JSON body.

A query whose root fields are all compiled becomes one SQL statement, whose JSON is passed on unchanged.  The executor
of graphql-core answers all other operations, and reads its records with the same compiler.
"""

from collections.abc import Mapping
from functools import partial
from typing import Any

import orjson
from graphql import GraphQLError, Undefined, execute, validate
from graphql.language import DocumentNode, OperationType
from sqlalchemy import ColumnElement, literal_column

from models.errors import NotSignedIn, Refusal, TooManyAttempts
from policies import system
from resolvers.runtime.backend import Backend
from resolvers.runtime.principals import token_values
from resolvers.runtime.scope import Scope

from . import answers, errors, limits, query_cost
from .answers import Answer, NotSafe
from .build import graphql_of, schema
from .compiler_thread import off_the_loop
from .contract import Context
from .entrance import entrance_refusal
from .nodes import has_reader, read_node, resolve_nodes
from .opening import FIELDS, is_closed, opened
from .past_rows import PAST, past_row
from .plan.compile import Compiler
from .plan.documents import Document, Documents, document_of
from .plan.plan import Request
from .plan.plans import Plans
from .plan.reader import KeyEnded, Reader, answer_prepared
from .plan.selection import Operation, select_operation
from .plan.shape import kind_of
from .roots import ROOTS, kind_at, model_of, root_of
from .types.scalars import ZONE
from .wrong_variables import WrongVariables

SHORT_TEXT = 1_000
"""Number of characters up to which a new text is parsed on the event loop; that takes some two milliseconds."""
INTROSPECTION = {"__schema", "__type", "__typename"}


class Engine:
    """Answers GraphQL requests on one backend."""

    def __init__(self, backend: Backend, *, plan_at: int = 2) -> None:
        """`plan_at`: ordinal of the request for a statement that makes its plan, see `Plans`."""
        self.backend, self.documents, self.plans = backend, Documents(), Plans(plan_at)
        self.schema = graphql_of(schema())
        queries = self.schema.query_type
        assert queries is not None, "the schema has query fields"
        for name in ROOTS:
            queries.fields[name].resolve = _resolve_compiled
        queries.fields["nodes"].resolve = resolve_nodes

    async def answer(
        self,
        scope: Scope,
        query: str,
        variables: Mapping[str, Any] | None,
        operation_name: str | None,
        *,
        is_safe: bool = False,
    ) -> Answer:
        """Answer one request.  Raises TooComplex; refusals and GraphQL errors are in the answer.

        `is_safe`: the request may change nothing.  Raises NotSafe for a mutation then.
        """
        ZONE.set(scope.principal.zone if scope.principal is not None else "UTC")
        try:
            document = self.documents.find(query)
            if document is not None:
                document.check_size(variables or {})
            else:
                is_stranger = scope.principal is None
                if len(query) <= SHORT_TEXT:
                    found = self._read(query, variables, is_stranger=is_stranger)
                else:
                    found = await off_the_loop(self._read, query, variables, is_stranger=is_stranger)
                if isinstance(found, list):
                    return answers.invalid(found)
                document = found
                if scope.principal is not None:  # callers who are not signed in do not fill the cache
                    self.documents.keep(query, document)
            operation = select_operation(self.schema, document.parsed, variables, operation_name)
            if is_safe and operation.definition.operation is OperationType.MUTATION:
                raise NotSafe
            _check_signed_in(scope, operation)
            _check_can_answer(operation)
        except WrongVariables as wrong:
            refusal = entrance_refusal(scope, wrong.asked())
            if refusal is not None:
                return answers.refused_whole(refusal, scope)
            return Answer(orjson.dumps({"errors": wrong.told(scope.language)}), "invalid", invalid=True)
        except GraphQLError as error:
            return answers.invalid([error])
        except Refusal as refusal:
            return answers.refused_whole(refusal, scope)
        return await self._answer(scope, document, operation, is_safe=is_safe)

    def _read(
        self, query: str, variables: Mapping[str, Any] | None, *, is_stranger: bool
    ) -> Document | list[GraphQLError]:
        """The document of a new text, or what is wrong with it.  Raises TooComplex."""
        parsed = limits.parse(query)
        query_cost.check(parsed, variables)
        mistakes = validate(self.schema, parsed, max_errors=10, hide_suggestions=is_stranger)
        return mistakes or document_of(parsed, variables or {})

    async def answer_prepared(
        self, token: str, query: str, variables: Mapping[str, Any] | None, operation_name: str | None
    ) -> Answer | None:
        """The answer of the prepared path: one planned statement that also checks the caller's session or token.

        None where the operation or the token is new, or has changed; then `answer` has to answer.
        """
        document = self.documents.find(query)
        operation = document.operations.get(operation_name) if document is not None else None
        if document is None or operation is None:
            return None
        given, now = variables or {}, self.backend.clock()
        key = token_values(token, now, self.backend.entrances)
        cached_identity = self.backend.cached_identity(key["hash"])
        if (
            cached_identity is None
            or cached_identity.principal.must_change_password
            or not document.is_within_limits(given)
        ):
            return None
        ZONE.set(cached_identity.principal.zone)
        values = operation.values(self.schema, document.parsed, given)
        if values is None:
            return None
        requester = cached_identity.requester.at(now)
        request = Request(requester, requester.person.language, values, key)
        texts = await answer_prepared(self.backend, self.plans, document, operation.statement, cached_identity, request)
        if texts is None or (operation.statement in document.counted and b"null" in texts.values()):
            return None
        return Answer(answers.data_of(texts), "planned")

    def costs(self, query: str, variables: Mapping[str, Any] | None) -> dict[str, Any]:
        """What the text asks for with these variables, beside the limits.  Raises TooComplex, GraphQLError."""
        known = self.documents.find(query)
        measured = query_cost.measured(known.parsed if known is not None else limits.parse(query), variables)
        return {
            "requested": measured["cost"],
            "limit": limits.LIMITS["cost"],
            "measured": measured,
            "limits": limits.LIMITS,
        }

    async def _answer(self, scope: Scope, document: Document, operation: Operation, *, is_safe: bool) -> Answer:
        if scope.principal is None:
            # Without sign-in nothing is visible: the reader for the payload of `signIn` has a principal without rights.
            nobody = self.backend.scope(system("system:nobody", scope.now()), "graphql")
            reader = Reader(self.backend, nobody, operation, self.plans, document, is_safe=is_safe)
        else:
            reader = Reader(self.backend, scope, operation, self.plans, document, is_safe=is_safe)
        fields = operation.root_fields()
        if not fields:  # @skip and @include have left out everything
            return Answer(b'{"data":{}}', "compiled")
        names = {nodes[0].name.value for nodes in fields.values()}
        if _is_compiled(operation):
            return await self._compiled(reader, document, operation)
        if names <= INTROSPECTION and not operation.definition.variable_definitions and scope.principal is not None:
            return await self._constant(scope, reader, document, operation)
        return await self._executed(scope, reader, document.parsed, operation)

    async def _compiled(self, reader: Reader, document: Document, operation: Operation) -> Answer:
        """The answer of one statement, by a cached plan or by a new one."""

        def make(compiler: Compiler) -> dict[str, ColumnElement[Any]]:
            return _values(compiler, operation)

        try:
            statement = _statement_name(operation)
            texts = await reader.read(
                statement, operation.variables.coerced, make, with_key=reader.scope.token is not None
            )
        except KeyEnded:
            return answers.refused_whole(NotSignedIn(), reader.scope)
        except TooManyAttempts as refusal:  # the executor would only try again
            return answers.refused_whole(refusal, reader.scope)
        except (Refusal, GraphQLError):  # the executor names the field, and answers the other fields
            return await self._executed(reader.scope, reader, document.parsed, operation)
        if FIELDS & {nodes[0].name.value for nodes in operation.root_fields().values()}:
            document.counted.add(statement)
            if b"null" in texts.values() and await _waits(reader.scope, operation, texts):
                return await self._executed(reader.scope, reader, document.parsed, operation)
        document.prepare(operation, statement)
        return Answer(answers.data_of(texts), "planned" if reader.used_plan else "compiled")

    async def _constant(self, scope: Scope, reader: Reader, document: Document, operation: Operation) -> Answer:
        """The answer to an operation about the schema alone, from the cache after its first request."""
        name = operation.definition.name.value if operation.definition.name else None
        cached = self.documents.constant(document, name)
        if cached is not None:
            return Answer(cached, "constant")
        body = await self._body(scope, reader, document.parsed, operation)
        answer = answers.executed(body, may_hold_secrets=False)
        if "errors" not in body:
            self.documents.keep_constant(document, name, answer.body)
        return answer

    async def _executed(self, scope: Scope, reader: Reader, document: DocumentNode, operation: Operation) -> Answer:
        body = await self._body(scope, reader, document, operation)
        return answers.executed(body, may_hold_secrets=not operation.is_query)

    async def _body(self, scope: Scope, reader: Reader, document: DocumentNode, operation: Operation) -> dict[str, Any]:
        """The answer of the executor, with refusals in the caller's language."""
        name = operation.definition.name
        done: Any = execute(
            self.schema,
            document,
            context_value=Context(scope, operation, reader),
            variable_values=raw_variables(operation),
            operation_name=name.value if name else None,
        )
        result = await done if hasattr(done, "__await__") else done
        body: dict[str, Any] = {"data": result.data}
        if result.errors:
            body["errors"] = [errors.shown(error, scope) for error in result.errors]
        return body


def _is_compiled(operation: Operation) -> bool:
    """Whether one statement answers the whole operation."""
    return operation.is_query and all(
        nodes[0].name.value == "__typename" or root_of(operation, nodes) for nodes in operation.root_fields().values()
    )


async def _waits(scope: Scope, operation: Operation, texts: Mapping[str, bytes]) -> bool:
    """Whether a field is null because its customer has to be counted first."""
    empty = [nodes[0] for alias, nodes in operation.root_fields().items() if texts[alias] == b"null"]
    return any([await is_closed(scope, node.name.value, operation.arguments("Query", node)) for node in empty])


def _statement_name(operation: Operation) -> str:
    """The name of the operation's statement in its document: its own, and the kind of record of each `node`."""
    name = operation.definition.name.value if operation.definition.name else ""
    roots = [nodes[0] for nodes in operation.root_fields().values()]
    kinds = [kind_at("node", operation.arguments("Query", node)) for node in roots if node.name.value == "node"]
    return " ".join([name, *kinds])


def _values(compiler: Compiler, operation: Operation) -> dict[str, ColumnElement[Any]]:
    """The root fields of a query as SQL values by response key."""
    values = {}
    for alias, nodes in operation.root_fields().items():
        root = root_of(compiler.operation, nodes)
        values[alias] = root(compiler, nodes, compiler.operation.arguments("Query", nodes[0])) if root else _TYPENAME
    return values


_TYPENAME: ColumnElement[Any] = literal_column("'\"Query\"'")
"""`__typename` of the root, as JSON."""


def raw_variables(operation: Operation) -> dict[str, Any]:
    """The variables as the request gave them, because the executor coerces them itself."""
    sources = operation.variables.sources
    return {name: source.value for name, source in sources.items() if source.value is not Undefined}


def _check_can_answer(operation: Operation) -> None:
    if operation.definition.operation is OperationType.SUBSCRIPTION:
        raise GraphQLError(
            "A subscription is answered as a stream: by WebSocket (graphql-transport-ws), or as text/event-stream."
        )


def _check_signed_in(scope: Scope, operation: Operation) -> None:
    refusal = entrance_refusal(scope, {nodes[0].name.value for nodes in operation.root_fields().values()})
    if refusal is not None:
        raise refusal


async def _resolve_compiled(_root: Any, info: Any, **arguments: Any) -> Any:
    """The resolver of a compiled root field, for an operation that the executor runs."""
    reader, nodes, name = info.context.reader, info.field_nodes, info.field_name
    if name == "node" and has_reader(arguments["id"]):
        return await read_node(info.context, arguments["id"])
    root = partial(reader.root, f"{name} {kind_at(name, arguments)}", nodes, ROOTS[name])
    row = orjson.loads(await root())
    if row is None and await opened(reader.scope, name, arguments, is_safe=reader.is_safe):
        row = orjson.loads(await root())
    if row is not None and arguments.get("asOf") is not None:
        row = await past_row(info, PAST[name], row, arguments)
    if name == "node" and row is not None:
        model = model_of(arguments["id"])
        assert model is not None, "it was found"
        row["~type"] = kind_of(model).name
    return row
