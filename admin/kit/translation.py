"""The panel's words in English and Chinese, from one gettext catalogue; the language is that of the request."""

import io
from contextvars import ContextVar
from functools import cache
from pathlib import Path
from typing import Any

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import NullTranslations, Translations
from markupsafe import escape

LANGUAGES = {"en": "English", "zh": "中文"}
LOCALE = Path(__file__).parent.parent / "locale"

_language: ContextVar[str] = ContextVar("language", default="en")


def speak(language: str) -> None:
    """Set the language of the request from here on."""
    _language.set(language if language in LANGUAGES else "en")


def language() -> str:
    return _language.get()


def gettext(message: str) -> str:
    """`message` in the language of the request."""
    return str(catalogue(language()).gettext(message))


def ngettext(one: str, many: str, number: int) -> str:
    return str(catalogue(language()).ngettext(one, many, number))


@cache
def catalogue(language: str) -> NullTranslations:
    """The messages of one language, read from its `.po` once per process.  English has no catalogue."""
    source = LOCALE / language / "LC_MESSAGES" / "millpond.po"
    if not source.exists():
        return NullTranslations()
    with source.open("rb") as file:
        messages = read_po(file, locale=language)
    compiled = io.BytesIO()
    write_mo(compiled, messages)
    compiled.seek(0)
    return Translations(compiled)


class Label(str):
    """A message that is translated when it is shown, because the language is that of the request."""

    __slots__ = ()

    def __str__(self) -> str:
        return gettext(str.__str__(self))

    def __html__(self) -> Any:
        return escape(str(self))

    def __format__(self, how: str) -> str:
        return format(str(self), how)


def accepted_language(cookie: str | None, accepted: str) -> str:
    """The language of a visitor: the one chosen in this browser, else the first one that the browser asks for."""
    if cookie in LANGUAGES:
        return str(cookie)
    for part in accepted.lower().split(","):
        word = part.partition(";")[0].strip().partition("-")[0]
        if word in LANGUAGES:
            return word
    return "en"
