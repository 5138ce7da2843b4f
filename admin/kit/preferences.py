"""How the panel is shown: by the choices of a browser, in a cookie, and by those of its user, in the database.

Theme, language and menu belong to the browser; density, page size and columns to the user.  The cookie identifies no user.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import quote, unquote

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response

from resolvers.runtime.languages import accepted_language

from .routes import BASE

PREFERENCES = "millpond_panel"
"""The name of the cookie."""
THEMES = ("auto", "light", "dark")
DENSITIES = ("comfortable", "compact")
SIZES = (25, 50, 100)
"""The numbers of rows that a page may have."""
WIDTHS = ("narrow", "medium", "wide")
MOST_SCREENS = 60
"""Maximum number of screens of which the columns are kept."""
COOKIE_SECONDS = 365 * 24 * 3600
OF_BROWSER = ("theme", "language", "menu")
OF_USER = ("density", "size", "steps", "columns", "widths")
_WORD = re.compile(r"[a-z_]{1,40}|custom\.[a-z][a-z0-9_]{0,39}")
"""A column or a screen."""


@dataclass(frozen=True)
class Preferences:
    """The choices of a user and of their browser.

    `size`: 0 for the default.  `steps`: whether Home shows an administrator the first steps.  `columns`: those of each screen on which the user has chosen some, in their order.  `widths`: screen -> column ->
    one of WIDTHS.
    """

    theme: str = "auto"
    density: str = "comfortable"
    language: str | None = None
    menu: str = "open"
    size: int = 0
    steps: str = "shown"
    columns: dict[str, tuple[str, ...]] = field(default_factory=dict)
    widths: dict[str, dict[str, str]] = field(default_factory=dict)

    def with_change(self, name: str, value: str, of: str = "") -> "Preferences":
        """The same with one choice changed; an unknown choice changes nothing."""
        if (name, value) in _CHOICES:
            change: dict[str, Any] = {name: value}
            return replace(self, **change)
        if name == "size" and value in map(str, SIZES):
            return replace(self, size=int(value))
        if name == "columns" and _is_screen(of):
            keys = tuple(dict.fromkeys(key for key in value.split(",") if _WORD.fullmatch(key)))[:40]
            return replace(self, columns=_put(self.columns, of, keys))
        if name == "widths" and _is_screen(of):
            pairs = (pair.partition(":") for pair in value.split(","))
            widths = {key: width for key, _, width in pairs if _WORD.fullmatch(key) and width in WIDTHS}
            return replace(self, widths=_put(self.widths, of, widths))
        return self

    def of_user(self) -> dict[str, Any]:
        """What the database keeps, as texts that `with_stored` reads."""
        return {
            "density": self.density,
            "size": str(self.size),
            "steps": self.steps,
            "columns": {of: ",".join(keys) for of, keys in self.columns.items()},
            "widths": {of: ",".join(f"{k}:{width}" for k, width in each.items()) for of, each in self.widths.items()},
        }

    def with_stored(self, settings: Mapping[str, Any]) -> "Preferences":
        """The same with what the database keeps of the user; what it does not hold properly is left out."""
        found = self
        for name in ("density", "size", "steps"):
            found = found.with_change(name, str(settings.get(name)))
        for name in ("columns", "widths"):
            held = settings.get(name)
            for of, value in held.items() if isinstance(held, Mapping) else ():
                found = found.with_change(name, str(value), str(of))
        return found

    def as_text(self) -> str:
        """The value of the cookie."""
        return json.dumps({name: getattr(self, name) for name in OF_BROWSER}, separators=(",", ":"))

    def keep_in(self, response: Response) -> None:
        """Set the cookie, so that the browser shows the panel this way for a year."""
        text = quote(self.as_text())
        response.set_cookie(PREFERENCES, text, max_age=COOKIE_SECONDS, path=BASE, httponly=True, samesite="lax")


_CHOICES = {
    *(("theme", theme) for theme in THEMES),
    *(("density", density) for density in DENSITIES),
    *(("language", language) for language in ("en", "zh")),
    *(("steps", state) for state in ("shown", "hidden")),
    *(("menu", state) for state in ("open", "closed")),
}


def _is_screen(of: str) -> bool:
    return bool(_WORD.fullmatch(of.replace("-", "_")))


def _put(held: Mapping[str, Any], of: str, value: Any) -> dict[str, Any]:
    """The choices of the screens with those of one replaced; an empty value restores the default."""
    others = {screen: known for screen, known in held.items() if screen != of}
    return {**dict(list(others.items())[-MOST_SCREENS + 1 :]), of: value} if value else others


def column_choices(form: Mapping[str, Any], given: Callable[[str], list[Any]]) -> dict[str, str]:
    """Name of a choice -> its value, as the form of columns sends them: ticked columns in order, a width of each.

    `up`: the column that moves one place towards the beginning.
    """
    if "column" not in form and "value" in form:
        return {"columns": str(form["value"])}
    keys = [str(key) for key in given("column") if key]
    if (up := str(form.get("up", ""))) in keys[1:]:
        at = keys.index(up)
        keys[at - 1 : at + 1] = [up, keys[at - 1]]
    widths = ((name.removeprefix("width-"), value) for name, value in form.items() if name.startswith("width-"))
    return {"columns": ",".join(keys), "widths": ",".join(f"{key}:{width}" for key, width in widths if width)}


def preferences(request: Request) -> Preferences:
    """What the cookie says.  A choice that the cookie does not hold properly has its default."""
    try:
        values = json.loads(unquote(request.cookies.get(PREFERENCES, "")))
        found = Preferences()
        for name in OF_BROWSER:
            found = found.with_change(name, str(values.get(name)))
    except (ValueError, TypeError, AttributeError, RecursionError):
        return Preferences()
    return found


def language_of(request: Request) -> str:
    """The language for a browser whose user has not signed in."""
    return accepted_language(preferences(request).language, Headers(scope=request.scope).get("accept-language", ""))
