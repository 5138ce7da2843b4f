"""What sheets call the columns that hold a field, and headings as they are compared.  Pure functions.

The headings are data beside the names of fields: `column_headings.txt`, whose head says what its lines mean.
"""

import re
from collections import defaultdict
from collections.abc import Iterator
from enum import StrEnum
from functools import cache, lru_cache
from itertools import product
from pathlib import Path
from typing import NamedTuple

from .simplified import simplified
from .text import fold

DATA = Path(__file__).with_name("column_headings.txt")
BETWEEN = " | "
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_BRACKETS = re.compile(r"[(\[{<【〔「『《]([^()\[\]{}<>【】〔〕「」『』《》]*)[)\]}>】〕」』》]")
_MARKS = re.compile(r"[\W_]+")
_CHINESE = "\u3400-\u9fff"
_BESIDE_CHINESE = re.compile(rf"(?<=[{_CHINESE}]) | (?=[{_CHINESE}])")
_E_MAIL = re.compile(r"\be mail")
_HASH = re.compile(r"(?<=[a-z])#|(?<=[a-z] )#|#(?= ?[a-z])")
_OWNS = re.compile(r"(?<=\w)['’]s\b")
_BEFORE_DIGITS = re.compile(r"(?<=[a-z])(?=\d)")
_LATIN = re.compile("[a-z]+")
_SAME = {
    word: first
    for first, words in {
        "no": "number num nr nbr numbers",
        "phone": "telephone tel telefon phones ph phonenumber",
        "mobile": "cell cellphone handphone mob mobiles handy",
        "email": "mail emails emailaddress",
        "address": "addr addresses",
        "account": "acct acc",
        "customer": "cust customers",
        "company": "comp companies",
        "organization": "organisation org orgs",
        "department": "dept dep",
        "description": "desc descr",
        "expected": "exp est estimated estim anticipated projected forecasted",
        "opportunity": "opp oppty opportunities",
        "category": "cat categories",
        "color": "colour",
        "manager": "mgr",
        "representative": "rep reps",
        "amount": "amt",
        "currency": "curr ccy",
        "date": "dt dte",
        "name": "nm names",
        "registration": "reg regn",
        "contact": "contacts",
        "position": "pos",
    }.items()
    for word in words.split()
}
"""Latin word -> the one that stands for it in forms."""
LATIN_WORDS = frozenset(_SAME)
"""Latin words for which another one stands in forms."""
_CHOICE = re.compile(r"\{([^{}]*)\}")
_NUMBERED = re.compile(rf"^(?:\d{{1,2}} (?=\D)|\d{{1,2}} ?[.、)] ?(?=\D)|[a-z] ?[.、)] ?(?=[{_CHINESE}]))")
_LONGEST = 200
"""Maximum number of characters of a heading that are compared."""


class Mark(StrEnum):
    """How surely a heading means the field in whose line it stands."""

    ALWAYS = ""
    USUALLY = "~"
    IF_VALUES_FIT = "?"
    BESIDE_NAME = "+"
    """Beside a column with the name of the contact: a sheet of companies has numbers of companies otherwise."""


class Heading(NamedTuple):
    """A heading of a field in the form in which it is compared."""

    form: str
    mark: Mark = Mark.ALWAYS
    is_made: bool = False
    """Whether braces made it, so that one which stands there by itself goes before it."""


@cache
def headings_of(table: str, key: str) -> tuple[Heading, ...]:
    """What sheets call the columns with a field of a table, beside its label."""
    lines = _lines()
    words = [*lines.get(f"{table}.{key}", ()), *lines.get(key, ())]
    return tuple(dict.fromkeys(found for word in words for found in _headings(word)))


@cache
def foreign_headings() -> frozenset[str]:
    """Headings of what no table has a field for."""
    return frozenset(heading_form(each) for word in _lines()["foreign"] for each in _spelt_out(word))


@cache
def neutral_words(table: str) -> frozenset[str]:
    """Words beside which a heading of a table means the same."""
    return frozenset(heading_form(word) for key in ("neutral", f"neutral.{table}") for word in _lines().get(key, ()))


@lru_cache(maxsize=4_096)
def heading_form(text: str) -> str:
    """A heading as it is compared: `客戶名稱*`, `客户 名称（必填）` and `客户名称` have one form, so have
    `Phone Number` and `phone_number`.

    Without what stands in brackets, unless all of it does; "" for a text without a letter or digit.
    """
    return _plain(without_brackets(text)) or _plain(text)


def without_brackets(text: str) -> str:
    """The heading without what stands in brackets, and without a number before it: `1. 名称` is `名称`."""
    plain = _BRACKETS.sub(" ", simplified(fold(_CAMEL.sub(" ", text[:_LONGEST])))).strip()
    return _NUMBERED.sub("", plain)


def in_brackets(text: str) -> tuple[str, ...]:
    """The forms of what stands in brackets in a heading."""
    found = _BRACKETS.findall(simplified(fold(_CAMEL.sub(" ", text[:_LONGEST]))))
    return tuple(form for each in found if (form := _plain(each)))


def is_chinese(text: str) -> bool:
    return bool(re.search(f"[{_CHINESE}]", text))


def by_script(form: str) -> tuple[str, ...]:
    """The Chinese and the Latin part of a form in both: `电话` and `tel` of `tel电话`; nothing for any other."""
    chinese = "".join(re.findall(f"[{_CHINESE}0-9]+", form))
    latin = " ".join(re.findall(rf"[^{_CHINESE}\s]+", form))
    return (chinese, latin) if is_chinese(chinese) and re.search(r"[^\W\d_]", latin) else ()


def _plain(text: str) -> str:
    """Simplified, in small letters, words apart by single blanks, none beside a Chinese character."""
    text = _OWNS.sub("", simplified(fold(_CAMEL.sub(" ", text[:_LONGEST]))))
    text = _E_MAIL.sub("email", _BESIDE_CHINESE.sub("", _MARKS.sub(" ", _HASH.sub(" no ", text)).strip()))
    return _LATIN.sub(lambda word: _SAME.get(word[0], word[0]), _BEFORE_DIGITS.sub(" ", text))


def _headings(word: str) -> Iterator[Heading]:
    """The headings that one entry of a line stands for.  What braces make gives way to what is said to be foreign."""
    mark = Mark(word[0]) if word[0] in "~?+" else Mark.ALWAYS
    made = _spelt_out(word.removeprefix(mark))
    for form in map(heading_form, made):
        if form and (len(made) == 1 or form not in foreign_headings()):
            yield Heading(form, mark, len(made) > 1)


def _spelt_out(word: str) -> list[str]:
    """`{客户/公司/}电话` as 客户电话, 公司电话 and 电话."""
    pieces = [piece.split("/") if at % 2 else [piece] for at, piece in enumerate(_CHOICE.split(word))]
    return ["".join(each) for each in product(*pieces)]


@cache
def _lines() -> dict[str, list[str]]:
    """Key -> its words, of several lines together."""
    found: dict[str, list[str]] = defaultdict(list)
    for line in DATA.read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            key, *words = line.split(BETWEEN)
            found[key] += words
    return dict(found)
