"""GraphQL over HTTP, the requests: reads a body or an address as a GraphQL request, or refuses it with a sentence."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl

import orjson
from starlette.datastructures import Headers
from starlette.requests import Request

from schema.persisted_queries import is_hash_of

BODY_BYTES = 1 << 20
JSON_DEPTH, JSON_PARTS = 64, 20_000
"""Maximum depth of the JSON, and maximum number of objects and lists in it."""
PLAIN = "application/json"

_HASH = re.compile(r"[0-9a-fA-F]{64}")
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
    """One well-formed GraphQL request.  `query` is None where `hash` names a persisted one."""

    query: str | None
    variables: dict[str, Any] | None
    operation_name: str | None
    hash: str | None = None
    """The SHA-256 of the persisted query, in hexadecimal."""
    wants_cost: bool = False
    """Whether the answer is to say what the request costs."""


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
    parsed = _json(body, "The body is")
    if isinstance(parsed, list):
        raise _bad("Batches are not accepted: send one JSON object per request.")
    if not isinstance(parsed, dict):
        raise _bad('The body must be a JSON object like {"query": "…", "variables": {…}}.')
    if b"\\u0000" in body and _holds_nul(parsed):
        raise _bad("Text may not contain the character NUL.")
    return _checked(parsed)


def is_query_by_address(request: Request) -> bool:
    """Whether the address of a GET holds a query, or the hash of a persisted one."""
    text = request.scope.get("query_string", b"")
    return b"query=" in text or b"extensions=" in text


def read_address(request: Request) -> GraphQLRequest:
    """The GraphQL request of an address: `query`, `variables`, `operationName`, `extensions`, the objects as JSON.

    Raises Refused with a sentence about the first mistake.
    """
    text: bytes = request.scope.get("query_string", b"")
    try:
        pairs = parse_qsl(text.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=20)
    except UnicodeError:
        raise _bad("The address is not UTF-8.") from None
    except ValueError:
        raise _bad("The address holds more than 20 parameters.") from None
    given = dict(pairs)
    if len(given) < len(pairs):
        raise _bad("A parameter stands in the address twice.")
    parsed: dict[str, Any] = {name: given[name] for name in ("query", "operationName") if given.get(name)}
    for name in ("variables", "extensions"):
        if given.get(name):
            parsed[name] = _json(given[name].encode("utf-8", "surrogatepass"), f'"{name}" in the address is')
    if b"%00" in text or b"\\u0000" in text or _holds_nul(parsed):
        raise _bad("Text may not contain the character NUL.")
    return _checked(parsed)


def _checked(parsed: Mapping[str, Any]) -> GraphQLRequest:
    query, variables, name = parsed.get("query"), parsed.get("variables"), parsed.get("operationName")
    extensions = parsed.get("extensions")
    if not isinstance(extensions, dict | None):
        raise _bad('"extensions" must be an object or null.')
    hash = _persisted((extensions or {}).get("persistedQuery"))
    is_missing = query is None and hash is not None
    if not is_missing and (not isinstance(query, str) or not query.strip()):
        raise _bad('"query" must be a string with a GraphQL document.')
    if variables is not None and not isinstance(variables, dict):
        raise _bad('"variables" must be an object or null.')
    if name is not None and not isinstance(name, str):
        raise _bad('"operationName" must be a string or null.')
    if hash is not None and query is not None and not is_hash_of(hash, query):
        raise _bad("The hash of the persisted query is not that of its text.")
    return GraphQLRequest(query, variables, name, hash, bool((extensions or {}).get("cost")))


def _persisted(given: Any) -> str | None:
    """The hash of a persisted query.  Raises Refused."""
    if given is None:
        return None
    if not isinstance(given, dict) or given.get("version") != 1:
        raise _bad('"persistedQuery" must be an object with "version": 1 and "sha256Hash".')
    hash = given.get("sha256Hash")
    if not isinstance(hash, str) or not _HASH.fullmatch(hash):
        raise _bad('"sha256Hash" must be a SHA-256 as 64 hexadecimal digits.')
    return hash


def _json(text: bytes, subject: str) -> Any:
    """The value of a JSON text.  Raises Refused; `subject` begins the sentence."""
    if text.count(b"{") + text.count(b"[") > JSON_DEPTH:
        _check_brackets(_STRING.sub(b"", text).translate(_SQUARE, _NO_BRACKET))
    try:
        text.decode("utf-8")
    except UnicodeDecodeError:
        raise _bad(f"{subject} not UTF-8.") from None
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        raise _bad(_why_not_json(text, subject)) from None


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


def _why_not_json(body: bytes, subject: str) -> str:
    """The sentence for a body that orjson refuses.  The standard library accepts half a surrogate pair, so it can tell."""
    try:
        json.dumps(json.loads(body), ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return "Text may not contain half a surrogate pair."
    except ValueError:
        pass
    return f"{subject} not valid JSON."


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
    return Refused(413, "TOO_LARGE", f"The body is larger than {BODY_BYTES >> 10} KiB.")
