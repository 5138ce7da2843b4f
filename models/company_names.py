"""Names of companies as they are compared: without the form of the company, the place, width, case and marks.

Pure functions.  Two names with equal cores are one company unless their places differ; `models/duplicates.py` judges.
"""

import re
from dataclasses import dataclass
from functools import cache, cached_property, lru_cache
from pathlib import Path

from rapidfuzz.distance import OSA

from .pinyin import is_pinyin, pinyin
from .simplified import simplified
from .text import fold

PLACES = Path(__file__).with_name("places.txt")
"""Provinces of China, each in a line with its cities."""
WORDS = Path(__file__).with_name("company_words.txt")
"""What names of companies say beside their brand: a kind of word in each line, with the words."""
_MARKS = re.compile(r"[^\w]+|_+")
_PLACE_ENDS = ("特别行政区", "自治区", "省", "市")
_POINTS = re.compile(r"(?<=\b\w)\.")
"""Behind a letter that stands for a word: S.A.R.L."""
_BRACKETS = re.compile(r"[(（【\[]([^)）】\]]+)[)）】\]]")
_CASES = re.compile(r"(?<=[a-z])(?=[A-Z][a-z])")
"""Between the words of a name that is written in one: ApexTrading."""
_COMMONEST = "有限公司"
_GLUED = re.compile(r"(?<=.{4})(?:limited|ltd|gmbh|llc)$")
_TWICE = re.compile(r"(.)\1+")
_BRAND = 2
"""Minimum length of a brand."""


@dataclass(frozen=True)
class CompanyName:
    """`core`: what distinguishes the company.  `place`: the city, else the province, that the name says; "" for none."""

    core: str
    place: str = ""

    @cached_property
    def sound(self) -> str:
        """The core in pinyin without tones and spaces; "" for a core that cannot be pinyin."""
        return (self.core if is_pinyin(self.core) else "") if self.core.isascii() else pinyin(self.core)

    @cached_property
    def sounds(self) -> frozenset[str]:
        """The core in pinyin, and in pinyin with the place, which Latin letters do not tell from a name."""
        with_place = pinyin(self.place) + self.sound if self.core.isascii() and self.place else ""
        return frozenset((self.sound, with_place)) - {""}

    @property
    def without_broken_place(self) -> str:
        """The core without a place at its beginning that has a typing error; "" where there is none."""
        for length in (2, 3, 4, 5) if not self.core.isascii() else ():
            first, rest = self.core[:length], self.core[length:].removeprefix("市")
            is_like_one = first in _broken_places() or (length == 2 and _is_once(first))
            if is_like_one and len(rest) > _BRAND and rest not in _words("trade"):
                return rest
        return ""

    @property
    def has_trade(self) -> bool:
        """Whether the core ends with a known word for a trade."""
        return self.brand != self.core

    @property
    def squeezed(self) -> str:
        """The core without a repeated letter, of Latin letters."""
        return _TWICE.sub(r"\1", self.core) if self.core.isascii() else self.core

    @cached_property
    def brand(self) -> str:
        """The core without the words for trades at its end; the core itself where nothing would be left."""
        return _without_trade(self.core)

    @property
    def whole(self) -> str:
        """Place and core, which typing errors are looked for in."""
        return self.place + self.core

    def may_be(self, other: "CompanyName") -> bool:
        """Whether the places allow that both names mean one company: equal, one inside the other, or one unsaid."""
        mine, theirs = _province_of(self.place), _province_of(other.place)
        if not self.place or not other.place or self.place == other.place:
            return True
        return mine == theirs and mine in (self.place, other.place)


@lru_cache(maxsize=8_192)
def company_name(name: str) -> CompanyName:
    """A name taken apart.  One that is nothing but form and place keeps them, so that every name has a core.

    Cached, with what is computed of it: while a user types, one check has most of its candidates from the one before.
    """
    text = simplified(fold(_CASES.sub(" ", name)))
    if text.isascii():
        return _latin(text)
    plain = _MARKS.sub("", text)
    place, rest = _place_in_brackets(text) or _without_place(plain)
    core = _without_form(rest)
    return CompanyName(core, place) if core else CompanyName(plain)


# --- Latin letters ---------------------------------------------------------------------------------------


def _latin(text: str) -> CompanyName:
    words = _MARKS.sub(" ", _POINTS.sub("", text.replace("&", " and ").replace("'", ""))).split()
    kept = [word for word in words if not _is_latin_form(word)] or words
    place = _places_in_pinyin().get(kept[0], "") if len(kept) > 2 else ""
    core = _GLUED.sub("", "".join(kept[1:] if place else kept))
    if is_pinyin(core):
        core, place = _without_pinyin_ends(core, place)
    return CompanyName(core or text, place)


def _is_latin_form(word: str) -> bool:
    return word in _words("form") or (len(word) > 5 and not _long_forms().isdisjoint(_without_one(word)))


def _without_pinyin_ends(core: str, place: str) -> tuple[str, str]:
    """The core without a form and a place that are written in pinyin."""
    form = next((x for x in _words("pinyin-form") if core.endswith(x) and len(core) > len(x) + 1), "")
    core = core.removesuffix(form)
    for said, city in () if place else _places_in_pinyin().items():
        rest = core.removeprefix(said)
        if rest != core and len(rest) > 3 and is_pinyin(rest):
            return rest, city
    return core, place


