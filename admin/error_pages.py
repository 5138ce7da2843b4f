"""What the panel answers when a request fails: a page with a sentence and the id of the request."""

from collections.abc import Awaitable, Callable
from typing import Any, Protocol

import structlog
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from models.errors import Forbidden, NotFound, Refusal, ViewLimitReached

from .kit.authentication import Authentication, SessionCookie, visitor_language
from .kit.panel_request import PanelRequest, panel_request

_log = structlog.get_logger("millpond.panel")
Endpoint = Callable[[Request], Awaitable[Response]]


class ErrorPanel(Protocol):
    """What the pages use of the panel."""

    authentication: Authentication
    cookie: SessionCookie

    async def render(
        self, ask: PanelRequest, template: str, context: dict[str, Any], status: int = 200
    ) -> Response: ...
    def render_for_visitor(
        self, request: Request, template: str, context: dict[str, Any], status: int = 200
    ) -> Response: ...


class ErrorPages:
    """Error pages inside the layout of the panel for users, in a bare one for visitors."""

    def __init__(self, panel: ErrorPanel) -> None:
        self.panel = panel

    def protect(self, endpoint: Endpoint) -> Endpoint:
        """The endpoint, with an error page for every exception that has no page of its own."""

        async def protected(request: Request) -> Response:
            if b"%00" in request.scope.get("query_string", b"") or "\0" in request.url.path:
                return await self._error_page(request, 400)  # no column holds this character and no search finds it
            try:
                return await endpoint(request)
            except (HTTPException, Refusal):
                raise
            except Exception:  # noqa: BLE001  a door: the user gets a sentence and an id for every exception
                _log.exception("something went wrong", path=request.url.path)
                return await self._error_page(request, 500)

        return protected

    async def on_http_error(self, request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException), "registered for it alone"
        return await self._error_page(request, error.status_code)

    async def on_refusal(self, request: Request, refusal: Exception) -> Response:
        """The page for a refusal outside any form: of a record that is not there, or that the user may not see."""
        if isinstance(refusal, ViewLimitReached):
            return await self._error_page(request, 403, refusal)
        status = 404 if isinstance(refusal, NotFound) else 403 if isinstance(refusal, Forbidden) else 422
        return await self._error_page(request, status)

    async def _error_page(self, request: Request, status: int, told: Refusal | None = None) -> Response:
        """The page; `told` is a refusal whose sentence it says."""
        context = {"status": status, "request_id": self.panel.cookie.request_id(request), "said": ""}
        is_user = hasattr(request.state, "panel_request") or await self._is_signed_in(request)
        if is_user:
            context["said"] = told.say(panel_request(request).language) if told is not None else ""
            return await self.panel.render(panel_request(request), "error.html", context, status)
        visitor_language(request)
        return self.panel.render_for_visitor(request, "error.html", context, status)

    async def _is_signed_in(self, request: Request) -> bool:
        is_known = await self.panel.authentication.authenticate(request) is True
        return is_known and hasattr(request.state, "panel_request")
