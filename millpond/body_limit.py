"""The limit of a request's body, for every route: the memory of the process is not the client's to fill."""

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Send
from starlette.types import Scope as Connection

BODY_BYTES = 2 * 2**20
"""Maximum size of a body.  The largest form is that of the policy: its text, of which a browser encodes each character.

`/graphql` has a smaller limit of its own."""


class BodyLimitMiddleware:
    """Ends a request with 413 as soon as its body is too large, whatever it has announced."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, connection: Connection, receive: Receive, send: Send) -> None:
        if connection["type"] != "http":
            await self.app(connection, receive, send)
            return
        size = 0

        async def limited() -> Message:
            nonlocal size
            message = await receive()
            size += len(message.get("body", b""))
            if size > BODY_BYTES:
                raise HTTPException(413, headers={"connection": "close"})
            return message

        await self.app(connection, limited, send)