# --- Chinese ---------------------------------------------------------------------------------------------


def _without_form(text: str) -> str:
    forms = _words("chinese-form")
    if whole := next((form for form in forms if text.endswith(form)), ""):
        if len(whole) <= _BRAND and (mended := _without_broken_form(text)) != text:
            return mended
        return _without_form(text.removesuffix(whole)) if len(text) > len(whole) else ""
    return _without_broken_form(text)


def _without_broken_form(text: str) -> str:
    """The text without the commonest form at its end, in which a character is mistyped, left out or swapped."""
    for length in (len(_COMMONEST), len(_COMMONEST) - 1):
        if len(text) > length and OSA.distance(text[-length:], _COMMONEST) == 1:
            return text[:-length]
    return text


def _place_in_brackets(text: str) -> tuple[str, str] | None:
    for found in _BRACKETS.finditer(text):
        place = _leading_place(found[1].strip())
        if place and place[1] == found[1].strip():
            rest = _MARKS.sub("", text[: found.start()] + text[found.end() :])
            return place[0], rest.removeprefix(place[1])
    return None


def _without_place(text: str) -> tuple[str, str]:
    """(place, the rest): places before the name, each in the one before it, and one behind the name."""
    place, rest = "", text
    while (found := _leading_place(rest)) and _has_brand(rest.removeprefix(found[1])):
        if place and _province_of(found[0]) != place:
            break
        place, rest = found[0], rest.removeprefix(found[1])
    return (place, rest) if place else _trailing_place(text)


def _has_brand(rest: str) -> bool:
    core = _without_form(rest)
    return bool(core) and core not in _words("trade")


def _leading_place(text: str) -> tuple[str, str] | None:
    """(the place at the beginning, the text that says it with 省 or 市); None without one."""
    for length in (4, 3, 2):
        if text[:length] in _places():
            end = next((x for x in _PLACE_ENDS if text.startswith(x, length)), "")
            return text[:length], text[:length] + end
    return None


def _trailing_place(text: str) -> tuple[str, str]:
    for form in ("", *_words("chinese-form")):
        head = text.removesuffix(form).removesuffix("市")
        for length in (4, 3, 2):
            place = head[-length:]
            if (head != text or not form) and place in _places() and len(head) > length + 1:
                return place, head.removesuffix(place) + form
    return "", text


def _province_of(place: str) -> str:
    return _places().get(place, "")


def _without_trade(core: str) -> str:
    kind = "latin-trade" if core.isascii() else "trade"
    for word in _words(kind) if core.endswith(_ends(kind)) else ():
        if core.endswith(word) and len(core) - len(word) >= _BRAND:
            return _without_trade(core.removesuffix(word))
    return core


# --- data ------------------------------------------------------------------------------------------------


@cache
def _places() -> dict[str, str]:
    """Place -> its province."""
    lines = (line.split() for line in PLACES.read_text(encoding="utf-8").splitlines())
    first = next(lines)
    found = {city: city for city in first}
    for province, *cities in lines:
        found |= {province: province, **dict.fromkeys(cities, province)}
    return found


@cache
def _places_in_pinyin() -> dict[str, str]:
    """Place in pinyin -> place."""
    return {pinyin(place): place for place in _places()}


@cache
def _broken_places() -> frozenset[str]:
    """Places with two characters swapped, one twice, or one of several left out."""
    found = set()
    for place in _places():
        for at in range(len(place)):
            found.add(place[: at + 1] + place[at:])
            found.add(place[:at] + place[at + 1 : at + 2] + place[at] + place[at + 2 :])
            found |= {place[:at] + place[at + 1 :]} if len(place) > _BRAND else set()
    return frozenset(found) - _places().keys()


def _is_once(two: str) -> bool:
    """Whether one of two characters is where a place has it."""
    return len(two) == _BRAND and two not in _places() and any((at, two[at]) in _letters_of_places() for at in (0, 1))


@cache
def _letters_of_places() -> frozenset[tuple[int, str]]:
    return frozenset((at, place[at]) for place in _places() if len(place) == _BRAND for at in (0, 1))


@cache
def _words(kind: str) -> dict[str, None]:
    """The words of a kind, longest first."""
    lines = (line.split() for line in WORDS.read_text(encoding="utf-8").splitlines())
    words = (word for first, *words in lines if first == kind for word in words)
    return dict.fromkeys(sorted(words, key=len, reverse=True))


@cache
def _ends(kind: str) -> tuple[str, ...]:
    """The words of a kind, to look for all of them at once."""
    return tuple(_words(kind))


@cache
def _long_forms() -> frozenset[str]:
    """What long forms of companies become with one letter left out."""
    return frozenset(less for word in _words("form") if len(word) > 5 for less in _without_one(word))


def _without_one(word: str) -> set[str]:
    """The word, and every word that has one letter less."""
    return {word, *(word[:at] + word[at + 1 :] for at in range(len(word)))}
