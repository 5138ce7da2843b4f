"""Names of companies as they are compared: without the form of the company, the place, width, case and marks.

Pure functions.  Two names with equal cores are one company unless their places differ; see `resolvers/duplicates`.
"""

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from .pinyin import syllables
from .simplified import simplified
from .text import fold

PLACES = Path(__file__).with_name("places.txt")
"""Provinces of China, each in a line with its cities."""

_FORMS = (
    "股份有限公司",
    "有限责任公司",
    "集团有限公司",
    "有限公司",
    "股份公司",
    "集团公司",
    "总公司",
    "分公司",
    "公司",
    "集团",
    "有限合伙",
)
"""What a Chinese name says about the form of the company, longest first."""
_WORDS = frozenset(
    [
        "ab",
        "ag",
        "as",
        "asa",
        "bhd",
        "bv",
        "co",
        "company",
        "corp",
        "corporation",
        "gmbh",
        "group",
        "holding",
        "holdings",
        "inc",
        "incorporated",
        "kg",
        "kk",
        "limited",
        "llc",
        "llp",
        "lp",
        "ltd",
        "nv",
        "oy",
        "oyj",
        "plc",
        "pte",
        "pty",
        "sa",
        "sarl",
        "sas",
        "sdn",
        "se",
        "spa",
        "srl",
        "the",
    ]
)
"""The same in English and European names, and the article."""
_MARKS = re.compile(r"[^\w]+|_+")
_PLACE_ENDS = ("特别行政区", "自治区", "省", "市")


@dataclass(frozen=True)
class CompanyName:
    """`core`: what distinguishes the company.  `place`: the city, else the province, that the name says; "" for none."""

    core: str
    place: str = ""

    @property
    def sound(self) -> str:
        """The core in pinyin without tones, a syllable a word; what is not Chinese stays."""
        said = (syllable[:-1] if syllable else character for character, syllable in syllables(self.core))
        return " ".join(said) if not self.core.isascii() else self.core

    def may_be(self, other: "CompanyName") -> bool:
        """Whether the places allow that both names mean one company: equal, one inside the other, or one unsaid."""
        mine, theirs = _province_of(self.place), _province_of(other.place)
        if not self.place or not other.place or self.place == other.place:
            return True
        return mine == theirs and mine in (self.place, other.place)


def company_name(name: str) -> CompanyName:
    """A name taken apart.  One that is nothing but form and place keeps them, so that every name has a core."""
    text = simplified(fold(name))
    if text.isascii():
        return CompanyName(_english_core(text))
    plain = _MARKS.sub("", text)
    place, rest = _without_place(plain)
    core = _without_form(rest)
    return CompanyName(core, place) if core else CompanyName(plain)


# --- steps -----------------------------------------------------------------------------------------------


def _english_core(text: str) -> str:
    words = _MARKS.sub(" ", text.replace("&", " and ").replace("'", "").replace(".", "")).split()
    kept = [word for word in words if word not in _WORDS]
    return "".join(kept or words)


def _without_form(text: str) -> str:
    for form in _FORMS:
        if text.endswith(form):
            return _without_form(text.removesuffix(form)) if len(text) > len(form) else ""
    return text


def _without_place(text: str) -> tuple[str, str]:
    """(place, the rest): places before the name, and one that stood in brackets within it or behind it."""
    place, rest = "", text
    while (found := _leading_place(rest)) and len(rest) > len(found[1]):
        place, rest = found[0], rest.removeprefix(found[1])
    if not place:
        for form in _FORMS:
            head = rest.removesuffix(form)
            trailing = next((x for x in _places() if head != rest and head.endswith(x) and len(head) > len(x) + 1), "")
            if trailing:
                return trailing, head.removesuffix(trailing) + form
    return place, rest


def _leading_place(text: str) -> tuple[str, str] | None:
    """(the place at the beginning, the text that says it with 省 or 市); None without one."""
    for length in (4, 3, 2):
        if text[:length] in _places():
            end = next((x for x in _PLACE_ENDS if text.startswith(x, length)), "")
            return text[:length], text[:length] + end
    return None


def _province_of(place: str) -> str:
    return _places().get(place, "")


@cache
def _places() -> dict[str, str]:
    """Place -> its province."""
    lines = (line.split() for line in PLACES.read_text(encoding="utf-8").splitlines())
    first = next(lines)
    found = {city: city for city in first}
    for province, *cities in lines:
        found |= {province: province, **dict.fromkeys(cities, province)}
    return found
