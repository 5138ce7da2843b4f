"""The unit that a heading names: `额度（万元）` holds amounts in units of 10,000 CNY."""

import re
from dataclasses import dataclass

from models.amounts import currencies
from models.simplified import simplified
from models.text import fold

_FACTORS = {
    "百": 100, "千": 1_000, "万": 10_000, "十万": 100_000, "百万": 1_000_000, "千万": 10_000_000, "亿": 100_000_000,
    "k": 1_000, "thousand": 1_000, "thousands": 1_000, "in thousands": 1_000, "000": 1_000, "000s": 1_000,
    "m": 1_000_000, "mn": 1_000_000, "mio": 1_000_000, "million": 1_000_000, "millions": 1_000_000,
    "in millions": 1_000_000, "bn": 1_000_000_000, "billion": 1_000_000_000, "billions": 1_000_000_000,
}  # fmt: skip
_CURRENCIES = {
    "元": "", "人民币": "CNY", "rmb": "CNY", "¥": "", "美元": "USD", "美金": "USD", "$": "USD", "us$": "USD",
    "欧元": "EUR", "€": "EUR", "英镑": "GBP", "£": "GBP", "日元": "JPY", "港币": "HKD", "港元": "HKD", "hk$": "HKD",
    "台币": "TWD", "新台币": "TWD", "nt$": "TWD", "韩元": "KRW",
}  # fmt: skip
"""Sign or word -> code; 元 and ¥ are of several countries, and say none."""
_BEFORE = "单位"
_FORM = re.compile(
    rf"(?:{_BEFORE}[:： ]*)?(?:(?P<first>{'|'.join(map(re.escape, sorted(_CURRENCIES, key=len, reverse=True)))}|[a-z]{{3}})? ?)"
    rf"(?P<factor>{'|'.join(map(re.escape, sorted(_FACTORS, key=len, reverse=True)))})?"
    rf" ?(?P<last>{'|'.join(map(re.escape, sorted(_CURRENCIES, key=len, reverse=True)))}|[a-z]{{3}})?"
)
_BRACKETS = re.compile(r"[(\[【<{]([^()\[\]【】<>{}]{1,20})[)\]】>}]")
_ALONE = "美元|欧元|港币|人民币"
_YUAN = "元"
_CHINESE_UNIT = f"[十百千]?[百千万亿](?:{_ALONE}|{_YUAN})|{_ALONE}"
_LATIN_UNIT = r"[a-z€$£¥]{0,4} ?'?(?:k|m|000s?|thousands?|millions?)[€$£]?"
_BEHIND = re.compile(rf"(?<=[\u4e00-\u9fff])[/ ,:_-]*({_CHINESE_UNIT})$|[/,:_ -]+(?:in )?({_LATIN_UNIT})$")


@dataclass(frozen=True)
class Unit:
    """What a value of the column is multiplied by, and the currency that the heading names, "" for none."""

    factor: int = 1
    currency: str = ""
    text: str = ""
    """As the heading says it."""


PLAIN = Unit()


def unit_of(heading: str) -> Unit:
    """The unit in a heading, in brackets or at its end; PLAIN without one."""
    text = simplified(fold(heading[:200]))
    behind = _BEHIND.search(text)
    said = [*_BRACKETS.findall(text), *([behind[1] or behind[2]] if behind else [])]
    return next((unit for each in said if (unit := _unit(each.strip(" '’"))) != PLAIN), PLAIN)


def without_unit(heading: str) -> str:
    """The heading without a unit at its end, as `金额万元` has one."""
    text = simplified(fold(heading[:200]))
    found = _BEHIND.search(text)
    return text[: found.start()] if found else text


def _unit(text: str) -> Unit:
    found = _FORM.fullmatch(text.replace("'", "").replace("’", ""))
    if found is None:
        return PLAIN
    named = [code for each in (found["first"], found["last"]) if each for code in [_currency(each)]]
    if None in named:
        return PLAIN
    factor = _FACTORS[found["factor"]] if found["factor"] else 1
    return Unit(factor, next((code for code in named if code), ""), text) if factor > 1 or any(named) else PLAIN


def _currency(word: str) -> str | None:
    """The code of a currency; None for a word that is none."""
    if word in _CURRENCIES:
        return _CURRENCIES[word]
    return word.upper() if word.upper() in currencies() else None
