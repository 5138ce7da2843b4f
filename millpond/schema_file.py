"""`GET /schema.graphql`: the whole schema as text, for those who may ask the schema about itself: who is signed in."""

import asyncio
from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response

from models.errors import NotSignedIn, PasswordMustChange
from policies import Principal
from schema.build import sdl

from .caller import Secure, address_of, agent_of, bearer, session_cookie
from .compression import compress
from .graphql_request import Refused
from .responses import kept_response, refusal

Identify = Callable[[str, str | None, str | None], Awaitable[Principal | None]]


class SchemaFile:
    """The endpoint of the schema's text, which is printed at its first request."""

    def __init__(self, identify: Identify, secure_cookies: Secure) -> None:
        self.identify, self.secure_cookies = identify, secure_cookies
        self._text: bytes | None = None

    async def page(self, request: Request) -> Response:
        """The SDL; 304 for a client that has it, 401 without a session or token.

        It may be read with the cookie from anywhere, because it holds no record, and other sites cannot read the answer.
        """
        try:
            await self._check(request)
        except Refused as refused:
            return refusal(refused)
        if self._text is None:
            self._text = (await asyncio.to_thread(sdl)).encode()
        response = kept_response(self._text, "text/plain", request.headers)
        await compress(response, request.headers)
        return response

    async def _check(self, request: Request) -> None:
        """Raise Refused for a caller who may not ask the schema about itself."""
        token = bearer(request.headers)
        if token is None:
            token = session_cookie(request, self.secure_cookies)
        principal = await self.identify(token, address_of(request), agent_of(request)) if token else None
        if principal is None:
            raise Refused(401, NotSignedIn.code(), NotSignedIn().say(), www_authenticate="Bearer")
        if principal.must_change_password:
            raise Refused(403, PasswordMustChange.code(), PasswordMustChange().say(principal.language))
