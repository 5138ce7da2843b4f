"""Forms of text: as it is stored, and as it is compared.  Pure functions, which both databases depend on alike."""

import re
import unicodedata
from collections.abc import Callable
from functools import cache

from .pinyin import syllables

_UNSEEN = re.compile("[\u00ad\u061c\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff]")
"""Invisible characters that come with pasted text: marks of direction, zero-width spaces, byte order marks."""
_WIDE_DIGITS = {ord("０") + n: str(n) for n in range(10)}
LARGEST_STACK = 30
MARKS = re.compile(
    f"[{''.join(chr(x) for x in range(0x300, 0x30000) if unicodedata.combining(chr(x)))}]{{{LARGEST_STACK + 1},}}"
)
"""More combining marks on one letter than any language has: Unicode's stream-safe limit of 30.  `normalize` sorts them
in time that grows with the square of their number, and nothing else in the process runs meanwhile."""
_CONTROLS = dict.fromkeys((*range(32), 127), " ") | dict.fromkeys(range(0xD800, 0xE000))
_LAST_CASED = 0x1FFFF
"""Planes 0 and 1 have all characters with two cases."""


def composed(text: str) -> str:
    """`text` as columns store it: without invisible characters, each letter and its accents as one character, full-width
    digits as plain ones."""
    if text.isascii():
        return text
    return unicodedata.normalize("NFC", _bounded(seen(text))).translate(_WIDE_DIGITS)


def seen(text: str) -> str:
    """The text without invisible characters."""
    return _UNSEEN.sub("", text)


def _bounded(text: str) -> str:
    """The text with at most LARGEST_STACK marks on a letter.  Call it last before `normalize`: what is removed
    between two stacks joins them."""
    return MARKS.sub(lambda stack: stack[0][:LARGEST_STACK], text) if len(text) > LARGEST_STACK else text


def fold(text: str) -> str:
    """The form in which words are looked up: width, case and kinds of space do not matter."""
    if not text.isascii():
        text = unicodedata.normalize("NFKC", _bounded(unicodedata.normalize("NFKC", _bounded(text)).casefold()))
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


# --- order -----------------------------------------------------------------------------------------------

KEY_BYTES = 1_000
"""Maximum length of a sort key: PostgreSQL's indexes take 2,700 bytes.  Longer names with one beginning are equal."""
_LETTERS = str.maketrans({"ø": "o", "đ": "d", "ð": "d", "ł": "l", "ħ": "h", "ı": "i", "æ": "ae", "œ": "oe", "þ": "th"})
_ACCENTS = re.compile("[\u0300-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff]+")
_DIGITS = re.compile(r"[0-9]+")


def name_key(name: str) -> str:
    """The sort key of a name: case, accents and width do not matter; Chinese sorts by pinyin among Latin letters.

    Each Chinese character becomes syllable, tone and itself, so that names with one first character are adjacent.
    """
    folded = fold(name)
    if not folded.isascii():
        folded = _without_accents(folded)
    if not folded.isascii():
        folded = "".join(f"{said}{character}" if said else character for character, said in syllables(folded))
    return folded if len(folded) <= KEY_BYTES // 4 else folded.encode()[:KEY_BYTES].decode(errors="ignore")


def _without_accents(text: str) -> str:
    return unicodedata.normalize("NFC", _ACCENTS.sub("", unicodedata.normalize("NFD", text))).translate(_LETTERS)


def narrow(text: str) -> str:
    """`text` with ASCII characters, and half-width letters, in place of their full-width forms; of the same length."""
    return text if text.isascii() else "".join(map(_narrow, text))


def _narrow(character: str) -> str:
    width, _, plain = unicodedata.decomposition(character).partition(" ")
    return chr(int(plain, 16)) if width in ("<wide>", "<narrow>") else character


def number_key(number: str) -> str:
    """The form in which numbers of records are compared: case and width do not matter."""
    return narrow(composed(number)).casefold().strip()


def natural_key(text: str) -> str:
    """A sort key in which numbers inside the text sort by their value: `C99` before `C100`."""
    return _DIGITS.sub(lambda digits: counted(digits[0].lstrip("0")), number_key(text))


def counted(digits: str) -> str:
    """Digits after their number, so that a longer number sorts behind a shorter one."""
    return f"{len(digits):02d}{digits}"
