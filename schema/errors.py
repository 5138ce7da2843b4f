"""The entries of `errors` in an answer: refusals in the caller's language, and the ids of unexpected exceptions."""

import secrets
from typing import Any

import structlog
from graphql import GraphQLError

from models.errors import Refusal
from resolvers.runtime.ids import camel
from resolvers.runtime.scope import Scope

from .limits import TooComplex

_log = structlog.get_logger("millpond.graphql")


def formatted(error: GraphQLError) -> dict[str, Any]:
    return {**error.formatted, "extensions": {"code": "BAD_REQUEST", **(error.extensions or {})}}


def shown(error: GraphQLError, scope: Scope) -> dict[str, Any]:
    """A refusal as its sentence, a GraphQL error unchanged, anything else as an id of the log."""
    cause = error.original_error
    where = {name: value for name, value in error.formatted.items() if name in ("path", "locations")}
    if isinstance(cause, Refusal):
        return refused(cause, scope) | where
    if isinstance(cause, TooComplex):
        return cause.error() | where
    if cause is None or isinstance(cause, GraphQLError):
        return formatted(error)
    id = scope.request_id or secrets.token_hex(8)
    _log.error("a field broke", request_id=id, path=error.path, exc_info=cause)
    return {"message": f"Something went wrong (id {id})", "extensions": {"code": "INTERNAL"}} | where


def refused(refusal: Refusal, scope: Scope) -> dict[str, Any]:
    extensions = {"code": refusal.code(), **({"field": camel(refusal.field)} if refusal.field else {})}
    return {"message": refusal.say(scope.language), "extensions": extensions}
