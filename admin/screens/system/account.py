"""The account of the user: sessions, tokens, password, language, theme, density."""

from datetime import date
from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from models import ApiToken, SignInSession
from models.errors import Refusal
from resolvers.access import policy_drafts
from resolvers.people import passwords, preferences, sign_in_throttle, tokens, view_as
from resolvers.runtime.ids import number_of
from resolvers.runtime.principals import hash_of

from ...kit.pages import Page
from ...kit.panel_request import panel_request
from ...kit.preferences import DENSITIES, THEMES
from ...kit.routes import BASE, page_route
from ...kit.translation import LANGUAGES, Label, gettext, listed, speak

_ = gettext
MOST_TRIES = 15
"""Maximum number of attempts to sign in that are shown."""
OWN = ("open", "the account of the user who asks")


class Account(Page):
    """The user's own account."""

    icon, path = "id-badge-2", "/account"
    title, is_named = Label("My account"), True

    @page_route("/account", OWN)
    async def show(self, request: Request) -> Response:
        return await self._page(request)

    async def _page(self, request: Request, status: int = 200, **more: Any) -> Response:
        ask = panel_request(request)
        sessions = await ask.scope.read(tokens.keys_of, SignInSession)
        names = await ask.scope.read(policy_drafts.role_titles)
        held = ask.scope.person.roles
        context = {
            "roles": listed(sorted(names.get(role, role) for role in held)),
            "sessions": sessions,
            "this": hash_of(ask.scope.token or ""),
            "tokens": await ask.scope.read(tokens.keys_of, ApiToken),
            "views": await ask.scope.read(view_as.views_of_me),
            "tries": await ask.scope.read(sign_in_throttle.sign_in_log, first=MOST_TRIES)
            if ask.may("session.view")
            else [],
            "themes": THEMES,
            "densities": DENSITIES,
            "errors": {},
            "secret": "",
            "done": request.query_params.get("done", "")[:20],
            **more,
        }
        return await self.render(ask, "account.html", context, status)

    @page_route("/account/language", OWN, "POST")
    async def language(self, request: Request) -> Response:
        ask, form = panel_request(request), await request.form()
        chosen = str(form.get("language", ""))
        if chosen in LANGUAGES:
            await ask.scope.run(preferences.set_language, chosen)
            speak(chosen)
        return RedirectResponse(f"{BASE}/account", 303)

    @page_route("/account/password", OWN, "POST")
    async def password(self, request: Request) -> Response:
        ask, form = panel_request(request), await request.form()
        old, new, again = (str(form.get(name, ""))[:300] for name in ("old", "new", "again"))
        try:
            if new != again:
                return await self._page(request, 422, errors={"again": _("The two new passwords differ.")})
            kept = [number_of(ApiToken, str(key)) for key in form.getlist("keep")]
            await passwords.change_password(ask.scope, old, new, kept)
        except Refusal as refusal:
            field = "old" if refusal.field == "old" else "new"
            return await self._page(request, 422, errors={field: refusal.say(ask.language)})
        return RedirectResponse(f"{BASE}/account?done=password", 303)

    @page_route("/account/token", OWN, "POST")
    async def token(self, request: Request) -> Response:
        """Create a token and show it, this once."""
        ask, form = panel_request(request), await request.form()
        try:
            end = date.fromisoformat(str(form["expires"])) if form.get("expires") else None
            until = ask.day(end, end=True) if end else None
            name, password = (str(form.get(key, ""))[:300] for key in ("name", "password"))
            made = await tokens.create_own_token(ask.scope, password, name, until)
        except (ValueError, OverflowError):
            return await self._page(request, 422, errors={"token": _("This is no date.")})
        except Refusal as refusal:
            return await self._page(request, 422, errors={"token": refusal.say(ask.language)})
        return await self._page(request, secret=made.token)

    @page_route("/account/revoke", OWN, "POST")
    async def revoke(self, request: Request) -> Response:
        ask, form = panel_request(request), await request.form()
        use_cases = {SignInSession: tokens.revoke_session, ApiToken: tokens.revoke_token}
        for model in [x for x in use_cases if number_of(x, form.get("key"))]:
            try:
                await ask.scope.run(use_cases[model], number_of(model, form.get("key")))
            except Refusal as refusal:
                return await self._page(request, 422, errors={"key": refusal.say(ask.language)})
        return RedirectResponse(f"{BASE}/account?done=revoked", 303)
