"""The words of a search: a typed text becomes words, and a word becomes the pieces that the index holds."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Protocol, cast

from sqlalchemy import or_

from models.contact import PointKind, key_of
from models.custom_field import CustomKind
from models.errors import Validation
from models.search_customs import NUMBERS, in_json
from models.search_pieces import CODE, beginning, code_pieces, fold, heard, name_pieces
from models.sounds import spelling_ways, spellings

from ..runtime.viewer import Clause
from .clauses import search_text

MOST_WORDS = 16
MOST_PIECES = 12
"""Maximum number of pieces of a word that are looked up in the index; the text decides about what they find."""

_PHONE = re.compile(r"[\d+(][\d ()./–-]*")
_OUR_CODE = re.compile(r"\A\+86[ -]?(?=\d)")
_SPLIT_PHONE = 7
"""Minimum number of digits for which digits with spaces are one phone number instead of several words."""


class Searchable(Protocol):
    """A word, or a row of the statement that holds one (`resolvers/reading/search_in_statement.py`)."""

    def held_by(self, doc: Any) -> dict[str, Clause]:
        """Column of a doc -> condition that it holds the word."""
        ...

    def near(self, doc: Any) -> Clause:
        """Condition: some custom field of a doc may hold the word, whichever and whoever sees it."""
        ...

    def held_in(self, kind: CustomKind, text: Any) -> Clause:
        """Condition: the text of a custom field of this kind holds the word."""
        ...


@dataclass(frozen=True)
class Word:
    """One word: its text for names, numbers and addresses, its digits for phones, and what it spells in pinyin."""

    text: str
    figures: str
    spelled: tuple[str, ...] = ()

    @classmethod
    def of(cls, text: str) -> "Word":
        """The word with this folded text."""
        return cls(text, _figures(text), tuple(spellings(text)))

    @property
    def is_code(self) -> bool:
        """Whether it is long enough to match inside numbers and addresses."""
        return len(self.text) >= CODE

    def held_by(self, doc: Any) -> dict[str, Clause]:
        number = doc.number.contains if self.is_code else doc.number.startswith
        ways = {"name": doc.name.contains(self.text, autoescape=True), "number": number(self.text, autoescape=True)}
        if self.is_code:
            ways["addresses"] = doc.addresses.contains(self.text, autoescape=True)
        if self.figures:
            ways["phones"] = doc.phones.contains(self.figures)
        if self.spelled:
            ways["sounds"] = or_(*(doc.sounds.contains(each) for each in self.spelled))
        return ways

    def near(self, doc: Any) -> Clause:
        held = doc.customs.contains(in_json(self.text), autoescape=True)
        return or_(held, doc.customs.contains(self.figures)) if self.figures else held

    def held_in(self, kind: CustomKind, text: Any) -> Clause:
        if kind in NUMBERS and not self.is_code:
            return cast("Clause", text.startswith(self.text, autoescape=True))
        held = text.contains(self.text, autoescape=True)
        return or_(held, text.contains(self.figures)) if kind is CustomKind.PHONE and self.figures else held


def words_of(text: str) -> tuple[Word, ...]:
    """The words of a typed text; none for an empty text.  Raises Validation for too many words or characters."""
    typed = fold(search_text(text))
    if _PHONE.fullmatch(typed):
        typed = _OUR_CODE.sub("", typed)
        typed = typed.replace(" ", "") if sum(c.isdigit() for c in typed) >= _SPLIT_PHONE else typed
    words = list(dict.fromkeys(typed.split()))
    if len(words) > MOST_WORDS:
        raise Validation(
            f"A search has at most {MOST_WORDS} words.", f"搜索内容最多 {MOST_WORDS} 个词。", field="search"
        )
    return tuple(Word.of(word) for word in words)


def _figures(word: str) -> str:
    """The digits of a phone number (`+86 138-0013` -> `1380013`); empty for any other or a too short word."""
    figures = key_of(PointKind.PHONE, _OUR_CODE.sub("", word)) if _PHONE.fullmatch(word) else ""
    return figures if len(figures) >= CODE else ""


def match(dialect: str, ways: Iterable[Iterable[str]]) -> str:
    """The query for docs that have all pieces of one of these sets: of FTS5, or a `tsquery` of PostgreSQL."""
    quote, both, either = ('"', " ", " OR ") if dialect == "sqlite" else ("'", " & ", " | ")
    return either.join(f"({both.join(f'{quote}{piece}{quote}' for piece in way)})" for way in ways)


def ways_to(word: Word) -> list[tuple[str, ...]]:
    """Sets of pieces, none of which includes another: a doc that holds the word has all pieces of one set."""
    codes = [code_pieces(word.text), code_pieces(word.figures)]
    short = [[beginning(word.text)]] if len(word.text) == CODE - 1 else []
    sounds = (heard(way) for spelling in word.spelled for way in spelling_ways(spelling))
    ways = (tuple(dict.fromkeys(x))[:MOST_PIECES] for x in (name_pieces(word.text), *codes, *short, *sounds))
    found = [way for way in dict.fromkeys(ways) if way]
    return [way for way in found if not any({*other} < {*way} for other in found)]
