"""Where a browser keeps its preferences: one address that every form about theme, rows, language and columns posts to."""

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from .kit.authentication import is_inside
from .kit.preferences import preferences
from .kit.routes import BASE, page_route


class PreferencePage:
    """Open to everyone, because a visitor chooses a language too."""

    @page_route("/preferences", ("open", "keeps theme, density, language and columns in this browser"), "POST")
    async def save(self, request: Request) -> Response:
        """The browser goes back to the page on which the choice was made."""
        form = await request.form()
        changed = preferences(request).with_change(*(str(form.get(name, "")) for name in ("name", "value", "of")))
        back = str(form.get("back", ""))
        response = RedirectResponse(back if is_inside(back) else f"{BASE}/", 303)
        changed.keep_in(response)
        return response
