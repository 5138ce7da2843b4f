"""GraphQL over HTTP, the requests: reads the bytes of a body as a GraphQL request, or refuses them with a sentence."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import orjson
from starlette.datastructures import Headers
from starlette.requests import Request

BODY_BYTES = 1 << 20
JSON_DEPTH, JSON_PARTS = 64, 20_000
"""Maximum depth of the JSON, and maximum number of objects and lists in it."""
PLAIN = "application/json"

_STRING = re.compile(rb'"(?:[^"\\]|\\.)*+"?', re.DOTALL)
_SQUARE = bytes.maketrans(b"{}", b"[]")
_NO_BRACKET = bytes(set(range(256)) - set(b"{}[]"))


class Refused(Exception):
    """The request is refused: an HTTP status, a code for programs and a sentence for people."""

    def __init__(self, status: int, code: str, sentence: str, **headers: str) -> None:
        self.status, self.code, self.sentence = status, code, sentence
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}
        super().__init__(sentence)


@dataclass(frozen=True)
class GraphQLRequest:
    """One well-formed GraphQL request."""

    query: str
    variables: dict[str, Any] | None
    operation_name: str | None


def check_type(headers: Headers) -> None:
    """Raise Refused unless the body is uncompressed JSON, which a form of another site cannot send."""
    if not _is_json(headers.get("content-type", "")[:200]):
        raise Refused(415, "UNSUPPORTED_MEDIA_TYPE", "Send JSON, with Content-Type: application/json.")
    if headers.get("content-encoding", "identity").lower() != "identity":
        raise Refused(415, "UNSUPPORTED_MEDIA_TYPE", "Send the body as it is, without Content-Encoding.")


@lru_cache(maxsize=100)
def _is_json(media: str) -> bool:
    media, _, parameters = media.partition(";")
    charset = dict(named_in(parameters)).get("charset", "utf-8")
    return media.strip().lower() == PLAIN and charset in ("utf-8", "utf8")


def named_in(text: str) -> Iterable[tuple[str, str]]:
    """The parameters of a header: `charset=utf-8; q=1`."""
    for part in text.split(";"):
        name, _, value = part.partition("=")
        yield name.strip().lower(), value.strip().strip('"').lower()


async def read_body(request: Request) -> bytes:
    """The whole body.  Raises Refused as soon as it exceeds its limit."""
    announced = request.headers.get("content-length", "0")
    if not (announced.isascii() and announced.isdigit()):
        raise Refused(400, "BAD_REQUEST", "Content-Length is not a number.")
    if len(announced) > 9 or int(announced) > BODY_BYTES:
        raise _too_large()
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > BODY_BYTES:
            raise _too_large()
    return bytes(body)


def read_graphql_request(body: bytes) -> GraphQLRequest:
    """The GraphQL request of a body.  Raises Refused with a sentence about the first mistake."""
    opened = body.count(b"{") + body.count(b"[")
    if opened > JSON_DEPTH:
        _check_brackets(_STRING.sub(b"", body).translate(_SQUARE, _NO_BRACKET))
    try:
        body.decode("utf-8")
    except UnicodeDecodeError:
        raise _bad("The body is not UTF-8.") from None
    try:
        parsed = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise _bad(_why_not_json(body)) from None
    if isinstance(parsed, list):
        raise _bad("Batches are not accepted: send one JSON object per request.")
    if not isinstance(parsed, dict):
        raise _bad('The body must be a JSON object like {"query": "…", "variables": {…}}.')
    if b"\\u0000" in body and _holds_nul(parsed):
        raise _bad("Text may not contain the character NUL.")
    return _checked(parsed)


def _checked(parsed: Mapping[str, Any]) -> GraphQLRequest:
    query, variables, name = parsed.get("query"), parsed.get("variables"), parsed.get("operationName")
    if not isinstance(query, str) or not query.strip():
        raise _bad('"query" must be a string with a GraphQL document.')
    if variables is not None and not isinstance(variables, dict):
        raise _bad('"variables" must be an object or null.')
    if name is not None and not isinstance(name, str):
        raise _bad('"operationName" must be a string or null.')
    if not isinstance(parsed.get("extensions"), dict | None):
        raise _bad('"extensions" must be an object or null.')
    return GraphQLRequest(query, variables, name)


def _check_brackets(brackets: bytes) -> None:
    """Raise Refused for JSON that is too deep or has too many parts.  Each round removes the innermost pairs."""
    many = brackets.count(b"[") > JSON_PARTS
    for _ in range(JSON_DEPTH):
        fewer = brackets.replace(b"[]", b"")
        if len(fewer) == len(brackets):
            break
        brackets = fewer
    else:
        brackets *= JSON_DEPTH  # what remains is too deep
    if len(brackets) > JSON_DEPTH:
        raise _bad(f"The JSON nests deeper than {JSON_DEPTH} levels.")
    if many:
        raise _bad(f"The JSON holds more than {JSON_PARTS} objects and lists.")


def _why_not_json(body: bytes) -> str:
    """The sentence for a body that orjson refuses.  The standard library accepts half a surrogate pair, so it can tell."""
    try:
        json.dumps(json.loads(body), ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return "Text may not contain half a surrogate pair."
    except ValueError:
        pass
    return "The body is not valid JSON."


def _holds_nul(value: Any) -> bool:
    stack = [value]
    while stack:
        match stack.pop():
            case str() as text if "\0" in text:
                return True
            case dict() as object_:
                stack += [*object_.keys(), *object_.values()]
            case list() as items:
                stack += items
    return False


def _bad(sentence: str) -> Refused:
    return Refused(400, "BAD_REQUEST", sentence)


def _too_large() -> Refused:
    return Refused(413, "TOO_LARGE", f"The body is larger than {BODY_BYTES >> 10} KiB.", connection="close")
