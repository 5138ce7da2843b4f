"""Pieces of folded text that an index can look up: characters and pairs of names, threes of numbers, syllables of pinyin.

Folded text is simplified Chinese without width and case, so 華興 and 华兴 are found alike.  Pure functions.
"""

import operator
from collections.abc import Iterable
from typing import Any

from sqlalchemy import Dialect, Text, TypeDecorator
from sqlalchemy.dialects import postgresql
from sqlalchemy.types import TypeEngine

from .simplified import simplified
from .sounds import sound_pieces
from .text import fold as folded_text

CODE = 3
"""Length of the pieces of numbers, phones and addresses.  Of names every single character is found."""


def fold(text: str) -> str:
    """The form in which docs and typed words are compared: width, case, spaces and traditional forms do not matter."""
    return simplified(folded_text(text))


class Pieces(TypeDecorator[tuple[str, ...]]):
    """Short strings without spaces and quotes: a `tsvector` on PostgreSQL, words of one text on SQLite."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        is_sqlite = dialect.name == "sqlite"
        return dialect.type_descriptor(Text() if is_sqlite else postgresql.TSVECTOR())

    def process_bind_param(self, value: Iterable[str] | None, dialect: Dialect) -> Any:
        if value is None:
            return None
        return " ".join(value) if dialect.name == "sqlite" else quoted(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> tuple[str, ...] | None:
        if value is None:
            return None
        return tuple(value.replace("'", "").split())


def quoted(pieces: Iterable[str]) -> str:
    """Pieces as the text of a `tsvector`."""
    return "'{}'".format("' '".join(pieces))


_WIDE = {code: code + 0xFEE0 for code in range(0x21, 0x7F) if not chr(code).isalnum()}
"""Punctuation, which has a meaning in FTS5, as its full-width form, which no folded text contains."""


def pieces_of(number: str, name: str, sounds: str, codes: Iterable[str]) -> list[str]:
    """The pieces of a doc with these folded texts; `name_pieces`, `code_pieces` and `heard` make those that look it up."""
    found: list[str] = []
    for first in number.split()[:1]:
        found += (_wide(first[0]), beginning(first))
    for word in _wide(name).split():
        found += word
        found += _pairs(word)
    for code in _wide(" ".join((number, *codes))).split():
        found += _threes(code)
    found += _wide(" ".join(sound_pieces(sounds))).split()
    return list(dict.fromkeys(found))


def name_pieces(word: str) -> list[str]:
    """The pieces that every name with this word in it has: its pairs, or the single character that it is."""
    word = _wide(word)
    return [*_pairs(word)] or [*word]


def code_pieces(word: str) -> list[str]:
    """The pieces that every number, phone or address with this in it has; none for fewer than CODE characters."""
    return [*_threes(_wide(word))]


def heard(pieces: Iterable[str]) -> list[str]:
    """Pieces of sounds as the index holds them."""
    return [*map(_wide, pieces)]


def beginning(number: str) -> str:
    """The piece of a number that begins with these one or two characters."""
    return _wide(f"^{number[:2]}")


def _pairs(word: str) -> Iterable[str]:
    return map(operator.add, word, word[1:])


def _threes(word: str) -> Iterable[str]:
    return map(operator.add, _pairs(word), word[2:])


def _wide(text: str) -> str:
    return text if text.isalnum() else text.translate(_WIDE)
