"""What sheets call the columns that hold a field, and headings as they are compared.  Pure functions.

The headings are data beside the names of fields: `column_headings.txt`, whose head says what its lines mean.
"""

import re
from collections import defaultdict
from enum import StrEnum
from functools import cache, lru_cache
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
_NUMBERED = re.compile(r"^(?:\d{1,2} |(?:\d{1,2}|[a-z]) ?[.、)] ?)(?=\D)")
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


def headings_of(table: str, key: str) -> tuple[Heading, ...]:
    """What sheets call the columns with a field of a table, beside its label."""
    lines = _lines()
    words = [*lines.get(f"{table}.{key}", ()), *lines.get(key, ())]
    return tuple(dict.fromkeys(map(_heading, words)))


@cache
def foreign_headings() -> frozenset[str]:
    """Headings of what no table has a field for."""
    return frozenset(heading_form(word) for word in _lines()["foreign"])


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
    text = _MARKS.sub(" ", simplified(fold(_CAMEL.sub(" ", text[:_LONGEST])))).strip()
    return _E_MAIL.sub("email", _BESIDE_CHINESE.sub("", text))


def _heading(word: str) -> Heading:
    mark = Mark(word[0]) if word[0] in "~?+" else Mark.ALWAYS
    return Heading(heading_form(word.removeprefix(mark)), mark)


@cache
def _lines() -> dict[str, list[str]]:
    """Key -> its words, of several lines together."""
    found = defaultdict(list)
    for line in DATA.read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            key, *words = line.split(BETWEEN)
            found[key] += words
    return dict(found)
