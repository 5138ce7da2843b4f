"""How a browser shows the panel: theme, density, language, menu and columns, kept in a cookie that identifies no user."""

import json
import re
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, unquote

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response

from .routes import BASE
from .translation import accepted_language

PREFERENCES = "millpond_panel"
"""The name of the cookie."""
THEMES = ("auto", "light", "dark")
DENSITIES = ("comfortable", "compact")
COOKIE_SECONDS = 365 * 24 * 3600
_COLUMNS = re.compile(r"[a-z_]{1,40}")


@dataclass(frozen=True)
class Preferences:
    """The choices of one browser.  `columns`: those of each screen on which the user has chosen some."""

    theme: str = "auto"
    density: str = "comfortable"
    language: str | None = None
    menu: str = "open"
    columns: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def with_change(self, name: str, value: str, of: str = "") -> "Preferences":
        """The same with one choice changed; an unknown choice changes nothing."""
        values = {**self.__dict__}
        if (name, value) in _CHOICES:
            values[name] = value
        elif name == "columns" and _COLUMNS.fullmatch(of.replace("-", "_")):
            columns = tuple(column for column in value.split(",") if _COLUMNS.fullmatch(column))[:40]
            others = {key: known for key, known in self.columns.items() if key != of}
            values["columns"] = {**others, of: columns} if columns else others
        return Preferences(**values)

    def as_text(self) -> str:
        """The value of the cookie."""
        values: dict[str, Any] = {**self.__dict__, "columns": {key: ",".join(x) for key, x in self.columns.items()}}
        return json.dumps(values, separators=(",", ":"))

    def keep_in(self, response: Response) -> None:
        """Set the cookie, so that the browser shows the panel this way for a year."""
        text = quote(self.as_text())
        response.set_cookie(PREFERENCES, text, max_age=COOKIE_SECONDS, path=BASE, httponly=True, samesite="lax")


_CHOICES = {
    *(("theme", theme) for theme in THEMES),
    *(("density", density) for density in DENSITIES),
    *(("language", language) for language in ("en", "zh")),
    *(("menu", state) for state in ("open", "closed")),
}


def preferences(request: Request) -> Preferences:
    """What the cookie says.  A choice that the cookie does not hold properly has its default."""
    try:
        values = json.loads(unquote(request.cookies.get(PREFERENCES, "")))
        found = Preferences()
        for name in ("theme", "density", "language", "menu"):
            found = found.with_change(name, str(values.get(name)))
        for of, columns in dict(values.get("columns", {})).items():
            found = found.with_change("columns", str(columns), str(of))
    except (ValueError, TypeError, AttributeError, RecursionError):
        return Preferences()
    return found


def language_of(request: Request) -> str:
    """The language for a browser whose user has not signed in."""
    return accepted_language(preferences(request).language, Headers(scope=request.scope).get("accept-language", ""))
