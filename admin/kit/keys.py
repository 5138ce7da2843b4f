"""Coming in and going out: the session cookie, who asks, and sign-in for sqladmin."""

from typing import Any, Protocol
from urllib.parse import quote

from sqladmin.authentication import AuthenticationBackend
from sqladmin.authorization import AuthorizationBackend
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from models.errors import Refusal
from resolvers.people import sign_in as signing_in
from resolvers.people import view_as
from resolvers.runtime.scope import Scope

from .panel_request import BASE, PanelRequest, language_of, organisation_settings, panel_request, preferences
from .translation import speak

LOOKING = "millpond_looking"
"""The cookie of somebody who sees Millpond as another person does; without his own session it opens nothing here."""
_VERBS = {"list": "view", "details": "view"}


class Keys(Protocol):
    """How the session token travels: a cookie whose name and flags the house decides."""

    def read(self, request: Request) -> str | None: ...
    def write(self, response: Response, request: Request, token: str | None) -> Response: ...
    def origin(self, request: Request) -> tuple[str | None, str | None]: ...
    def request_id(self, request: Request) -> str: ...


class SignIn(AuthenticationBackend):
    """Who asks, from the session that the cookie opens.  Nothing is kept in the cookie but its token."""

    def __init__(self, backend: Any, keys: Keys) -> None:
        # Not the one above: sqladmin's own keeps the session in a signed cookie that nobody can revoke.
        self.backend, self.keys, self.middlewares = backend, keys, []

    async def authenticate(self, request: Request) -> Response | bool:
        token = self.keys.read(request)
        scope = await self._scope(request, token)
        if scope is None:
            return self._go_to_sign_in(request)
        speak(scope.language)
        if scope.principal is not None and scope.principal.must_change_password:
            request.state.scope = scope
            if request.url.path not in (f"{BASE}/password", f"{BASE}/logout"):
                return _send(request, f"{BASE}/password")
            return True
        scope = await self._through_other_eyes(request, scope)
        request.state.panel_request = await self._asking(request, scope)
        return True

    async def _through_other_eyes(self, request: Request, scope: Scope) -> Scope:
        """The scope of the person as whom somebody sees Millpond, while he does."""
        token = request.cookies.get(LOOKING, "")
        seen = await scope.read(view_as.viewed_principal, token) if token else None
        if seen is None:
            return scope
        address, agent = self.keys.origin(request)
        made: Scope = self.backend.scope(seen, "panel", request_id=scope.request_id, address=address, agent=agent)
        return made

    async def look(self, request: Request, user_id: int) -> Response:
        """Begin to see Millpond as somebody else does.  Raises what `start_viewing_as` raises."""
        scope = panel_request(request).scope
        token = await scope.run(view_as.start_viewing_as, user_id)
        response = _send(request, f"{BASE}/")
        is_safe = request.url.scheme == "https"
        response.set_cookie(LOOKING, token, path=BASE, httponly=True, samesite="lax", secure=is_safe)
        return response

    async def stop_looking(self, request: Request) -> Response:
        """Be oneself again.  Whoever is that already, or nobody, goes to the first page."""
        scope, token = await self._scope(request, self.keys.read(request)), request.cookies.get(LOOKING, "")
        if scope is None:
            return self._go_to_sign_in(request)
        if scope.principal is not None and scope.principal.must_change_password:
            return _send(request, f"{BASE}/password")
        if token:
            await scope.run(view_as.stop_looking, token)
        response = RedirectResponse(f"{BASE}/", 303)
        response.delete_cookie(LOOKING, path=BASE)
        return response

    async def get_user_id(self, request: Request) -> Any:
        return request.state.panel_request.scope.me if hasattr(request.state, "panel_request") else None

    async def login(self, request: Request) -> Response | bool:
        """Open a session.  Raises SignInRefused, TooManyAttempts.  A session that was open in this browser ends."""
        form = await request.form()
        login, password = (str(form.get(name, ""))[:300] for name in ("login", "password"))
        address, agent = self.keys.origin(request)
        visitor = self.backend.scope(
            None, "panel", request_id=self.keys.request_id(request), address=address, agent=agent
        )
        entrance = await signing_in.sign_in(visitor, login, password)
        await self._end(request)
        go = str(form.get("next", ""))
        response = RedirectResponse(go if is_inside(go) else f"{BASE}/", 303)
        return self.keys.write(response, request, entrance.token)

    async def logout(self, request: Request) -> Response | bool:
        if LOOKING in request.cookies:
            await self.stop_looking(request)
        await self._end(request)
        response = self.keys.write(RedirectResponse(f"{BASE}/login", 303), request, None)
        if LOOKING in request.cookies:
            response.delete_cookie(LOOKING, path=BASE)
        return response

    async def _end(self, request: Request) -> None:
        token = self.keys.read(request)
        scope = await self._scope(request, token)
        if scope is not None:
            try:
                await scope.run(signing_in.sign_out, token)
            except Refusal:
                return  # it has ended already

    async def _scope(self, request: Request, token: str | None) -> Scope | None:
        if token is None:
            return None
        address, agent = self.keys.origin(request)
        principal = await self.backend.principal_of(token, address, agent)
        if principal is None:
            return None
        id = self.keys.request_id(request)
        made: Scope = self.backend.scope(principal, "panel", request_id=id, address=address, agent=agent, token=token)
        return made

    async def _asking(self, request: Request, scope: Scope) -> PanelRequest:
        rules = await scope.read(organisation_settings)
        return PanelRequest(request=request, scope=scope, preferences=preferences(request), **rules)

    def _go_to_sign_in(self, request: Request) -> Response:
        path = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        wanted = f"?next={quote(path)}" if request.method == "GET" and path != f"{BASE}/" else ""
        return _send(request, f"{BASE}/login{wanted}")


def _send(request: Request, to: str) -> Response:
    """Send the browser somewhere, also when it asked for a piece of a page only."""
    if "hx-request" in request.headers:
        return Response(status_code=204, headers={"HX-Redirect": to})
    return RedirectResponse(to, 303)


def is_inside(path: str) -> bool:
    """Whether an address to go on to lies in the panel: never another host, whatever a link says."""
    return (
        path.startswith(f"{BASE}/") and "\\" not in path and "//" not in path.partition("?")[0] and path.isprintable()
    )


class Rights(AuthorizationBackend):
    """sqladmin's question, answered by the policy: is there any record to which he may do this?"""

    def __init__(self, module_of: Any) -> None:
        self.module_of = module_of

    def has_permission(self, request: Request, identity: str, action: str, obj: Any | None = None) -> bool:
        module = self.module_of(identity)
        verb = str(action).removeprefix("action:")
        has_one = hasattr(request.state, "panel_request") and module is not None
        return has_one and panel_request(request).may(f"{module}.{_VERBS.get(verb, verb)}")


def visitor_language(request: Request) -> str:
    """Speak the language of a browser without an account."""
    language = language_of(request)
    speak(language)
    return language
