"""Forms of text: as it is stored, and as it is compared.  Pure functions, which both databases depend on alike."""

import re
import unicodedata
from collections.abc import Callable
from functools import cache

_UNSEEN = re.compile("[\u00ad\u061c\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff]")
"""Invisible characters that come with pasted text: marks of direction, zero-width spaces, byte order marks."""
_WIDE_DIGITS = {ord("０") + n: str(n) for n in range(10)}
_CONTROLS = dict.fromkeys((*range(32), 127), " ") | dict.fromkeys(range(0xD800, 0xE000))
_LAST_CASED = 0x1FFFF
"""Planes 0 and 1 have all characters with two cases."""


def composed(text: str) -> str:
    """`text` as columns store it: without invisible characters, each letter and its accents as one character, full-width
    digits as plain ones."""
    return text if text.isascii() else unicodedata.normalize("NFC", _UNSEEN.sub("", text)).translate(_WIDE_DIGITS)


def fold(text: str) -> str:
    """The form in which words are looked up: width, case and kinds of space do not matter."""
    if not text.isascii():
        text = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    text = text.lower()
    return text if text.isalnum() else " ".join(text.translate(_CONTROLS).split())


# --- comparison without case -----------------------------------------------------------------------------
#
# Databases differ in which letters have two cases, and PostgreSQL's answer depends on its locale and its version.  So
# SQL gets the letters of both cases, from the tables of Python, and compares characters.


def cases_of(character: str) -> str:
    """The character and those that differ from it by case only: `öÖ` for `Ö`.  ASCII letters equal ASCII letters only."""
    if character.isascii():
        return "".join(sorted({character.lower(), character.upper()}))
    return _cases().get(character.casefold(), character)


@cache
def _cases() -> dict[str, str]:
    """Case-folded character -> all characters beyond ASCII with that form, of characters with several cases."""
    groups: dict[str, str] = {}
    for character in map(chr, range(0x80, _LAST_CASED)):
        if (folded := character.casefold()) != character:
            itself = "" if folded.isascii() or len(folded) > 1 else folded
            groups[folded] = groups.get(folded, itself) + character
    return {folded: group for folded, group in groups.items() if len(group) > 1}


def like_pattern(text: str) -> str:
    """The inside of a `LIKE` pattern that ignores the case of ASCII letters: necessary, and sufficient unless `has_cases`."""
    return "".join(_in_like(c) for c in text)


def has_cases(text: str) -> bool:
    """Whether a text has letters beyond ASCII with several cases, for which `LIKE` is not enough."""
    return not text.isascii() and any(len(cases_of(c)) > 1 for c in text if not c.isascii())


def glob_pattern(text: str) -> str:
    """The inside of a `GLOB` pattern of SQLite that ignores case."""
    return _by_character(text, lambda c: f"[{c}]" if c in "*?[" else c)


def regular_expression(text: str) -> str:
    """A regular expression of PostgreSQL that ignores case, without anchors."""
    return _by_character(text, lambda c: f"\\{c}" if c.isascii() and not c.isalnum() else c)


def _in_like(character: str) -> str:
    if character.isascii():
        return f"\\{character}" if character in "\\%_" else character.lower()
    return "_" if len(cases_of(character)) > 1 else character


def _by_character(text: str, single: Callable[[str], str]) -> str:
    groups = map(cases_of, text)
    return "".join(f"[{group}]" if len(group) > 1 else single(group) for group in groups)
