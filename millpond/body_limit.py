"""The limit of a request's body, for every address: the memory of the process is not the client's to fill."""

import re

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Send
from starlette.types import Scope as Connection

from admin.kit.routes import BASE

BODY_BYTES = 2 * 2**20
"""Maximum size of a body, where no other limit is named here.  `/graphql` has a smaller limit of its own."""
FORM_BYTES = 1_000_000
"""Maximum size of a form of the panel."""
BESIDES_BYTES = 2**20
"""Maximum size of what an upload holds beside its file."""
_UPLOADS = re.compile(rf"/files|{BASE}/imports/new|{BASE}/imports/[^/]{{1,40}}/workbook")
"""Addresses to which files are sent.  What serves them lets the bytes go to the disk as they arrive."""


def is_upload(path: str) -> bool:
    """Whether files are sent to this address."""
    return _UPLOADS.fullmatch(path) is not None


class BodyLimitMiddleware:
    """Ends a request with 413 as soon as its body is too large, whatever it has announced.

    The largest file has `file_bytes`; a larger one is refused by what serves the address, with a sentence.
    """

    def __init__(self, app: ASGIApp, file_bytes: int = 0) -> None:
        self.app, self.file_bytes = app, file_bytes

    async def __call__(self, connection: Connection, receive: Receive, send: Send) -> None:
        if connection["type"] != "http":
            await self.app(connection, receive, send)
            return
        size, limit = 0, self._limit(connection["path"])

        async def limited() -> Message:
            nonlocal size
            message = await receive()
            size += len(message.get("body", b""))
            if size > limit:
                raise HTTPException(413, headers={"connection": "close"})
            return message

        await self.app(connection, limited, send)

    def _limit(self, path: str) -> int:
        if is_upload(path):
            return self.file_bytes + BESIDES_BYTES
        return FORM_BYTES if path.startswith(f"{BASE}/") else BODY_BYTES
