"""Signing in and out, and viewing as another user: the cookies of the panel, and the scope of a request."""

import re
import secrets
from typing import Any, Protocol
from urllib.parse import quote, urlsplit

from sqladmin.authentication import AuthenticationBackend
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from models.errors import Refusal
from resolvers.people import sign_in as signing_in
from resolvers.people import view_as
from resolvers.runtime.custom_fields import visible_book
from resolvers.runtime.scope import Scope

from .book import hold_book
from .panel_request import PanelRequest, panel_request, request_settings
from .preferences import language_of, preferences
from .routes import BASE
from .translation import speak

VIEW_AS_COOKIE = "millpond_looking"
"""The cookie of a user who views as another user.  It opens nothing without the session of the former."""
BROWSER_COOKIE = "millpond_browser"
"""The cookie by which a browser is known in which users have signed in.  It opens nothing."""
BROWSER_DAYS = 400
_BROWSER = re.compile(r"[\w-]{43}")


class SessionCookie(Protocol):
    """How the session token travels: a cookie whose name and flags the application decides."""

    def read(self, request: Request) -> str | None: ...
    def write(self, response: Response, request: Request, token: str | None) -> Response: ...
    def origin(self, request: Request) -> tuple[str | None, str | None]: ...
    def request_id(self, request: Request) -> str: ...


