"""The panel's words in English and Chinese, from one gettext catalogue; the language is that of the request."""

import io
from collections.abc import Iterable
from contextvars import ContextVar
from functools import cache
from pathlib import Path
from typing import Any

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import NullTranslations, Translations
from markupsafe import escape

from models import Base, actions
from models.field_names import FIELD_NAMES
from models.names import RECORD, SYSTEM_MODULES

LANGUAGES = {"en": "English", "zh": "中文"}
LOCALE = Path(__file__).parent.parent / "locale"

_language: ContextVar[str] = ContextVar("language", default="en")


def speak(language: str) -> None:
    """Set the language of the request from here on."""
    _language.set(language if language in LANGUAGES else "en")


def language() -> str:
    return _language.get()


def gettext(message: str) -> str:
    """`message` in the language of the request.  An empty one stays empty: catalogues have their header below it."""
    return str(catalogue(language()).gettext(message)) if message else ""


def ngettext(one: str, many: str, number: int) -> str:
    return str(catalogue(language()).ngettext(one, many, number))


@cache
def catalogue(language: str) -> NullTranslations:
    """The messages of one language, read once per process: its `.po`, and what models and actions declare themselves."""
    source = LOCALE / language / "LC_MESSAGES" / "millpond.po"
    if not source.exists():
        return NullTranslations()
    with source.open("rb") as file:
        messages = read_po(file, locale=language)
    for english, chinese in declared_words().items() if language == "zh" else ():
        messages.add(english, chinese)
    compiled = io.BytesIO()
    write_mo(compiled, messages)
    compiled.seek(0)
    return Translations(compiled)


def declared_words() -> dict[str, str]:
    """English -> Chinese of all kinds of records, modules and actions.  None of these stands in a `.po`."""
    kinds = [vars(mapper.class_)["names"] for mapper in Base.registry.mappers if "names" in vars(mapper.class_)]
    found: dict[str, str] = {}
    for names in [*kinds, *SYSTEM_MODULES.values(), RECORD]:
        found |= names.words()
    return found | dict(actions.words()) | dict(FIELD_NAMES.values())


def listed(parts: Iterable[str]) -> str:
    """Words one after the other, as the language of the request separates them."""
    return ("、" if language() == "zh" else ", ").join(str(part) for part in parts)


class Label(str):
    """A message that is translated when it is shown, because the language is that of the request."""

    __slots__ = ()

    def __str__(self) -> str:
        return gettext(str.__str__(self))

    def __html__(self) -> Any:
        return escape(str(self))

    def __format__(self, how: str) -> str:
        return format(str(self), how)
