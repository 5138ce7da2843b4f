"""Compressed answers of GraphQL, for clients that accept gzip.

The length of compressed text tells whether a guess that stands in it is also elsewhere in it (BREACH), so what may hold
a token or a password is never compressed, and neither are pages, streams and files.
"""

import asyncio
import gzip
import re
from functools import lru_cache

from starlette.datastructures import Headers
from starlette.responses import Response

from .graphql_request import named_in

MIN_BYTES = 1_024
"""Size below which a header costs more than compression saves."""
LEVEL = 4
THREAD_BYTES = 64 * 1024
"""Size from which on another thread compresses; up to it that takes about a millisecond."""


async def compress(response: Response, headers: Headers) -> None:
    """Compress the body in place, where the client accepts that and it is large enough."""
    body = bytes(response.body)
    if len(body) < MIN_BYTES or not accepts_gzip(headers.get("accept-encoding", "")[:500]):
        return
    if len(body) < THREAD_BYTES:
        packed = _packed(body)
    else:
        packed = await asyncio.to_thread(_packed, body)
    response.body = packed
    response.headers["content-encoding"] = "gzip"
    response.headers["content-length"] = str(len(packed))


def _packed(body: bytes) -> bytes:
    return gzip.compress(body, LEVEL, mtime=0)


@lru_cache(maxsize=200)
def accepts_gzip(header: str) -> bool:
    """Whether an Accept-Encoding header rates gzip above 0, and at least as high as no compression."""
    rated: dict[str, float] = {}
    for part in header.split(","):
        name, _, parameters = part.partition(";")
        quality = dict(named_in(parameters)).get("q", "1")
        rated[name.strip().lower()] = float(quality) if re.fullmatch(r"[01](\.\d{0,3})?", quality) else 0.0
    gzip_ = rated.get("gzip", rated.get("x-gzip", rated.get("*", 0.0)))
    return gzip_ > 0 and gzip_ >= rated.get("identity", 0.0)