class Authentication(AuthenticationBackend):
    """The user of a request, from the session that the cookie opens.  The cookie holds the token and nothing else."""

    def __init__(self, backend: Any, cookie: SessionCookie) -> None:
        # Without super().__init__: sqladmin would keep the session in a signed cookie, which cannot be revoked.
        self.backend, self.cookie, self.middlewares = backend, cookie, []

    async def authenticate(self, request: Request) -> Response | bool:
        """True and a PanelRequest in the state of the request, or the redirect to where the user has to go first."""
        scope = await self._scope(request, self.cookie.read(request))
        if scope is None:
            return self._to_sign_in(request)
        speak(scope.language)
        if scope.principal is not None and scope.principal.must_change_password:
            request.state.scope = scope
            if request.url.path not in (f"{BASE}/password", f"{BASE}/logout"):
                return redirect(request, f"{BASE}/password")
            return True
        scope = await self._viewed_scope(request, scope)
        hold_book(visible_book(scope.policy, scope.person), scope.policy.book)
        settings = await scope.read(request_settings)
        chosen = preferences(request).with_stored(settings.pop("preferences"))
        request.state.panel_request = PanelRequest(request, scope, chosen, **settings)
        return True

    async def get_user_id(self, request: Request) -> Any:
        return request.state.panel_request.scope.me if hasattr(request.state, "panel_request") else None

    # -- sessions ----------------------------------------------------------------------------------------

    async def login(self, request: Request) -> Response:
        """Open a session, and end one that was open in this browser.  Raises SignInRefused, TooManyAttempts."""
        form = await request.form()
        login, password = (str(form.get(name, ""))[:300] for name in ("login", "password"))
        browser = request.cookies.get(BROWSER_COOKIE, "")
        if not _BROWSER.fullmatch(browser):
            browser = secrets.token_urlsafe(32)
        entrance = await signing_in.sign_in(self._visitor(request), login, password, browser)
        await self._end_session(request)
        to = str(form.get("next", ""))
        response = RedirectResponse(to if is_inside(to) else f"{BASE}/", 303)
        self.cookie.write(response, request, entrance.token)
        age, is_safe = BROWSER_DAYS * 86_400, request.url.scheme == "https"
        response.set_cookie(
            BROWSER_COOKIE, browser, path=f"{BASE}/login", max_age=age, httponly=True, samesite="lax", secure=is_safe
        )
        return response

    async def logout(self, request: Request) -> Response:
        if VIEW_AS_COOKIE in request.cookies:
            await self.stop_viewing_as(request)
        await self._end_session(request)
        response = self.cookie.write(RedirectResponse(f"{BASE}/login", 303), request, None)
        if VIEW_AS_COOKIE in request.cookies:
            response.delete_cookie(VIEW_AS_COOKIE, path=BASE)
        return response

    async def _end_session(self, request: Request) -> None:
        token = self.cookie.read(request)
        scope = await self._scope(request, token)
        if scope is not None:
            try:
                await scope.run(signing_in.sign_out, token)
            except Refusal:
                return  # the session has ended already

    # -- viewing as another user -------------------------------------------------------------------------

    async def start_viewing_as(self, request: Request, user_id: int) -> Response:
        """Show the panel as another user sees it.  Raises what the use case raises."""
        scope = panel_request(request).scope
        token = await scope.run(view_as.start_viewing_as, user_id)
        response = redirect(request, f"{BASE}/")
        is_safe = request.url.scheme == "https"
        response.set_cookie(VIEW_AS_COOKIE, token, path=BASE, httponly=True, samesite="lax", secure=is_safe)
        return response

    async def stop_viewing_as(self, request: Request) -> Response:
        """Show the panel as the user's own again.  Without viewing as another it changes nothing."""
        scope, token = await self._scope(request, self.cookie.read(request)), request.cookies.get(VIEW_AS_COOKIE, "")
        if scope is None:
            return self._to_sign_in(request)
        if scope.principal is not None and scope.principal.must_change_password:
            return redirect(request, f"{BASE}/password")
        if token:
            await scope.run(view_as.stop_viewing_as, token)
        response = RedirectResponse(f"{BASE}/", 303)
        response.delete_cookie(VIEW_AS_COOKIE, path=BASE)
        return response

    async def _viewed_scope(self, request: Request, scope: Scope) -> Scope:
        """The scope of the user as whom this one views the panel, or `scope` itself."""
        token = request.cookies.get(VIEW_AS_COOKIE, "")
        viewed = await scope.read(view_as.viewed_principal, token) if token else None
        return scope if viewed is None else self._scope_of(request, viewed, scope.request_id)

    # -- scopes ------------------------------------------------------------------------------------------

    async def scope_of(self, request: Request) -> Scope | None:
        """The scope of a request to a page that is open to everyone; None for one who has not signed in for good."""
        scope = await self._scope(request, self.cookie.read(request))
        if scope is None or (scope.principal is not None and scope.principal.must_change_password):
            return None
        return await self._viewed_scope(request, scope)

    async def again(self, request: Request) -> Scope | None:
        """The scope of a page that waits for changes, by the rights of now; None when the session has ended.

        It is no use of the session, which an open page would else keep alive for ever.
        """
        token = self.cookie.read(request)
        principal = await self.backend.principal_of(token, is_use=False) if token else None
        if principal is None or principal.must_change_password:
            return None
        scope = self._scope_of(request, principal, self.cookie.request_id(request), token=token)
        return await self._viewed_scope(request, scope)

    async def _scope(self, request: Request, token: str | None) -> Scope | None:
        """The scope of the user to whom this session belongs, None if it belongs to none."""
        if token is None:
            return None
        principal = await self.backend.principal_of(token, *self.cookie.origin(request))
        if principal is None:
            return None
        return self._scope_of(request, principal, self.cookie.request_id(request), token=token)

    def _visitor(self, request: Request) -> Scope:
        return self._scope_of(request, None, self.cookie.request_id(request))

    def _scope_of(self, request: Request, principal: Any, request_id: str | None, **more: Any) -> Scope:
        address, agent = self.cookie.origin(request)
        scope: Scope = self.backend.scope(
            principal, "panel", request_id=request_id, address=address, agent=agent, **more
        )
        return scope

    def _to_sign_in(self, request: Request) -> Response:
        path = _page_of(request)
        wanted = f"?next={quote(path)}" if is_inside(path) and path != f"{BASE}/" else ""
        return redirect(request, f"{BASE}/login{wanted}")


def redirect(request: Request, to: str) -> Response:
    """The browser goes to another page, even if it asked for a piece of a page only."""
    if "hx-request" in request.headers:
        return Response(status_code=204, headers={"HX-Redirect": to})
    return RedirectResponse(to, 303)


def _page_of(request: Request) -> str:
    """The page to which a user returns after the sign-in: the requested one, or that of the form that was sent."""
    path = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    if request.method == "GET" and "hx-request" not in request.headers:
        return path
    page = urlsplit(request.headers.get("hx-current-url") or request.headers.get("referer", ""))
    return page.path + (f"?{page.query}" if page.query else "")


def is_inside(path: str) -> bool:
    """Whether an address lies in the panel.  A redirect follows no other, because a link could name a foreign host."""
    return (
        path.startswith(f"{BASE}/") and "\\" not in path and "//" not in path.partition("?")[0] and path.isprintable()
    )


def visitor_language(request: Request) -> str:
    """Set the language of a request without a session, and return it."""
    language = language_of(request)
    speak(language)
    return language
