"""GraphQL over HTTP, the responses: the media type, the status of errors, and JSON bodies."""

import hashlib
import re
from functools import lru_cache
from typing import Any

import orjson
import structlog
from starlette.datastructures import Headers
from starlette.responses import Response

from .graphql_request import PLAIN, Refused, named_in

GRAPHQL = "application/graphql-response+json"
STREAM = "text/event-stream"

_log = structlog.get_logger("millpond.http")


def accepted(headers: Headers) -> str:
    """The media type of the response: GraphQL's own where the client rates it at least as high as plain JSON."""
    return _preferred(headers.get("accept", "")[:500])


def prefers_stream(headers: Headers) -> bool:
    """Whether the client rates server-sent events above both kinds of JSON; urql lists all three with every query."""
    rated = _rated(headers.get("accept", "")[:500])
    return rated[STREAM] > max(rated[GRAPHQL], rated[PLAIN])


def _preferred(accept: str) -> str:
    rated = _rated(accept)
    return GRAPHQL if rated[GRAPHQL] and rated[GRAPHQL] >= rated[PLAIN] else PLAIN


@lru_cache(maxsize=100)
def _rated(accept: str) -> dict[str, float]:
    rated = dict.fromkeys((GRAPHQL, PLAIN, STREAM), 0.0)
    for part in accept.split(","):
        media, _, parameters = part.partition(";")
        if (media := media.strip().lower()) in rated:
            rated[media] = max(rated[media], _quality(dict(named_in(parameters)).get("q", "1")))
    return rated


def _quality(text: str) -> float:
    return min(1.0, float(text)) if re.fullmatch(r"\d(\.\d{0,3})?", text) else 0.0


def json_response(body: bytes, status: int, media: str) -> Response:
    headers = {"cache-control": "no-store", "content-type": f"{media}; charset=utf-8"}
    return Response(body, status, headers)


def kept_response(body: bytes, media: str, headers: Headers) -> Response:
    """The response to a GET, which the browser keeps for its user and asks about each time; 304 where it has this body."""
    tag = f'W/"{hashlib.blake2b(body, digest_size=12).hexdigest()}"'
    kept = {"cache-control": "private, no-cache", "etag": tag, "vary": VARY}
    known = headers.get("if-none-match", "")[:500]
    if tag in known or known.strip() == "*":
        return Response(status_code=304, headers=kept)
    return Response(body, 200, kept | {"content-type": f"{media}; charset=utf-8"})


VARY = "Accept, Accept-Encoding, Accept-Language, Authorization, Cookie, Origin, X-GraphQL-Cost, X-View-As"
"""The headers on which an answer depends."""


def error_response(errors: list[dict[str, Any]], status: int, media: str) -> Response:
    return json_response(orjson.dumps({"errors": errors}), status, media)


def invalid_status(media: str) -> int:
    """The status of an invalid GraphQL request: 400, but 200 in plain JSON, as the GraphQL over HTTP specification says."""
    return 400 if media == GRAPHQL else 200


def refusal(refused: Refused, media: str = PLAIN) -> Response:
    error = {"message": refused.sentence, "extensions": {"code": refused.code}}
    response = error_response([error], refused.status, media)
    response.headers.update(refused.headers)
    return response


def broke(id: str, media: str = PLAIN) -> Response:
    """The response to the exception being handled: its traceback goes to the log, its id to the client."""
    _log.exception("something went wrong", request_id=id)
    error = {"message": f"Something went wrong (id {id})", "extensions": {"code": "INTERNAL"}}
    return error_response([error], 500, media)


def timed_out(seconds: float) -> Refused:
    sentence = f"This took longer than {seconds:g} seconds and was stopped."
    return Refused(503, "TIMEOUT", f"{sentence} A change may have been made: look before you repeat it.")
