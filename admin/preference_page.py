"""Where the panel keeps its preferences: one address that every form about theme, rows, language and columns posts to."""

from contextlib import suppress
from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from models.errors import Refusal
from resolvers.people.preferences import set_panel_settings

from .kit.authentication import is_inside
from .kit.panel_request import panel_preferences
from .kit.preferences import OF_USER, column_choices, preferences
from .kit.routes import BASE, page_route


class PreferencePage:
    """Open to everyone, because a visitor chooses a language too.  What belongs to a user waits until they sign in."""

    def __init__(self, panel: Any) -> None:
        self.panel = panel

    @page_route(
        "/preferences", ("open", "keeps theme and language in this browser, columns of a user for them"), "POST"
    )
    async def save(self, request: Request) -> Response:
        """The browser goes back to the page on which the choice was made."""
        form = await request.form()
        name, of, back = (str(form.get(key, "")) for key in ("name", "of", "back"))
        response = RedirectResponse(back if is_inside(back) else f"{BASE}/", 303)
        choices = column_choices(form, form.getlist) if name == "columns" else {name: str(form.get("value", ""))}
        if name in OF_USER:
            await self._keep_for_user(request, choices, of)
        else:
            preferences(request).with_change(name, choices[name], of).keep_in(response)
        return response

    async def _keep_for_user(self, request: Request, choices: dict[str, str], of: str) -> None:
        scope = await self.panel.authentication.scope_of(request)
        if scope is None:
            return
        changed = preferences(request).with_stored(await scope.read(panel_preferences))
        for name, value in choices.items():
            changed = changed.with_change(name, value, of)
        with suppress(Refusal):  # a user who views as another one changes nothing
            await scope.run(set_panel_settings, changed.of_user())
