"""The pages with which a user comes in and goes out: sign-in, sign-out, a new password, the end of viewing as another."""

from typing import Any, Protocol

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from models.errors import Refusal, TooManyAttempts, Validation
from resolvers.people import passwords
from resolvers.runtime.scope import Scope

from .kit import translation
from .kit.authentication import Authentication, is_inside, visitor_language
from .kit.routes import BASE, page_route


class VisitorPanel(Protocol):
    """What the pages use of the panel."""

    authentication: Authentication

    def render_for_visitor(
        self, request: Request, template: str, context: dict[str, Any], status: int = 200
    ) -> Response: ...


class SignInPages:
    """Open to everyone, because a visitor has no rights yet."""

    def __init__(self, panel: VisitorPanel) -> None:
        self.panel = panel

    @page_route("/login", ("open", "shows the sign-in"))
    async def show_sign_in(self, request: Request) -> Response:
        visitor_language(request)
        wanted = request.query_params.get("next", "")
        context = {"next": wanted if is_inside(wanted) else "", "login": "", "error": ""}
        return self.panel.render_for_visitor(request, "login.html", context)

    @page_route("/login", ("open", "turns login and password into a session"), "POST")
    async def sign_in(self, request: Request) -> Response:
        visitor_language(request)
        form = await request.form()
        try:
            return await self.panel.authentication.login(request)
        except Refusal as refusal:
            status = 429 if isinstance(refusal, TooManyAttempts) else 400
            login, wanted = str(form.get("login", ""))[:40], str(form.get("next", ""))
            context = {"next": wanted, "login": login, "error": refusal.say(translation.language())}
            return self.panel.render_for_visitor(request, "login.html", context, status)

    @page_route("/logout", ("open", "ends the session of this browser"), "POST")
    async def sign_out(self, request: Request) -> Response:
        return await self.panel.authentication.logout(request)

    @page_route("/be-myself", ("open", "ends viewing as another user"), "POST")
    async def stop_viewing_as(self, request: Request) -> Response:
        return await self.panel.authentication.stop_viewing_as(request)

    @page_route("/password", ("open", "lets a user with a one-time password choose their own"))
    async def show_new_password(self, request: Request) -> Response:
        found = await self._scope_of_new_password(request)
        return found if isinstance(found, Response) else self._new_password(request)

    @page_route("/password", ("open", "saves the new password of a user with a one-time password"), "POST")
    async def save_new_password(self, request: Request) -> Response:
        scope = await self._scope_of_new_password(request)
        if isinstance(scope, Response):
            return scope
        form = await request.form()
        old, new, again = (str(form.get(name, ""))[:300] for name in ("old", "new", "again"))
        try:
            if new != again:
                raise Validation("The two new passwords differ.", "两次输入的新密码不一致。")
            await passwords.change_password(scope, old, new)
        except Refusal as refusal:
            return self._new_password(request, refusal.say(translation.language()), 422)
        return RedirectResponse(f"{BASE}/", 303)

    async def _scope_of_new_password(self, request: Request) -> Scope | Response:
        """The scope of a user who has to choose a password, or where any other request is sent."""
        visitor_language(request)
        found = await self.panel.authentication.authenticate(request)
        scope: Scope | None = getattr(request.state, "scope", None)
        if scope is not None:
            return scope
        return found if isinstance(found, Response) else RedirectResponse(f"{BASE}/account", 303)

    def _new_password(self, request: Request, error: str = "", status: int = 200) -> Response:
        return self.panel.render_for_visitor(request, "password.html", {"error": error}, status)
