"""Answers of the engine: the JSON of a body, and what the door has to know of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from graphql import GraphQLError

from models.errors import NotSignedIn, Refusal
from resolvers.runtime.scope import Scope

from . import errors


class NotSafe(Exception):
    """A request that may change nothing asks for a mutation."""


NOT_SAFE = {"message": "Send a mutation by POST.", "extensions": {"code": "METHOD_NOT_ALLOWED"}}
"""What such a request is told."""


@dataclass(frozen=True)
class Answer:
    """The JSON of an answer, how it was made, and whether the request itself was invalid."""

    body: bytes
    kind: str
    invalid: bool = False
    is_stranger: bool = False
    """Whether it was refused because the caller is not signed in."""
    may_hold_secrets: bool = False
    """Whether it may hold a token or a password, which mutations alone return; such an answer is never compressed."""


def data_of(texts: Mapping[str, bytes]) -> bytes:
    """The body with these values of root fields."""
    inner = b",".join(b'"%b":%b' % (name.encode(), text) for name, text in texts.items())
    return b'{"data":{%b}}' % inner


def executed(body: dict[str, Any], *, may_hold_secrets: bool) -> Answer:
    return Answer(orjson.dumps(body), "executed", may_hold_secrets=may_hold_secrets)


def refused_whole(refusal: Refusal, scope: Scope) -> Answer:
    """The answer to a request of which nothing was answered."""
    body = orjson.dumps({"errors": [errors.refused(refusal, scope)]})
    return Answer(body, "refused", invalid=True, is_stranger=isinstance(refusal, NotSignedIn))


def invalid(found: list[GraphQLError]) -> Answer:
    """The answer to a request that is no valid GraphQL."""
    return Answer(orjson.dumps({"errors": [errors.formatted(error) for error in found]}), "invalid", invalid=True)


def with_extensions(body: bytes, extensions: Mapping[str, Any]) -> bytes:
    """The body, a JSON object, with `extensions`."""
    return body[:-1] + b',"extensions":' + orjson.dumps(extensions) + b"}"
